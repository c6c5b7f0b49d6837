"""Tests with hundreds of broken and odd files.

Each file gives the expected result, within limits of memory and time.
"""

import collections
import json
import os
import subprocess
import sys

import image_bytes
import mutations
import pytest
import tiny
from mutations import LEFT_OUT, READ
from PIL import Image

from edge_segmenter.command.plan import plan
from edge_segmenter.files.own_results import FOLDERS
from tf_layered_gan.data.folder import reading

MEMORY = 1536 * 2**20  # bytes, the limit that data/folder/reading.py and edge_segmenter/README.md state
SECONDS = 200  # only a program that hangs takes longer

LOAD = """
import json, sys
from multiprocessing.pool import ThreadPool
from tf_layered_gan.data.folder import reading
reading.ThreadPool = lambda: ThreadPool(8)  # as on a machine of eight cores
splits = reading.load(sys.argv[1], resolution=8, storage_size=8)
print(json.dumps(splits.train.names + splits.validation.names + splits.test.names))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder of broken and odd files, and the list of these files, see `mutations`."""
    path = tmp_path_factory.mktemp("mutations").resolve()
    return path, mutations.write(path)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A folder with two images of the largest allowed size. Decoding them takes seconds."""
    path = tmp_path_factory.mktemp("large").resolve()
    mutations.write_large(path)
    return path


def run(tmp_path, script, *arguments):
    """Runs a script in a child process. Returns the finished process, and its peak memory in bytes."""
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
    """Returns the number of lines in an output that contain both `what` and a path."""
    shown = str(path) if str(path).isprintable() else ascii(str(path))[1:-1]
    return sum(f"{what} {shown}: " in line for line in output.split("\n"))


def test_every_file_of_a_folder_is_read_or_named_once(files, tmp_path):
    path, all_files = files
    assert len(all_files) == len({file.name for file in all_files}) >= 300
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
    assert "are left out: none 1" in finished.stderr  # one file has no suffix


def test_two_large_photos_are_not_decoded_at_once(large, tmp_path):
    (tmp_path / "photos").mkdir()
    for name in "ac":  # the photos b and d are small, because photos for evaluation are read twice
        (tmp_path / "photos" / f"{name}.png").symlink_to(large / "limit.png")
    for name in "bd":
        image_bytes.noise().save(tmp_path / "photos" / f"{name}.png")
    (tmp_path / "load.py").write_text(LOAD)
    finished, peak = run(tmp_path, tmp_path / "load.py", tmp_path / "photos")
    assert len(json.loads(finished.stdout)) == 4
    assert peak < MEMORY


def size(path):
    with Image.open(path) as image:
        return image.size


def names_below(path):
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)


def run_edge(tmp_path, model, source, output):
    (tmp_path / "edge.py").write_text("import sys\nfrom edge_segmenter.command.main import main\nsys.exit(main())\n")
    options = "--model", model, "--input", source, "--output", output, "--kind", *FOLDERS
    return run(tmp_path, tmp_path / "edge.py", "segment", *options)


@pytest.mark.slow
def test_the_edge_command_takes_limited_memory_for_large_images(large, model, tmp_path):
    finished, peak = run_edge(tmp_path, model, large, tmp_path / "out")
    assert finished.returncode == 0, finished.stderr
    assert peak < MEMORY
    assert size(tmp_path / "out" / "masks" / "limit.png") == size(large / "limit.png")


def test_the_edge_command_masks_or_names_every_file_once(files, model, tmp_path):
    path, all_files = files
    before, output = names_below(path), tmp_path / "out"
    finished, peak = run_edge(tmp_path, model, path, output)
    assert finished.returncode == 1, finished.stderr
    assert peak < MEMORY
    assert names_below(path) == before
    images = [file for file in all_files if file.expected is not None]
    results = dict(plan([path], output, FOLDERS))
    masked = 0
    for file in images:
        mask, *others = results[path / file.name].values()
        times = int(mask.exists()), named(finished.stderr, "skipped", path / file.name)
        assert times in {READ: [(1, 0)], LEFT_OUT: [(0, 1)]}.get(file.expected, [(1, 0), (0, 1)]), file
        assert {mask.exists()} == {other.exists() for other in others}
        if file.size:
            assert {size(result) for result in (mask, *others)} == {file.size}, file
        masked += times[0]
    assert len(names_below(output)) == 3 * (masked + 1)  # and the marks
    summary = f"{masked} of {len(images)} images segmented into {output}, {len(images) - masked} failed"
    assert finished.stdout.splitlines()[-1] == summary


def test_a_folder_deeper_than_python_can_recurse_is_read(tmp_path):
    here, depth = os.getcwd(), 1100
    os.chdir(tmp_path)
    for _ in range(depth):
        os.mkdir("d")
        os.chdir("d")
    image_bytes.noise().save("deep.png")
    os.chdir(here)
    try:
        for name in ("a", "b"):
            image_bytes.noise().save(tmp_path / f"{name}.png")
        splits = reading.load(tmp_path, resolution=8, storage_size=8)
        assert len(splits.train) + len(splits.validation) + len(splits.test) == 3
        assert len(plan([tmp_path], tmp_path.parent / "out", FOLDERS)) == 3
    finally:
        subprocess.run(["rm", "-r", tmp_path / "d"], check=True)  # shutil.rmtree would recurse
