import json
import re

import numpy as np
from edge_command import bright_network
from PIL import Image

from tf_layered_gan.data.photos import Photos
from tf_layered_gan.evaluation.baselines import BASELINES
from tf_layered_gan.evaluation.report import format_figures, write_report


def photos(masks):
    images = np.zeros((3, 16, 16, 3), np.uint8)
    images[:, 4:12, 4:12] = 255
    return Photos(images=images, masks=masks, names=("a", "b", "c"))


def test_report_has_figures_and_images(tmp_path, capsys):
    masks = np.zeros((3, 16, 16), np.uint8)
    masks[:, 4:12, 4:8] = 1  # the masks cover half of the bright square, so IoU is 32 / 64
    result = write_report(tmp_path, bright_network(), photos(masks), {"seed": 7})
    assert result["seed"] == 7
    assert result["test"]["segmenter"]["iou"] == 0.5
    assert set(result["test"]) == {"segmenter", "sharpened", *BASELINES}
    assert json.loads((tmp_path / "metrics.json").read_text()) == result
    mask = np.asarray(Image.open(tmp_path / "test" / "masks" / "000.png"))
    assert mask[8, 8] == 255
    assert mask[0, 0] == 0
    assert len(list((tmp_path / "test" / "images").glob("*.png"))) == 3
    assert (tmp_path / "test" / "photos_with_masks.png").exists()
    assert not capsys.readouterr().out  # the commands print the figures, but `write_report` does not
    assert re.search(r"^segmenter +50\.0", format_figures(result, tmp_path), re.M)


def test_report_without_true_masks_has_no_figures(tmp_path):
    result = write_report(tmp_path, bright_network(), photos(None), {"seed": 7})
    assert result == {"seed": 7, "test": None}
    assert "no true masks" in format_figures(result, tmp_path)
    assert (tmp_path / "test" / "masks" / "002.png").exists()
    assert not (tmp_path / "test" / "photos_with_masks.png").exists()
