"""Hundreds of broken and odd files: each has its defined result, in a stated memory and time, without a traceback."""

import collections
import json
import os
import pathlib
import subprocess
import sys
import time

import mutations
import pytest
import tiny
from edge_command import bright_network
from mutations import LEFT_OUT, READ
from PIL import Image

from edge_segmenter.plan import FOLDERS, plan, result_names
from export.tflite.convert import to_tflite_float32
from tf_layered_gan.data import folder

MEMORY = 1536 * 2**20  # bytes, as data/folder.py and edge_segmenter/command.py state
SECONDS = 200  # many times what it takes, so that only a hang takes longer

LOAD = """
import json, sys
from multiprocessing.pool import ThreadPool
from tf_layered_gan.data import folder
folder.ThreadPool = lambda: ThreadPool(8)  # as on a machine of eight cores
splits = folder.load(sys.argv[1], resolution=8, storage_size=8)
print(json.dumps(splits.train.names + splits.validation.names + splits.test.names))
"""


EDGE = """
import sys
from export.edge.edge_segmenter.command import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The folder and its mutations."""
    path = tmp_path_factory.mktemp("mutations").resolve()
    return path, mutations.write(path)


def run(tmp_path, script, *arguments):
    """Runs a script in a child process; returns it, when it has finished, and how many bytes it took at most."""
    peak = tmp_path / "peak"
    command = [sys.executable, *tiny.measured(peak, script), *arguments]
    finished = subprocess.run(
        list(map(str, command)),
        cwd=tiny.ROOT,
        env=os.environ | {"PYTHONPATH": str(tiny.ROOT)},
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=SECONDS,
        check=False,
    )
    assert "Traceback" not in finished.stderr, finished.stderr
    return finished, tiny.peak_memory(peak)


def named(output, what, path):
    """How often an output says of a path that it is `what`, in a line of its own."""
    shown = str(path) if str(path).isprintable() else ascii(str(path))[1:-1]
    return sum(f"{what} {shown}: " in line for line in output.split("\n"))


def test_there_are_300_files_and_the_same_every_time(files, tmp_path):
    path, all_files = files
    assert len(all_files) == len({file.name for file in all_files}) >= 300
    assert collections.Counter(file.expected for file in all_files)[READ] > 100
    assert mutations.write(tmp_path) == all_files
    for name in ("flipped_body_3.png", "random.jpg", "scans.jpg"):
        assert (tmp_path / name).read_bytes() == (path / name).read_bytes()


def test_every_file_of_a_folder_is_read_or_named_once(files, tmp_path):
    path, all_files = files
    (tmp_path / "load.py").write_text(LOAD)
    finished, peak = run(tmp_path, tmp_path / "load.py", path)
    assert finished.returncode == 0, finished.stderr
    assert peak < MEMORY
    read = collections.Counter(json.loads(finished.stdout))
    for file in all_files:
        if file.expected is not None:
            times = read.pop(file.name, 0), named(finished.stderr, "left out", path / file.name)
            assert times in {READ: [(1, 0)], LEFT_OUT: [(0, 1)]}.get(file.expected, [(1, 0), (0, 1)]), file
    assert not read
    assert "are left out: none 1" in finished.stderr  # the file whose name does not end like a photo's


def test_many_threads_take_no_more_memory(files, tmp_path):
    path, _ = files
    (tmp_path / "photos").mkdir()
    for name in "abcd":
        (tmp_path / "photos" / f"{name}.png").symlink_to(path / "limit.png")
    (tmp_path / "load.py").write_text(LOAD)
    finished, peak = run(tmp_path, tmp_path / "load.py", tmp_path / "photos")
    assert len(json.loads(finished.stdout)) == 4
    assert peak < MEMORY


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "bright.tflite"
    path.write_bytes(to_tflite_float32(bright_network()))
    return path


def size(path):
    with Image.open(path) as picture:
        return picture.size


def names_below(path):
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)


def test_the_edge_masks_every_file_that_can_be_read_and_names_the_others_once(files, model, tmp_path):
    path, all_files = files
    before, output = names_below(path), tmp_path / "out"
    (tmp_path / "edge.py").write_text(EDGE)
    options = "--model", model, "--input", path, "--output", output, "--kind", *FOLDERS
    finished, peak = run(tmp_path, tmp_path / "edge.py", "segment", *options)
    assert finished.returncode == 1, finished.stderr
    assert peak < MEMORY
    assert names_below(path) == before
    pictures = [file for file in all_files if file.expected is not None]
    results = dict(plan(path, output, FOLDERS))
    masked = 0
    for file in pictures:
        mask, *others = results[path / file.name].values()
        times = int(mask.exists()), named(finished.stderr, "skipped", path / file.name)
        assert times in {READ: [(1, 0)], LEFT_OUT: [(0, 1)]}.get(file.expected, [(1, 0), (0, 1)]), file
        assert {mask.exists()} == {other.exists() for other in others}
        if file.size:
            assert {size(result) for result in (mask, *others)} == {file.size}, file
        masked += times[0]
    assert len(names_below(output)) == 3 * masked
    summary = f"{masked} of {len(pictures)} pictures segmented into {output}, {len(pictures) - masked} failed"
    assert finished.stdout.splitlines()[-1] == summary


def test_a_run_with_broken_masks_names_each_once_and_ends_in_words(files, tmp_path):
    path, all_files = files
    photos, masks = tmp_path / "photos", tmp_path / "masks"
    photos.mkdir()
    masks.mkdir()
    broken = {}
    for file in all_files:  # one for each photo, and nothing else
        if file.expected == LEFT_OUT and file.name.count(".") == 1 and (path / file.name).is_file():
            broken.setdefault(file.name.split(".")[0], file.name)
    for stem, name in broken.items():
        mutations.noise().save(photos / f"{stem}.png")
        (masks / name).symlink_to(path / name)
    os.mkfifo(masks / "pipe.png")
    finished, _ = run(
        tmp_path,
        tiny.ROOT / "tf_layered_gan" / "main.py",
        "--config=configs/folder.py",
        f"--config.data.path={photos}",
        f"--config.data.masks={masks}",
        f"--workdir={tmp_path / 'run'}",
    )
    assert finished.returncode == 1
    for name in [*broken.values(), "pipe.png"]:
        assert named(finished.stderr, "left out", masks / name) == 1, name
    assert finished.stderr.splitlines()[-1].startswith(f"error: {photos}: 0 usable of {len(broken)} files")
    assert not tiny.written(tmp_path / "run")


def test_hostile_masks_of_which_several_have_one_name_are_refused(files, tmp_path):
    path, _ = files
    mutations.noise().save(tmp_path / "same.png")
    with pytest.raises(ValueError, match="only one can be the mask, or have it"):
        folder.load(tmp_path, masks=path, resolution=8, storage_size=8)


def test_a_folder_deeper_than_python_can_recurse_is_read(tmp_path):
    here, depth = os.getcwd(), 1100
    os.chdir(tmp_path)
    for _ in range(depth):
        os.mkdir("d")
        os.chdir("d")
    mutations.noise().save("deep.png")
    os.chdir(here)
    try:
        for name in ("a", "b"):
            mutations.noise().save(tmp_path / f"{name}.png")
        splits = folder.load(tmp_path, resolution=8, storage_size=8)
        assert len(splits.train) + len(splits.validation) + len(splits.test) == 3
        assert len(plan(tmp_path, tmp_path.parent / "out", FOLDERS)) == 3
    finally:
        subprocess.run(["rm", "-r", tmp_path / "d"], check=True)  # Python's own would recurse


def test_thirty_thousand_names_are_planned_at_once():
    pictures, started = [pathlib.Path(f"photos/{number}.jpg") for number in range(30_000)], time.process_time()
    assert len(set(result_names(pictures, pathlib.Path("photos")))) == len(pictures)
    assert time.process_time() - started < 10  # where each is held against all, it takes far longer
