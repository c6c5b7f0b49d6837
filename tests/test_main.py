"""Tests that the training command refuses wrong flags and configs with a message, before it trains."""

import ast
import collections
import pathlib
import random
import re
import sys
import traceback

import pytest
import tiny
from absl import app, flags, logging
from absl.testing import flagsaver

from configs import shapes
from tf_layered_gan import evaluate, main, report, synthesize
from tf_layered_gan.command_line import command_errors
from tf_layered_gan.config import shipped, student
from tf_layered_gan.files.records import read_record
from tf_layered_gan.models import losses
from tf_layered_gan.runs.config_record import record_config

ONE_STEP = [f"--config.{name}={value}" for name, value in (tiny.RUN | tiny.ONE_STEP).items()]


@pytest.fixture
def parse(monkeypatch):
    """Parses a command line as the command does. Returns the error message, or None."""
    saved = flagsaver.save_flag_values()

    def reset():  # passes copies of the saved dicts, because the flags keep and change the dicts that they get
        flagsaver.restore_flag_values({name: dict(values) for name, values in saved.items()})

    def parsed(*arguments):
        reset()
        monkeypatch.setattr(sys, "argv", ["main", *arguments])  # --config reads --config.FIELD=VALUE from sys.argv
        try:
            main.parse_flags(sys.argv)
        except SystemExit as error:
            return error.code
        return None

    yield parsed
    reset()


@pytest.fixture
def run(parse, tmp_path, monkeypatch):
    """Runs the command with a workdir. Returns the error message, or None."""
    # Without this replacement, absl's handler would still be used in later tests.
    monkeypatch.setattr(logging, "use_absl_handler", lambda: None)

    def ran(*arguments):
        try:
            with command_errors():
                return parse(f"--workdir={tmp_path / 'run'}", *arguments) or main.main()
        except SystemExit as error:
            return error.code

    return ran


def test_command_trains_with_compiled_steps(run, tmp_path):
    assert run("--config=shapes", *ONE_STEP) is None
    assert read_record(tmp_path / "run" / "metrics.json")["images_seen"] == 4


def test_other_modes_take_the_config_of_the_run(run, tmp_path, monkeypatch):
    record_config(tiny.run_config(shapes, seed=7), tmp_path / "run")
    calls = []
    monkeypatch.setattr(
        evaluate, "evaluate", lambda config, workdir: calls.append((config.seed, workdir)) or {"test": None}
    )
    for module, function in ((synthesize, "write_dataset"), (report, "rebuild_report")):
        monkeypatch.setattr(module, function, lambda config, *given: calls.append((config.seed, *given)))
    assert run("--mode=evaluate") is None
    assert run("--mode=synthesize", "--count=3") is None
    assert run("--mode=report", "--compare=a,b") is None
    workdir = str(tmp_path / "run")
    assert calls == [(7, workdir), (7, workdir, 3), (7, workdir, [str(pathlib.Path(name).absolute()) for name in "ab"])]


def test_at_most_five_of_our_functions_lead_from_the_command_to_a_loss(run, monkeypatch):
    # Only the code of the function is replaced, because the GAN may already have a reference to the function itself.
    monkeypatch.setattr(losses.mutual_information, "__code__", (lambda logits, code: 1 / 0).__code__)
    with pytest.raises(ZeroDivisionError) as raised:
        run("--config=shapes", *ONE_STEP)
    package = str(tiny.ROOT / "tf_layered_gan")
    stack = [frame.name for frame in traceback.extract_tb(raised.tb) if frame.filename.startswith(package)]
    stack = [*stack[stack.index("main") :], "mutual_information"]
    assert len(stack) <= 5, stack


def test_program_ends_with_a_message_and_code_1(tmp_path):
    arguments = ["--config=shapes", "--config.networks.unet_widht=8", f"--workdir={tmp_path / 'run'}"]
    code, output = tiny.finish(tiny.python("-m", "tf_layered_gan.main", *arguments))
    assert code == 1 and "Traceback" not in output and not (tmp_path / "run").exists(), output
    assert "unet_widht" in output and "did you mean networks.unet_width?" in output


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--config=configs/nothing.py"], "configs/nothing.py"),
        (["--config=shapes", "--config.gan.gamma_mi=abc"], "flag --config.gan.gamma_mi=abc"),
        (["--config=shapes", "--config.data.crop_scale=(1,"], "crop_scale"),
        (["--config=shapes", "--config.gan=5"], "config.gan"),
        (["--config=shapes", "--config.seed[=1"], "seed["),
        (["--config=shapes", f"--config.schedule.rounds={10**12}"], "schedule.rounds is 1000000000000, allowed: more"),
        (["--config=shapes", f"--config.gan.gamma_mi={'9' * 5000}"], "gan.gamma_mi is inf, allowed: a finite number"),
        (["--config=shapes", f"--config.gan.mask_size={'-' * 100_000}1"], "MemoryError"),
        (["--config=shapes", f"--config.gan.mask_size={'-' * 3_000}1"], "RecursionError"),
        (["--config=shapes", f"--config.gan.mask_size=1{'+1' * 50_000}"], "RecursionError"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_wrong_flags_are_refused_with_a_message(run, tmp_path, arguments, words):
    message = run(*arguments)
    assert message.startswith("error: ") and words in message and "Traceback" not in message and len(message) < 1_100
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "program, words",
    [
        ("foo", "NameError: name 'foo' is not defined"),
        ("import nothing_at_all", "No module named 'nothing_at_all'"),
        ("assert False, 'no'", "AssertionError: no"),
        ("def get_config(): return get_config()", "RecursionError: maximum recursion depth exceeded"),
        ("def get_config(): raise MemoryError", "MemoryError: no message"),
        ("def get_config(: pass", "invalid syntax"),
    ],
)
def test_error_in_a_config_file_becomes_a_message(parse, tmp_path, program, words):
    (tmp_path / "mine.py").write_text(program)
    message = parse(f"--config={tmp_path}/mine.py")
    assert message.startswith("error: ") and words in message and "Traceback" not in message and "\n" not in message


def test_300_mutated_config_files_are_read_or_refused_with_a_message(parse, tmp_path):
    generator, ended = random.Random(0), collections.Counter()
    sources = [path.read_bytes() for path in sorted(shipped.folder().glob("*.py"))]
    for number in range(300):
        source = bytearray(generator.choice(sources))
        for _ in range(generator.randint(1, 3)):
            place = generator.randrange(len(source))
            source[place : place + generator.randint(0, 2)] = generator.randbytes(generator.randint(0, 2))
        (tmp_path / f"mutated_{number}.py").write_bytes(source)
        message = parse(f"--config={tmp_path}/mutated_{number}.py")
        assert message is None or (message.startswith("error: ") and "Traceback" not in message), message
        ended["read" if message is None else "refused"] += 1
    assert min(ended.values()) > 50, ended


def test_a_missing_flag_is_named():
    values = flags.FlagValues()
    flags.DEFINE_string("workdir", None, "A directory.", flag_values=values)
    flags.mark_flag_as_required("workdir", flag_values=values)
    with pytest.raises(flags.Error) as refused:
        values(["main"])
    assert main._missing(str(refused.value)) == "--workdir is missing; --help shows examples"


def test_all_wrong_values_are_named(run):
    message = run("--config=folder", "--config.gan.ema_decay=1.5")
    assert message == (
        "error: gan.ema_decay is 1.5, allowed: from 0 to below 1; "
        "data.path is None, allowed: a folder of photos: --config.data.path=DIR"
    )


def test_training_without_a_config_is_refused(run):
    with pytest.raises(app.UsageError, match="training needs a config"):
        run()


def test_empty_workdir_is_refused(parse):
    assert parse("--workdir=", "--config=shapes") is None
    with pytest.raises(app.UsageError, match="--workdir is empty, allowed: a directory"):
        main.main()


def test_evaluating_what_was_never_trained_is_refused(run, tmp_path):
    message = run("--mode=evaluate")
    assert message == f"error: no config.json in {tmp_path / 'run'}: train first (python -m tf_layered_gan.main)"


def test_folder_without_photos_is_refused(run, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "notes.txt").write_text("no photo")
    (photos / "broken.jpg").write_bytes(b"no photo either")
    message = run("--config=folder", f"--config.data.path={photos}")
    assert message.startswith(f"error: {photos}: 0 of 1 photos are usable")
    assert not tiny.written(tmp_path / "run")


@pytest.mark.parametrize(
    "arguments, near",
    [
        (["--mode=evalute"], "did you mean evaluate?"),
        (["--wrokdir=a"], "Did you mean: workdir"),
        (["--config=folders"], "did you mean folder?"),
        (["--config=shapes", "--config.gamma_mi=1"], "did you mean gan.gamma_mi?"),
        (["--config=shapes", "--config.network.unet_widht", "1"], "did you mean networks.unet_width?"),
        (["--config=shapes", "--noconfig.data.flop"], "did you mean data.flip?"),
    ],
)
def test_misspelt_names_are_answered_with_the_nearest(run, arguments, near):
    assert near in run(*arguments)


def test_help_fits_a_screen_and_names_every_config():
    status, printed = tiny.finish(tiny.python("-m", "tf_layered_gan.main", "--help"))
    lines = printed.splitlines()
    assert status == 0 and len(lines) <= 40 and max(map(len, lines)) <= 120
    assert f"  {', '.join(shipped.names())}, or" in printed
    assert all(f"--mode={mode}" in printed for mode in flags.FLAGS["mode"].parser.enum_values)
    assert re.findall(r"^Examples:", printed, re.M) and "--helpfull" in lines[-1]


# Prints the help without TensorFlow, Keras and TensorFlow Datasets, because these take seconds to import.
HELP = """
import runpy, sys
sys.modules.update({name: None for name in ("tensorflow", "keras", "tensorflow_datasets")})
sys.argv[1:] = ["--help"]
"""
LIGHT = ["tf_layered_gan.main", "tf_layered_gan.distill", "tf_layered_gan.paper.experiments"]
LIGHT += ["export.main", "export.evaluate", "export.predict_masks", "export.describe"]


@pytest.mark.parametrize("module", LIGHT)
def test_help_needs_no_tensorflow(module):
    code = f"{HELP}\nrunpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    status, printed = tiny.finish(tiny.python("-c", code))
    assert f"python -m {module}" in printed or "Usage: tf-layered-gan" in printed, printed
    assert "Traceback" not in printed and status in (0, 1)  # absl's own --help ends with exit code 1


@pytest.mark.parametrize("file", ["export/main.py", "tf_layered_gan/distill.py"])
def test_help_of_the_other_commands_fits_a_screen_and_names_their_flags(file):
    text = (tiny.ROOT / file).read_text()
    about = ast.get_docstring(ast.parse(text))
    assert len(about.splitlines()) <= 38 and "Usage: tf-layered-gan-" in about and "Examples:" in about
    settings = student.SETTINGS if "distill" in file else ()
    defined = {*re.findall(r'(?:DEFINE_\w+|define_path)\(\s*"(\w+)"', text), *settings}
    assert set(re.findall(r"^  --(\w+)=", about, re.M)) == defined


def test_a_dry_run_is_for_training_only(run):
    with pytest.raises(app.UsageError, match="--dry_run is given with --mode=evaluate, allowed: --mode=train"):
        run("--mode=evaluate", "--dry_run")
