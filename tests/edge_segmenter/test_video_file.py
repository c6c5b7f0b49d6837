"""Tests of the video files that the edge package writes."""

import pytest
from clips import read
from edge_command import files
from PIL import Image

from edge_segmenter.files import video


def test_odd_last_column_and_row_are_left_out(tmp_path):
    with video.video_file(tmp_path / "odd.mp4", (33, 17), 5.0) as write_image:
        write_image(Image.new("RGB", (33, 17), "white"), 1)
    assert read(tmp_path / "odd.mp4")[0].shape == (1, 16, 32, 3)


def test_a_recording_survives_an_error(tmp_path):
    with (
        pytest.raises(OSError, match="no space left"),
        video.video_file(tmp_path / "v.mp4", (32, 16), 5.0) as write_image,
    ):
        write_image(Image.new("RGB", (32, 16), "white"), 3)
        raise OSError("no space left")
    assert len(read(tmp_path / "v.mp4")[0]) == 3 and len(files(tmp_path)) == 1


def test_an_impossible_size_leaves_nothing(tmp_path):
    with (
        pytest.raises(ValueError, match="cannot write .*: 1 x 1 at 5"),
        video.video_file(tmp_path / "v.mp4", (1, 1), 5.0),
    ):
        pass
    assert files(tmp_path) == []
