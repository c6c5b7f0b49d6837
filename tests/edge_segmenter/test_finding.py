"""Tests of the search for images in folders. Devices and training use the same search."""

import os

import pytest

from edge_segmenter.files.finding import HIDDEN, RESULTS, SEARCHED, SYSTEM, list_images


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
    expected = ["a/c.JPG", "a/d.webp", "b.png", "link.png", "nowhere.jpeg", "pipe.bmp", "result.png"]
    listing = list_images(folder)
    assert below(folder, listing.images) == expected
    assert listing.left_out == {RESULTS: 1, SEARCHED: 1}
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


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_hidden_and_system_files_are_counted_and_not_listed(tmp_path):
    touch(tmp_path, "a.jpg", "._a.jpg", ".thumbnails/1.jpg", ".DS_Store", "x/.hidden.png", "x/y/b.png")
    touch(tmp_path, "__MACOSX/._a.jpg", "__MACOSX/x/b.png", "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", "Thumbs.db")
    touch(tmp_path, "$RECYCLE.BIN/a.jpg", "lost+found/a.png", "System Volume Information/c.jpg", "desktop.ini")
    listing = list_images(tmp_path)
    assert below(tmp_path, listing.images) == ["a.jpg", "x/y/b.png"]
    assert listing.left_out == {HIDDEN: 4, SYSTEM: 8} and not listing.other_suffixes
    assert listing.notes() == [f"left out: 8 {SYSTEM}, 4 {HIDDEN}"]


def test_a_folder_that_is_named_itself_is_searched(tmp_path):
    touch(tmp_path, "@eaDir/a.jpg", "results/masks/a.png", "results/masks/.edge_segmenter")
    for name in ("@eaDir", "results/masks"):
        assert len(list_images(tmp_path / name).images) == 1
    assert list_images(tmp_path).images == []


@pytest.mark.parametrize("signs", [("predicted_by.json",), ("config.json", "checkpoints/1"), ("CACHEDIR.TAG",)])
def test_marked_results_runs_and_caches_are_left_out(tmp_path, signs):
    touch(tmp_path, "a.jpg", "mine/below/b.png", *(f"mine/{sign}" for sign in signs))
    listing = list_images(tmp_path)
    assert below(tmp_path, listing.images) == ["a.jpg"]
    assert listing.left_out == {RESULTS: 1 + len(signs)}


def test_results_of_earlier_versions_are_known_by_the_names_of_photos(tmp_path):
    touch(tmp_path, "a.jpg", "c.jpg", "c.png", "x/b.JPG")
    touch(tmp_path, "out/masks/a.png", "out/masks/c.jpg.png", "out/masks/c.png.png", "out/masks/x/b.png")
    touch(tmp_path, "elsewhere/masks/other.png", "elsewhere/cutouts/other.png")
    touch(tmp_path, "people/masks/venice.png", "people/masks/a.jpg")  # these are photos of carnival masks, not results
    listing = list_images(tmp_path)
    photos = ["a.jpg", "c.jpg", "c.png", "people/masks/a.jpg", "people/masks/venice.png", "x/b.JPG"]
    assert below(tmp_path, listing.images) == photos
    assert listing.left_out == {RESULTS: 6}


def test_linked_folders_are_searched_once_and_loops_end(tmp_path):
    root = tmp_path / "photos"
    touch(tmp_path, "photos/z/own.jpg", "data/birds/a.jpg", "data/birds/below/b.jpg", "masks/m.png")
    links = {"birds": "../data/birds", "again": "../data", "a_link_to_z": "z", "up": "..", "here": ".", "m": "../masks"}
    for name, target in links.items():
        (root / name).symlink_to(target)
    (tmp_path / "data/birds/loop").symlink_to(root)
    listing = list_images(root, without=tmp_path / "masks")
    assert below(root, listing.images) == ["again/birds/a.jpg", "again/birds/below/b.jpg", "z/own.jpg"]
    assert listing.left_out == {SEARCHED: 5}  # these are the links a_link_to_z, birds, here, loop and up
