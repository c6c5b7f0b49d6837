"""Tests that a run continues after a loss that is not finite, after a kill and after SIGTERM."""

import os
import signal

import numpy as np
import pytest
import tensorflow as tf
import tiny

from configs import shapes
from tf_layered_gan import train
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.models.segmenter import Segmenter
from tf_layered_gan.runs.learning_curve import LearningCurve
from tf_layered_gan.training import preemption

SAVED_EVERY_STEP = {"schedule.rounds": 1, "monitoring.checkpoint_every": 1}


def change_step(monkeypatch, model, change):
    """Replaces each training step of a model by a call of `change`.

    Args:
        monkeypatch: the test's fixture. The run must be eager.
        model: `LayeredGAN` or `Segmenter`.
        change: a function that takes the model, the step's number (from 1), and a function that does the real step.
    """
    train_step = model.train_step

    def changed_step(self, batch):
        return change(self, int(self.optimizer.iterations) + 1, lambda: train_step(self, batch))

    monkeypatch.setattr(model, "train_step", changed_step)


def fail_at(monkeypatch, *steps, model=LayeredGAN):
    """Sets the loss to NaN once at each given step, in the given order.

    Returns a list of the given steps that have not been reached yet.
    """
    left = list(steps)

    def fail(model, number, step):
        report = step()
        if left and number == left[0]:
            left.pop(0)
            return dict.fromkeys(report, tf.constant(float("nan")))
        return report

    change_step(monkeypatch, model, fail)
    return left


def remember_codes(monkeypatch):
    """Returns a list to which each step of the GAN appends its codes z.

    Different batches always have different codes.
    """
    seen, train_step = [], LayeredGAN.train_step
    monkeypatch.setattr(
        LayeredGAN, "train_step", lambda self, batch: seen.append(batch["z"].numpy()) or train_step(self, batch)
    )
    return seen


def assert_all_differ(arrays):
    assert len({array.tobytes() for array in arrays}) == len(arrays)


def test_loss_that_is_not_finite_stops_a_run_without_a_checkpoint(tmp_path, eagerly, monkeypatch):
    fail_at(monkeypatch, 1)
    with pytest.raises(FloatingPointError, match="gan/generator_adversarial is nan at step 1"):
        train.train(tiny.run_config(shapes), tmp_path)
    assert not list(tmp_path.glob("checkpoints/*"))


def test_run_goes_back_once_and_continues_with_other_batches(tmp_path, eagerly, monkeypatch, caplog):
    codes, left = remember_codes(monkeypatch), fail_at(monkeypatch, 2, 2)
    with pytest.raises(FloatingPointError, match="gan/generator_adversarial is nan at step 2"):
        # Losses are checked in every step, not only in steps that report them.
        train.train(tiny.run_config(shapes, **SAVED_EVERY_STEP, **{"monitoring.scalars_every": 100}), tmp_path)
    assert not left
    assert "nan at step 2; the run goes back to its last checkpoint once, and continues" in caplog.text
    assert len(codes) == 3  # the codes of step 1, of step 2, and of step 2 again
    assert_all_differ(codes)
    # This checkpoint was saved before the second step was repeated. It records that a batch was skipped, so a run that
    # is killed at that point does not go back a second time.
    assert tiny.counters(tmp_path, "gan_step", "skipped") == [1, 1]


@pytest.mark.slow
def test_run_whose_last_checkpoint_is_damaged_goes_back_further(tmp_path, eagerly, monkeypatch):
    codes, failed = remember_codes(monkeypatch), []

    def fail_once(segmenter, number, step):
        if not failed:
            failed.append(number)
            # This checkpoint was written after the GAN's second step.
            newest = tmp_path / "checkpoints" / "ckpt-2.index"
            newest.write_bytes(newest.read_bytes()[:10])
            return dict.fromkeys(step(), tf.constant(float("nan")))
        return step()

    change_step(monkeypatch, Segmenter, fail_once)
    metrics = train.train(tiny.run_config(shapes, **SAVED_EVERY_STEP), tmp_path)
    assert (metrics["images_seen"], metrics["segmenter_steps"]) == (8, 2)
    # Two steps are lost: the second step of the GAN and the first step of the segmenter. So two batches of the GAN are
    # skipped.
    assert tiny.counters(tmp_path, "skipped") == [2]
    assert len(codes) == 3
    assert_all_differ(codes)


def test_variable_that_is_not_finite_is_never_saved_and_stops_a_run(tmp_path, eagerly, monkeypatch, caplog):
    def spoil(gan, number, step):
        report = step()
        if number == 2:
            gan.discriminator.variables[-1].assign(gan.discriminator.variables[-1] * float("inf"))
        return report

    change_step(monkeypatch, LayeredGAN, spoil)
    with pytest.raises(FloatingPointError, match="is not finite, so no checkpoint is written"):
        train.train(tiny.run_config(shapes, **SAVED_EVERY_STEP), tmp_path)
    assert "no checkpoint is written; the run goes back to its last checkpoint" in caplog.text
    assert all(np.isfinite(value).all() for value in tiny.checkpoint_values(tmp_path).values())


@pytest.mark.slow
@pytest.mark.parametrize("failing_step", [1, 3])
def test_added_round_ends_in_all_final_steps_although_one_failed(failing_step, run_copy, eagerly, monkeypatch):
    # The segmenter has taken three steps. It takes one step in the third round, and then the final steps.
    left = fail_at(monkeypatch, 3 + 1 + failing_step, model=Segmenter)
    more = {"schedule.rounds": 3, "schedule.final_segmenter_steps": failing_step + 1}
    metrics = train.train(tiny.run_config(shapes, **more), run_copy)
    assert not left and (metrics["images_seen"], metrics["segmenter_steps"]) == (24, 3 + failing_step + 1)
    counters = ("gan_step", "segmenter_step", "final_round", "final_step", "skipped")
    assert tiny.counters(run_copy, *counters) == [6, 3, 3, failing_step + 1, 1]
    points = [(point["after"], point["images_seen"]) for point in LearningCurve(run_copy).points()]
    assert points[2:] == [("round 2, final", 16), ("round 3", 24), ("round 3, final", 24)]


class Killed(BaseException):
    """An exception that ends a run like a kill: the run cannot save anything."""


def interrupt_at(monkeypatch, model, number, interrupt):
    """Makes a model call the function `interrupt` once, before step `number`."""
    left = [number]

    def interrupted(_, number, step):
        if left == [number]:
            left.clear()
            interrupt()
        return step()

    change_step(monkeypatch, model, interrupted)


def kill():
    raise Killed


@pytest.mark.slow
def test_stopped_and_killed_run_ends_like_an_undisturbed_run(finished_run, tmp_path, eagerly, monkeypatch):
    config = tiny.run_config(shapes)
    interrupt_at(monkeypatch, LayeredGAN, 1, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(preemption.Preempted):
        train.train(config, tmp_path)
    assert tiny.counters(tmp_path, "gan_step") == [1]
    interrupt_at(monkeypatch, LayeredGAN, 4, kill)
    with pytest.raises(Killed):
        train.train(config, tmp_path)
    assert tiny.counters(tmp_path, "gan_step", "segmenter_step") == [2, 1]  # the GAN's third step was not saved
    train.train(config, tmp_path)
    tiny.assert_same_run(finished_run, tmp_path)
