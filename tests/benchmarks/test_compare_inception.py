import re

import numpy as np
import tensorflow as tf
from PIL import Image

from benchmarks import compare_inception
from tf_layered_gan.evaluation.metrics import fid


def write_photos(folder, count):
    folder.mkdir()
    for i in range(count):
        Image.new("RGB", (8, 6), (i, 0, 0)).save(folder / f"{i:03d}.png")
    return folder


def test_both_sides_resize_the_same_way():
    image = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    ours = fid.resize(tf.constant(image[np.newaxis]))[0]
    np.testing.assert_allclose(
        compare_inception._resized(image.astype(np.float64)), ours, atol=5e-3
    )  # the tolerance, in grey levels, is needed because positions in float32 are not exact


def test_a_stopped_command_goes_on(tmp_path, monkeypatch):
    seen = []

    def red(images):
        seen.append(int(images[0, 0, 0, 0]))
        return np.float32([[seen[-1]]])

    monkeypatch.setattr(compare_inception, "_load", lambda weights: red)
    folders = [write_photos(tmp_path / name, count) for name, count in (("a", 60), ("b", 3))]
    compare_inception.write_features("x.npz", folders, tmp_path / "out", 1)
    first = list(seen)
    assert len(set(first[:50])) == 50 and sorted(first[50:]) == [0, 1, 2]
    compare_inception.write_features("x.npz", folders, tmp_path / "out", None)
    assert sorted(first[:50] + seen[53:]) == list(range(60))
    assert np.load(tmp_path / "out" / "0" / "000000.npy")[:, 0].tolist() == first[:50]


def test_report_compares_the_blocks_in_both_folders(tmp_path, capsys):
    values = np.float32([[1], [3]])
    for side, shift in (("keras", 0.0), ("torch", 0.25)):
        for i in range(2):
            (tmp_path / side / str(i)).mkdir(parents=True)
            np.save(tmp_path / side / str(i) / "000000.npy", values * (1 + shift) + 2 * i)
    np.save(tmp_path / "keras" / "0" / "000050.npy", values + 100)
    compare_inception.report(tmp_path / "keras", tmp_path / "torch")
    printed = capsys.readouterr().out
    # The means of the two folders are 2 and 4 with Keras, and 2.5 and 4.5 with TorchScript. The variances are equal. So
    # FID is 2^2 in both cases.
    assert re.findall(r"FID by (\w+): (\S+)", printed) == [("Keras", "4.00000"), ("TorchScript", "4.00000")]
    # The relative difference is 0.25 / 1.25 = 0.2 for one photo and 0.75 / 3.75 = 0.2 for the other.
    assert "2 photos: |keras - torch| / |torch| mean 2.00e-01, most 2.00e-01" in printed
