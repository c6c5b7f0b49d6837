import os

import numpy as np
import pytest
import tensorflow as tf

from tf_layered_gan.reporting.scalars import read_scalars


def write(folder, values, tag="gan/mask_mean", first=1):
    writer = tf.summary.create_file_writer(os.fsencode(folder))
    with writer.as_default():
        for step, value in enumerate(values, start=first):
            tf.summary.scalar(tag, np.float32(value), step)
        tf.summary.image("layers", np.zeros((1, 2, 2, 3), np.uint8), first)
    writer.close()


@pytest.mark.parametrize("name", [b"plain", b"[a]\xff"])
def test_scalars_are_read_and_images_are_not(tmp_path, name):
    folder = tmp_path / os.fsdecode(name)
    write(folder, [0.25, 0.5])
    assert read_scalars(folder) == {"gan/mask_mean": [(1, 0.25), (2, 0.5)]}


@pytest.mark.parametrize(
    "tag, name",
    [
        ("mask/mask_mean", "gan/mask_mean"),
        ("mask_variety/silhouettes", "synthetic/silhouettes"),
        ("speed/final/images_per_second", "final/images_per_second"),
        ("validation/iou", "validation/iou"),
        ("alone", "alone"),
    ],
)
def test_scalars_are_named_by_their_phase_however_tensorboard_groups_them(tmp_path, tag, name):
    write(tmp_path, [0.5], tag)
    assert list(read_scalars(tmp_path)) == [name]


def test_many_points_are_averaged(tmp_path):
    write(tmp_path, range(400))
    points = read_scalars(tmp_path)["gan/mask_mean"]
    assert len(points) == 200 and points[0] == (2, 0.5) and points[-1] == (400, 398.5)


def test_a_file_that_was_cut_off_is_read_to_its_last_whole_event(tmp_path):
    write(tmp_path, [0.25, 0.5])
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-10])
    assert read_scalars(tmp_path) == {"gan/mask_mean": [(1, 0.25), (2, 0.5)]}


def test_no_folder_has_no_scalars(tmp_path):
    assert read_scalars(tmp_path / "none") == {}
