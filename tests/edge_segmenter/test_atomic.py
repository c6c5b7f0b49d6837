import pytest
from PIL import Image

from edge_segmenter.files.atomic import replacing, save_png


def test_a_file_appears_when_it_is_finished(tmp_path):
    path = tmp_path / "new" / f"{'n' * 251}.txt"
    with replacing(path) as written:
        written.write_text("whole")
        assert not path.exists() and written.suffix == ".txt"
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_earlier_file_and_nothing_else(tmp_path):
    (tmp_path / "a.txt").write_text("earlier")
    with pytest.raises(OSError, match="full"), replacing(tmp_path / "a.txt") as written:
        written.write_text("hal")
        raise OSError("full")
    assert (tmp_path / "a.txt").read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "a.png").symlink_to("mine")
    save_png(Image.new("L", (3, 2)), tmp_path / "a.png")
    assert (tmp_path / "mine").read_text() == "mine"
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (3, 2) and not (tmp_path / "a.png").is_symlink()
