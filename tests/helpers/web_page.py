"""Functions that use the web page in Chromium, and compare its masks with those of the edge command."""

import base64
import contextlib
import io

import numpy as np
from edge_command import run
from PIL import Image

MODEL = "segmenter_float32.tflite"
MOST_DIFFERENT = 0.01  # at most this fraction of a mask's pixels may differ


@contextlib.contextmanager
def watched_context(browser, address, **settings):
    """A browser context. When the context closes, checks that all requests went to the page's own server."""
    context = browser.new_context(**settings, accept_downloads=True)
    requests = []
    context.on("request", lambda request: requests.append(request))
    yield context
    context.close()
    assert requests
    for request in requests:
        assert request.method == "GET" and request.post_data is None
        assert request.url.startswith((f"{address}/", "data:")), request.url


def opened(context, address, status="Ready for an image."):
    """Opens the page in a new tab, and waits for its status. Returns the tab."""
    page = context.new_page()
    page.goto(address)
    wait_for_status(page, status)
    return page


def wait_for_status(page, text):
    from playwright.sync_api import expect

    expect(page.locator("#status")).to_contain_text(text, timeout=60_000)


def drop(page, path):
    """Drops a file on the page, and waits for its mask."""
    transfer = page.evaluate_handle(
        """([name, content]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], name));
            return transfer;
        }""",
        [path.name, base64.b64encode(path.read_bytes()).decode()],
    )
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    wait_for_status(page, f"{path.name}: the foreground covers")


def saved(page, button, press=None):
    """Presses a button that saves an image. Returns the image."""
    with page.expect_download() as download:
        (press or page.click)(f"#{button}")
    assert download.value.suggested_filename.endswith(("_mask.png", "_cutout.png"))
    return Image.open(download.value.path())


def saved_mask(page, press=None):
    """Saves the mask. Returns its values, uint8 [height, width, rgb]."""
    return np.asarray(saved(page, "saveMask", press).convert("RGB"))


def canvas(page, name):
    """Returns what a canvas of the page shows, uint8 [height, width, rgba]."""
    address = page.evaluate("(name) => document.getElementById(name).toDataURL()", name)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))


def edge_result(model, path, folder, kind="masks", *options):
    """Returns the values of the image that the edge command writes for an image."""
    finished = run(model, path, folder, *options)
    assert finished.returncode == 0, finished.stderr
    return np.asarray(Image.open(folder / kind / f"{path.stem}.png"))


def assert_same_mask(actual, expected):
    """Compares a mask [height, width, rgb] with the expected mask [height, width].

    Also checks that foreground and background each cover more than a tenth of the expected mask.
    """
    assert actual.shape == (*expected.shape, 3)
    assert set(np.unique(actual)) <= {0, 255}
    assert 0.1 < np.mean(expected == 255) < 0.9
    different = np.mean((actual != expected[..., None]).any(-1))
    assert different <= MOST_DIFFERENT, f"{different:.2%} of the pixels differ"
