"""Searching folders for images, which the device and the training share."""

import os

import pytest

from edge_segmenter.files.finding import list_images


@pytest.fixture
def folder(tmp_path):
    """Images at several depths, links, a pipe and other files."""
    root = tmp_path / "photos"
    for name in ("b.png", "a/c.JPG", "a/d.webp", "out/masks/b.png", "notes.txt", "none", "a/x.HEIC", "y.heic"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / "folder.jpg").mkdir()
    os.mkfifo(root / "pipe.bmp")
    (root / "nowhere.jpeg").symlink_to("nothing")
    (root / "link.png").symlink_to("notes.txt")
    (root / "linked_folder").symlink_to("a")
    (root / "result.png").symlink_to("out/masks/b.png")
    return root


def below(folder, paths):
    return [path.relative_to(folder).as_posix() for path in paths]


def test_everything_with_an_image_suffix_is_listed_but_folders(folder):
    expected = ["a/c.JPG", "a/d.webp", "b.png", "link.png", "nowhere.jpeg", "out/masks/b.png", "pipe.bmp", "result.png"]
    listing = list_images(folder)
    assert below(folder, listing.images) == expected
    assert listing.other_suffixes == {".txt": 1, "": 1, ".heic": 2}
    assert listing.unreadable == {}


@pytest.mark.parametrize("spelled", ["out", "a/../out", "nothing/../out"])
def test_a_folder_and_links_into_it_are_left_out(folder, spelled):
    images = below(folder, list_images(folder, without=folder / spelled).images)
    assert images == ["a/c.JPG", "a/d.webp", "b.png", "link.png", "nowhere.jpeg", "pipe.bmp"]


def test_a_folder_that_does_not_exist_is_left_out_as_well(folder):
    assert list_images(folder, without=folder / "later") == list_images(folder)


def test_paths_begin_with_the_folder_as_given(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder.parent / "link").symlink_to("photos")
    for given in (".", "../photos", "../link"):
        images = list_images(given, without="out").images
        assert below(given, images) == ["a/c.JPG", "a/d.webp", "b.png", "link.png", "nowhere.jpeg", "pipe.bmp"]


def test_a_folder_that_cannot_be_listed_is_named(folder, monkeypatch):
    scandir = os.scandir

    def refuse(path):
        if os.path.basename(path) == "a":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = list_images(folder)
    assert listing.unreadable == {folder / "a": "Permission denied"}
    assert folder / "b.png" in listing.images
