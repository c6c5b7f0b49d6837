import numpy as np
import pytest
from edge_command import bright_network

from benchmarks.speed import calls
from export.tflite.convert import to_tflite_float32
from export.tflite.signatures import add_signatures


@pytest.fixture(scope="module")
def plain():
    return to_tflite_float32(bright_network())


def test_every_way_segments_and_counts_its_images(plain, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(add_signatures(plain, "pad"))
    ways = calls.ways(path)
    counts = {name: count for name, (call, count) in ways.items() if call() is not False}
    assert counts == {f"{n} in a call": n for n in (1, 2, 4, 8)} | {
        "any size, 640 x 480": 1,
        "any size, 4000 x 3000": 1,
    }
    mask = ways["any size, 640 x 480"][0]()["mask"]
    assert mask.shape == (1, 480, 640, 1) and np.std(mask) > 0


def test_times_are_per_image_without_the_first_call(monkeypatch):
    # `taken` has the seconds that each call takes. In each of three rounds, "one" and "two" are called once. The first
    # round is not counted.
    clock, taken = [0.0], iter([9.0, 8.0, 1.0, 6.0, 2.0, 4.0])

    def call():
        clock[0] += next(taken)

    monkeypatch.setattr(calls, "ways", lambda path: {"one": (call, 1), "two": (call, 2)})
    monkeypatch.setattr(calls.time, "perf_counter", lambda: clock[0])
    table = calls.seconds_per_image(["a"], rounds=2)
    assert table == {"a": {"one": 1.5, "two": 2.5}}
    assert calls.markdown(table) == "| ms per image | one | two |\n| --- | ---: | ---: |\n| a | 1.5e+03 | 2.5e+03 |\n"


def test_a_missing_file_and_a_missing_signature_are_refused(plain, tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        calls.ways(tmp_path / "none.tflite")
    (tmp_path / "model.tflite").write_bytes(plain)
    with pytest.raises(ValueError, match="no signature any_size"):
        calls.ways(tmp_path / "model.tflite")
