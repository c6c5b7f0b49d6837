"""Measurement of the time and memory that a run needs up to its first step, on a folder of a million files.

    python -m benchmarks.speed.million_files -- --config=small

The folder is made for this measurement. It has 1,000 folders with 1,000 files each, which are hard links to 500 JPEGs
of 512x384 pixels. The flags after `--` are passed to `tf_layered_gan.main`.
"""

import os
import pathlib
import tempfile
import time

from absl import app, flags

from benchmarks.speed.start_up import first_step, write_photos
from tf_layered_gan.command_line import command_errors, define_path

_ORIGINALS, _IN_A_FOLDER = 500, 1_000


def link_photos(originals: pathlib.Path, folder: pathlib.Path, count: int) -> None:
    """Makes `count` hard links to the files in `originals`.

    The links have new names, and lie in `folder`, in subfolders of two levels.
    """
    files = sorted(originals.iterdir())
    for number in range(count):
        place, number_there = divmod(number, _IN_A_FOLDER)
        below = folder / f"{place // 100:02}" / f"{place:05}"
        if number_there == 0:
            below.mkdir(parents=True)
        os.link(files[number % len(files)], f"{below}/{number:08}.jpg")


def main(argv: list[str]) -> None:
    """Prints the time and the memory in one line."""
    with command_errors(), tempfile.TemporaryDirectory(dir=flags.FLAGS.place) as place:
        photos = pathlib.Path(place, "photos")
        write_photos(pathlib.Path(place, "originals"), _ORIGINALS)
        begin = time.monotonic()
        link_photos(pathlib.Path(place, "originals"), photos, flags.FLAGS.files)
        print(f"{flags.FLAGS.files:,} files were made in {time.monotonic() - begin:.0f} s", flush=True)
        start = first_step([*argv[1:], f"--config.data.path={photos}"], pathlib.Path(place, "run"))
        print(pathlib.Path(place, "run.log").read_text())
        own, memory = (f"{size / 2**20:,.0f} MiB" for size in (start.own_memory, start.memory))
        print(f"first step begun after {start.ready:.0f} s and done after {start.first_step:.0f} s", end=" ")
        print(f"({start.cpu:.0f} CPU seconds); memory without mapped files {own}, with mapped files {memory}")


if __name__ == "__main__":
    flags.DEFINE_integer("files", 1_000_000, "Number of files.", lower_bound=1_000)
    define_path("place", "Existing folder to work in; by default, the folder of temporary files.", exists=True)
    app.run(main)
