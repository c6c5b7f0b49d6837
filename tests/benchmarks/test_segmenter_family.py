import json
import shutil

import pytest
import tiny

from benchmarks import segmenter_family
from configs import shapes
from export.tflite.convert import to_tflite_float32
from tf_layered_gan.distill import distill, restore_student
from tf_layered_gan.models.networks.multiply_adds import multiply_adds
from tf_layered_gan.models.student import Student
from tf_layered_gan.runs.config_record import load_config
from tf_layered_gan.runs.restore import restore_run


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """A run with a student, "small"; of both the float32 file alone, as if int8 had been refused."""
    workdir = tmp_path_factory.mktemp("run")
    with tiny.eager():
        tiny.train_one_step(shapes, workdir)
        distill(workdir, "small", Student(width=2, steps=1))
    teacher = restore_run(load_config(workdir), workdir)[1].average_network
    for network, folder in ((teacher, workdir), (restore_student(workdir, "small"), workdir / "students" / "small")):
        (folder / "export").mkdir()
        (folder / "export" / "segmenter_float32.tflite").write_bytes(to_tflite_float32(network))
    return workdir


def test_each_file_has_a_row(workdir):
    first, second = segmenter_family.measure(workdir, rounds=2)
    assert (first[0], second[0]) == ("the run's U-Net", "small") and first[2] == second[2] == "float32"
    small = workdir / "students" / "small"
    assert second[1] == f"{multiply_adds(restore_student(workdir, 'small')) / 1e6:.1f}"
    assert second[3] == f"{(small / 'export' / 'segmenter_float32.tflite').stat().st_size:,}"
    figures = json.loads((workdir / "metrics.json").read_text())["test"]["segmenter"]
    assert float(first[4]) == pytest.approx(figures["iou"], abs=2e-3)
    assert float(first[5]) == pytest.approx(figures["iou_per_image"], abs=2e-3)
    assert first[6] == "1.000" and 0 <= float(second[6]) <= 1
    assert float(first[7]) > 0


def test_a_run_without_its_own_export_is_refused(workdir, tmp_path):
    bare = shutil.copytree(workdir, tmp_path / "run", ignore=shutil.ignore_patterns("export"))
    with pytest.raises(FileNotFoundError, match="segmenter_float32.tflite: export first"):
        segmenter_family.measure(bare, rounds=1)


class Recorded:
    """An interpreter whose n-th picture takes the n-th of some seconds."""

    def __init__(self, name, seconds, clock, order):
        self.name, self.seconds, self.clock, self.order = name, iter(seconds), clock, order

    def invoke(self):
        self.order.append(self.name)
        self.clock[0] += next(self.seconds)


def test_files_take_turns_and_the_first_picture_does_not_count(monkeypatch):
    clock, order, seconds = [0.0], [], {"a": [100, 1, 2, 6], "b": [100, 5, 3, 4]}
    monkeypatch.setattr(segmenter_family, "_ready", lambda name: Recorded(name, seconds[name], clock, order))
    monkeypatch.setattr(segmenter_family.time, "perf_counter", lambda: clock[0])
    assert segmenter_family.median_latencies({1: "a", 2: "b"}, rounds=3) == {1: 2.0, 2: 4.0}
    assert order == ["a", "b"] * 4


def test_table_is_markdown():
    lines = segmenter_family.markdown([["small", "1.0", "int8", "9", "0.5", "0.5", "0.5", "0.1"]]).splitlines()
    assert lines[1] == "|" + " --- |" * 8
    assert lines[2] == "| small | 1.0 | int8 | 9 | 0.5 | 0.5 | 0.5 | 0.1 |"
