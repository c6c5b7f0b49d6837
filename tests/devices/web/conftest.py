"""The web page, served by Python and shown in Chromium."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import chromium
import numpy as np
import pytest
from blobs import blobs
from edge_command import RESOLUTION, bright_network
from web_page import MODEL, opened, watched_context

from export.documentation.metadata import add_metadata
from export.tflite import convert
from export.tflite.signatures import add_signatures

WEB = Path(__file__).parents[3] / "export" / "web"


@pytest.fixture(scope="session")
def models():
    """A dict from file names to contents, with one file for each kind of model."""
    photos = np.random.default_rng(0).integers(0, 256, (4, RESOLUTION, RESOLUTION, 3)).astype("uint8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convert, "_span_all_values", lambda images: 30 + images * np.float32(0.7))
        # The quantisation scale of this model's input is not 1. The scale in exported files is 1.
        scaled = convert.to_tflite_int8(bright_network(), photos)
    return {
        MODEL: add_signatures(convert.to_tflite_float32(bright_network()), "pad"),
        "segmenter_int8.tflite": add_signatures(convert.to_tflite_int8(bright_network(), photos), "pad"),
        "scaled_int8.tflite": scaled,
        "squeezed.tflite": add_metadata(convert.to_tflite_float32(bright_network()), {"training": {"fit": "squeeze"}}),
        "two.tflite": convert.to_tflite_float32(bright_network(channels=2)),
        "text.tflite": b"This is no model.",
        "page.tflite": b"<!DOCTYPE html><title>App</title>",
        "pointer.tflite": b"version https://git-lfs.github.com/spec/v1\n",
        "empty.tflite": b"",
        "broken.tflite": convert.to_tflite_float32(bright_network())[:300],
    }


@pytest.fixture(scope="module")
def site(models, tmp_path_factory):
    """A folder with the page, its dependency and the models. Another folder beside it has only the page."""
    root = tmp_path_factory.mktemp("site")
    for folder in ("full", "bare"):
        shutil.copytree(WEB, root / folder, ignore=shutil.ignore_patterns("node_modules", "runtime"))
    (root / "full" / "runtime").symlink_to(WEB / "runtime")
    for name, content in models.items():
        (root / "full" / name).write_bytes(content)
    return root


@pytest.fixture(scope="module")
def address(site):
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", site]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            port = re.search(r"port (\d+)", server.stdout.readline()).group(1)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """The video that Chromium's fake camera plays again and again."""
    path = tmp_path_factory.mktemp("film") / "film.mjpeg"
    with path.open("wb") as file:
        for seed in range(10):
            blobs(320, 240, seed=seed).save(file, "JPEG")
    return path


@pytest.fixture(scope="module")
def playwright():
    """Playwright, for one file of tests only. Two of these must not be open at once, and other tests open their own."""
    from playwright.sync_api import sync_playwright  # only `make test-web` installs it

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright, film):
    arguments = ["--disable-gpu", "--disable-quic", "--use-fake-device-for-media-stream"]
    arguments.append(f"--use-file-for-fake-video-capture={film}")
    browser = playwright.chromium.launch(executable_path=chromium.path(), args=arguments)
    yield browser
    browser.close()


@pytest.fixture
def context(browser, address):
    with watched_context(browser, address, viewport={"width": 1000, "height": 800}) as context:
        yield context


@pytest.fixture
def page(context, address):
    """The page in a browser, after it has loaded its default model."""
    return opened(context, f"{address}/full/")


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "photo.jpg"
    blobs(640, 427).save(path)
    return path
