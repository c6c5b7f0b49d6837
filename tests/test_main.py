"""The binary refuses what cannot work: in words, and before anything is trained."""

import tiny


def refused(workdir, *flags):
    """The last line of what the binary prints before it gives up."""
    code, output = tiny.finish(tiny.python("-m", "tf_layered_gan.main", f"--workdir={workdir}", *flags))
    assert code == 1, output
    assert not [path for path in workdir.rglob("*") if path.is_file()]
    return output.splitlines()[-1]


def test_misspelt_field_is_refused_with_a_suggestion(tmp_path):
    line = refused(tmp_path / "run", "--config=configs/shapes.py", "--config.networks.unet_widht=8")
    assert "unet_widht" in line and 'Did you mean "unet_width"' in line


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
