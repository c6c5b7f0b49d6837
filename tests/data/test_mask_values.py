import numpy as np
import pytest
from PIL import Image

from tf_layered_gan.data.folder import reading
from tf_layered_gan.data.labels import odd_masks
from tf_layered_gan.data.mask_values import read_mask, survey

HALF = np.array([[0, 1]] * 2, np.uint8)  # the right half is the object


def palette(values, colours):
    image = Image.fromarray(values)
    image.putpalette(colours)
    return image


def rgba(colours, alpha):
    return Image.fromarray(
        np.dstack([np.asarray(colours, np.uint8)[None].repeat(2, 0), np.array([alpha] * 2, np.uint8)])
    )


RED, BLACK, WHITE, GREEN = [128, 0, 0], [0, 0, 0], [255, 255, 255], [10, 200, 30]
CODED = {
    "0 and 1": [Image.fromarray(HALF)],
    "0 and 255": [Image.fromarray(HALF * 255)],
    "0 and 1, 16 bits": [Image.fromarray(HALF.astype(np.uint16))],
    "0 and 65535": [Image.fromarray(HALF.astype(np.uint16) * 65535)],
    "0 and 7": [Image.fromarray(HALF * 7)],
    "one bit": [Image.fromarray(HALF.astype(bool))],
    "palette of VOC": [palette(HALF, BLACK + RED)],
    "palette of VOC, class 15": [palette(HALF * 15, BLACK + RED * 20)],
    "0 and 1, others 0 and 255": [
        Image.fromarray(HALF),
        Image.fromarray(HALF * 255),
        Image.fromarray(HALF.astype(bool)),
    ],
    "0 and 255, others 0 and 65535": [Image.fromarray(HALF * 255), Image.fromarray(HALF.astype(np.uint16) * 65535)],
    "palette of black only": [palette(HALF, BLACK + BLACK)],
    "palette of black and white": [palette(HALF, BLACK + WHITE)],
    "palette of white and black": [palette(1 - HALF, WHITE + BLACK)],
    "black and red": [Image.fromarray(np.array([[BLACK, RED]] * 2, np.uint8))],
    "cut-out": [rgba([RED, GREEN], [0, 255]), rgba([GREEN, WHITE], [3, 250])],
    "black on nothing": [rgba([BLACK, BLACK], [0, 255])],
    "black and white on nothing": [rgba([BLACK, WHITE], [255, 255]), rgba([WHITE, WHITE], [0, 255])],
    "soft edges": [Image.fromarray(np.array([[0, 0, 100, 200, 255, 255, 255, 255]] * 2, np.uint8))],
    "an opaque alpha channel": [rgba([BLACK, WHITE], [255, 255])],
}


def saved(images, tmp_path):
    files = [tmp_path / f"{i}.png" for i in range(len(images))]
    for image, file in zip(images, files, strict=True):
        image.save(file)
    return files


@pytest.mark.parametrize("images", CODED.values(), ids=CODED)
def test_masks_are_told_apart_by_their_values(images, tmp_path):
    files = saved(images, tmp_path)
    coding = survey(files)
    for file in files:
        row = np.asarray(read_mask(file, coding))[0].tolist()
        expected = [0] * 3 + [255] * 5 if len(row) == 8 else [0, 255]
        assert row == expected


def test_one_rule_holds_for_all_masks_of_a_set(tmp_path):
    empty, whole, half = np.zeros((2, 2), np.uint8), np.ones((2, 2), np.uint8), HALF
    files = saved([Image.fromarray(mask) for mask in (empty, whole, half)], tmp_path)
    coding = survey(files)
    assert [int(np.asarray(read_mask(file, coding)).mean()) for file in files] == [0, 255, 127]


def test_255_beside_1_has_no_label(tmp_path):
    values = np.array([[0, 1, 255]] * 2, np.uint8)
    for image in (Image.fromarray(values), palette(values, BLACK + RED * 254 + WHITE)):
        (file,) = saved([image], tmp_path)
        assert np.asarray(read_mask(file, survey([file])))[0].tolist() == [0, 255, 128]


SEVERAL = {
    "ids": (Image.fromarray(np.array([[0, 1, 2, 3]], np.uint8)), "values 0, 1, 2, 3"),
    "ids and 255": (Image.fromarray(np.array([[0, 1, 2, 2, 2, 255]], np.uint8)), "values 0, 1, 2, 255"),
    "a trimap": (Image.fromarray(np.array([[1, 2, 3]], np.uint8)), "values 1, 2, 3"),
    "colours": (Image.fromarray(np.array([[BLACK, RED, GREEN]], np.uint8)), "colours #000000, #0ac81e, #800000"),
    "a palette": (palette(np.array([[0, 1, 2]], np.uint8), BLACK + RED + GREEN), "palette entries 0, 1, 2"),
    "greys": (Image.fromarray(np.array([[0, 85, 170, 255]], np.uint8)), "values 0, 85, 170, 255"),
}


@pytest.mark.parametrize("image, words", SEVERAL.values(), ids=SEVERAL)
def test_several_classes_are_refused_with_their_values(image, words, tmp_path):
    with pytest.raises(ValueError, match=f"the masks hold the {words}, as in .*0.png.*several classes"):
        survey(saved([image], tmp_path))


def test_mask_of_0_and_1_among_soft_ones_is_refused(tmp_path):
    soft = Image.fromarray(np.array([[0, 0, 100, 200, 255, 255, 255, 255]], np.uint8))
    with pytest.raises(ValueError, match="1.png holds only the values 0 and 1, but other masks hold greys up to 255"):
        survey(saved([soft, Image.fromarray(HALF), soft], tmp_path))


def set_of(tmp_path, mask, size=(8, 8), turn=None):
    """Writes four photos, with masks for two of them."""
    for name in ("photos", "masks"):
        (tmp_path / name).mkdir()
    exif = Image.Exif()
    if turn:
        exif[0x112] = turn
    for i in range(4):
        Image.new("RGB", size, "grey").save(tmp_path / "photos" / f"{i}.jpg", exif=exif)
    for i in (1, 3):
        Image.fromarray(mask).save(tmp_path / "masks" / f"{i}.png")
    return {"path": tmp_path / "photos", "masks": tmp_path / "masks", "resolution": 4, "storage_size": 4}


def test_mask_drawn_on_a_photo_that_exif_turns_is_refused(tmp_path):
    settings = set_of(tmp_path, np.eye(6, 8, dtype=np.uint8), size=(8, 6), turn=6)
    with pytest.raises(ValueError, match="another aspect ratio .* the mask lies on its side: EXIF turns the photo"):
        reading.load(**settings)


@pytest.mark.parametrize(
    "size, turn, warned", [((8, 8), 6, 2), ((8, 6), 3, 2), ((250, 251), 8, 2), ((8, 6), None, 0), ((8, 8), 1, 0)]
)
def test_turn_that_no_size_shows_is_a_warning(tmp_path, caplog, size, turn, warned):
    reading.load(**set_of(tmp_path, np.eye(size[1], size[0], dtype=np.uint8), size, turn))
    assert ("2 photos, such as " in caplog.text and "are turned by their EXIF data" in caplog.text) == bool(warned)


@pytest.mark.parametrize(
    "fractions, words",
    [
        ((0.0, 0.0), "no pixel is object"),
        ((1.0, 1.0), "every pixel is object"),
        ((0.82, 1.0), "cover 82% of the photos: if the masks are inverted"),
        ((0.5, 0.9), "cover 50% of the photos: if the masks are inverted"),
        ((0.5, 0.4), None),
        ((0.2, 0.0), None),
    ],
)
def test_masks_that_can_hardly_be_right_are_described(fractions, words):
    doubt = odd_masks(*fractions)
    assert doubt is None if words is None else words in doubt
