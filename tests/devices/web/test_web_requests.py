"""Tests that the web page sends no image to a server, and asks no other server for a file."""

from urllib.parse import urlsplit

import pytest
from web_page import MODEL, drop, opened, saved_mask

pytestmark = pytest.mark.browser


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
