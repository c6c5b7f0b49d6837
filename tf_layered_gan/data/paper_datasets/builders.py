"""Builders for two of the paper's datasets.

TensorFlow Datasets has CUB with another split, and does not have APC.
"""

import random
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image
from tensorflow_datasets.image_classification.caltech_birds import CaltechBirds2011

from edge_segmenter.files.images import read_image
from edge_segmenter.fit import visible_part

SPLITS = ("train", "validation", "test")
APC_URL = "http://3dvision.princeton.edu/projects/2016/apc/downloads/training.zip"
APC_SIZE = 128  # pixels
# The pattern's two groups are the scene of a file, and the file's path in the scene. A scene is a folder two levels
# below the folder "training", as in GENESIS-V2's script. If there is no folder "training", a scene is two levels below
# the top folder.
_SCENE = re.compile(r"(?!__MACOSX/)(?:(?:.*/)?training/)?((?!training/)[^/]+/[^/]+/scene-[^/]+)/(.*)")


class Cub(CaltechBirds2011):
    """`caltech_birds2011` with ReDO's split (Chen et al., 2019; paper, appendix C).

    There are 10,000 photos for training, 788 for validation and 1,000 for test.

    Each digit in cub_split.txt is the split of one photo: 0 for training, 1 for validation, 2 for test. The digits are
    in the order of the photos' numbers. The archive's file images.txt has the number of each photo. Sorting the photos
    by name gives a different order than sorting them by number.
    """

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        generators = super()._split_generators(dl_manager)
        folder = Path(dl_manager.download_and_extract(self._caltech_birds_info.images_url))  # already downloaded
        split_of = "".join((Path(__file__).parent / "cub_split.txt").read_text().split())
        numbered = [line.split() for line in (folder / "CUB_200_2011" / "images.txt").read_text().splitlines()]
        archive = dl_manager.download(self._caltech_birds_info.images_url)
        return {
            split: self._generate_examples(
                archive=dl_manager.iter_archive(archive),
                file_names={name for number, name in numbered if split_of[int(number) - 1] == digit},
                annotations=generators[0].gen_kwargs["annotations"],
            )
            for digit, split in zip("012", SPLITS, strict=True)
        }


class Apc(tfds.core.GeneratorBasedBuilder):
    """The "object segmentation training dataset" of the Amazon Picking Challenge: frames of scenes with one object.

    The split follows the script of GENESIS-V2, which the paper used. This script splits scenes, not frames: the sorted
    paths of the scenes are shuffled by Python's generator with seed 0. The first tenth of the shuffled scenes is for
    validation, and the next tenth is for test. A frame is resized so that its short side has 128 pixels, and the square
    in the middle is cut out. Scenes without an object have no masks. These scenes are left out after the shuffling.
    """

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image": tfds.features.Image(shape=(APC_SIZE, APC_SIZE, 3), encoding_format="png"),
            "image/filename": tfds.features.Text(),
            "segmentation_mask": tfds.features.Image(shape=(APC_SIZE, APC_SIZE, 1), encoding_format="png"),
        }
        homepage = "https://vision.princeton.edu/projects/2016/apc/"
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features), homepage=homepage)

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        by_hand = dl_manager.download_dir / "manual" / "training.zip"
        path = by_hand if by_hand.exists() else dl_manager.download(APC_URL)
        with zipfile.ZipFile(path) as archive:
            scenes = sorted({match[1] for match in map(_SCENE.match, archive.namelist()) if match})
        random.Random(0).shuffle(scenes)
        tenth = len(scenes) // 10
        chosen = scenes[2 * tenth :], scenes[:tenth], scenes[tenth : 2 * tenth]
        return {split: self._generate_examples(path, set(part)) for split, part in zip(SPLITS, chosen, strict=True)}

    def _generate_examples(self, path: Path, scenes: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        with zipfile.ZipFile(path) as archive:
            matches = {name: _SCENE.match(name) for name in archive.namelist()}
            file_of = {
                "/".join(match.groups()): name for name, match in matches.items() if match and match[1] in scenes
            }
            for name in sorted(file_of):
                mask_name = re.sub(r"/(frame-[^/]+)\.color\.png$", r"/masks/\1.mask.png", name)
                if mask_name == name or mask_name not in file_of:
                    continue
                with archive.open(file_of[name]) as photo_file, archive.open(file_of[mask_name]) as mask_file:
                    photo, _ = visible_part(read_image(photo_file), APC_SIZE, "crop")
                    mask, _ = visible_part(read_image(mask_file), APC_SIZE, "crop", Image.Resampling.NEAREST)
                arrays = {"image": np.asarray(photo), "segmentation_mask": np.asarray(mask.convert("L"))[..., None]}
                yield name, {"image/filename": name, **arrays}
