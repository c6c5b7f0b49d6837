"""Tests of the links, names and sizes in the Markdown pages."""

import importlib.util
import re

import pages
import pytest

from tf_layered_gan.config.fields import FIELDS

FIELD_NAMES = {field.name for field in FIELDS}
SECTIONS = {field.split(".")[0] for field in FIELD_NAMES if "." in field}
ENDINGS = ("py", "md", "png", "h", "npz", "txt", "csv")

each_page = pytest.mark.parametrize("page", pages.PAGES, ids=pages.name)
each_guide = pytest.mark.parametrize("page", pages.GUIDES, ids=pages.name)


def quoted(page):
    """Returns the texts between backticks. Link texts are left out, because they name files and functions."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"\[[^\]]*\]\(\S+\)", "", pages.prose(page)))


def test_the_readme_is_short():
    assert len(pages.README.read_text().splitlines()) <= 150


def test_the_readme_lists_every_page():
    listed = {target for _, target in pages.links(pages.README)}
    assert {pages.name(page) for page in (pages.ROOT / "docs").glob("*.md")} <= listed


@each_page
def test_links_lead_somewhere(page):
    for text, target in pages.links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"[{text}]({target}): no such file"
        if anchor:
            assert anchor in pages.anchors(file), f"[{text}]({target}): no such heading"


@each_guide
def test_links_to_functions_name_one_of_the_file(page):
    for text, target in pages.links(page):
        if target.endswith(".py") and (names := re.fullmatch(r"`(\w+)\.(\w+)`", text)):
            file = (page.parent / target).resolve()
            assert file.stem == names[1], f"[{text}]({target}): the file has another name"
            assert re.search(rf"^(?:def|class) {names[2]}\b", file.read_text(), re.M), f"{target} has no {names[2]}"


@each_guide
def test_fields_are_those_of_the_config(page):
    pattern = rf"(?<![\w/])(?:config\.)?((?:{'|'.join(SECTIONS)})\.[a-z_]+)\b(?!\.)"
    found = {field for text in quoted(page) for field in re.findall(pattern, text)}
    assert {field for field in found if not field.endswith((".py", ".json", ".csv"))} <= FIELD_NAMES


@each_guide
def test_files_of_the_repository_exist(page):
    folders = {path.name for path in pages.ROOT.iterdir() if path.is_dir()} - {"runs"}
    paths = {text for text in quoted(page) if re.fullmatch(rf"[\w./]+\.(?:{'|'.join(ENDINGS)})", text)}
    missing = {path for path in paths if path.split("/")[0] in folders and "/" in path}
    assert {path for path in missing if not (pages.ROOT / path).exists()} == set()


@each_page
def test_modules_that_are_named_exist(page):
    packages = "tf_layered_gan|export|benchmarks|edge_segmenter"
    named = re.findall(rf"(?:python -m|^ *from) ((?:{packages})(?:\.\w+)*)", page.read_text(), re.M)
    assert {module for module in named if importlib.util.find_spec(module) is None} == set()


@each_guide
def test_blocks_say_their_language(page):
    languages = {language for language, _ in pages.blocks(page)} - set(pages.SHELL) - set(pages.SCRIPTS)
    known = {"math", "bibtex", "python", "cpp", "text"}
    assert {language for language in languages if language.split("-")[0] not in known | {"kotlin", "swift"}} == set()


def test_the_speed_page_lists_every_module():
    folder = pages.ROOT / "benchmarks/speed"
    named = {text.split(".")[0].rstrip("/") for text in quoted(folder / "README.md")}
    modules = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert named == modules - {"__init__", "__pycache__"}
