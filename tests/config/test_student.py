import json

import pytest

from tf_layered_gan.config import student
from tf_layered_gan.config.student import Student


@pytest.mark.parametrize(
    "given, words",
    [
        ({"network": "vit"}, "network is 'vit', allowed: separable or unet"),
        ({"width": 0}, "width is 0, allowed: a whole number from 1 to 512"),
        ({"width": 1.5}, "width is 1.5"),
        ({"width": True}, "width is True"),
        ({"steps": 0}, "steps is 0"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0, allowed: more than 0, at most 1"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"gamma_segmentation": -1.0}, "gamma_segmentation is -1.0"),
        ({"gamma_segmentation": 0, "gamma_consistency": 0}, "gamma_consistency is 0, allowed: more than 0 if"),
    ],
)
def test_refuses_wrong_settings(given, words):
    with pytest.raises(ValueError, match=words):
        Student(**given)


def test_names_all_wrong_settings():
    with pytest.raises(ValueError, match="width is 0.*; steps is -1"):
        Student(width=0, steps=-1)


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "a b", "-flag", "ä"])
def test_refuses_a_name_that_leads_elsewhere(tmp_path, name):
    with pytest.raises(ValueError, match="a student's name is"):
        student.folder(tmp_path, name)


def test_the_folder_is_in_the_workdir(tmp_path):
    assert student.folder(tmp_path, "unet4_b.2") == tmp_path / "students" / "unet4_b.2"


def test_load_reads_the_recorded_settings(tmp_path):
    student.record(tmp_path, Student(width=5), {"final_steps": 3})
    assert student.load(tmp_path) == Student(width=5)


def test_record_refuses_other_settings_or_another_teacher(tmp_path):
    student.record(tmp_path, Student(width=5), {"final_steps": 3})
    student.record(tmp_path, Student(width=5), {"final_steps": 3})
    with pytest.raises(ValueError, match="student.json was written with other values of steps, width; take another"):
        student.record(tmp_path, Student(width=6, steps=2), {"final_steps": 3})
    with pytest.raises(ValueError, match="other values of teacher"):
        student.record(tmp_path, Student(width=5), {"final_steps": 4})


def test_load_refuses_a_folder_without_a_student(tmp_path):
    with pytest.raises(FileNotFoundError, match="no student.json in .*: train first"):
        student.load(tmp_path)


@pytest.mark.parametrize("record", [{"width": 0}, {"width": "wide"}, {"colour": 1}])
def test_load_names_a_damaged_record(tmp_path, record):
    (tmp_path / "student.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match="student.json is damaged"):
        student.load(tmp_path)
