"""Tests of the edge command on images, with a model that marks all bright pixels as foreground."""

import itertools
import os
import re
import signal
import subprocess
import sys
from multiprocessing.pool import ThreadPool

import numpy as np
import pytest
from edge_command import ENVIRONMENT, command, run, run_main, run_until_ctrl_c
from PIL import Image, ImageCms

from edge_segmenter import Segmenter
from edge_segmenter.command.interruption import interruption
from edge_segmenter.command.plan import plan
from edge_segmenter.files import own_results
from edge_segmenter.files.printing import say
from edge_segmenter.fit import to_square


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


def half_white(width=40, height=20, mode="RGB"):
    """An image whose left half is black and whose right half is white."""
    image = Image.new("RGB", (width, height))
    image.paste((255, 255, 255), (width // 2, 0, width, height))
    return image.convert(mode)


def mask(output, name):
    return np.asarray(Image.open(output / "masks" / name))


def results(output, kind="masks"):
    return sorted(str(path.relative_to(output / kind)) for path in (output / kind).rglob("[!.]*") if path.is_file())


@pytest.mark.parametrize("size", [(40, 20), (20, 40), (33, 33), (7, 5), (200, 1)])
def test_mask_and_cutout_have_the_size_of_the_image(model, photos, tmp_path, size):
    half_white(*size).save(photos / "a.png")
    assert run(model, photos, tmp_path / "out").returncode == 0
    width, height = size
    assert np.asarray(Image.open(tmp_path / "out/masks/a.png")).shape == (height, width)
    assert np.asarray(Image.open(tmp_path / "out/cutouts/a.png")).shape == (height, width, 4)


@pytest.mark.parametrize("mode, kept", [("RGB", True), ("CMYK", False), ("L", False)])
def test_only_the_profile_of_an_rgb_image_is_kept(model, photos, tmp_path, mode, kept):
    # Pillow writes an RGB profile even into a CMYK or grey image.
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    half_white(mode=mode).save(photos / "a.jpg", icc_profile=profile)
    run(model, photos, tmp_path / "out", "--kind", "cutout", "blurred")
    for kind in ("cutouts", "blurred"):
        with Image.open(tmp_path / "out" / kind / "a.png") as result:
            assert result.info.get("icc_profile") == (profile if kept else None)


@pytest.mark.parametrize("dpi, kept", [((300, 150), (300, 150)), (None, None), ((0, 0), None), ((1e-9, 1e9), None)])
def test_results_are_printed_as_large_as_the_photo(model, photos, tmp_path, dpi, kept):
    half_white().save(photos / "a.tif", **{"dpi": dpi} if dpi else {})
    assert run(model, photos, tmp_path / "out", "--kind", "mask", "cutout", "blurred").returncode == 0
    for kind in ("masks", "cutouts", "blurred"):
        with Image.open(tmp_path / "out" / kind / "a.png") as result:
            found = result.info.get("dpi")
            assert found == (kept and pytest.approx(kept, abs=0.1))


def test_mask_fits_the_image_as_displayed(model, photos, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # with this EXIF orientation, the image is displayed turned by 90 degrees
    half_white().save(photos / "upright.jpg", exif=exif)
    run(model, photos, tmp_path / "out")
    # The stored image is 40 wide and 20 high. It is displayed 20 wide and 40 high, with the white half at the bottom.
    upright = mask(tmp_path / "out", "upright.png")
    assert upright.shape == (40, 20)
    # The edge in the mask may be off by one pixel of the model, which is 40 / 16 = 2.5 pixels of the image.
    assert upright[:18].max() == 0 and upright[22:].min() == 255


def test_mask_does_not_show_the_filling(model, photos, tmp_path):
    image = Image.new("RGB", (40, 20))
    image.paste((255, 255, 255), (0, 15, 40, 20))
    image.save(photos / "a.png")
    run(model, photos, tmp_path / "out")
    # The model sees the image as 8 rows. Each of them covers 2.5 rows of the image. White begins at row 15 of the
    # image, which is row 6 of the model.
    values = mask(tmp_path / "out", "a.png")
    assert (values[:14] == 0).all() and (values[16:] == 255).all()


def test_filling_repeats_the_edge():
    rows = np.array([[[10] * 3] * 4, [[200] * 3] * 4], "uint8")  # 4 wide, 2 high
    pixels, filled = to_square(Image.fromarray(rows), 4, "pad")
    assert pixels[:, :, 0].tolist() == [[10] * 4, [10] * 4, [200] * 4, [200] * 4]
    assert filled == (slice(1, 3), slice(0, 4))


def test_threshold(model, photos, tmp_path):
    Image.new("RGB", (20, 20), (130, 130, 130)).save(photos / "grey.png")  # probability 0.5586
    run(model, photos, tmp_path / "low", "--threshold", 0.55)
    run(model, photos, tmp_path / "high", "--threshold", 0.57)
    assert (mask(tmp_path / "low", "grey.png") == 255).all()
    assert (mask(tmp_path / "high", "grey.png") == 0).all()


def test_sharpening_on_request(model, photos, tmp_path):
    photo = photos / "noise.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 90, 3), "uint8")).save(photo)
    for output, options in (("plain", ()), ("sharpened", ("--sharpen",))):
        assert run(model, photo, tmp_path / output, *options, "--kind", "mask").returncode == 0
    expected = Segmenter(model, sharpened=True).mask(photo)
    masks = [np.asarray(Image.open(tmp_path / output / "masks" / "noise.png")) for output in ("plain", "sharpened")]
    np.testing.assert_array_equal(masks[1], np.asarray(expected))
    assert (masks[0] != masks[1]).any()


def test_names_do_not_collide_and_folders_are_mirrored(model, photos, tmp_path):
    (photos / "sub").mkdir()
    for name in ("a.jpg", "a.png", "b.bmp", "sub/a.webp", "c.jpg.png"):
        half_white().save(photos / name)
    run(model, photos, tmp_path / "out")
    expected = ["a.jpg.png", "a.png.png", "b.png", "c.jpg.png.png", "sub/a.png"]
    assert results(tmp_path / "out") == expected
    assert results(tmp_path / "out", "cutouts") == expected


def test_one_image(model, photos, tmp_path):
    half_white().save(photos / "a.jpg")
    half_white().save(photos / "b.jpg")
    assert run(model, photos / "b.jpg", tmp_path / "out").returncode == 0
    assert results(tmp_path / "out") == ["b.png"]


def test_output_inside_the_input_is_not_read_again(model, photos):
    half_white().save(photos / "a.png")
    run(model, photos, photos / "out")
    assert "1 of 1 images" in run(model, photos, photos / "out").stdout
    assert results(photos / "out") == ["a.png"]


def test_results_that_are_replaced_are_counted(model, photos, tmp_path):
    for folder, names in (("a", "1"), ("b", "12")):
        (photos / folder).mkdir()
        for name in names:
            half_white().save(photos / folder / f"{name}.jpg")
    assert run(model, photos / "a" / "1.jpg", tmp_path / "out").stdout.endswith(", 0 failed\n")
    (photos / "b" / "3.jpg").write_bytes(b"no image")  # this image fails, so its earlier result is kept
    half_white().save(tmp_path / "out/masks/3.png")
    expected = "2 of 3 images segmented into {}, 1 failed, 1 replaced earlier results\n"
    assert run(model, photos / "b", tmp_path / "out").stdout == expected.format(tmp_path / "out")


def test_refuses_to_write_into_the_folder_of_the_images(model, photos):
    (photos / "masks").mkdir()
    half_white().save(photos / "masks/a.png")
    before = (photos / "masks/a.png").read_bytes()
    for source in (photos, photos / "masks", photos / "masks/a.png"):
        finished = run(model, source, photos)
        assert finished.returncode == 2 and f"--output {photos}" in finished.stderr
    assert (photos / "masks/a.png").read_bytes() == before


@pytest.mark.parametrize("source, message", [("nowhere", "no such image or folder"), ("empty", "no image in ")])
def test_no_image(model, tmp_path, source, message):
    (tmp_path / "empty").mkdir()
    finished = run(model, tmp_path / source, tmp_path / "out")
    assert finished.returncode == 2 and message in finished.stderr and source in finished.stderr


@pytest.mark.parametrize(
    "content, message",
    [
        (None, "no such model: {}"),
        (b"not a model", "cannot load the model {}: "),
        (b"", "cannot load the model {}: the file is empty"),
        (b" <!DOCTYPE html><title>Sign in", "cannot load the model {}: the file is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "cannot load the model {}: the file is a Git LFS pointer"),
    ],
)
def test_missing_or_broken_model(photos, tmp_path, content, message):
    half_white().save(photos / "a.png")
    if content is not None:
        (tmp_path / "a.tflite").write_bytes(content)
    finished = run(tmp_path / "a.tflite", photos, tmp_path / "out")
    assert finished.returncode == 2 and message.format(tmp_path / "a.tflite") in finished.stderr


def test_a_system_without_litert_is_told_so_in_one_line(model, photos, tmp_path, monkeypatch):
    half_white().save(photos / "a.png")
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    finished = run(model, photos, tmp_path / "out")
    assert finished.returncode == 2 and len(finished.stderr.splitlines()) == 1
    assert "error: ai_edge_litert cannot be imported on this system: " in finished.stderr


def test_output_whose_name_is_not_unicode(model, photos, tmp_path):
    half_white().save(photos / "a.jpg")
    finished = run(model, photos, tmp_path / os.fsdecode(b"\xff"))
    assert finished.returncode == 0 and finished.stdout.endswith("\\udcff, 0 failed\n")


@pytest.mark.parametrize("link", ["masks", "cutouts", "masks/sub", "masks/sub/a.png"])
def test_writes_nothing_through_a_link(model, photos, tmp_path, link):
    (photos / "sub").mkdir()
    half_white().save(photos / "sub" / "a.jpg")
    (tmp_path / "outside").mkdir()
    (tmp_path / "out" / link).parent.mkdir(parents=True)
    (tmp_path / "out" / link).symlink_to(tmp_path / "outside")
    finished = run(model, photos, tmp_path / "out")
    assert finished.returncode == 2 and "holds a link, so " in finished.stderr
    assert list((tmp_path / "outside").iterdir()) == []


def test_writes_only_the_kinds_that_are_asked_for(model, photos, tmp_path):
    half_white().save(photos / "a.png")
    assert run(model, photos, tmp_path / "out", "--kind", "blurred").returncode == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["blurred"]
    with Image.open(tmp_path / "out" / "blurred" / "a.png") as result:
        assert (result.mode, result.size) == ("RGB", (40, 20))


@pytest.mark.parametrize("option, value", [("threshold", 1.5), ("threshold", "nan"), ("radius", -1), ("threads", 0)])
def test_refuses_an_option_out_of_range_before_anything_is_written(model, photos, tmp_path, option, value):
    half_white().save(photos / "a.png")
    finished = run(model, photos, tmp_path / "out", f"--{option}", value)
    assert finished.returncode == 2 and option in finished.stderr and str(value) in finished.stderr
    assert not (tmp_path / "out").exists()


def test_ctrl_c_ends_after_an_image(model, photos, tmp_path):
    half_white(400, 300).save(tmp_path / "image.png")
    for number in range(300):
        os.link(tmp_path / "image.png", photos / f"{number:03d}.png")
    finished = run_until_ctrl_c(tmp_path / "out" / "cutouts" / "000.png", model, photos, tmp_path / "out")
    masks, cutouts = results(tmp_path / "out"), results(tmp_path / "out", "cutouts")
    assert finished.returncode == 1 and masks == cutouts and 0 < len(masks) < 300
    assert finished.stdout == f"{len(masks)} of 300 images segmented into {tmp_path / 'out'}, 0 failed, stopped\n"


def test_several_inputs_keep_the_folders_below_the_one_that_holds_all(model, photos, tmp_path, monkeypatch):
    for name in ("a.jpg", "b.jfif", "sub/c.JPG", "other/a.png"):
        (photos / name).parent.mkdir(exist_ok=True)
        half_white().save(photos / name, "JPEG")
    monkeypatch.chdir(photos)
    finished = run_main("segment", "--model", model, "--output", tmp_path / "out", "--input", "a.jpg", "sub", "a.jpg")
    assert "2 of 2 images" in finished.stdout and results(tmp_path / "out") == ["a.png", "sub/c.png"]
    finished = run_main("segment", "--model", model, "--output", "../two", "--input", photos / "other", "sub/c.JPG")
    assert finished.returncode == 0 and results(tmp_path / "two") == ["other/a.png", "sub/c.png"]


def test_a_video_among_several_inputs_is_named(model, photos, tmp_path):
    half_white().save(photos / "a.jpg")
    (photos / "clip.MP4").touch()
    finished = run_main("segment", "--model", model, "--output", tmp_path, "--input", *sorted(photos.iterdir()))
    assert finished.returncode == 0 and "clip.MP4: a video must be the only input" in finished.stderr
    finished = run(model, photos, tmp_path / "out")
    assert ".mp4 1 (videos: pass each video to edge-segmenter by its name)" in finished.stderr


@pytest.mark.parametrize("name", ["*.jpg", "photos/[ab]*.png", "?.mp4"])
def test_a_pattern_that_the_shell_left_alone_is_refused(model, tmp_path, name):
    finished = run(model, tmp_path / name, tmp_path / "out")
    assert finished.returncode == 2 and "the shell found no file for this pattern, or" in finished.stderr


def test_tilde_is_the_home(model, photos, tmp_path, monkeypatch):
    half_white().save(photos / "a.jpg")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(photos)
    assert run_main("segment", f"--model={model}", "--input=~/photos", "--output=~/x").returncode == 0
    assert results(tmp_path / "x") == ["a.png"] and not (photos / "~").exists()


@pytest.mark.parametrize("name", ["a.jfif", "a.JPE", "a.jpg:large", "a"])
def test_one_image_is_read_whatever_its_name_ends_in(model, photos, tmp_path, name):
    half_white().save(photos / name, "JPEG")
    assert run(model, photos / name, tmp_path / "out").returncode == 0
    assert len(results(tmp_path / "out")) == 1


def test_a_folder_of_files_that_are_not_read_says_what_to_do(model, photos, tmp_path):
    (photos / "a.HEIC").touch()
    finished = run(model, photos, tmp_path / "out")
    assert finished.returncode == 2
    assert finished.stderr.splitlines()[-1].endswith("left out: .heic 1 (pip install pillow-heif)")


def test_results_among_the_photos_are_left_out_and_counted(model, photos):
    for name in ("a", "b"):
        half_white().save(photos / f"{name}.jpg")
    run(model, photos, photos / "results")
    finished = run(model, photos, photos / "others")
    assert "2 of 2 images" in finished.stdout
    # The six results are four images, and two files that mark the folders of these images.
    assert f"{photos}: left out: 6 results of this program or masks\n" in finished.stderr


def test_a_photo_that_vanishes_is_named_and_the_rest_goes_on(model, photos, tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        half_white().save(photos / f"{name}.jpg")

    def plan_then_lose(*arguments):
        jobs = plan(*arguments)
        (photos / "b.jpg").unlink()
        return jobs

    monkeypatch.setattr("edge_segmenter.command.run.plan", plan_then_lose)
    finished = run(model, photos, tmp_path / "out")
    assert finished.returncode == 1 and "b.jpg: it is not there any more" in finished.stderr
    assert results(tmp_path / "out") == ["a.png", "c.png"]


def test_a_full_disk_ends_the_command_with_one_message(model, photos, tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        half_white().save(photos / f"{name}.jpg")
    save, written = Image.Image.save, itertools.count()

    def fails_at_the_third(image, path, *arguments, **options):
        if next(written) >= 2:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        save(image, path, *arguments, **options)

    monkeypatch.setattr(Image.Image, "save", fails_at_the_third)
    finished = run(model, photos, tmp_path / "out")
    assert finished.returncode == 2 and finished.stderr.count("No space left") == 1
    assert finished.stderr.splitlines()[-1].endswith("1 of 3 images were segmented before, 0 failed")
    assert results(tmp_path / "out") == results(tmp_path / "out", "cutouts") == ["a.png"]


def test_a_folder_in_place_of_a_result_fails_one_image_only(model, photos, tmp_path):
    for name in ("a", "b", "c"):
        half_white().save(photos / f"{name}.jpg")
    (tmp_path / "out/masks/a.png").mkdir(parents=True)
    finished = run(model, photos, tmp_path / "out")
    assert finished.returncode == 1 and "a.jpg: [Errno 21] Is a directory" in finished.stderr
    assert results(tmp_path / "out", "cutouts") == ["b.png", "c.png"]


def test_another_command_in_the_same_output_is_refused(model, photos, tmp_path):
    half_white().save(photos / "a.jpg")
    with own_results.claimed([tmp_path / "out/masks"]):
        finished = run(model, photos, tmp_path / "out")
        assert finished.returncode == 2 and "another edge-segmenter writes into" in finished.stderr
        assert run(model, photos, tmp_path / "out", "--kind", "blurred").returncode == 0
    assert run(model, photos, tmp_path / "out").returncode == 0


MISSING = """
import os, signal, sys
for name in ("fcntl", "resource", "pwd", "grp", "termios", "readline"):
    sys.modules[name] = None
for module, names in {os: ("posix_fallocate", "mkfifo", "geteuid", "getuid"), signal: ("SIGHUP", "SIGALRM")}.items():
    for name in names:
        delattr(module, name)
from edge_segmenter.command.main import main
sys.exit(main())
"""


def test_it_runs_without_the_modules_that_windows_or_macos_lack(model, photos, tmp_path):
    half_white().save(photos / "a.jpg")
    arguments = command(model, photos, tmp_path / "out")[3:]
    finished = subprocess.run(
        [sys.executable, "-c", MISSING, *arguments], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
    assert results(tmp_path / "out") == ["a.png"]


def test_in_another_thread_the_command_runs_without_signals(model, photos, tmp_path):
    half_white().save(photos / "a.jpg")
    with ThreadPool(1) as pool:
        assert pool.apply(run, (model, photos, tmp_path / "out")).returncode == 0


def test_a_second_ctrl_c_has_its_usual_effect():
    with pytest.raises(KeyboardInterrupt), interruption() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        signal.raise_signal(signal.SIGINT)


IMPORT_INTERRUPTED = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *_):
        if name == "numpy":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Finder())
from edge_segmenter.command.main import main
sys.exit(main())
"""


def test_ctrl_c_while_the_program_starts_is_one_line():
    finished = subprocess.run(
        [sys.executable, "-c", IMPORT_INTERRUPTED], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert (finished.returncode, finished.stderr) == (1, "edge-segmenter: stopped\n")


def test_a_closed_terminal_is_no_error(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as stream:
        say("nobody reads this", stream)


@pytest.mark.parametrize("arguments", [(), ("segment",), ("benchmark",)])
def test_help_fits_a_screen_and_ends_with_examples(arguments, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = run_main(*arguments, "--help").stdout.splitlines()
    assert len(lines) <= 40 and max(map(len, lines)) <= 82
    assert any(re.match("examples?:", line) for line in lines[-6:])


def test_a_misspelt_flag_is_refused_with_the_nearest(model, photos, tmp_path):
    finished = run(model, photos, tmp_path / "out", "--treshold=0.4")
    assert finished.returncode == 2
    assert "unrecognized arguments: --treshold=0.4; did you mean --threshold?" in finished.stderr
    finished = run_main("segment", "--modle", str(model))  # the required flag --model is also missing
    assert finished.returncode == 2 and "unrecognized arguments: --modle; did you mean --model?" in finished.stderr
