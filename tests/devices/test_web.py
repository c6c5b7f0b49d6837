"""Tests of the web page.

Python serves the page, and Chromium shows it. The masks of the page are compared with the masks of the edge command.
"""

import base64
import contextlib
import io
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import chromium
import numpy as np
import pytest
from blobs import NETWORKS, blobs, export_network, is_red
from discs import TFLITE
from edge_command import RESOLUTION, bright_network, run
from PIL import Image, ImageOps, PngImagePlugin

from export.documentation.metadata import add_metadata
from export.tflite import convert
from export.tflite.signatures import add_signatures

pytestmark = pytest.mark.browser

WEB = Path(__file__).parents[2] / "export" / "web"
MODEL = "segmenter_float32.tflite"
MOST_DIFFERENT = 0.01  # at most this fraction of a mask's pixels may differ
# The elements that can be reached with the Tab key.
STOPS = ["file", "camera", "model", "threshold", "saveMask", "saveCutout"]


@pytest.fixture(scope="module")
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


@pytest.fixture
def page(context, address):
    """The page in a browser, after it has loaded its default model."""
    return opened(context, f"{address}/full/")


def opened(context, address, status="Ready for an image."):
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
    with page.expect_download() as download:
        (press or page.click)(f"#{button}")
    assert download.value.suggested_filename.endswith(("_mask.png", "_cutout.png"))
    return Image.open(download.value.path())


def saved_mask(page, press=None):
    return np.asarray(saved(page, "saveMask", press).convert("RGB"))


def edge_result(model, path, folder, kind="masks", *options):
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


def see_through(width, height):
    image = blobs(width, height).point(lambda value: value // 2)
    image.putalpha(blobs(width, height, "L", seed=1))
    return image


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def gamma():
    """A colour profile that would make every image far brighter: gamma 1 / 0.9.

    The page must not apply this profile.
    """
    info = PngImagePlugin.PngInfo()
    info.add(b"gAMA", (90_000).to_bytes(4, "big"))
    return info


def sixteen_bit(width, height):
    return Image.fromarray(np.asarray(blobs(width, height, "L")).astype("uint16") * 257)


IMAGES = {
    "photo.jpg": (lambda: blobs(640, 427), {}),
    "large.jpg": (lambda: blobs(2400, 1801), {"quality": 80}),
    "small.png": (lambda: blobs(9, 7), {}),
    "halves.png": (lambda: blobs(32, 5), {}),  # the image fills 5 / 2 = 2.5 rows, which Python rounds to 2
    "transposed.jpg": (lambda: blobs(300, 200), {"exif": exif(5)}),
    "on_its_side.jpg": (lambda: blobs(300, 200), {"exif": exif(6)}),
    "alpha.png": (lambda: see_through(200, 300), {}),
    "palette.png": (lambda: blobs(200, 300).quantize(64), {"transparency": 3}),
    "grey16.png": (lambda: sixteen_bit(250, 200), {}),
    "cmyk.jpg": (lambda: blobs(200, 300).convert("CMYK"), {}),
    "lossy.webp": (lambda: blobs(320, 200), {}),
    "gamma.png": (lambda: blobs(200, 150), {"pnginfo": gamma()}),
}


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "photo.jpg"
    blobs(640, 427).save(path)
    return path


@pytest.mark.parametrize("name", IMAGES)
def test_mask_is_that_of_the_edge_command(page, site, tmp_path, name):
    make, options = IMAGES[name]
    make().save(tmp_path / name, **options)
    drop(page, tmp_path / name)
    assert_same_mask(saved_mask(page), edge_result(site / "full" / MODEL, tmp_path / name, tmp_path / "out"))


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


@pytest.mark.parametrize("name", ["photo.jpg", "alpha.png", "palette.png"])
def test_cutout_has_the_probability_as_its_alpha(page, site, tmp_path, name):
    make, options = IMAGES[name]
    make().save(tmp_path / name, **options)
    drop(page, tmp_path / name)
    expected = edge_result(site / "full" / MODEL, tmp_path / name, tmp_path / "out", "cutouts").astype(int)
    actual = np.asarray(saved(page, "saveCutout")).astype(int)
    assert actual.shape == expected.shape and expected[..., 3].min() < 20 and expected[..., 3].max() > 220
    assert np.abs(actual - expected)[..., 3].max() <= 1
    # A canvas stores colours multiplied by alpha. So this check multiplies the differences by alpha too.
    assert (np.abs(actual - expected) * expected[..., 3:] / 255).max() <= 2


@pytest.mark.parametrize("size", [(33, 47), (500, 3), (1, 9)])
def test_resampling_is_pillows(page, size):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 4)).astype("uint8")
    values = pixels[..., 0] / np.float32(255)
    resized = page.evaluate(
        """async ([pixels, values, width, height]) => {
            const { resizePixels, resizeFloats } = await import("./resample.js");
            const from = { width: 50, height: 40 }, to = { width, height };
            return [
                [...resizePixels(Uint8Array.from(pixels), { ...from, channels: 4 }, to)],
                [...resizeFloats(Float32Array.from(values), from, to)],
            ];
        }""",
        [pixels.ravel().tolist(), values.ravel().tolist(), *size],
    )
    for source, actual in zip((pixels, values), resized, strict=True):
        # Pillow would weight the colours of an RGBA image by alpha. So Pillow gets each channel as a separate image.
        channels = np.moveaxis(source, -1, 0) if source.ndim == 3 else source[None]
        expected = [
            np.asarray(Image.fromarray(channel).resize(size, Image.Resampling.BILINEAR)) for channel in channels
        ]
        np.testing.assert_array_equal(np.reshape(actual, (*size[::-1], -1)), np.stack(expected, -1))


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


def test_what_is_shown(page, image):
    drop(page, image)
    photo = np.asarray(ImageOps.exif_transpose(Image.open(image)))
    foreground = saved_mask(page)[..., 0] == 255
    overlay, cutout = canvas(page, "overlay"), canvas(page, "cutout")
    assert np.abs(overlay[foreground].astype(int)[..., :3] - photo[foreground]).max() <= 2
    outside = overlay[~foreground][..., :3]
    assert (outside == outside[:, :1]).all() and outside.max() < 100  # grey and dim
    assert (cutout[foreground][..., 3] > 127).all() and (cutout[~foreground][..., 3] <= 128).all()
    assert re.fullmatch(r"640 × 427 pixels, segmented in \d+ ms", page.text_content("#latency"))


def canvas(page, name):
    address = page.evaluate("(name) => document.getElementById(name).toDataURL()", name)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))


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


def test_nothing_is_asked_for_once_the_model_is_there(context, page, image):
    requests = []
    context.on("request", lambda request: requests.append(request))
    drop(page, image)
    saved_mask(page)
    assert [request.url for request in requests if not request.url.startswith("blob:")] == []


@pytest.mark.parametrize("way", ["fetch(url, { mode: 'no-cors' })", "show(url)"])
def test_the_page_cannot_reach_another_server(browser, address, way):
    page = opened(browser.new_context(), f"{address}/full/")
    # The address of the same file, but with another server name.
    other = f"http://localhost:{urlsplit(address).port}/full/{MODEL}"
    refused = page.evaluate(
        f"""async (url) => {{
            const refused = new Promise((resolve) =>
                addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective)));
            const show = (url) => new Promise((resolve) => {{
                const image = new Image();
                image.onload = image.onerror = resolve;
                image.src = url;
            }});
            await {way}.catch(() => null);
            return Promise.race([refused, new Promise((resolve) => setTimeout(resolve, 2000, "nothing"))]);
        }}""",
        other,
    )
    page.context.close()
    assert refused in ("connect-src", "img-src")


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
    header = width.to_bytes(4) + height.to_bytes(4) + bytes([16, {1: 0, 3: 2}[channels], 0, 0, 0])
    rows = b"".join(b"\0" + row.tobytes() for row in values.astype(">u2"))
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for name, content in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
            PngImagePlugin.putchunk(file, name, content)


@pytest.mark.parametrize("control", ["file", "model"])
def test_file_that_has_gone_is_named(page, image, control):
    page.evaluate(
        "() => document.addEventListener('change', (event) => event.stopPropagation(), { capture: true, once: true })"
    )
    page.set_input_files(f"#{control}", image)
    image.unlink()
    page.dispatch_event(f"#{control}", "change")
    wait_for_status(page, f"{'Model ' * (control == 'model')}photo.jpg: it cannot be read to its end")


def test_model_with_a_hash_in_its_name(context, address, site, models):
    (site / "full" / "birds #2.tflite").write_bytes(models[MODEL])
    opened(context, f"{address}/full/?model=birds%20%232.tflite")


def test_nothing_pasted(page):
    page.evaluate("() => dispatchEvent(new ClipboardEvent('paste', { clipboardData: new DataTransfer() }))")
    wait_for_status(page, "The clipboard holds no image.")


def test_camera_refused(page):
    page.click("#camera")
    wait_for_status(page, "Camera: permission was refused")
    assert page.text_content("#camera") == "Start the camera"
