"""Tests of images that the web page gets from the clipboard, the camera and files."""

import base64
import zlib

import image_bytes
import numpy as np
import pytest
from blobs import blobs
from PIL import Image
from web_page import MODEL, assert_same_mask, canvas, edge_result, saved_mask, wait_for_status

pytestmark = pytest.mark.browser


def test_paste(page, site, image, tmp_path):
    page.evaluate(
        """(content) => {
            const clipboardData = new DataTransfer();
            const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
            clipboardData.items.add(new File([bytes], "pasted.jpg", { type: "image/jpeg" }));
            document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }""",
        base64.b64encode(image.read_bytes()).decode(),
    )
    wait_for_status(page, "pasted.jpg: the foreground covers")
    assert_same_mask(saved_mask(page), edge_result(site / "full" / MODEL, image, tmp_path / "out"))


def test_camera(context, page, site, tmp_path):
    context.grant_permissions(["camera"])
    page.click("#camera")
    wait_for_status(page, "The camera runs.")
    page.wait_for_selector("#latency:not(:empty)")
    first = canvas(page, "image")
    assert any((canvas(page, "image") != first).any() for _ in range(100)), "the image stands still"
    page.click("#camera")
    wait_for_status(page, "The camera is off.")
    last = canvas(page, "image")
    path = tmp_path / "frame.png"
    Image.fromarray(last).save(path)
    assert_same_mask(saved_mask(page), edge_result(site / "full" / MODEL, path, tmp_path / "out"))
    page.wait_for_timeout(300)
    assert (canvas(page, "image") == last).all()


def test_no_image(page, tmp_path):
    page.set_input_files("#file", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"This is no image."})
    wait_for_status(page, "notes.txt: this browser cannot read it as an image.")
    assert not page.is_visible("#saveMask")


@pytest.mark.parametrize("mode", ["grey", "colour"])
def test_16_bit_image_with_12_bit_values_is_refused(page, tmp_path, mode):
    values = np.asarray(blobs(60, 40, "L")).astype("uint16") * 16
    write_16_bit_png(tmp_path / "cells.png", values[..., None] if mode == "grey" else values[..., None].repeat(3, 2))
    page.set_input_files("#file", tmp_path / "cells.png")
    wait_for_status(page, "cells.png: it has 16 bits but uses fewer, so browsers show it nearly black")
    assert not page.is_visible("#saveMask")


def write_16_bit_png(path, values):
    """Writes grey or RGB values, uint16 [height, width, channel]. Pillow cannot write 16-bit RGB."""
    height, width, channels = values.shape
    rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in values.astype(">u2")))
    path.write_bytes(image_bytes.png(width, height, depth=16, color={1: 0, 3: 2}[channels], rows=rows))


@pytest.mark.parametrize("control", ["file", "model"])
def test_file_that_has_gone_is_named(page, image, control):
    page.evaluate(
        "() => document.addEventListener('change', (event) => event.stopPropagation(), { capture: true, once: true })"
    )
    page.set_input_files(f"#{control}", image)
    image.unlink()
    page.dispatch_event(f"#{control}", "change")
    wait_for_status(page, f"{'Model ' * (control == 'model')}photo.jpg: it cannot be read to its end")


def test_nothing_pasted(page):
    page.evaluate("() => dispatchEvent(new ClipboardEvent('paste', { clipboardData: new DataTransfer() }))")
    wait_for_status(page, "The clipboard holds no image.")


def test_camera_refused(page):
    page.click("#camera")
    wait_for_status(page, "Camera: permission was refused")
    assert page.text_content("#camera") == "Start the camera"
