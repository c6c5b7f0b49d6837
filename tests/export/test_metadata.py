"""What a .tflite file says of itself, and who can read it."""

import sys

import numpy as np
import pytest
import tiny
from ai_edge_litert.interpreter import Interpreter
from edge_command import bright_network

from export import describe
from export.facts import SOURCES, mask_facts, run_facts, segmenter_facts, signature_facts
from export.tflite.convert import to_tflite_float32
from export.tflite.metadata import ENTRY, FORMAT_VERSION, embed, read, write_beside

FACTS = {"licence": "CC-BY-4.0 \u2013 \u00e9", "figures": {"iou": 0.5}, "classes": ["background", "foreground"]}


@pytest.fixture(scope="module")
def content():
    return to_tflite_float32(bright_network())


@pytest.fixture
def path(content, tmp_path):
    (tmp_path / "model.tflite").write_bytes(embed(content, FACTS))
    return tmp_path / "model.tflite"


def test_facts_come_back(path):
    assert read(path) == {"format_version": FORMAT_VERSION} | FACTS


def test_the_model_is_left_as_it_was(content, path):
    pixels = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), "uint8")
    answers = []
    for interpreter in (Interpreter(model_content=content), Interpreter(str(path))):
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
        interpreter.invoke()
        answers.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    np.testing.assert_array_equal(*answers)


def test_without_tensorflow_it_can_be_read(path):
    code = f"import sys; sys.modules['tensorflow'] = None; sys.argv = ['', {str(path)!r}]\n"
    code += "from export import describe; sys.exit(describe.main())"
    status, printed = tiny.finish(tiny.python("-c", code))
    assert status == 0 and printed.splitlines() == [
        f"format_version: {FORMAT_VERSION}",
        'licence: "CC-BY-4.0 \\u2013 \\u00e9"',
        "figures:",
        "  iou: 0.5",
        'classes: ["background", "foreground"]',
    ]


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda content: b"no model", "is no .tflite file"),
        (lambda content: b"", "is no .tflite file"),
        (lambda content: content[:200], "is damaged"),
        (lambda content: content.replace(b'"licence"', b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "is damaged"),
        (lambda content: content.replace(ENTRY.encode(), b"x" * len(ENTRY)), f"has no metadata {ENTRY}"),
    ],
)
def test_what_has_no_facts_is_refused(path, damage, message, monkeypatch, capsys):
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=message):
        read(path)
    monkeypatch.setattr(sys, "argv", ["describe", str(path)])
    with pytest.raises(SystemExit, match="2"):
        describe.main()
    assert message in capsys.readouterr().err


def test_a_savedmodels_facts_come_back_or_it_is_refused(tmp_path):
    with pytest.raises(ValueError, match=f"has no metadata {ENTRY}"):
        read(tmp_path)
    write_beside(tmp_path, FACTS)
    assert read(tmp_path) == {"format_version": FORMAT_VERSION} | FACTS
    (file,) = tmp_path.rglob(ENTRY)
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match=f"{ENTRY} is damaged: JSONDecodeError"):
        read(tmp_path)


def test_no_file_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["describe", str(tmp_path / "none.tflite")])
    with pytest.raises(SystemExit, match="2"):
        describe.main()
    assert "No such file" in capsys.readouterr().err


def test_a_licence_that_is_not_given_is_not_stated():
    assert segmenter_facts({})["licence"] == "not stated"
    assert segmenter_facts({}, "MIT")["licence"] == "MIT"


def test_every_kind_of_source_has_words():
    for source in SOURCES:
        counts = {"rounds": 2, "images_seen": 3, "segmenter_steps": 4}
        facts = run_facts(source, photos={}, supervised=False, test_masks=mask_facts(source), **counts)
        assert facts["test_masks"].startswith("predicted") == (source in ("dogs", "cars"))
    assert facts["learnt_from"] == "photos without masks" and facts["rounds"] == 2


def test_how_a_folders_masks_were_made_is_told_or_said_not_to_be():
    assert mask_facts("folder") == "from a folder (how they were made is not stated)"
    assert mask_facts("folder", "by hand") == "from a folder (by hand)"
    assert mask_facts("cub") == "given with the dataset"


def test_int8_probabilities_are_told_to_be_256ths():
    float32, int8 = (signature_facts(8, integer=integer)["serving_default"]["output"] for integer in (False, True))
    assert (float32["type"], float32["range"]) == ("float32", [0, 1])
    assert (int8["type"], int8["range"]) == ("uint8", [0, 255]) and int8["meaning"].endswith("times 256")
