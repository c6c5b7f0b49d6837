"""Tests of students of the finished run."""

import shutil

import numpy as np
import pytest
import tiny

from export import export_run as exporting
from tf_layered_gan.config.student import Student
from tf_layered_gan.files.records import read_record
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.models.segmenter import Segmenter
from tf_layered_gan.runs.config_record import load_config
from tf_layered_gan.runs.restore import restore_run, restore_student
from tf_layered_gan.training.distillation import distill

SMALL = Student(width=2, steps=5, gamma_segmentation=1.0)


def contents(workdir):
    """Returns the content of every file of a run, except the files of its students."""
    paths = (path for path in workdir.rglob("*") if path.is_file() and "students" not in path.parts)
    return {str(path.relative_to(workdir)): path.read_bytes() for path in paths}


def loss_terms(directory):
    """Returns the names of the losses that a student reported."""
    return {name.removeprefix("student/") for name in tiny.events(directory) if name.startswith("student/")}


@pytest.fixture(scope="module")
def taught_run(finished_run, tmp_path_factory):
    """A copy of the finished run. It has a student "small"."""
    workdir = shutil.copytree(finished_run, tmp_path_factory.mktemp("taught") / "run")
    with tiny.eager():
        distill(workdir, "small", SMALL)
    return workdir


@pytest.fixture
def workdir(taught_run, tmp_path, eagerly):
    return shutil.copytree(taught_run, tmp_path / "run")


def test_student_is_trained_and_measured_beside_its_teacher(taught_run):
    result = read_record(taught_run / "students" / "small" / "metrics.json")
    assert result["steps_taken"] == 5 and result["parameters"] > 0 and result["multiply_adds"] > 0
    assert result["test"]["teacher"] == read_record(taught_run / "metrics.json")["test"]["segmenter"]
    assert result["test"]["student"]["images"] == result["validation"]["student"]["images"] == 5
    assert 0 <= result["test"]["agreement"] <= 1
    assert {"segmentation", "pairs_used", "consistency"} < loss_terms(taught_run / "students" / "small")


def test_student_has_a_report(taught_run):
    text = (taught_run / "students" / "small" / "report.html").read_text()
    agreement = read_record(taught_run / "students" / "small" / "metrics.json")["test"]["agreement"]
    assert "Report of the student small" in text
    assert f"the masks of the student and of its teacher have an IoU of {agreement:.3f}" in text


def test_student_changes_no_file_of_its_teacher(taught_run, finished_run):
    assert contents(taught_run) == contents(finished_run)


def test_student_is_read_back_as_it_was_trained(taught_run):
    network = restore_student(taught_run, "small")
    saved = tiny.checkpoint_values(taught_run / "students" / "small")
    kernel = saved["segmenter/average_network/_operations/1/_kernel"]
    np.testing.assert_array_equal(network.layers[1].kernel, kernel)


@pytest.mark.parametrize(
    "weights, terms, paints",
    [
        ({"gamma_segmentation": 0.0}, {"consistency"}, False),
        ({"gamma_segmentation": 1.0, "gamma_consistency": 0.0}, {"segmentation", "pairs_used"}, True),
    ],
    ids=["photos alone", "pairs alone"],
)
def test_student_sees_only_what_has_a_weight(workdir, monkeypatch, weights, terms, paints):
    painted, synthesize = [], LayeredGAN.synthesize
    monkeypatch.setattr(LayeredGAN, "synthesize", lambda *given: painted.append(1) or synthesize(*given))
    distill(workdir, "other", Student(width=2, steps=1, **weights))
    assert loss_terms(workdir / "students" / "other") == terms | {"segmenter_gradient_norm"}
    assert bool(painted) == paints


@pytest.mark.slow
def test_killed_student_ends_like_an_undisturbed_student(workdir, monkeypatch):
    train_step = Segmenter.train_step

    def killed_at_step_4(self, batch):
        if self.optimizer.iterations == 3:
            raise KeyboardInterrupt
        return train_step(self, batch)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Segmenter, "train_step", killed_at_step_4)
        distill(workdir, "killed", SMALL)
    distill(workdir, "killed", SMALL)
    tiny.assert_same_checkpoint(workdir / "students" / "small", workdir / "students" / "killed")


def test_student_is_exported_in_place_of_the_run(taught_run, monkeypatch):
    given = []

    def keep(network, images, photos, output, *, facts, max_iou_loss):
        given.extend([network, output, facts["training"]["student"]])

    monkeypatch.setattr(exporting, "export_segmenter", keep)
    exporting.export_run(taught_run, student_name="small")
    about = {"network": "separable", "width": 2, "steps": 5, "learnt_from": "the run's pairs and the run's photos"}
    assert given[1:] == [taught_run / "students" / "small" / "export", about]
    for ours, theirs in zip(given[0].get_weights(), restore_student(taught_run, "small").get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_student_of_a_run_that_has_trained_since_is_refused(workdir):
    _, _, checkpointer = restore_run(load_config(workdir), workdir)
    checkpointer.final_step.assign_add(1)
    checkpointer.save()
    with pytest.raises(ValueError, match="other values of teacher"):
        distill(workdir, "small", SMALL)


def test_missing_run_and_missing_student_are_refused(finished_run, tmp_path):
    with pytest.raises(FileNotFoundError, match="no config.json"):
        distill(tmp_path / "nowhere", "small", SMALL)
    with pytest.raises(FileNotFoundError, match="no student.json"):
        restore_student(finished_run, "small")


def test_command_refuses_wrong_settings_with_a_message(tmp_path):
    command = ["-m", "tf_layered_gan.distill", f"--workdir={tmp_path}", "--network=vit", "--width=0"]
    code, output = tiny.finish(tiny.python(*command))
    assert code == 1 and "Traceback" not in output
    assert "error: network is 'vit', allowed: separable or unet; width is 0, allowed" in output
