import pytest
from discs import FILES

from export.output_folder import replacing_export
from tf_layered_gan.files.file_lock import file_lock


@pytest.fixture
def earlier(tmp_path):
    """A directory with an earlier export."""
    for name in FILES - {"saved_model"}:
        (tmp_path / name).write_text("earlier")
    (tmp_path / "saved_model").mkdir()
    (tmp_path / "saved_model" / "earlier").write_text("earlier")
    return tmp_path


def test_new_export_replaces_the_earlier_one(earlier):
    (earlier / ".unverified-of-a-killed-export").mkdir()
    with replacing_export(earlier) as folder:
        (folder / "saved_model").mkdir()
        for name in ("segmenter_float32.tflite", "export.json"):
            (folder / name).write_text("new")
            assert (earlier / name).read_text() == "earlier"
    # The new export has no int8 file, so the int8 file of the earlier export must be removed.
    assert {path.name for path in earlier.iterdir()} == {
        "lock",
        "saved_model",
        "segmenter_float32.tflite",
        "export.json",
        "model_card.md",
    }
    assert (earlier / "export.json").read_text() == "new" and not list((earlier / "saved_model").iterdir())


def test_failed_export_leaves_the_earlier_one(earlier):
    with pytest.raises(ZeroDivisionError), replacing_export(earlier) as folder:
        (folder / "export.json").write_text("new")
        raise ZeroDivisionError
    assert {path.name for path in earlier.iterdir()} == FILES
    assert (earlier / "export.json").read_text() == "earlier"


def test_two_exports_do_not_write_to_one_directory(tmp_path):
    message = f"another export writes to {tmp_path}: wait for it, or choose another directory"
    with file_lock(tmp_path, taken=None), pytest.raises(ValueError, match=message), replacing_export(tmp_path):
        pass


def test_files_of_somebody_else_are_left_alone(tmp_path):
    (tmp_path / "saved_model").mkdir()
    (tmp_path / "saved_model" / "mine").write_text("mine")
    with pytest.raises(ValueError, match="holds saved_model but no export.json"), replacing_export(tmp_path):
        pass
    assert (tmp_path / "saved_model" / "mine").read_text() == "mine" and len(list(tmp_path.iterdir())) == 1
