"""Tests of the evaluation of an exported segmenter (the fixture `model`) on photos of different sizes."""

import numpy as np
import pytest
from PIL import Image

from export.documentation.metadata import add_metadata
from export.evaluate import evaluate


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "masks").mkdir(parents=True)
    return folder


def add(folder, name, white, masked, size, unlabelled=None):
    """Writes a photo and its mask.

    The left part of the photo is white. The width of this part is the fraction `white` of the photo's width. The left
    part of the mask is white too. The width of that part is the fraction `masked` of the mask's width.
    """
    width, height = size
    columns = (np.arange(width) + 0.5) / width
    photo = np.where(columns < white, 255, 0).astype(np.uint8)[None].repeat(height, 0)
    mask = np.where(columns < masked, 255, 0).astype(np.uint8)[None].repeat(height, 0)
    if unlabelled:
        mask[:, (columns > unlabelled[0]) & (columns < unlabelled[1])] = 128
    Image.fromarray(photo).convert("RGB").save(folder / f"{name}.png")
    Image.fromarray(mask).save(folder / "masks" / f"{name}.png")


def test_photos_are_measured_at_their_own_size(model, photos):
    add(photos, "right", white=0.5, masked=0.5, size=(64, 32))  # 1,024 of 1,024 pixels
    add(photos, "half", white=0.5, masked=0.25, size=(32, 32))  # 256 of 512 pixels
    Image.new("RGB", (40, 40)).save(photos / "without_a_mask.png")
    metrics = evaluate(model, photos, photos / "masks")["segmenter"]
    assert metrics["images"] == 2
    assert metrics["iou"] == pytest.approx((1024 + 256) / (1024 + 512))
    assert metrics["iou_per_image"] == pytest.approx((1 + 0.5) / 2)


@pytest.mark.parametrize("fit, rows", [("squeeze", 16), ("pad", 2)])
def test_model_sees_photos_as_its_file_says(model, photos, tmp_path, fit, rows):
    # The photo is 128 pixels wide and 16 high. When the photo is padded, it fills only 2 rows of the model's input, so
    # the model cannot see stripes that are 1 pixel high.
    (tmp_path / "model.tflite").write_bytes(add_metadata(model.read_bytes(), {"training": {"fit": fit}}))
    stripes = np.zeros((16, 128), np.uint8)
    stripes[::2] = 255
    Image.fromarray(stripes).convert("RGB").save(photos / "stripes.png")
    Image.fromarray(stripes).save(photos / "masks" / "stripes.png")
    iou = evaluate(tmp_path / "model.tflite", photos, photos / "masks")["segmenter"]["iou"]
    assert (iou == 1) == (rows == 16)


def test_unlabelled_pixels_do_not_count(model, photos):
    add(photos, "half", white=0.5, masked=0.25, size=(32, 32), unlabelled=(0.25, 0.5))
    assert evaluate(model, photos, photos / "masks", unlabelled=128)["segmenter"]["iou"] == 1
    results = evaluate(model, photos, photos / "masks")
    assert results["segmenter"]["iou"] == 1  # without `unlabelled`, values from 128 on are foreground
    assert set(results) > {"segmenter", "grabcut", "all_foreground"}


def test_mask_with_another_aspect_ratio_is_refused(model, photos):
    add(photos, "a", white=0.5, masked=0.5, size=(32, 32))
    Image.new("L", (64, 32)).save(photos / "masks" / "a.png")
    with pytest.raises(ValueError, match="another aspect ratio"):
        evaluate(model, photos, photos / "masks")


def test_masks_of_other_photos_are_refused(model, photos):
    add(photos, "a", white=0.5, masked=0.5, size=(32, 32))
    (photos / "masks" / "a.png").rename(photos / "masks" / "b.png")
    with pytest.raises(ValueError, match="none of 1 masks"):
        evaluate(model, photos, photos / "masks")


def test_error_names_a_broken_photo(model, photos):
    add(photos, "a", white=0.5, masked=0.5, size=(32, 32))
    (photos / "a.png").write_bytes((photos / "a.png").read_bytes()[:60])
    with pytest.raises(ValueError, match="a.png cannot be read: "):
        evaluate(model, photos, photos / "masks")
