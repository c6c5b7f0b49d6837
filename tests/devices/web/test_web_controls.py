"""Tests of the web page's controls, used with the keyboard alone or by touch alone."""

import numpy as np
import pytest
from blobs import blobs, exif
from web_page import (
    MODEL,
    MOST_DIFFERENT,
    assert_same_mask,
    drop,
    edge_result,
    opened,
    saved,
    saved_mask,
    wait_for_status,
    watched_context,
)

pytestmark = pytest.mark.browser

# The elements that can be reached with the Tab key.
STOPS = ["file", "camera", "model", "threshold", "saveMask", "saveCutout"]


def test_threshold_moves_by_keyboard(page, site, image, tmp_path):
    drop(page, image)
    before = saved_mask(page)
    page.focus("#threshold")
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    assert page.text_content("#thresholdValue") == "0.70"
    expected = edge_result(site / "full" / MODEL, image, tmp_path / "out", "masks", "--threshold", 0.7)
    assert_same_mask(saved_mask(page), expected)
    assert np.mean(before == 255) > np.mean(expected == 255) + MOST_DIFFERENT
    assert f"{np.mean(expected == 255):.1%}"[:-1] in page.text_content("#maskFigure figcaption")


def choose(page, name, path, status):
    with page.expect_file_chooser() as chooser:
        page.tap(f"#{name}")
    chooser.value.set_files(path)
    wait_for_status(page, status)


def test_tab_order_labels_and_visible_focus(page, image):
    drop(page, image)
    found = []
    for _ in STOPS:
        page.keyboard.press("Tab")
        found.append(page.evaluate("() => document.activeElement.id"))
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outline")
        assert "3px" in outline and "none" not in outline
    assert found == STOPS
    for role, name in [
        ("button", "Image"),
        ("button", "Start the camera"),
        ("button", "Model"),
        ("slider", "Threshold of the mask"),
        ("button", "Save the mask"),
        ("button", "Save the cut-out"),
        ("img", "The object, cut out"),
        ("status", ""),
    ]:
        assert page.get_by_role(role, name=name).count() == 1, name


@pytest.fixture
def phone(playwright, browser, address):
    """The page on a phone with a small, high-resolution touch screen and no mouse.

    The phone uses the viewport that the page sets.
    """
    settings = playwright.devices["Pixel 7"] | {"permissions": ["camera"]}
    with watched_context(browser, address, **settings) as context:
        context.add_init_script(
            """window.pointers = new Set();
            addEventListener("pointerdown", (event) => pointers.add(event.pointerType), true);"""
        )
        page = opened(context, f"{address}/full/")
        assert page.evaluate("() => matchMedia('(hover: none) and (pointer: coarse)').matches")
        yield page


def test_by_taps_alone(phone, site, tmp_path):
    model, path = site / "full" / "segmenter_int8.tflite", tmp_path / "photo.jpg"
    blobs(1000, 750).resize((4000, 3000)).save(path, exif=exif(6), quality=90)  # like a photo from a phone
    phone.tap("#camera")
    wait_for_status(phone, "The camera runs.")
    phone.wait_for_selector("#latency:not(:empty)")
    phone.tap("#camera")
    wait_for_status(phone, "The camera is off.")
    choose(phone, "model", model, "camera: the foreground covers")
    choose(phone, "file", path, "photo.jpg: the foreground covers")
    assert phone.text_content("#latency").startswith("3000 × 4000 pixels, segmented in")
    assert_same_mask(saved_mask(phone, phone.tap), edge_result(model, path, tmp_path / "out"))
    assert np.asarray(saved(phone, "saveCutout", phone.tap)).shape == (4000, 3000, 4)
    assert phone.evaluate("() => [...pointers]") == ["touch"]
