"""A test that the web page works after its folder is copied to a static host, under any path."""

import base64
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "export" / "web"
PAGE = (WEB / "index.html").read_text()
SOURCES = [PAGE, *(path.read_text() for path in WEB.glob("*.js"))]


def test_page_needs_no_folder_that_hosts_leave_out():
    assert (WEB / ".nojekyll").exists()  # without this file, GitHub Pages leaves out some files
    assert not any("node_modules" in source for source in SOURCES)


def test_every_address_is_relative():
    addresses = re.findall(r'(?:src|href)="([^"]+)"|"(\./[^"]+)"', PAGE) + re.findall(
        r'from "([^"]+)"()', "".join(SOURCES)
    )
    assert {first or second for first, second in addresses} >= {"style.css", "page.js", "./runtime/core/dist/index.js"}
    assert all(not (first or second).startswith(("/", "http")) for first, second in addresses)


def test_policy_of_the_page_allows_its_import_map():
    (import_map,) = re.findall(r'<script type="importmap">(.*?)</script>', PAGE, re.S)
    digest = base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in PAGE


@pytest.mark.skipif(not shutil.which("node"), reason="there is no node")
def test_vendor_script_copies_what_the_page_imports(tmp_path):
    (tmp_path / "vendor.mjs").write_bytes((WEB / "vendor.mjs").read_bytes())
    for file in ("core/dist/index.js", "core/dist/index.d.ts", "core/wasm/a.wasm", "wasm-utils/dist/index.js"):
        path = tmp_path / "node_modules/@litertjs" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    subprocess.run(["node", "vendor.mjs"], cwd=tmp_path, check=True)
    copied = {path.relative_to(tmp_path / "runtime").as_posix() for path in (tmp_path / "runtime").rglob("*.*")}
    assert copied == {"core/dist/index.js", "core/wasm/a.wasm", "wasm-utils/dist/index.js"}
