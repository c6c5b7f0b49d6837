"""What a run does when it is killed, told to stop, or has a loss that is not finite."""

import collections
import contextlib
import json
import pathlib
import re
import shutil
import signal
import subprocess
import time

import keras
import numpy as np
import pytest
import tiny

from configs import shapes
from tf_layered_gan import train
from tf_layered_gan.training import monitoring, preemption
from tf_layered_gan.training.batches import Batches

# More than a config may have.
EXPLODES = tiny.ONE_STEP | {"gan.generator_learning_rate": 1e30, "schedule.gan_images_per_round": 20}


def test_non_finite_loss_stops_the_run_by_name(tmp_path, eagerly):
    with pytest.raises(FloatingPointError, match="gan/[a-z_]+ is (nan|-?inf) at step 2"):
        train.train(tiny.run_config(shapes, **EXPLODES, **{"monitoring.checkpoint_every": 1}), tmp_path)
    values = tiny.checkpoint_values(tmp_path)
    assert values["gan_step/.ATTRIBUTES/VARIABLE_VALUE"] == 1


def test_non_finite_loss_stops_the_run_at_its_step_not_at_the_next_report(tmp_path, eagerly):
    rarely = {"monitoring.scalars_every": 100, "monitoring.checkpoint_every": 100}
    with pytest.raises(FloatingPointError, match="at step 2"):
        train.train(tiny.run_config(shapes, **EXPLODES, **rarely), tmp_path)


def fail_at(monkeypatch, *steps, kind="gan", term="generator_adversarial"):
    """Makes a loss of these steps, each time one is taken in this order, look as if it were not finite."""
    left, check, failing = list(steps), monitoring.check_finite, kind

    def check_or_fail(kind, report, step):
        if left and (kind, step) == (failing, left[0]):
            report = report | {term: float("nan")}
            left.pop(0)
        check(kind, report, step)

    monkeypatch.setattr(monitoring, "check_finite", check_or_fail)
    return left


def test_a_run_goes_back_once_and_on_with_other_batches(tmp_path, eagerly, monkeypatch, caplog):
    begun, gan_batches = [], Batches.gan
    monkeypatch.setattr(Batches, "gan", lambda self, first: begun.append(first) or gan_batches(self, first))
    left = fail_at(monkeypatch, 4)
    tiny.train_one_step(shapes, tmp_path, **{"schedule.gan_images_per_round": 20, "monitoring.checkpoint_every": 2})
    assert not left
    assert "going back to the last checkpoint and on with other batches, once" in caplog.text
    values = tiny.checkpoint_values(tmp_path)
    counters = {name: int(values[name + "/.ATTRIBUTES/VARIABLE_VALUE"]) for name in ("gan_step", "skipped")}
    assert counters == {"gan_step": 5, "skipped": 2}
    assert begun == [0, 4]  # batches 0 to 3 are those of steps 1 to 4, and not drawn again


def damage_newest(workdir):
    newest = max(workdir.glob("checkpoints/*.index"), key=lambda path: int(path.stem.split("-")[1]))
    newest.write_bytes(newest.read_bytes()[:10])


@pytest.mark.slow
def test_a_run_whose_last_checkpoint_is_damaged_goes_back_further_and_draws_no_batch_twice(
    tmp_path, eagerly, monkeypatch
):
    begun, gan_batches, check = [], Batches.gan, monitoring.check_finite
    monkeypatch.setattr(Batches, "gan", lambda self, first: begun.append(first) or gan_batches(self, first))

    def fail_in_the_segmenter_once(kind, report, step):
        if kind == "segmenter" and len(begun) == 1:
            damage_newest(tmp_path)  # that of the GAN's last step, 5: the one before is that of step 4
            report = {"segmentation": float("nan")}
        check(kind, report, step)

    monkeypatch.setattr(monitoring, "check_finite", fail_in_the_segmenter_once)
    result = tiny.train_one_step(
        shapes, tmp_path, **{"schedule.gan_images_per_round": 20, "monitoring.checkpoint_every": 2}
    )
    assert (result["images_seen"], result["segmenter_steps"]) == (20, 2)
    assert begun == [0, 6]  # the GAN's fifth step is taken again: 4 steps and the 2 that are lost, one of each kind
    assert tiny.checkpoint_values(tmp_path)["skipped/.ATTRIBUTES/VARIABLE_VALUE"] == 2


def test_a_variable_that_is_not_finite_counts_as_a_loss_that_is_not(tmp_path, eagerly, monkeypatch, caplog):
    check, spoilt = monitoring.check_finite, []

    def spoil(self, grads, *arguments):
        if self.iterations == 3 and not spoilt:  # in the fourth step, after which there is a checkpoint but no grid
            spoilt.append(self.variables[-1].assign(self.variables[-1] * float("inf")))
        return update(self, grads, *arguments)

    update = keras.optimizers.Adam.apply
    monkeypatch.setattr(keras.optimizers.Adam, "apply", spoil)
    monkeypatch.setattr(monitoring, "check_finite", lambda *arguments: spoilt or check(*arguments))
    changes = {"schedule.gan_images_per_round": 20, "monitoring.checkpoint_every": 2, "monitoring.grid_every": 100}
    tiny.train_one_step(shapes, tmp_path, **changes)
    assert spoilt and "is not finite, so no checkpoint is written; going back to the last checkpoint" in caplog.text
    for value in tiny.checkpoint_values(tmp_path).values():
        assert np.isfinite(value).all()


@pytest.mark.parametrize("final_step", [1, 3])
def test_a_final_segmenter_that_goes_back_takes_all_its_steps(final_step, run, tmp_path, eagerly, monkeypatch):
    workdir = shutil.copytree(run[0], tmp_path / "run")
    left = fail_at(monkeypatch, final_step, kind="final", term="segmentation")
    more = tiny.TWO_ROUNDS | {"schedule.rounds": 3, "schedule.final_segmenter_steps": 3}
    result = train.train(tiny.run_config(shapes, **more), workdir)
    assert not left and result["segmenter_steps"] == 15  # three rounds of four, and three more
    values = tiny.checkpoint_values(workdir)
    counters = ("final_round", "final_step", "skipped")
    counted = [int(values[name + "/.ATTRIBUTES/VARIABLE_VALUE"]) for name in counters]
    assert counted == [3, 3, 1]  # checkpoints are at every second step


@pytest.mark.slow
def test_a_run_that_went_back_stops_the_next_time(tmp_path, eagerly, monkeypatch):
    left = fail_at(monkeypatch, 4, 5)
    with pytest.raises(FloatingPointError, match="gan/generator_adversarial is nan at step 5"):
        tiny.train_one_step(shapes, tmp_path, **{"schedule.gan_images_per_round": 20, "monitoring.checkpoint_every": 2})
    assert not left


def test_that_a_run_went_back_is_saved_before_its_next_step(tmp_path, eagerly, monkeypatch):
    left = fail_at(monkeypatch, 4, 3)  # the latter is the first after the checkpoint at step 2
    with pytest.raises(FloatingPointError, match="at step 3"):
        tiny.train_one_step(shapes, tmp_path, **{"schedule.gan_images_per_round": 20, "monitoring.checkpoint_every": 2})
    assert not left
    assert tiny.checkpoint_values(tmp_path)["skipped/.ATTRIBUTES/VARIABLE_VALUE"] == 2


def start(workdir, **changes):
    """The binary itself, on the same config as `run`."""
    flags = [f"--config.{name}={value}" for name, value in (tiny.RUN | tiny.TWO_ROUNDS | changes).items()]
    binary = ["-m", "tf_layered_gan.main", "--config=configs/shapes.py", f"--workdir={workdir}", *flags]
    # On one thread: with several, a sum's order, and so its last digit, can change from run to run.
    return tiny.python(*binary, TF_NUM_INTRAOP_THREADS="1")


def stop_at(workdir, report, signal_number):
    """Sends the binary a signal as soon as it prints a line with `report`; returns its exit code and all lines."""
    process, printed = start(workdir), [""]
    while report not in printed[-1]:
        printed.append(process.stdout.readline())
        assert printed[-1], "".join(printed)
    process.send_signal(signal_number)
    code, rest = tiny.finish(process)
    return code, "".join(printed) + rest


@pytest.mark.slow
def test_a_killed_run_goes_on_as_if_nothing_had_been(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    never_killed = start(whole)
    # Checkpoints are at even steps, so both kills lose a step or more.
    stop_at(killed, "segmenter step 3 ", signal.SIGKILL)
    _, second = stop_at(killed, "gan step 7 ", signal.SIGKILL)
    assert not (killed / "metrics.json").exists()
    for process in (never_killed, start(killed)):
        code, third = tiny.finish(process)
        assert code == 0, third
    assert "going on from step 5" in second and "gan step 5 " not in second
    assert "gan step 6 " not in third and "gan step 10 of 10 (40 images)" in third
    tiny.assert_same_checkpoint(whole, killed)
    assert (killed / "curve.csv").read_text() == (whole / "curve.csv").read_text()


@pytest.mark.slow
def test_a_run_told_to_stop_saves_its_step_and_goes_on_from_it(tmp_path):
    code, printed = stop_at(tmp_path, "gan step 3 ", signal.SIGTERM)
    assert code == preemption.EXIT_CODE, printed
    (saved,) = re.findall("told to stop: step ([345]) is saved", printed)
    code, printed = tiny.finish(start(tmp_path))
    assert code == 0 and f"going on from step {saved}" in printed, printed
    assert "gan step 3 " not in printed and "gan step 10 of 10 (40 images)" in printed


def killed_after(seconds, process):
    """Kills a process that takes longer; returns whether it did."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


# Rounds with no checkpoint but at the end of a phase, so that a run can be killed in one again and again.
LONG_PHASES = {"schedule.gan_images_per_round": 160, "schedule.segmenter_steps_per_round": 100}
LONG_PHASES |= {"monitoring.checkpoint_every": 100, "monitoring.grid_every": 20}
WRITES = "begins to write a checkpoint"
# In a run's order: what it is killed in, how often, on which line (or file) that is begun, and which line would have
# ended it.
KILLS = [
    ("start", 3, "", "gan: steps"),
    ("gan", 4, "round 1, gan step 1 ", "round 1, segmenter: steps"),
    ("checkpoint", 3, WRITES, None),
    ("segmenter", 3, "round 1, segmenter step 1 ", "images seen: IoU"),
    ("evaluation", 1, pathlib.Path("checkpoints/ckpt-2.index"), "round 2, gan: steps"),
    ("evaluation", 2, "going on from step", "round 2, gan: steps"),
    ("gan that asks the segmenter", 1, "round 2, gan step 41 ", "round 2, segmenter: steps"),
    ("report", 1, pathlib.Path("checkpoints/ckpt-5.index"), "over all pixels"),
    ("report", 2, "going on from step", "over all pixels"),
]


def kill_at(process, begun, delay, workdir):
    """Kills a run so many seconds after a line or a file, or as soon as it `WRITES`; returns what it printed."""
    printed, before = "", checkpoint_files(workdir)
    if begun is WRITES:
        while process.poll() is None and checkpoint_files(workdir) <= before:
            pass
    elif isinstance(begun, pathlib.Path):
        while process.poll() is None and not (workdir / begun).exists():
            time.sleep(0.01)
        time.sleep(delay)
    else:
        while begun not in printed and (line := process.stdout.readline()):
            printed += line
        time.sleep(delay)
    process.kill()
    printed += process.communicate()[0]
    assert process.returncode == -signal.SIGKILL, f"never came to {begun}:\n{printed}"
    return printed


def checkpoint_files(workdir):
    """The files, and those of which they are made, each with when it was written."""
    found = set()
    for path in workdir.glob("checkpoints/**/*"):
        with contextlib.suppress(FileNotFoundError):  # it has been put into its place
            found.add((path, path.stat().st_mtime_ns))
    return found


def newest_checkpoint_is_torn(workdir):
    """Whether it lacks the file that is written last."""
    number = max(int(re.match(r"ckpt-(\d+)", path.name)[1]) for path in workdir.glob("checkpoints/ckpt-*"))
    return not (workdir / f"checkpoints/ckpt-{number}.index").exists()


def reports(printed):
    """The losses that a run printed, by its step; not how fast it was."""
    lines = re.findall(r"\] (.* step \d+ of \d+ \(\d+ images\)): (.*)", printed)
    return {step: re.sub(r", \d+ images/s$", "", losses) for step, losses in lines}


@pytest.mark.slow
def test_a_run_killed_twenty_times_in_every_phase_ends_as_one_that_never_was(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    random, hits = np.random.default_rng(0), collections.Counter()
    code, printed_whole = tiny.finish(start(whole, **LONG_PHASES))
    assert code == 0, printed_whole
    losses, printed = reports(printed_whole), []
    for phase, count, begun, ended in KILLS:
        for delay in random.uniform(0, 0.3, count):
            printed.append(kill_at(start(killed, **LONG_PHASES), begun, delay, killed))
            hits[phase] += newest_checkpoint_is_torn(killed) if begun is WRITES else ended not in printed[-1]
    code, rest = tiny.finish(start(killed, **LONG_PHASES))
    print(f"of {len(printed)} kills in their phase: {dict(hits)}")
    assert code == 0 and len(printed) == 20 and min(hits.values()) > 0, (rest, hits)
    assert len(losses) == 2 * (40 + 100) + 1
    for text in (*printed, rest):
        assert reports(text).items() <= losses.items()
    assert_same_run(whole, killed)


def assert_same_run(whole, killed):
    tiny.assert_same_checkpoint(whole, killed)
    assert (killed / "curve.csv").read_text() == (whole / "curve.csv").read_text()
    ours, theirs = (json.loads((workdir / "metrics.json").read_text()) for workdir in (whole, killed))
    assert theirs | {"training_seconds": ours["training_seconds"]} == ours
    pictures = sorted(path.relative_to(whole) for path in whole.rglob("*.png"))
    assert pictures == sorted(path.relative_to(killed) for path in killed.rglob("*.png"))
    for picture in pictures:
        assert (killed / picture).read_bytes() == (whole / picture).read_bytes(), picture


@pytest.mark.slow
def test_an_export_killed_at_random_moments_ends_as_one_that_never_was(run, tmp_path):
    def start_export(output):
        command = ("-m", "export.main", f"--workdir={run[0]}", f"--output={output}", "--max_iou_loss=1")
        return tiny.python(*command)

    whole, killed, kills = tmp_path / "whole", tmp_path / "killed", 0
    begun = time.monotonic()
    assert tiny.finish(start_export(whole))[0] == 0
    seconds = time.monotonic() - begun
    for share in np.random.default_rng(1).uniform(0.3, 1, 6):
        kills += killed_after(share * seconds, start_export(killed))
    code, printed = tiny.finish(start_export(killed))
    assert code == 0 and kills >= 3, printed
    files = sorted(path.relative_to(whole) for path in whole.rglob("*"))
    assert files == sorted(path.relative_to(killed) for path in killed.rglob("*"))
    for path in (*whole.glob("*.*"), *whole.glob("saved_model/variables/*")):
        name = path.relative_to(whole)
        assert exported(killed, name) == exported(whole, name), path


def exported(output, name):
    """The content of a file of an export but for the SavedModel's size, as its fingerprint has 95 to 97 bytes."""
    size = json.loads((output / "export.json").read_text())["formats"]["saved_model"]["bytes"]
    content = (output / name).read_bytes()
    return content.replace(f"{size}".encode(), b"").replace(f"{size:,}".encode(), b"")
