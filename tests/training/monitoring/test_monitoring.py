import contextlib
import inspect
import os
import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf
import tiny

from tf_layered_gan.evaluation.collapse import collapse_warning, variety_warning
from tf_layered_gan.evaluation.metrics.precision_recall import THRESHOLDS
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.training.monitoring.monitor import Monitor, check_finite
from tf_layered_gan.training.monitoring.profiling import Profiler
from tf_layered_gan.training.monitoring.scalar_tags import scalar_tag
from tf_layered_gan.training.plan import Part, Plan

NOT_UTF8 = os.fsdecode(b"[a]\xff")  # a folder name with brackets and a byte that is not UTF-8
GAN, SEGMENTER = ("gan", "round 2"), ("segmenter", "round 2")


def scalar(events, tag):
    """Returns a scalar as a list of (step, value)."""
    return [(event.step, pytest.approx(tf.make_ndarray(event.tensor_proto).item())) for event in events[tag]]


def test_masks_of_usual_size_give_no_warning():
    assert collapse_warning(0.1) is collapse_warning(0.3) is collapse_warning(0.75, masks_full=0.2) is None


@pytest.mark.parametrize(
    "mask_mean, masks_full, begins, advice",
    [
        (0.97, 0.0, "everything became foreground: the masks cover 97% of the image", "perturbation.shift"),
        (0.01, 0.0, "everything became background: the masks cover only 1% of the image", "gan.gamma_mi"),
        (0.4, 0.25, "everything became foreground in some images: 25% of the masks", "segmenter.mask_size"),
    ],
)
def test_unusual_masks_are_named_with_advice(mask_mean, masks_full, begins, advice):
    warning = collapse_warning(mask_mean, masks_full=masks_full)
    assert warning.startswith(begins) and advice in warning


def test_warns_of_few_silhouettes():
    figures = {"silhouettes": 11, "pictures": 1024, "pairs_alike": 0.096, "variance_code": 0.91, "variance_z": 0.02}
    assert variety_warning(figures | {"pairs_alike": 0.05}) is None
    warning = variety_warning(figures)
    assert "11 among 1024 masks" in warning and "10% of the pairs" in warning and "z explains 2%" in warning


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_non_finite_value_names_its_term_and_step(value):
    report = {"binarization": tf.constant(0.5), "background": tf.constant(value)}
    with pytest.raises(FloatingPointError, match=rf"gan/background is {value} at step 12"):
        check_finite("gan", report, 12)


def test_finite_values_pass():
    check_finite("gan", {"binarization": tf.constant(-1e30)}, 1)


def test_tensorflow_is_given_no_python_number(tmp_path, monkeypatch):
    monitor, kinds = Monitor(tmp_path, batch_size=4), set()
    monkeypatch.setattr(tf.summary, "scalar", lambda name, value: kinds.add(type(value)))
    for step in (10, 20):
        monitor.scalars(*GAN, {"binarization": tf.constant(0.25)}, step, 30)
    assert kinds == {np.ndarray}  # TensorFlow would keep every Python number for ever, and each takes about 0.7 KiB


def test_scalars_are_written_under_their_kind_and_step(tmp_path):
    monitor = Monitor(tmp_path, batch_size=4)
    monitor.scalars(*GAN, {"binarization": tf.constant(0.25)}, 10, 30)
    monitor.scalars(*GAN, {"binarization": tf.constant(0.125)}, 20, 30)
    monitor.scalars(*SEGMENTER, {"segmentation": 0.5}, 3, 30)
    monitor.image("layers", np.zeros((2, 2, 3), np.uint8), 20)
    events = tiny.events(tmp_path)
    assert scalar(events, "mask/binarization") == [(10, 0.25), (20, 0.125)]
    assert scalar(events, "segmenter/segmentation") == [(3, 0.5)]


def test_images_per_second_count_the_steps_between_two_reports(tmp_path, monkeypatch):
    times = iter([100.0, 102.0, 110.0])
    monkeypatch.setattr("tf_layered_gan.training.monitoring.monitor.time.perf_counter", lambda: next(times))
    monitor = Monitor(tmp_path, batch_size=4)
    for phase, step in [(GAN, 10), (GAN, 20), (SEGMENTER, 25)]:
        monitor.scalars(*phase, {}, step, 30)
    monitor.image("layers", np.zeros((2, 2, 3), np.uint8), 20)
    events = tiny.events(tmp_path)
    # 10 steps of 4 images take 2 seconds. The first report of a kind has no speed, because there is no earlier report.
    assert scalar(events, "speed/gan/images_per_second") == [(20, 20)]
    assert "speed/segmenter/images_per_second" not in events


def test_each_report_logs_one_line(tmp_path, caplog):
    with caplog.at_level("INFO", logger="absl"):
        report = {"binarization": 0.25, "mask_mean": 0.5, "masks_full": 0.0, "generator_adversarial": -1.5}
        Monitor(tmp_path, batch_size=4).scalars(*GAN, report, 10, 30)
    assert [record.getMessage() for record in caplog.records] == [
        "round 2, gan step 10 of 30 (40 images): G -1.5, masks cover 0.5"
    ]


def test_collapse_is_logged_as_a_warning(tmp_path, caplog):
    Monitor(tmp_path, batch_size=4).scalars(*GAN, {"mask_mean": 0.001, "masks_full": 0.0}, 10, 30)
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == [collapse_warning(0.001)]


def test_evaluation_is_written_at_the_step_of_the_gan(tmp_path):
    monitor = Monitor(tmp_path, batch_size=4)
    monitor.evaluation("validation", {"iou": 0.5, "images": 7}, 30)
    monitor.image("layers", np.zeros((2, 2, 3), np.uint8), 30)
    assert scalar(tiny.events(tmp_path), "validation/iou") == [(30, 0.5)]


def test_image_is_written_unchanged(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    Monitor(tmp_path, batch_size=4).image("layers", image, 30)
    (event,) = tiny.events(tmp_path)["layers"]
    width, height, png = tf.make_ndarray(event.tensor_proto)
    assert (event.step, width, height) == (30, b"7", b"5")
    np.testing.assert_array_equal(tf.io.decode_png(png), image)


def test_full_disk_is_an_oserror(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monitor = Monitor(tmp_path, batch_size=4)
    monkeypatch.setattr(tf.summary, "scalar", fail)
    with pytest.raises(OSError, match="events could not be written to .*tensorboard: No space left on device"):
        monitor.evaluation("validation", {"iou": 0.5}, 30)


def test_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "tensorboard").write_text("mine")
    with pytest.raises(OSError, match=f"events could not be written to {tmp_path}/tensorboard: "):
        Monitor(tmp_path, batch_size=4)


def test_every_scalar_of_the_gan_answers_a_question():
    reported = inspect.getsource(LayeredGAN.train_step)
    names = set(re.findall(r'"(\w+)": ', reported)) | {"mask_size", "independence", "background", "r1"}
    tags = {scalar_tag("gan", name) for name in names - {"augmentation_probability"}}
    assert {tag.split("/")[0] for tag in tags} == {"discriminator", "mask", "background", "codes", "gradients"}
    assert scalar_tag("synthetic", "silhouettes") == "mask_variety/silhouettes"
    assert scalar_tag("final", "segmentation") == "final/segmentation"


class OnlyPhases:
    """A plan of two phases. A step of the second phase costs twice as much as a step of the first."""

    parts = [Part("gan", "round 2", 0, 30, 1.0), Part("segmenter", "round 2", 0, 10, 2.0)]
    time_left = Plan.time_left


def test_progress_says_how_much_time_is_left(tmp_path, caplog, monkeypatch):
    times = iter([100.0, 120.0])
    monkeypatch.setattr("tf_layered_gan.training.monitoring.monitor.time.perf_counter", lambda: next(times))
    with caplog.at_level("INFO", logger="absl"):
        monitor = Monitor(tmp_path, 4, OnlyPhases())
        for step in (10, 20):
            monitor.scalars(*GAN, {}, step, 30)
    # A step takes 2 s, and 10 steps of the phase are left. The next phase has 10 steps, which cost twice as much.
    assert caplog.messages[-1].endswith("2 images/s, 20 s left in this phase, about 60 s for the rest of the run")


def test_settings_are_written_for_the_comparison_of_runs(tmp_path):
    workdir = tmp_path / NOT_UTF8
    settings = {"seed": 3, "gan.mask_size": [0.1, 0.5], "data.path": str(workdir), "data.masks": None}
    Monitor(workdir, batch_size=4).settings(settings)
    (file,) = (workdir / "tensorboard").iterdir()
    written = file.read_bytes()
    assert all(name in written for name in (b"seed", b"gan.mask_size", b"[0.1, 0.5]", b"[a]\\udcff", b"hparams"))


def test_precision_recall_is_written_for_its_panel(tmp_path):
    masks = np.zeros((1, 2, 2), np.uint8)
    Monitor(tmp_path, batch_size=4).precision_recall("validation", np.zeros((1, 2, 2), np.float32), masks, 30)
    (event,) = tiny.events(tmp_path)["validation/precision_recall"]
    assert event.step == 30 and tf.make_ndarray(event.tensor_proto).shape == (6, THRESHOLDS)


@pytest.mark.parametrize("steps, profiles", [(0, 0), (2, 1)])
def test_profile_on_request(tmp_path, steps, profiles, monkeypatch):
    calls = []

    @contextlib.contextmanager
    def profile(folder):
        calls.append(f"begin {folder}")
        yield
        calls.append("end")

    monkeypatch.setattr(tf.profiler.experimental, "Profile", profile)
    profiler = Profiler(tmp_path, steps)
    for length in (20, 20):  # two rounds
        with profiler.phase("gan") as before_step:
            for number in range(length):
                calls.append(number)
                before_step(number)
    begin = f"begin {tmp_path / 'tensorboard'}"
    assert calls.count(begin) == calls.count("end") == profiles
    if profiles:
        assert calls[:10] == [0, 1, 2, 3, 4, 5, begin, 6, 7, "end"]


def test_profile_goes_to_a_folder_of_any_name(tmp_path, monkeypatch):
    (tmp_path / NOT_UTF8 / "tensorboard").mkdir(parents=True)

    def profile(folder):
        pathlib.Path(folder, "profile").write_text(folder, encoding="utf-8")  # like TensorFlow, fails without UTF-8
        return contextlib.nullcontext()

    monkeypatch.setattr(tf.profiler.experimental, "Profile", profile)
    with Profiler(tmp_path / NOT_UTF8, 1).phase("gan") as before_step:
        before_step(5)
    assert list((tmp_path / NOT_UTF8 / "tensorboard").iterdir())


def test_profile_ends_with_a_short_phase(tmp_path, monkeypatch):
    with Profiler(tmp_path, 100).phase("gan") as before_step:
        for number in range(7):
            before_step(number)
    assert list((tmp_path / "tensorboard").rglob("*.xplane.pb"))
