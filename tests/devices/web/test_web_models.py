"""Tests of the models that the web page uses, and of files that are no model for it."""

import numpy as np
import pytest
from blobs import NETWORKS, export_network, is_red
from discs import TFLITE
from PIL import Image
from web_page import MODEL, assert_same_mask, drop, edge_result, opened, saved_mask, wait_for_status

pytestmark = pytest.mark.browser


def test_int8_model(context, address, site, image, tmp_path):
    page = opened(context, f"{address}/full/?model=scaled_int8.tflite")
    drop(page, image)
    assert_same_mask(saved_mask(page), edge_result(site / "full/scaled_int8.tflite", image, tmp_path / "out"))


def test_model_of_squeezed_photos(context, address, site, image, tmp_path):
    page = opened(context, f"{address}/full/?model=squeezed.tflite")
    drop(page, image)
    assert_same_mask(saved_mask(page), edge_result(site / "full/squeezed.tflite", image, tmp_path / "out"))


@pytest.fixture(scope="module", params=NETWORKS)
def network(request, site):
    """The name of one of NETWORKS.

    The exported files of this network are in a folder with this name, beside the page.
    """
    export_network(request.param, site / "full" / request.param)
    return request.param


@pytest.mark.parametrize("name", TFLITE)
def test_a_runs_network_in_each_format(context, address, site, network, image, tmp_path, name):
    page = opened(context, f"{address}/full/?model={network}/{name}")
    drop(page, image)
    expected = edge_result(site / "full" / network / name, image, tmp_path / "out")
    assert_same_mask(saved_mask(page), expected)
    # The mask and `is_red` agreed in 0.53 and 0.56 of the pixels for untrained networks, and in 0.77 for trained
    # networks.
    assert np.mean((expected == 255) == is_red(Image.open(image))) > 0.65


@pytest.mark.parametrize(
    "query, message",
    [
        ("missing.tflite", "There is no model yet: choose a .tflite file under “Model”; the server has no missing"),
        ("http://localhost:1/a.tflite", "it must lie on this page's own server"),
        ("text.tflite", "Model text.tflite: it is no .tflite file"),
        ("page.tflite", "Model page.tflite: it is a web page (HTML), no .tflite file"),
        ("pointer.tflite", "Model pointer.tflite: it is a Git LFS pointer instead of the file: run git lfs pull"),
        ("empty.tflite", "Model empty.tflite: it is empty"),
        ("broken.tflite", "Model broken.tflite: LiteRT.js cannot load it"),
        ("two.tflite", "Model two.tflite: it is no segmenter"),
    ],
)
def test_no_model(context, address, models, image, query, message):
    page = opened(context, f"{address}/full/?model={query}", message)
    assert "error" in page.get_attribute("#status", "class")
    assert not page.is_visible("#saveMask")
    page.set_input_files("#file", image)
    page.wait_for_selector("#image")
    wait_for_status(page, "There is no model yet")
    assert not page.is_visible("#saveMask")
    page.set_input_files("#model", {"name": "good.tflite", "mimeType": "", "buffer": models[MODEL]})
    wait_for_status(page, "photo.jpg: the foreground covers")
    assert page.get_attribute("#status", "class") == ""


def test_no_litert(context, address):
    opened(context, f"{address}/bare/?model=/full/{MODEL}", "LiteRT.js is not beside this page; run “npm ci”")


def test_model_with_a_hash_in_its_name(context, address, site, models):
    (site / "full" / "birds #2.tflite").write_bytes(models[MODEL])
    opened(context, f"{address}/full/?model=birds%20%232.tflite")
