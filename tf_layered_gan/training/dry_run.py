"""A check of everything that training needs, and an estimate of its time and disk space. It writes nothing."""

import os
import pathlib
import shutil
import tempfile

from ml_collections import ConfigDict

from tf_layered_gan.data.photos import Splits
from tf_layered_gan.models import build, memory
from tf_layered_gan.runs.config_record import check_config
from tf_layered_gan.training.labeller import mask_finder
from tf_layered_gan.training.plan import NOT_BEGUN, Plan
from tf_layered_gan.training.session import load_usable_photos

_CHECKPOINTS = 3  # two checkpoints are kept while a third checkpoint is written
_COPIES, _FLOAT = 4, 4  # 4 values per weight (the weight, Adam's two moments, the average), and 4 bytes per value
_GRID = 2e6  # bytes of a grid of layers: its PNG file and its copy for TensorBoard together
_SCALAR, _SCALARS = 100, 25  # bytes of a scalar, and number of scalars in the report of a step


def dry_run(config: ConfigDict, workdir: str | os.PathLike) -> None:
    """Reads the photos, builds the networks without memory for their weights, and prints the plan of the training.

    Args:
        config: a valid config.
        workdir: the run's directory. It is not created.

    Raises:
        ValueError, OSError: see `session.open_session`.
    """
    check_config(config, workdir)
    device_batch = config.batch_size
    memory.check_memory(config, device_batch)
    mask_finder(config)
    begun = (pathlib.Path(workdir) / "config.json").exists()
    if config.networks.encoder != "none" and not begun:
        build.load_encoder(config, build.build_segmenter(config))  # raises an error if the file of weights is wrong
    photos = _photos(config)
    count = config.data.train_pictures if photos is None else len(photos.train)
    plan = Plan(config, count)
    words = plan.estimate(NOT_BEGUN) or "not known for a GPU; see the first lines of progress"
    needed, free = _disk(config, photos), shutil.disk_usage(_existing(workdir)).free
    lines = {
        "photos": _describe(config, photos),
        "images": f"{config.resolution}x{config.resolution} pixels, {config.batch_size} images in each step",
        "plan": f"{plan.describe(config)}; then the evaluation",
        "time": f"from the first step to the last, on this machine: {words}",
        "memory": f"about {memory.estimate(config, device_batch) / 1e9:.1f} of {memory.available() / 1e9:.1f} GB",
        "disk": f"about {needed / 1e6:,.0f} MB in {workdir}; {free / 1e6:,.0f} MB are free",
        "workdir": f"{workdir} {'holds a run, which will be continued' if begun else 'will be created'}",
    }
    for name, text in lines.items():
        print(f"{name:8} {text}")
    if needed > free:
        raise ValueError(f"the disk of {workdir} has {free / 1e6:,.0f} MB free, needed: about {needed / 1e6:,.0f} MB")
    print("Everything is fine. Nothing was trained or written. Train with the same command without --dry_run.")


def _photos(config: ConfigDict) -> Splits | None:
    """Reads the photos into a temporary cache. Returns None for the source "shapes", whose images the program draws."""
    if config.data.source == "shapes":
        return None
    with tempfile.TemporaryDirectory() as cache:
        # Memory-mapped photos can still be used after their folder is deleted.
        return load_usable_photos(config, pathlib.Path(cache))


def _describe(config: ConfigDict, photos: Splits | None) -> str:
    if photos is None:
        size = f"{config.resolution}x{config.resolution}"
        return f"{config.data.train_pictures:,} to train on, which the program draws at {size} pixels"
    masks = "with masks" if photos.test.masks is not None else "without masks, so there will be no IoU"
    held_out = f"{len(photos.validation):,} for validation and {len(photos.test):,} for the test, {masks}"
    return f"{len(photos.train):,} to train on; {held_out}"


def _disk(config: ConfigDict, photos: Splits | None) -> float:
    """Estimates the bytes that a run writes."""
    schedule, every = config.schedule, config.monitoring
    parameters = [network.count_params() for network in memory.networks_without_memory(config)]
    passes = config.refine.bootstrap + config.refine.passes  # each pass has checkpoints of a segmenter
    weights = sum(parameters) + passes * parameters[-1]
    steps = 0 if config.segmenter.supervised else schedule.rounds * schedule.gan_images_per_round // config.batch_size
    if photos is None:
        pixels = (config.data.train_pictures + 2 * config.data.held_out_pictures) * config.resolution**2 * 3
    else:
        pixels = sum(split.images.nbytes for split in (photos.train, photos.validation, photos.test))
    events = _GRID * (steps // every.grid_every + schedule.rounds) + _SCALAR * _SCALARS * steps / every.scalars_every
    return pixels + _CHECKPOINTS * _COPIES * _FLOAT * weights + events


def _existing(path: str | os.PathLike) -> pathlib.Path:
    """Returns the innermost existing folder of a path."""
    folders = [pathlib.Path(path).resolve(), *pathlib.Path(path).resolve().parents]
    return next(folder for folder in folders if folder.is_dir())
