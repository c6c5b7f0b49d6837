"""The binary refuses what cannot work: in words, and before anything is trained."""

import collections
import random

import pytest
import tiny
from absl.testing import flagsaver

from tf_layered_gan import main


def refused(workdir, *flags):
    """The last line of what the binary prints before it gives up."""
    code, output = tiny.finish(tiny.python("-m", "tf_layered_gan.main", f"--workdir={workdir}", *flags))
    assert code == 1 and "Traceback" not in output, output
    assert not tiny.written(workdir)
    return output.splitlines()[-1]


def test_misspelt_field_is_refused_with_a_suggestion(tmp_path):
    line = refused(tmp_path / "run", "--config=configs/shapes.py", "--config.networks.unet_widht=8")
    assert "unet_widht" in line and 'Did you mean "unet_width"' in line


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--config=configs/shapes.py", "--config.gan.gamma_mi=abc"], "flag --config.gan.gamma_mi=abc"),
        (["--config=configs/nothing.py"], "configs/nothing.py"),
        *(
            pytest.param(["--config=configs/shapes.py", flag], words, marks=pytest.mark.slow)
            for flag, words in {
                "--config.data.crop_scale=(1,": "crop_scale",
                "--config.gan=5": "config.gan",
                "--config.seed[=1": "seed[",
                f"--config.schedule.rounds={10**12}": "schedule.rounds is 1000000000000, allowed: more than 0, at most",
                f"--config.gan.gamma_mi={'9' * 5000}": "gan.gamma_mi is inf, allowed: a finite number",
            }.items()
        ),
    ],
)
def test_what_cannot_be_parsed_is_said_in_words(tmp_path, flags, words):
    code, output = tiny.finish(tiny.python("-m", "tf_layered_gan.main", f"--workdir={tmp_path / 'run'}", *flags))
    assert code == 1 and "Traceback" not in output, output
    assert words in output and not (tmp_path / "run").exists()


MANY_SIGNS = ["-" * 100_000 + "1", "-" * 3_000 + "1", "1" + "+1" * 50_000]


@pytest.fixture
def parse():
    """`main.parse_flags`, which is free to set flags; what it makes of arguments: words, or None."""
    kept = flagsaver.save_flag_values()

    def parsed(*arguments):
        flagsaver.restore_flag_values(kept)
        try:
            main.parse_flags(["main", *arguments])
        except SystemExit as error:
            return error.code
        return None

    yield parsed
    flagsaver.restore_flag_values(kept)


@pytest.mark.parametrize("value", MANY_SIGNS, ids=len)
def test_a_value_that_python_cannot_parse_is_said_in_words(parse, value):
    words = parse("--config=configs/shapes.py", f"--config.gan.mask_size={value}")
    assert words.startswith("error: ") and "Traceback" not in words and len(words) < 1_100


@pytest.mark.parametrize(
    "program, words",
    [
        ("foo", "NameError: name 'foo' is not defined"),
        ("import nothing_at_all", "No module named 'nothing_at_all'"),
        ("assert False, 'no'", "AssertionError: no"),
        ("def get_config(): return get_config()", "RecursionError: maximum recursion depth exceeded"),
        ("def get_config(): raise MemoryError", "MemoryError: nothing more is known"),
        ("def get_config(: pass", "invalid syntax"),
    ],
)
def test_what_a_config_file_raises_is_said_in_words(parse, tmp_path, program, words):
    (tmp_path / "mine.py").write_text(program)
    said = parse(f"--config={tmp_path}/mine.py")
    assert said.startswith("error: ") and words in said and "Traceback" not in said and "\n" not in said


def test_300_mutated_config_files_are_read_or_refused_in_words(parse, tmp_path):
    generator, ended = random.Random(0), collections.Counter()
    sources = [path.read_bytes() for path in sorted((tiny.ROOT / "configs").glob("*.py"))]
    for number in range(300):
        source = bytearray(generator.choice(sources))
        for _ in range(generator.randint(1, 3)):
            place = generator.randrange(len(source))
            source[place : place + generator.randint(0, 2)] = generator.randbytes(generator.randint(0, 2))
        (tmp_path / f"mutated_{number}.py").write_bytes(source)
        said = parse(f"--config={tmp_path}/mutated_{number}.py")
        assert said is None or (said.startswith("error: ") and "Traceback" not in said), said
        ended["read" if said is None else "refused"] += 1
    assert min(ended.values()) > 50, ended


def test_every_bad_value_is_named(tmp_path):
    line = refused(tmp_path / "run", "--config=configs/folder.py", "--config.gan.ema_decay=1.5")
    assert line.startswith("error: data.path is None, allowed: a folder of photos: --config.data.path=DIR; ")
    assert line.endswith("gan.ema_decay is 1.5, allowed: from 0 to below 1")


def test_training_without_a_config_is_refused(tmp_path):
    assert "to train takes a config" in refused(tmp_path / "run")


def test_evaluating_what_was_never_trained_is_refused(tmp_path):
    line = refused(tmp_path / "run", "--mode=evaluate")
    assert line == f"error: no config.json in {tmp_path / 'run'}: train first (python -m tf_layered_gan.main)"


def test_folder_without_photos_is_refused(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "notes.txt").write_text("no photo")
    (photos / "broken.jpg").write_bytes(b"no photo either")
    line = refused(tmp_path / "run", "--config=configs/folder.py", f"--config.data.path={photos}")
    assert line.startswith(f"error: {photos}: 0 usable of 1 photos")
