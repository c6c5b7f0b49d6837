"""Small archives of the paper's datasets, with the official layouts, in the folder where a user would put them."""

import io
import pathlib
import tarfile
import zipfile

import numpy as np
import scipy.io
import tensorflow_datasets as tfds
from PIL import Image
from tensorflow_datasets.core.download import checksums

from tf_layered_gan.data.paper_datasets import catalogue

ROOT = pathlib.Path(__file__).parents[2]


def image_file(kind, shape, value, mode="RGB"):
    """Returns the bytes of an image whose pixels all have the value `value`.

    In a mask (mode L), the left half is 0 instead.
    """
    pixels = np.full((*shape, 3) if mode == "RGB" else shape, value, np.uint8)
    if mode == "L":
        pixels[:, : shape[1] // 2] = 0
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def write_tar(path, files):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as archive:
        for name, content in files.items():
            content = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def mat(**variables):
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, variables)
    return buffer.getvalue()


def accept(monkeypatch, source, folder):
    """Makes TensorFlow Datasets accept the checksums of the files in a folder."""
    builder = catalogue.DATASETS[source].builder
    own = {path.name: checksums.compute_url_info(path) for path in folder.iterdir()}
    official = checksums.get_all_url_infos() | (builder.url_infos or {})
    infos = {url: own[info.filename] for url, info in official.items() if info.filename in own}
    monkeypatch.setattr(builder, "url_infos", infos)


def write_cub(folder, numbers=(3, 12, 1, 10, 19, 2, 26)):
    """Writes photos.

    Photo number n is grey with the value n. Sorting the photos by name gives a different order than sorting by number.
    """
    root, names = "CUB_200_2011", {n: f"001.Black_footed_Albatross/Bird_{100 - n:04}_{n}" for n in numbers}
    images = {f"{root}/images/{name}.jpg": image_file("JPEG", (20, 30), n) for n, name in names.items()}
    lists = {
        "images": [f"{n} {names[n]}.jpg" for n in sorted(names)],
        "train_test_split": [f"{n} {n % 2}" for n in sorted(names)],
        "bounding_boxes": [f"{n} 1.0 2.0 3.0 4.0" for n in sorted(names)],
    }
    lists = {f"{root}/{name}.txt": "\n".join(lines) + "\n" for name, lines in lists.items()}
    write_tar(folder / "CUB_200_2011.tgz", lists | images)
    masks = {f"segmentations/{name}.png": image_file("PNG", (20, 30), 153, mode="L") for name in names.values()}
    write_tar(folder / "segmentations.tgz", masks)


def write_dogs(folder, test=2):
    """Writes one training photo of each breed, because TensorFlow Datasets takes the breeds from the training list."""
    files = [f"n{n:08}-Breed/n{n:08}_7" for n in range(120)] + [f"n00000003-Breed/n00000003_{n}" for n in range(test)]
    write_tar(
        folder / "images.tar",
        {f"Images/{file}.jpg": image_file("JPEG", (20, 30), n) for n, file in enumerate(files)},
    )
    sizes = "<size><width>30</width><height>20</height></size>"
    box = "<object><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>8</ymax></bndbox></object>"
    write_tar(
        folder / "annotation.tar",
        {f"Annotation/{file}": f"<annotation>{sizes}{box}</annotation>" for file in files},
    )
    lists = {"train_list.mat": files[:120], "test_list.mat": files[120:]}
    write_tar(
        folder / "lists.tar",
        {name: mat(file_list=np.array([[f"{file}.jpg"] for file in part], object)) for name, part in lists.items()},
    )


def _car_annotations(count):
    fields = ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "fname")
    rows = [(1, 2, 9, 8, n + 1, f"{n + 1:05}.jpg") for n in range(count)]
    return mat(annotations=np.array([rows], dtype=[(field, object) for field in fields]))


def write_cars(folder, train=6, test=2):
    for split, count in (("train", train), ("test", test)):
        write_tar(
            folder / f"cars_{split}.tgz",
            {f"cars_{split}/{n + 1:05}.jpg": image_file("JPEG", (20, 30), 10 * n) for n in range(count)},
        )
    write_tar(folder / "car_devkit.tgz", {"devkit/cars_train_annos.mat": _car_annotations(train)})
    (folder / "cars_test_annos_withlabels.mat").write_bytes(_car_annotations(test))


def write_apc(folder, scenes=20):
    """Writes scenes of two frames each, and one empty scene. The frames of scene n are grey with the value n."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "training.zip", "w") as archive:
        for n in range(scenes):
            scene = f"training/{('shelf', 'tote')[n % 2]}/duct_tape/scene-{n:04}"
            for frame in range(2):
                archive.writestr(f"{scene}/frame-{frame:06}.color.png", image_file("PNG", (150, 200), n))
                archive.writestr(f"{scene}/frame-{frame:06}.depth.png", image_file("PNG", (150, 200), n))
                mask = image_file("PNG", (150, 200), 255, mode="L")
                archive.writestr(f"{scene}/masks/frame-{frame:06}.mask.png", mask)
        archive.writestr("training/shelf/empty/scene-empty/frame-000000.color.png", image_file("PNG", (150, 200), 99))
        for folder in ("training/shelf", "training/old/shelf/empty", "__MACOSX/training/shelf/other"):  # no scenes
            archive.writestr(f"{folder}/scene-empty/frame-000000.color.png", image_file("PNG", (150, 200), 98))


WRITERS = {"cub": write_cub, "dogs": write_dogs, "cars": write_cars, "apc": write_apc}


def write(source, path, monkeypatch):
    """Writes the archives of a dataset into `path`, a folder for TensorFlow Datasets. Returns `path`."""
    tfds.disable_progress_bar()  # a progress bar would start another process
    folder = path / "downloads" / "manual"
    WRITERS[source](folder)
    accept(monkeypatch, source, folder)
    return path
