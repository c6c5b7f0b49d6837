import json
import os

import pytest

from tf_layered_gan.paper import sweep

SMALL = ["--config=small"]


class Runner:
    """Replaces main.py: writes the files of a finished run, or fails in the given workdirs."""

    def __init__(self, *failing):
        self.failing, self.commands = failing, []

    def __call__(self, command, log):
        *arguments, workdir = command[3:]
        assert workdir == f"--workdir={log.parent}"
        self.commands.append(arguments)
        config = sweep.resolve(arguments)
        (log.parent / "config.json").write_text(json.dumps(json.loads(config.to_json())))
        if any(part in str(log) for part in self.failing):
            log.write_text("gan step 3\nerror: gan/binarization is nan at step 4\n\n")
            return 1
        # There is one round of 16,000 images and 300 segmenter steps.
        metrics = {"images_seen": 16_000, "segmenter_steps": 300}
        if config.metrics.inception:
            metrics["synthesis"] = {"fid": 1.0, "samples": config.metrics.fid_samples}
        if config.data.classes:
            metrics["clusters"] = {"nmi": 0.5, "classes_by": config.data.classes}
        (log.parent / "metrics.json").write_text(json.dumps(metrics))
        return 0


def runs(root, *gammas, seeds=(0, 1), **settings):
    planned = [sweep.plan(root, "small", {"gan.gamma_mi": gamma}, seeds=seeds, **settings) for gamma in gammas]
    return [run for runs in planned for run in runs]


def test_a_workdir_is_named_after_the_changes(tmp_path):
    first, second = runs(tmp_path, 5.0, own={"data.path": "birds"}, extra=("--config.jit=True",))
    assert first.workdir == tmp_path / "small" / "gamma_mi=5.0" / "seed_0"
    assert second.arguments == (
        "--config=small",
        "--config.gan.gamma_mi=5.0",
        "--config.data.path=birds",
        "--config.jit=True",
        "--config.seed=1",
    )
    assert second.command[1:3] == ["-m", "tf_layered_gan.main"]
    assert second.command[-1] == f"--workdir={second.workdir}"
    assert runs(tmp_path, 1.0)[0].workdir == tmp_path / "small" / "unchanged" / "seed_0"  # the config has 1.0


def test_each_run_is_executed_once(tmp_path):
    runner = Runner()
    sweep.sweep(runs(tmp_path, 0.5, 5.0, 0.5), 1, runner)
    assert [(arguments[1][-3:], arguments[-1][-1]) for arguments in runner.commands] == [
        ("0.5", "0"),
        ("0.5", "1"),
        ("5.0", "0"),
        ("5.0", "1"),
    ]
    sweep.sweep(runs(tmp_path, 0.5, 5.0), 2, runner)
    assert len(runner.commands) == 4


@pytest.mark.parametrize("images, steps", [(8_000, 300), (16_000, 299)])
def test_an_unfinished_run_is_executed_again(tmp_path, images, steps):
    (run,) = runs(tmp_path, 1.0, seeds=[0])
    sweep.sweep([run], 1, Runner())
    (run.workdir / "metrics.json").write_text(json.dumps({"images_seen": images, "segmenter_steps": steps}))
    assert sweep.final_metrics(run.workdir) is None
    runner = Runner()
    sweep.sweep([run], 1, runner)
    assert len(runner.commands) == 1 and sweep.final_metrics(run.workdir)["images_seen"] == 16_000


WEIGHTS = "--config.metrics.inception=a.npz"


@pytest.mark.parametrize(
    "before, now, count",
    [
        ((), ("--config.monitoring.grid_every=7",), 0),
        ((), ("--config.jit=True",), 0),
        ((), ("--config.distribution=mirrored",), 0),
        ((WEIGHTS,), (), 0),  # a new run without weights for FID would lose the FID
        ((WEIGHTS,), ("--config.metrics.fid_samples=9",), 0),
        ((WEIGHTS,), (WEIGHTS,), 0),
        (("--config.data.classes=^a",), (), 0),
        ((), (WEIGHTS,), 1),
        ((WEIGHTS,), ("--config.metrics.inception=b.npz",), 1),
        ((WEIGHTS,), (WEIGHTS, "--config.metrics.fid_samples=9"), 1),
        ((), ("--config.data.path=cars",), 1),
    ],
)
def test_a_finished_run_is_executed_again_for_other_figures(tmp_path, before, now, count):
    sweep.sweep(runs(tmp_path, 1.0, seeds=[0], extra=before), 1, Runner())
    runner = Runner()
    sweep.sweep(runs(tmp_path, 1.0, seeds=[0], extra=now), 1, runner)
    assert len(runner.commands) == count


@pytest.mark.parametrize("supervised, count", [(False, 1), (True, 0)])  # a supervised run has no FID
def test_a_run_without_its_fid_is_executed_again(tmp_path, supervised, count):
    extra = (WEIGHTS, f"--config.segmenter.supervised={supervised}", "--config.schedule.final_segmenter_steps=10")
    (run,) = runs(tmp_path, 1.0, seeds=[0], extra=extra)
    sweep.sweep([run], 1, Runner())
    images, steps = sweep.scheduled(json.loads((run.workdir / "config.json").read_text()))
    (run.workdir / "metrics.json").write_text(json.dumps({"images_seen": images, "segmenter_steps": steps}))
    runner = Runner()
    sweep.sweep([run], 1, runner)
    assert len(runner.commands) == count


@pytest.mark.parametrize(
    "damage", [{"synthesis": {"samples": 50}}, {"clusters": {"classes_by": "^b"}}, {"clusters": {}}]
)
def test_a_run_with_figures_of_an_earlier_command_is_executed_again(tmp_path, damage):
    (run,) = runs(tmp_path, 1.0, seeds=[0], extra=(WEIGHTS, "--config.data.classes=^a"))
    sweep.sweep([run], 1, Runner())
    for given, count in (({}, 0), (damage, 1)):
        file = run.workdir / "metrics.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | given))
        runner = Runner()
        sweep.sweep([run], 1, runner)
        assert len(runner.commands) == count


def test_names_a_damaged_file(tmp_path):
    (run,) = runs(tmp_path, 1.0, seeds=[0])
    sweep.sweep([run], 1, Runner())
    (run.workdir / "metrics.json").write_text("{")
    with pytest.raises(ValueError, match="metrics.json is damaged"):
        sweep.final_metrics(run.workdir)


@pytest.mark.parametrize("seconds, why", [(-5, None), (5, "out of memory")])
def test_a_failure_counts_until_the_run_has_finished(tmp_path, seconds, why):
    (run,) = runs(tmp_path, 1.0, seeds=[0])
    sweep.sweep([run], 1, Runner())
    (run.workdir / "failed.txt").write_text("out of memory\n")
    written = (run.workdir / "metrics.json").stat().st_mtime + seconds
    os.utime(run.workdir / "failed.txt", (written, written))
    assert sweep.failure(run.workdir) == why


def test_the_other_runs_go_on_after_a_failure(tmp_path, capsys):
    first, second = runs(tmp_path, 1.0)
    sweep.sweep([first, second], 1, Runner("seed_0"))
    assert sweep.failure(first.workdir) == ("exit code 1: error: gan/binarization is nan at step 4")
    assert sweep.failure(second.workdir) is None and sweep.final_metrics(second.workdir)
    assert "[1/2] failed: " in capsys.readouterr().out
    sweep.sweep([first, second], 1, Runner())
    assert sweep.failure(first.workdir) is None and sweep.final_metrics(first.workdir)


@pytest.mark.parametrize("name", ["photos", "fid"])
def test_runs_share_their_caches(tmp_path, name):
    planned = runs(tmp_path, 1.0)
    sweep.sweep(planned, 1, Runner())
    for run in planned:
        assert (run.workdir / name).resolve() == (tmp_path / "small" / name).resolve()


def test_execute_appends_to_the_log_and_returns_the_exit_code(tmp_path):
    assert sweep.execute(["python3", "-c", "print('one'); raise SystemExit(7)"], tmp_path / "log") == 7
    assert sweep.execute(["python3", "-c", "print('two')"], tmp_path / "log") == 0
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


def test_a_schedule_ends_at_whole_batches():
    changes = ["--config.schedule.rounds=3", "--config.schedule.gan_images_per_round=100"]
    config = sweep.resolve([*SMALL, *changes, "--config.schedule.final_segmenter_steps=50"]).to_dict()
    # A round has 6 batches of 16 images, so 3 rounds have 3 * 96 images. The segmenter takes 3 * 300 + 50 steps.
    assert sweep.scheduled(config) == (288, 950)
    config["segmenter"]["supervised"] = True
    assert sweep.scheduled(config) == (800, 50)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--config=configs/missing.py"], "missing.py"),
        ([*SMALL, "--config.gan.gamma_my=1"], "gamma_my"),
        ([*SMALL, "--config.gan.gamma_mi=much"], "gamma_mi"),
        ([*SMALL, "--confg=1"], "confg"),
        ([*SMALL, "gan.gamma_mi=1"], "unexpected arguments"),
    ],
)
def test_resolve_refuses_what_main_would_refuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        sweep.resolve(arguments)
