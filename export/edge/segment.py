"""Cuts the foreground out of photos with an exported segmenter; needs no TensorFlow.

    pip install -r requirements.txt
    python segment.py --model segmenter_int8.tflite --input photos --output results

Writes, for every picture, two PNG files of the picture's own size:
    OUTPUT/masks/NAME.png     grey: 255 where the foreground probability is above the threshold, else 0
    OUTPUT/cutouts/NAME.png   the picture with that probability, unthresholded, as its alpha

NAME is the picture's name without its suffix, in the same subfolder. Pictures of one folder that would share
a NAME (a.jpg and a.png, or a.jpg and a folder a.png), and those whose name has two picture suffixes, keep all of
it: a.jpg.png, a.png.png.
Results of an earlier run are replaced; in a folder, nothing below OUTPUT is taken for a picture, and no
picture is ever written over.

The size is that of the picture as displayed: an EXIF rotation is carried out, not copied. Grey, palette, CMYK
and 16-bit pictures become 8-bit RGB; transparency is laid over white, as in training; of an animation the
first frame is taken. A picture that cannot be read is named, counted and skipped; so is what is no file, such as
a link that leads nowhere. Links to files are read, links to folders not followed; but nothing is written outside
OUTPUT through a link in it. As in training, a picture may have 67 million pixels and its file 256 MiB; with that
the program takes less than 1.5 GiB of memory.

The model sees the whole picture, its aspect kept: the longer side is resized to the model's resolution and
the rest of the square filled by repeating the edge pixels. Training saw centre crops of undistorted photos;
so objects keep their shape, nothing is cut off, and the filling has no edge of its own.

Exit status: 0, or 1 if a picture failed, or 2 if there was nothing to run.
"""

import argparse
import collections
import os
import pathlib
import sys
import tempfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import ExifTags, Image

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
FORMATS = ("BMP", "JPEG", "PNG", "WEBP")  # not all of Pillow's: that of PostScript, for one, starts another program
MAX_PIXELS, MAX_BYTES = 2**26, 2**28
MAX_SCANS = 100  # of a progressive JPEG, which has some ten; each goes over all pixels, and takes a few bytes
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # by EXIF's orientation


def main():
    """Runs the command line; returns the exit status."""
    parser = argument_parser()
    arguments = parser.parse_args()
    sys.stdout.reconfigure(errors="backslashreplace")  # as of stderr: a path may hold what no encoding can show
    try:
        check_threshold(arguments.threshold)
        resolution, predict = load_model(arguments.model)
        jobs = plan(arguments.input, arguments.output)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    failed = 0
    for job in jobs:
        try:
            segment(*job, resolution, predict, arguments.threshold)
        except Exception as error:  # broken files make Pillow raise almost anything
            failed += 1
            print(printable(f"skipped {job[0]}: {type(error).__name__}: {error}"), file=sys.stderr)
    print(f"{len(jobs) - failed} of {len(jobs)} pictures segmented into {arguments.output}, {failed} failed")
    return 1 if failed else 0


def argument_parser():
    """Builds the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    path = {"type": pathlib.Path, "required": True}
    suffixes = " ".join(SUFFIXES)
    parser.add_argument("--model", **path, help="segmenter_int8.tflite or segmenter_float32.tflite")
    parser.add_argument("--input", **path, help=f"a picture, or a folder, searched for {suffixes}")
    parser.add_argument("--output", **path, help="a folder, made if missing")
    parser.add_argument("--threshold", type=float, default=0.5, help="in [0, 1]; 0.5 unless given")
    return parser


def printable(text):
    """Returns a text that stays on one line, whatever signs a name in it holds."""
    return text if text.isprintable() else ascii(text)[1:-1]


def check_threshold(threshold):
    """Raises ValueError for what is no probability."""
    if not 0 <= threshold <= 1:
        raise ValueError(f"--threshold must lie in [0, 1], got {threshold}")


# What to do ------------------------------------------------------------------------------------------


def plan(source, output):
    """Lists (picture, mask path, cut-out path); ValueError if none, or if a result would go to a wrong place."""
    pictures = find_pictures(source, output)
    names = result_names(pictures, source)
    jobs = [
        (picture, output / "masks" / name, output / "cutouts" / name)
        for picture, name in zip(pictures, names, strict=True)
    ]
    originals, folder = set(map(os.path.realpath, pictures)), pathlib.Path(os.path.realpath(output))
    for _, *results in jobs:
        for result in results:
            target = os.path.realpath(result)
            if target in originals:
                raise ValueError(f"--output {output} would write over the picture {result}")
            if not pathlib.Path(target).is_relative_to(folder):
                raise ValueError(f"--output {output} holds a link by which {result} would go to {target}")
    return jobs


def find_pictures(source, output):
    """Lists the pictures in `source`, a file or a folder, that do not lie in the folder `output`."""
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise ValueError(f"no such picture or folder: {source}")
    results = os.path.realpath(output)
    if pathlib.Path(os.path.realpath(source)).is_relative_to(results):
        raise ValueError(f"--output {output} must not be the folder of the pictures or one around it")
    pictures = sorted(path for path in walk(source, results) if has_picture_suffix(path.name))
    if not pictures:
        raise ValueError(f"no picture in {source}, looked for {' '.join(SUFFIXES)}")
    return pictures


def walk(folder, without):
    """Yields what is in a folder and below it, however deep, but for folders and what lies in `without`."""
    root = os.path.realpath(folder)
    folders = [root]
    while folders:
        path = folders.pop()
        try:
            entries = list(os.scandir(path))
        except OSError as error:
            print(printable(f"skipped {path}: {error.strerror}"), file=sys.stderr)
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders += [entry.path] if entry.path != without else []
            elif not os.path.isdir(entry.path) and not is_link_into(without, entry):
                yield folder / pathlib.Path(entry.path).relative_to(root)


def is_link_into(folder, entry):
    """Whether an entry is a link to what lies in a folder."""
    return entry.is_symlink() and pathlib.Path(os.path.realpath(entry.path)).is_relative_to(folder)


def result_names(pictures, source):
    """Lists the path of each picture's results below masks/ and cutouts/; no two are the same."""
    folder = source if source.is_dir() else source.parent
    # In lower case, because a.png and A.png are one file to some file systems.
    stems = [str(picture.with_suffix("")).lower() for picture in pictures]
    sharing = collections.Counter(stems)
    names = []
    for picture, stem in zip(pictures, stems, strict=True):
        taken = sharing[stem] > 1 or picture.with_suffix(".png").is_dir()  # whose results have a folder of that name
        ambiguous = taken or has_picture_suffix(picture.stem)
        name = picture.name if ambiguous else picture.stem
        names.append(picture.relative_to(folder).with_name(f"{name}.png"))
    return names


def has_picture_suffix(name):
    """Whether a file of this name is taken for a picture."""
    return name.lower().endswith(SUFFIXES)


# The model -------------------------------------------------------------------------------------------


def load_model(path):
    """Returns the resolution R and the function from uint8 [R, R, rgb] to float32 [R, R] in [0, 1]."""
    interpreter = open_model(path)
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    resolution = check_model(path, inputs, outputs)

    def predict(pixels):
        interpreter.set_tensor(inputs[0]["index"], quantize(pixels, inputs[0])[None])
        interpreter.invoke()
        return dequantize(interpreter.get_tensor(outputs[0]["index"])[0, :, :, 0], outputs[0])

    return resolution, predict


def open_model(path):
    """Returns the interpreter of a .tflite file; ValueError if there is none."""
    if not path.is_file():
        raise ValueError(f"no such model: {path}")
    try:
        interpreter = Interpreter(model_path=str(path))
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"cannot load the model {path}: {error}") from error
    return interpreter


def check_model(path, inputs, outputs):
    """Returns the resolution of a segmenter; ValueError for any other model."""
    if not inputs or not outputs:
        raise ValueError(f"{path} is no segmenter: it has {len(inputs)} inputs and {len(outputs)} outputs")
    shapes = [tuple(detail["shape"].tolist()) for detail in (*inputs, *outputs)]
    resolution = shapes[0][1] if len(shapes[0]) == 4 else None
    expected = [(1, resolution, resolution, 3), (1, resolution, resolution, 1)]
    if shapes != expected or inputs[0]["dtype"] != np.uint8:
        raise ValueError(
            f"{path} is no segmenter: its tensors must be uint8 (1, R, R, 3) and (1, R, R, 1), "
            f"got {inputs[0]['dtype'].__name__} {' and '.join(map(str, shapes))}"
        )
    return resolution


def quantize(pixels, detail):
    """Returns the numbers, uint8, that stand for the pixels in the model's input."""
    scale, zero_point = detail["quantization"]
    return np.clip(np.rint(pixels / scale + zero_point), 0, 255).astype("uint8") if scale else pixels


def dequantize(values, detail):
    """Returns the numbers, float32, that the model's output stands for."""
    scale, zero_point = detail["quantization"]
    return (values.astype("float32") - zero_point) * np.float32(scale) if scale else values


# One picture -----------------------------------------------------------------------------------------


def segment(path, mask_path, cutout_path, resolution, predict, threshold):
    """Reads one picture and writes its mask and its cut-out."""
    picture = read_picture(path)
    probability = foreground_probability(picture, resolution, predict)
    save(Image.fromarray((probability > threshold) * np.uint8(255)), mask_path)
    probability *= 255
    picture.putalpha(Image.fromarray(np.rint(probability, out=probability).astype("uint8")))
    save(picture, cutout_path)


def read_picture(path):
    """Returns the picture as displayed: upright, 8-bit RGB, its colour profile kept if that is one of RGB."""
    with open_picture(path) as picture:
        has_rgb_profile = picture.mode in ("RGB", "RGBA", "P")
        picture = upright(picture)
        if picture.mode.startswith("I"):  # 16-bit grey, which Pillow would clip at 255
            picture = Image.fromarray((np.asarray(picture) >> 8).astype("uint8"))
        if picture.has_transparency_data:
            picture = picture if picture.mode == "RGBA" else picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        picture = picture.convert("RGB")
        if not has_rgb_profile:  # one of CMYK or grey would be written into the cut-out, which is neither
            picture.info.pop("icc_profile", None)
        return picture


def open_picture(path):
    """Returns the picture, not decoded yet; ValueError if that would take too much memory or time."""
    if not path.is_file():
        raise ValueError("it is no file")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path.stat().st_size} is more than {MAX_BYTES} bytes")
    picture = Image.open(path, formats=FORMATS)
    if picture.width * picture.height > MAX_PIXELS:
        raise ValueError(f"{picture.width} x {picture.height} is more than {MAX_PIXELS} pixels")
    if picture.info.get("progressive") and (scans := path.read_bytes().count(b"\xff\xda")) > MAX_SCANS:
        raise ValueError(f"{scans} is more than {MAX_SCANS} scans of a progressive JPEG")
    return picture


def upright(picture):
    """Returns the picture turned as its EXIF says, where that can be read: it may be broken and the picture whole."""
    picture.load()  # PNG may have its EXIF last
    try:
        turn = TURNS.get(picture.getexif().get(ExifTags.Base.Orientation))
    except Exception:
        turn = None
    return picture if turn is None else picture.transpose(turn)


def foreground_probability(picture, resolution, predict):
    """Returns the probability at the picture's own size, float32 [height, width] in [0, 1]."""
    pixels, filled = letterbox(picture, resolution)
    small = Image.fromarray(np.ascontiguousarray(predict(pixels)[filled]))
    probability = np.array(small.resize(picture.size, Image.Resampling.BILINEAR))
    return probability.clip(0, 1, out=probability)


def letterbox(picture, resolution):
    """Returns the picture in a square, uint8 [resolution, resolution, rgb], and the slices it fills."""
    longest = max(picture.size)
    width, height = (max(1, round(side * resolution / longest)) for side in picture.size)
    top, left = (resolution - height) // 2, (resolution - width) // 2
    pixels = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
    padding = ((top, resolution - height - top), (left, resolution - width - left), (0, 0))
    return np.pad(pixels, padding, mode="edge"), (slice(top, top + height), slice(left, left + width))


def save(image, path):
    """Writes a PNG under another name first, so that no half-written file keeps the right one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:  # a name of any length may have no room
        image.save(pathlib.Path(folder, "picture"), "PNG")
        pathlib.Path(folder, "picture").replace(path)


if __name__ == "__main__":
    sys.exit(main())
