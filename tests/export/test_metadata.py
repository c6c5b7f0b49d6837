"""Tests of the metadata of exported models, and of the command that prints it."""

import numpy as np
import pytest
import tiny
from discs import grey, pixel_network, run_tflite

from export.documentation.facts import SOURCES, mask_facts, run_facts, segmenter_facts, signature_facts
from export.documentation.metadata import (
    ENTRY,
    FORMAT_VERSION,
    add_metadata,
    read_metadata,
    write_savedmodel_metadata,
)
from export.tflite.convert import to_tflite_float32
from tf_layered_gan.config import FIELDS

FACTS = {"licence": "CC-BY-4.0 \u2013 \u00e9", "figures": {"iou": 0.5}, "classes": ["background", "foreground"]}


@pytest.fixture(scope="module")
def content():
    return to_tflite_float32(pixel_network([1.0, 0.0, 0.0]))


@pytest.fixture
def path(content, tmp_path):
    (tmp_path / "model.tflite").write_bytes(add_metadata(content, FACTS))
    return tmp_path / "model.tflite"


def describe(path):
    """Runs the command in a process that cannot import TensorFlow. Returns the exit status and the output."""
    code = "import runpy, sys; sys.modules['tensorflow'] = None; "
    code += f"sys.argv = ['describe', {str(path)!r}]; runpy.run_module('export.describe', run_name='__main__')"
    return tiny.finish(tiny.python("-c", code))


def test_facts_are_read_back(path):
    assert read_metadata(path) == {"format_version": FORMAT_VERSION} | FACTS


def test_metadata_changes_no_output(content, path):
    images = grey(0, 100, 255)
    np.testing.assert_array_equal(run_tflite(content, images), run_tflite(path.read_bytes(), images))


def test_describe_prints_yaml_without_tensorflow(path):
    status, printed = describe(path)
    assert status == 0 and printed.splitlines() == [
        f"format_version: {FORMAT_VERSION}",
        'licence: "CC-BY-4.0 \\u2013 \\u00e9"',
        "figures:",
        "  iou: 0.5",
        'classes: ["background", "foreground"]',
    ]


def test_describe_ends_with_an_error_if_there_is_no_file(tmp_path):
    status, printed = describe(tmp_path / "none.tflite")
    assert status == 1 and printed.startswith("error: [Errno 2] No such file or directory: ")


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda content: b"no model", "is not a .tflite file"),
        (lambda content: b"", "is not a .tflite file"),
        (lambda content: content[:200], "is damaged"),
        (lambda content: content.replace(b'"licence"', b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "is damaged"),
        (lambda content: content.replace(ENTRY.encode(), b"x" * len(ENTRY)), f"has no metadata {ENTRY}"),
    ],
)
def test_file_without_facts_is_refused(path, damage, message):
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=message):
        read_metadata(path)


def test_facts_of_a_savedmodel_are_read_back_or_refused(tmp_path):
    with pytest.raises(ValueError, match=f"has no metadata {ENTRY}"):
        read_metadata(tmp_path)
    write_savedmodel_metadata(tmp_path, FACTS)
    assert read_metadata(tmp_path) == {"format_version": FORMAT_VERSION} | FACTS
    (file,) = tmp_path.rglob(ENTRY)
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match=f"{ENTRY} is damaged: JSONDecodeError"):
        read_metadata(tmp_path)


def test_missing_licence_is_not_stated():
    assert segmenter_facts({})["licence"] == "not stated"
    assert segmenter_facts({}, "MIT")["licence"] == "MIT"


def test_every_source_is_described():
    (field,) = (field for field in FIELDS if field.name == "data.source")
    assert sorted(SOURCES) == sorted(field.check.allowed.replace(" or ", ", ").split(", "))
    for source in SOURCES:
        counts = {"rounds": 2, "images_seen": 3, "segmenter_steps": 4, "passes": 0, "encoder": "none"}
        facts = run_facts(source, fit="crop", photos={}, supervised=False, test_masks=mask_facts(source), **counts)
        assert facts["test_masks"].startswith("predicted") == (source in ("dogs", "cars"))
    assert facts["learnt_from"] == "photos without masks" and facts["rounds"] == 2


def test_int8_probabilities_are_256ths():
    float32, int8 = (signature_facts(8, integer=integer)["serving_default"]["output"] for integer in (False, True))
    assert (float32["type"], float32["range"]) == ("float32", [0, 1])
    assert (int8["type"], int8["range"]) == ("uint8", [0, 255]) and int8["meaning"].endswith("times 256")
