"""Tests of passes over photos, before and after the GAN."""

import shutil
import types

import keras
import numpy as np
import pytest
import tiny

from benchmarks import publish_run
from configs import shapes
from tf_layered_gan import train
from tf_layered_gan.data import sources
from tf_layered_gan.files.records import read_record, write_record
from tf_layered_gan.models import build
from tf_layered_gan.models.segmenter import Segmenter
from tf_layered_gan.runs import passes
from tf_layered_gan.runs.checkpoints import final_step_on_disk
from tf_layered_gan.runs.learning_curve import LearningCurve
from tf_layered_gan.runs.restore import restore_gan, restore_run
from tf_layered_gan.training import photo_passes, session
from tf_layered_gan.training.labeller import mask_finder
from tf_layered_gan.training.photo_passes import _falls

PASSES = {
    "schedule.rounds": 1,
    "data.train_pictures": 12,
    "refine.bootstrap": True,
    "refine.passes": 2,
    "refine.steps": 2,
    "refine.mask_size": (0.0, 1.0),
}


@pytest.fixture(scope="module", autouse=True)
def trusted():
    """Makes a run trust every bootstrap and keep every pass. Two passes that agree do not stop the run early.

    Without this fixture, chance would decide which passes are kept, because the networks learn for only two steps.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(photo_passes, "_TRUSTED", 0.0)
        patch.setattr(photo_passes, "_SETTLED", 2.0)
        patch.setattr(photo_passes, "_falls", lambda *_: False)
        patch.setattr(photo_passes.labels, "_LEAST_AGREEMENT", 0.0)
        yield


@pytest.fixture(scope="module")
def refined(tmp_path_factory):
    """A run with a bootstrap and two passes after the GAN, and its figures."""
    workdir = tmp_path_factory.mktemp("refined")
    with tiny.eager():
        return workdir, train.train(tiny.run_config(shapes, **PASSES), workdir)


def test_a_run_takes_all_passes(refined):
    workdir, metrics = refined
    assert [record["pass"] for record in metrics["passes"]] == [0, 1, 2]
    assert [record["labels"] for record in metrics["passes"]] == ["rectangle", "colour", "colour"]
    assert all(record["photos"] == 12 and record["left_out"] == 0 for record in metrics["passes"])
    after = [point["after"] for point in LearningCurve(workdir).points()]
    assert after == ["bootstrap", "round 1", "round 1, final", "pass 1", "pass 2"]


def test_a_pass_records_its_time_and_its_steps(refined, tmp_path):
    workdir, metrics = refined
    for record in metrics["passes"]:
        with np.load(passes.folder(workdir, record["pass"]) / "labels.npz") as labels:
            assert record["seconds"] > labels["seconds"] > 0
    assert metrics["training_seconds"] > sum(record["seconds"] for record in metrics["passes"])
    config = tiny.run_config(shapes, **PASSES)
    assert passes.position(config, workdir) == {"bootstrap": 2, "pass 1": 2, "pass 2": 2}
    assert [final_step_on_disk(folder) for folder in (passes.folder(workdir, 1), tmp_path)] == [2, 0]


@pytest.fixture
def rejecting(tmp_path):
    """Returns a function that makes the config of a run in which the given photos are rejected."""

    def config(*names):
        write_record(tmp_path / "rejected.json", {"rejected": list(names)})
        return tiny.run_config(shapes, **PASSES | {"refine.rejected": str(tmp_path / "rejected.json")})

    return config


def test_no_pass_learns_a_mask_that_was_marked_as_bad(rejecting, tmp_path):
    config = rejecting("0-000003", "0-000007")
    run = types.SimpleNamespace(config=config, splits=sources.load_photos(config), find_masks=mask_finder(config))
    photos, left_out, _ = photo_passes._labelled_photos(run, tmp_path, [])
    assert len(photos) == 10 and left_out == 0
    assert set(run.splits.train.names) - set(photos.names) == {"0-000003", "0-000007"}


def test_a_file_of_other_photos_is_refused_before_training(rejecting):
    message = r"refine.rejected is .*no training photo has any of its 1 names \(the first is 'mine.jpg'\)"
    with pytest.raises(ValueError, match=message):
        session.load_usable_photos(rejecting("mine.jpg"), None)


def test_the_last_pass_is_what_a_run_is_measured_by(refined):
    metrics = refined[1]["test"]
    assert list(metrics)[:5] == ["segmenter", "bootstrap", "pass 1", "pass 2", "pairs alone"]
    assert metrics["segmenter"] == metrics["pass 2"]


def test_the_background_loss_asks_the_bootstrap_from_the_first_step_on(refined):
    workdir, _ = refined
    assert [event.step for event in tiny.events(workdir)["background/background"]] == [1, 2]
    config = tiny.run_config(shapes, **PASSES)
    gan, segmenter, _ = restore_run(config, workdir)
    bootstrap = passes.pass_networks(config, workdir)[0]
    for ours, theirs in zip(gan.segmenter.get_weights(), bootstrap.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    pairs = segmenter.average_network.get_weights()
    assert any((ours != theirs).any() for ours, theirs in zip(pairs, bootstrap.get_weights(), strict=True))


@pytest.fixture(scope="module")
def without_gan(tmp_path_factory):
    """A run in which the bootstrap replaced the GAN, and its figures."""
    workdir = tmp_path_factory.mktemp("without_gan")
    config = tiny.run_config(shapes, **PASSES | {"schedule.gan": "if_needed", "refine.passes": 1})
    with tiny.eager():
        return config, workdir, train.train(config, workdir)


def test_a_trusted_bootstrap_takes_the_place_of_the_gan(without_gan):
    config, workdir, metrics = without_gan
    assert [point["after"] for point in LearningCurve(workdir).points()] == ["bootstrap", "pass 1"]
    assert metrics["images_seen"] == 0 and "synthetic" not in metrics and "pairs alone" not in metrics["test"]
    assert metrics["test"]["segmenter"] == metrics["test"]["pass 1"]
    with pytest.raises(ValueError, match=r"trained no GAN, because its bootstrap was trusted"):
        restore_gan(config, workdir)


def test_a_published_run_without_a_gan_has_no_layers(without_gan, tmp_path):
    publish_run.publish(without_gan[1], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curve.csv", "metrics.json"]


def assert_is_the_result(number, config, workdir):
    _, segmenter, _ = restore_run(config, workdir)
    result, expected = passes.final_network(config, workdir, segmenter), passes.pass_networks(config, workdir)[number]
    for ours, theirs in zip(result.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_without_a_gan_and_passes_the_bootstrap_is_the_result(without_gan):
    config, workdir, _ = without_gan
    assert_is_the_result(1, config, workdir)
    with config.copy_and_resolve_references().unlocked() as alone:
        alone.refine.passes = 0
    assert_is_the_result(0, alone, workdir)


def test_a_pass_that_agrees_less_with_grabcut_is_not_kept(without_gan, tmp_path, monkeypatch, eagerly):
    config, finished, _ = without_gan
    workdir = shutil.copytree(finished, tmp_path / "run")
    shutil.rmtree(passes.folder(workdir, 1))
    monkeypatch.setattr(photo_passes, "_falls", lambda *_: True)
    metrics = train.train(config, workdir)
    record = read_record(passes.folder(workdir, 1) / "pass.json")
    assert record["kept"] is False and record["teachers"] == ["bootstrap"]
    assert metrics["test"]["segmenter"] == metrics["test"]["bootstrap"] != metrics["test"]["pass 1"]
    assert_is_the_result(0, config, workdir)


def test_without_a_bootstrap_there_is_one_segmenter(finished_run):
    config = tiny.run_config(shapes)
    assert not passes.pass_networks(config, finished_run)
    gan, segmenter, _ = restore_run(config, finished_run)
    assert gan.segmenter is segmenter.average_network


@pytest.mark.slow
def test_passes_can_be_added_to_a_finished_run(refined, tmp_path, eagerly):
    workdir, metrics = refined
    train.train(tiny.run_config(shapes, **PASSES | {"refine.passes": 1}), tmp_path)
    assert train.train(tiny.run_config(shapes, **PASSES), tmp_path)["test"] == metrics["test"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 2])
def test_a_pass_that_was_interrupted_goes_on_exactly(number, refined, tmp_path, eagerly, monkeypatch):
    workdir, metrics = refined
    train_step, taken = Segmenter.train_step, []

    def interrupted(self, batch):
        taken.append(self)
        if len(taken) == {0: 2, 2: 8}[number]:  # 2 steps of the bootstrap, 1 of the round, 1 final step and 2 of pass 1
            raise KeyboardInterrupt
        return train_step(self, batch)

    config = tiny.run_config(shapes, **PASSES | {"monitoring.checkpoint_every": 1})
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Segmenter, "train_step", interrupted)
        train.train(config, tmp_path)
    assert int(tiny.counters(passes.folder(tmp_path, number), "final_step")[0]) == 1
    assert train.train(config, tmp_path)["test"] == metrics["test"]
    tiny.assert_same_checkpoint(passes.folder(workdir, 2), passes.folder(tmp_path, 2))


@pytest.mark.slow
def test_passes_begin_again_after_more_rounds(refined, tmp_path, eagerly):
    workdir = shutil.copytree(refined[0], tmp_path / "run")
    before = {number: (passes.folder(workdir, number) / "labels.npz").stat().st_mtime_ns for number in (0, 1, 2)}
    train.train(tiny.run_config(shapes, **PASSES | {"schedule.rounds": 2}), workdir)
    after = {number: (passes.folder(workdir, number) / "labels.npz").stat().st_mtime_ns for number in (0, 1, 2)}
    assert {number for number in before if before[number] != after[number]} == {1, 2}


@pytest.mark.slow
def test_a_bootstrap_that_finds_nothing_is_not_used(tmp_path, eagerly, caplog):
    nothing = PASSES | {"refine.mask_size": (0.999, 1.0), "refine.passes": 1}
    metrics = train.train(tiny.run_config(shapes, **nothing), tmp_path)
    assert "bootstrap: only 0 of 12 photos" in caplog.text
    assert "passes" not in metrics and "background/background" not in tiny.events(tmp_path)
    assert read_record(passes.folder(tmp_path, 0) / "pass.json")["photos"] == 0


@pytest.mark.slow
def test_a_bootstrap_that_is_not_trusted_leaves_the_background_loss_to_the_pairs(tmp_path, eagerly, monkeypatch):
    monkeypatch.setattr(photo_passes, "_TRUSTED", 1.1)
    config = tiny.run_config(shapes, **PASSES | {"schedule.rounds": 2, "refine.passes": 0})
    train.train(config, tmp_path)
    assert [event.step for event in tiny.events(tmp_path)["background/background"]] == [3, 4]


@pytest.mark.parametrize("steady", ["pairs", "bootstrap", "pairs and bootstrap"])
def test_the_steadiest_segmenters_teach_the_first_pass(steady, monkeypatch):
    segmenter = types.SimpleNamespace(average_network="of pairs")
    run = types.SimpleNamespace(segmenter=segmenter, background_judge="of GrabCut", rounds=range(1, 2))
    monkeypatch.setattr(photo_passes, "_steadiness", lambda _, teachers: float(" and ".join(teachers) == steady))
    everyone = {"pairs": "of pairs", "bootstrap": "of GrabCut"}
    assert photo_passes._first_teachers(run) == {name: everyone[name] for name in steady.split(" and ")}


def test_masks_that_follow_the_edges_are_steadier(monkeypatch):
    y, x = np.ogrid[:48, :48]
    inside = [(y - 24) ** 2 + (x - centre) ** 2 < 14**2 for centre in (24, 31)]
    noise = np.random.default_rng(0).normal(0, 10, (48, 48, 3))
    photo = (np.where(inside[0][..., None], (200, 60, 50), (60, 140, 70)) + noise).clip(0, 255).astype(np.uint8)
    run = types.SimpleNamespace(splits=types.SimpleNamespace(validation=types.SimpleNamespace(images=photo[None])))
    monkeypatch.setattr(photo_passes, "_probabilities", lambda networks, _: networks[0])
    true, shifted = (photo_passes._steadiness(run, [np.where(mask, 0.8, 0.2)[None]]) for mask in inside)
    assert shifted < 0.8 < 0.95 < true


def test_teachers_look_at_the_mirrored_photos_too():
    image = keras.Input((8, 8, 3))
    only_left = keras.Model(image, image[..., :1] * np.repeat([[1.0] * 4 + [0.0] * 4], 8, axis=0)[..., None])
    found = photo_passes._probabilities({"one": only_left}, np.full((1, 8, 8, 3), 255, np.uint8))
    np.testing.assert_allclose(found, (1 / (1 + np.exp(-1.0)) + 0.5) / 2, rtol=1e-5)


def test_the_segmenters_of_passes_are_averaged():
    assert build.build_photo_segmenter(tiny.run_config(shapes), 1).ema_decay == 0.99


@pytest.mark.parametrize(
    "worse_photos, fall, expected", [(0, 0, False), (1, 0.5, False), (12, 0.5, True), (20, 0.01, False)]
)
def test_a_fall_that_is_small_or_may_be_chance_does_not_count(worse_photos, fall, expected):
    before, after = np.full(20, 0.9), np.full(20, 0.9)
    after[:worse_photos] -= fall
    assert _falls(before, after) is expected
    assert not _falls(after, before)
