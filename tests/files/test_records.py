import pytest

from tf_layered_gan.files.records import read_record, write_record


def test_a_record_is_read_back_as_it_was(tmp_path):
    record = {"iou": 0.5, "test": None, "names": ["a", "ä"]}
    write_record(tmp_path / "record.json", record)
    assert read_record(tmp_path / "record.json") == record
    assert (tmp_path / "record.json").read_text().startswith('{\n "iou": 0.5,')


@pytest.mark.parametrize("content", ["one\ntwo, ä", b"\x00\xff"])
def test_text_and_bytes_replace_what_was_there(tmp_path, content):
    for earlier in ("of an earlier run", content):
        write_record(tmp_path / "file", earlier)
    written = (tmp_path / "file").read_bytes()
    assert written == (content.encode() if isinstance(content, str) else content)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("content", [b'{"round": 1', b"", b"[]", b"\xff", b"[" * 100_000])
def test_a_damaged_record_is_named(tmp_path, content):
    (tmp_path / "record.json").write_bytes(content)
    with pytest.raises(ValueError, match=f"{tmp_path / 'record.json'} is damaged: "):
        read_record(tmp_path / "record.json")


def test_a_record_that_is_missing_is_not_called_damaged(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_record(tmp_path / "record.json")
