"""Tests of the report in Chromium: wide and narrow, light and dark, and used only with the keyboard."""

import json
import shutil

import chromium
import pytest
import reports

from tf_layered_gan.reporting import page as report_page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def file(finished_run, tmp_path_factory):
    workdir = shutil.copytree(finished_run, tmp_path_factory.mktemp("report") / "run")
    return report_page.write_page(workdir, reports.measured(), others=[finished_run])


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright  # only `make test-web` installs Playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.path(), args=["--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(params=[(360, "light"), (360, "dark"), (1600, "light"), (1600, "dark")], ids=str)
def page(request, browser, file):
    """The report in a browser. At the end, checks that the browser requested no other file and logged no message."""
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
    page, problems = context.new_page(), []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.on(
        "request", lambda asked: problems.append(asked.url) if not asked.url.startswith(("data:", "blob:")) else None
    )
    page.goto(file.as_uri())
    yield page
    context.close()
    assert {problem.split(":")[0] for problem in problems} <= {"file", "data", "blob"}
    assert {problem for problem in problems if problem.startswith("file")} == {file.as_uri()}


def test_nothing_is_wider_than_the_window(page):
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    images = page.evaluate("[...document.images].filter((i) => !i.hidden && !i.naturalWidth).length")
    assert images == 0  # the browser has decoded every image


def test_text_has_contrast(page):
    """WCAG AA: the contrast between text and page must be at least 4.5."""
    ratio = """() => {
        const light = (colour) => {
            const parts = colour.match(/\\d+/g).slice(0, 3).map((v) => v / 255);
            const linear = parts.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
        };
        const ground = light(getComputedStyle(document.body).backgroundColor);
        const texts = [...document.querySelectorAll("p, a, figcaption, caption, td, th, .legend, h2, text")];
        return Math.min(...texts.map((text) => {
            const style = getComputedStyle(text);
            const own = light(text.tagName === "text" ? style.fill : style.color);
            return (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05);
        }));
    }"""
    assert page.evaluate(ratio) >= 4.5


def test_the_slider_shows_the_grids(page):
    slider = page.locator(".slider input")
    assert page.locator(".slider img:visible").get_attribute("data-step") == "step 4, 16 images seen"
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator(".slider img:visible").get_attribute("data-step") == "step 2, 8 images seen"
    assert (
        page.locator(".slider output").inner_text() == slider.get_attribute("aria-valuetext") == "step 2, 8 images seen"
    )


def test_masks_are_marked_and_downloaded_with_the_keyboard(page, tmp_path):
    photos, download = page.locator("button.photo"), page.locator("button.download")
    assert download.is_disabled()
    photos.first.focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"  # the focus is visible
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("Space")  # marked and unmarked
    assert page.locator("#review output").inner_text() == "2 of 5 marked as bad"
    assert photos.first.get_attribute("aria-pressed") == "true" and "bad" in photos.first.inner_text().lower()
    download.focus()
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    waiting.value.save_as(tmp_path / "rejected.json")
    content = json.loads((tmp_path / "rejected.json").read_text())
    assert content == {"run": "run", "rejected": [reports.HOSTILE, "photo 1.jpg"]}


def test_marks_outlast_the_page(page, file):
    page.locator("button.photo").nth(2).click()
    page.evaluate("location.hash = '#review'")
    again = page.context.new_page()
    again.goto(file.as_uri())
    assert again.locator("button.photo").nth(2).get_attribute("aria-pressed") == "true"
    again.locator("button.clear").click()
    assert again.locator("#review output").inner_text() == "0 of 5 marked as bad"


def test_all_that_can_be_used_is_reached_with_tab(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#summary"
    reachable = "a, button:not(:disabled), input, summary, [tabindex='0']"
    assert page.evaluate(f'[...document.querySelectorAll("{reachable}")].every((e) => e.tabIndex >= 0)')
