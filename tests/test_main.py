"""The binary refuses what cannot work: in words, and before anything is trained."""

import pytest
import tiny


def refused(workdir, *flags):
    """The last line of what the binary prints before it gives up."""
    code, output = tiny.finish(tiny.python("-m", "tf_layered_gan.main", f"--workdir={workdir}", *flags))
    assert code == 1 and "Traceback" not in output, output
    assert not [path for path in workdir.rglob("*") if path.is_file() and path.name != "lock"]
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
    assert line.startswith(f"error: {photos}: 0 usable of 2 files")
