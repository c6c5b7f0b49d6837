"""The Chromium browser for the tests of web pages."""

import os
import shutil

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def path():
    """Returns the path of the browser. Fails the test if no browser is found."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if not found:
        pytest.fail("no Chromium found: `apt-get install chromium`, or name one by CHROMIUM=/path/to/chromium")
    return found
