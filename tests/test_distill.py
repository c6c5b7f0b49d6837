import json
import shutil

import numpy as np
import pytest
import tiny

from configs import shapes
from export import main as export_main
from tf_layered_gan.distill import distill, restore_student
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.models.student import Student
from tf_layered_gan.runs.config_record import load_config
from tf_layered_gan.runs.restore import restore_run
from tf_layered_gan.training import monitoring

SMALL = Student(width=2, steps=5, gamma_segmentation=1.0)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    with tiny.eager():
        workdir = tmp_path_factory.mktemp("run")
        tiny.train_one_step(shapes, workdir)
    return workdir


@pytest.fixture
def workdir(finished, tmp_path, eagerly):
    return shutil.copytree(finished, tmp_path / "run")


def contents(workdir):
    """Every file of a run but its students'."""
    paths = (path for path in workdir.rglob("*") if path.is_file() and "students" not in path.parts)
    return {str(path.relative_to(workdir)): path.read_bytes() for path in paths}


def test_a_student_is_trained_and_measured_beside_its_teacher(workdir):
    before = contents(workdir)
    result = distill(workdir, "small", SMALL)
    assert json.loads((workdir / "students" / "small" / "metrics.json").read_text()) == result
    assert result["steps_taken"] == 5 and result["parameters"] > 0 and result["multiply_adds"] > 0
    assert result["test"]["teacher"] == json.loads(before["metrics.json"])["test"]["segmenter"]
    assert result["test"]["student"]["images"] == result["validation"]["student"]["images"] == 5
    assert 0 <= result["test"]["agreement"] <= 1
    assert contents(workdir) == before


def test_a_student_is_read_back_as_it_was_trained(workdir):
    distill(workdir, "small", SMALL)
    network = restore_student(workdir, "small")
    checkpoint = tiny.checkpoint_values(workdir / "students" / "small")
    key = "segmenter/average_network/_operations/1/_kernel/.ATTRIBUTES/VARIABLE_VALUE"
    np.testing.assert_array_equal(network.layers[1].kernel, checkpoint[key])


@pytest.mark.parametrize(
    "settings, terms, painted",
    [
        ({"gamma_segmentation": 1.0}, {"segmentation", "pairs_used", "consistency"}, 1),
        ({"gamma_segmentation": 0.0}, {"consistency"}, 0),
        ({"gamma_segmentation": 1.0, "gamma_consistency": 0.0}, {"segmentation", "pairs_used"}, 1),
    ],
)
def test_pairs_are_painted_and_photos_seen_where_they_have_a_weight(workdir, monkeypatch, settings, terms, painted):
    reports, paintings, paint = [], [], LayeredGAN.synthesize
    monkeypatch.setattr(monitoring.Monitor, "scalars", lambda self, phase, report, step: reports.append(report))
    monkeypatch.setattr(LayeredGAN, "synthesize", lambda *given: paintings.append(1) or paint(*given))
    distill(workdir, "small", Student(width=2, steps=1, **settings))
    assert [set(report) for report in reports] == [terms | {"segmenter_gradient_norm"}]
    assert len(paintings) == painted


def test_a_student_that_was_cut_off_ends_as_one_that_was_not(workdir, monkeypatch):
    distill(workdir, "whole", SMALL)
    check = monitoring.check_finite

    def cut_off(kind, report, step):
        check(kind, report, step)
        if step == 4:
            raise OSError("no space left")

    monkeypatch.setattr(monitoring, "check_finite", cut_off)
    with pytest.raises(OSError, match="no space left"):
        distill(workdir, "cut", SMALL)
    monkeypatch.setattr(monitoring, "check_finite", check)
    distill(workdir, "cut", SMALL)
    tiny.assert_same_checkpoint(workdir / "students" / "whole", workdir / "students" / "cut")


def test_a_student_is_exported_in_the_runs_place(workdir, monkeypatch):
    distill(workdir, "small", SMALL)
    given = []

    def keep(network, images, photos, output, *, facts, max_iou_loss):
        given.extend([network, output, facts["training"]["student"]])

    monkeypatch.setattr(export_main, "export_segmenter", keep)
    export_main.export_run(workdir, student_name="small")
    about = {"network": "separable", "width": 2, "steps": 5, "learnt_from": "the run's pairs and the run's photos"}
    assert given[1:] == [workdir / "students" / "small" / "export", about]
    for ours, theirs in zip(given[0].get_weights(), restore_student(workdir, "small").get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_that_was_trained_on_since_is_refused(workdir):
    distill(workdir, "small", SMALL)
    config = load_config(workdir)
    _, _, checkpointer = restore_run(config, workdir)
    checkpointer.final_step.assign_add(1)
    checkpointer.save()
    with pytest.raises(ValueError, match="other values of teacher"):
        distill(workdir, "small", SMALL)


def test_a_workdir_without_a_run_and_a_run_without_the_student_are_refused(workdir, tmp_path):
    with pytest.raises(FileNotFoundError, match="no config.json"):
        distill(tmp_path / "nowhere", "small", SMALL)
    with pytest.raises(FileNotFoundError, match="no student.json"):
        restore_student(workdir, "small")


def test_the_command_refuses_in_words(tmp_path):
    command = ["-m", "tf_layered_gan.distill", f"--workdir={tmp_path}", "--network=vit", "--width=0"]
    code, output = tiny.finish(tiny.python(*command))
    assert code == 1 and "Traceback" not in output
    assert "error: network is 'vit', allowed: separable or unet; width is 0, allowed" in output
