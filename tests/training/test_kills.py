"""Tests that kill commands in other processes, or stop them with SIGTERM."""

import collections
import contextlib
import json
import pathlib
import re
import signal
import subprocess
import time

import numpy as np
import pytest
import tiny

from tf_layered_gan.training import preemption

pytestmark = pytest.mark.slow


def start(workdir, **changes):
    """Starts the training command with the config of the fixture `finished_run`."""
    flags = [f"--config.{name}={value}" for name, value in (tiny.RUN | changes).items()]
    # One thread is used. Several threads can add the terms of a sum in another order in each run, which changes the
    # last digit of the sum.
    return tiny.python(
        "-m", "tf_layered_gan.main", "--config=shapes", f"--workdir={workdir}", *flags, TF_NUM_INTRAOP_THREADS="1"
    )


def test_command_that_is_told_to_stop_saves_its_step_and_goes_on_from_it(tmp_path):
    process, printed = start(tmp_path), [""]
    while "gan step 1 " not in printed[-1]:
        printed.append(process.stdout.readline())
        assert printed[-1], "".join(printed)
    process.terminate()
    code, rest = tiny.finish(process)
    assert code == preemption.EXIT_CODE, "".join(printed) + rest
    (saved,) = re.findall(r"told to stop: step (\d+) is saved", "".join(printed) + rest)
    code, output = tiny.finish(start(tmp_path))
    assert code == 0 and f"going on from step {saved}" in output, output
    assert "gan step 1 " not in output and "gan step 4 of 4 (16 images)" in output


def killed_after(seconds, process):
    """Kills a process after some seconds, unless it has finished by then. Returns whether the process was killed."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


# The phases are long, and checkpoints are written only at the end of a phase. So a run can be killed several times in
# the same phase.
LONG_PHASES = {"schedule.gan_images_per_round": 160, "schedule.segmenter_steps_per_round": 100}
LONG_PHASES |= {"monitoring.checkpoint_every": 100, "monitoring.grid_every": 20, "monitoring.restarts": 0}
WRITES = "begins to write a checkpoint"
# The activities of a run in order. Each row has the name of an activity, the number of kills in it, and two marks. The
# first mark is the line or file at the beginning of the activity. The second mark is the line at the end of the
# activity.
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
    """Kills a run, and returns the output of the run.

    The kill comes `delay` seconds after a line or a file appears, or as soon as the run begins to write a checkpoint.
    """
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
    """Returns the files of checkpoints, including temporary files, and the time when each was written."""
    found = set()
    for path in workdir.glob("checkpoints/**/*"):
        with contextlib.suppress(FileNotFoundError):  # renamed meanwhile
            found.add((path, path.stat().st_mtime_ns))
    return found


def newest_checkpoint_is_torn(workdir):
    """Returns whether the newest checkpoint lacks the file that is written last."""
    number = max(int(re.match(r"ckpt-(\d+)", path.name)[1]) for path in workdir.glob("checkpoints/ckpt-*"))
    return not (workdir / f"checkpoints/ckpt-{number}.index").exists()


def reports(printed):
    """Returns the losses that a run printed, by step. The printed speed is left out."""
    lines = re.findall(r"\] (.* step \d+ of \d+ \(\d+ images\)): (.*)", printed)
    return {step: re.sub(r", \d+ images/s.*", "", losses) for step, losses in lines}


def test_run_killed_twenty_times_ends_like_an_undisturbed_run(tmp_path):
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
    tiny.assert_same_run(whole, killed)


def test_export_killed_at_random_moments_ends_like_an_undisturbed_export(finished_run, tmp_path):
    def start_export(output):
        command = ("-m", "export.main", f"--workdir={finished_run}", f"--output={output}", "--max_iou_loss=1")
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
    """Returns the content of a file.

    The size of a SavedModel is left out, because its fingerprint has 95, 96 or 97 bytes.
    """
    size = json.loads((output / "export.json").read_text())["formats"]["saved_model"]["bytes"]
    content = (output / name).read_bytes()
    return content.replace(f"{size}".encode(), b"").replace(f"{size:,}".encode(), b"")
