"""Export of the training programs of a config as StableHLO, for a machine without TensorFlow.

    python -m benchmarks.gpu.export --config=benchmarks/gpu/configs/birds.py --output=raw/birds \
        --config.data.path=BIRDS --config.data.masks=MASKS

`pack.py` turns the folder OUTPUT into the bundle for the device. OUTPUT holds:

    programs/NAME.mlir   the text of each program in `programs.build_programs`
    manifest.json        the signatures of the programs, the recipes of the variables (see `device/initial_state.py`),
                         and the config
    values.npz           the initial values of the variables that have no recipe
    photos.npz           the photos: JPEG files to train on, and pixels and masks to evaluate on
    reference.npz        only with --reference_steps: TensorFlow's own results of these steps. In this case values.npz
                         has all variables, and the photos to train on are PNG files, so that the device computes with
                         exactly the same numbers
    bootstrap.npz        only with --bootstrap: the weights of the bootstrap's segmenter in the run of this flag
    tf_layered_gan/, edge_segmenter/       the files of this project that the device uses; none of them needs TensorFlow
"""

import inspect
import io
import json
import pathlib
import shutil
from typing import Any

import numpy as np
from absl import flags
from ml_collections import ConfigDict, config_flags
from PIL import Image

from benchmarks.gpu.device import initial_state
from benchmarks.gpu.device.plan import PhotoOrder
from benchmarks.gpu.lowering import lower
from benchmarks.gpu.programs import Models, build_programs
from benchmarks.gpu.reference import take_reference_steps
from edge_segmenter.files import atomic
from tf_layered_gan.command_line import define_path, run_command
from tf_layered_gan.config import validate
from tf_layered_gan.data import photos as photos_module
from tf_layered_gan.data import sources
from tf_layered_gan.data.photos import Photos, Splits
from tf_layered_gan.evaluation import image_grid, overlay
from tf_layered_gan.evaluation.metrics import segmentation, variety
from tf_layered_gan.files import records
from tf_layered_gan.runs import learning_curve
from tf_layered_gan.runs.config_record import load_config
from tf_layered_gan.runs.passes import pass_networks
from tf_layered_gan.runs.photo_record import photo_facts

_CARRIED = (atomic, image_grid, learning_curve, overlay, photos_module, records, segmentation, variety)
_JPEG = {"format": "JPEG", "quality": 95, "subsampling": 0, "optimize": True}
_PNG = {"format": "PNG"}


def export(config: ConfigDict, output: str, reference_steps: int, bootstrap: str | None = None) -> None:
    """Writes the files that the module's docstring lists.

    Args:
        config: a validated config in which `jit` is True. `jit` selects the warp that XLA can compile.
        output: the folder to write. It is replaced if it exists.
        reference_steps: number of steps of each training program that TensorFlow runs here. With 0, reference.npz is
            not written.
        bootstrap: the directory of a run with a bootstrap, or None.

    Raises:
        ValueError: if `bootstrap` has no finished bootstrap, or if its segmenter has other layers than this config's.
    """
    out = pathlib.Path(output)
    shutil.rmtree(out, ignore_errors=True)
    (out / "programs").mkdir(parents=True)
    models, signatures = Models(config), {}
    if bootstrap:
        _savez(out / "bootstrap.npz", _bootstrap_weights(models, bootstrap))
    splits = sources.load_photos(config)
    _savez(out / "photos.npz", _pack_photos(splits, _PNG if reference_steps else _JPEG))
    programs = build_programs(config, models, splits.train)
    for name, (function, arguments) in programs.items():
        text, signatures[name] = lower(function, arguments, models)
        (out / "programs" / f"{name}.mlir").write_text(text)
        print(f"{name}: {len(text) / 1e6:.1f} MB of text", flush=True)
    values = {name: variable.numpy() for name, variable in models.variables.items()}
    recipes, carried = initial_state.describe(values, exact=reference_steps > 0)
    _savez(out / "values.npz", carried)
    if reference_steps:
        rows = PhotoOrder(len(splits.train), config.batch_size, seed=0).rows(0, reference_steps)
        photos = (splits.train.images[rows], splits.test.images)
        _savez(out / "reference.npz", take_reference_steps(programs, models, *photos))
    _copy_project(out)
    manifest = {
        "config": json.loads(config.to_json()),
        "photos": photo_facts(splits),
        "learning_rates": models.learning_rates(),
        "programs": signatures,
        "variables": {name: recipe | {"path": models.variables[name].path} for name, recipe in recipes.items()},
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def _savez(path: pathlib.Path, arrays: dict[str, Any]) -> None:
    np.savez(path, **arrays)


def _bootstrap_weights(models: Models, workdir: str) -> dict[str, np.ndarray]:
    """Returns the weights by the names of the variables that `gan_later` reads for the background loss."""
    networks = pass_networks(load_config(workdir), workdir)
    if 0 not in networks:
        raise ValueError(f"{workdir} has no finished bootstrap, allowed: a run with refine.bootstrap=True")
    ours = {n: variable for n, variable in models.variables.items() if n.startswith("average_segmenter/")}
    theirs = networks[0].get_weights()
    shapes, allowed = [w.shape for w in theirs], [tuple(variable.shape) for variable in ours.values()]
    if shapes != allowed:
        raise ValueError(f"the bootstrap in {workdir} has weights {shapes}, allowed: {allowed}, as in this config")
    return dict(zip(ours, theirs, strict=True))


def _pack_photos(splits: Splits, encoding: dict[str, Any]) -> dict[str, np.ndarray]:
    files = [_encode(image, encoding) for image in splits.train.images]
    packed = {
        "train_bytes": np.frombuffer(b"".join(files), np.uint8),
        "train_ends": np.cumsum([len(file) for file in files]),
    }
    held_out: dict[str, Photos] = {"validation": splits.validation, "test": splits.test}
    for name, photos in held_out.items():
        packed[f"{name}_images"] = photos.images
        if photos.masks is not None:
            packed[f"{name}_masks"] = photos.masks
    return packed


def _encode(image: np.ndarray, encoding: dict[str, Any]) -> bytes:
    content = io.BytesIO()
    Image.fromarray(image).save(content, **encoding)
    return content.getvalue()


def _copy_project(out: pathlib.Path) -> None:
    for module in _CARRIED:
        *package, name = module.__name__.split(".")
        folder = out.joinpath(*package)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(inspect.getfile(module), folder / f"{name}.py")


def main() -> None:
    """Exports the config that the flags name."""
    config = flags.FLAGS.config
    config.jit = True
    config.precision = "float32"  # pack.py chooses the precision
    validate(config)
    if config.refine.bootstrap:
        raise ValueError("refine.bootstrap is True, allowed: False, because the device makes no passes over photos")
    export(config, flags.FLAGS.output, flags.FLAGS.reference_steps, flags.FLAGS.bootstrap)
    print(f"wrote {flags.FLAGS.output}")


if __name__ == "__main__":
    config_flags.DEFINE_config_file("config", None, "The run's configuration.", lock_config=True)
    define_path("output", "The folder to write; replaced if it exists.", required=True)
    flags.DEFINE_integer(
        "reference_steps", 0, "Steps that TensorFlow runs here; check.py compares a device with them.", lower_bound=0
    )
    define_path("bootstrap", "A run with refine.bootstrap=True; the bundle also gets the segmenter of its bootstrap.")
    flags.mark_flag_as_required("config")
    run_command(main)
