"""The scalars that a run wrote for TensorBoard."""

import pathlib

import numpy as np
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.util import tensor_util

from tf_layered_gan.files.paths import for_tensorflow

Series = list[tuple[float, float]]

_MOST_POINTS = 200
# The groups of the GAN's scalars. Earlier versions wrote all these scalars in one group. All speeds are in a group that
# is named "speed".
_GAN_GROUPS = ("discriminator", "mask", "background", "codes", "gradients")


def read_scalars(folder: pathlib.Path) -> dict[str, Series]:
    """Reads the scalars in a folder of event files.

    Files are read one after another in the order of their names, which begin with the time. If a run went back to a
    checkpoint, a step has several values, and the last value is used. A truncated file is read up to its last complete
    event.

    Returns:
        dict from the phase and the name of each scalar, such as "gan/mask_mean", to its points (step, value). If a
        scalar has more than 200 points, neighbouring points are averaged in groups of equal size.
    """
    values: dict[str, dict[int, float]] = {}
    with for_tensorflow(folder) as plain:
        for file in sorted(pathlib.Path(plain).glob("events.out.tfevents.*")):
            for event in EventFileLoader(str(file)).Load():
                for value in event.summary.value:
                    if value.metadata.plugin_data.plugin_name in ("", "scalars") and not value.tensor.tensor_shape.dim:
                        points = values.setdefault(_phase_and_name(value.tag), {})
                        points[event.step] = float(tensor_util.make_ndarray(value.tensor))
    return {tag: _thinned(sorted(points.items())) for tag, points in values.items()}


def _phase_and_name(tag: str) -> str:
    group, *others = tag.split("/")
    if group == "speed" and len(others) == 2:
        group = others[0]
    phases = {"mask_variety": "synthetic"} | dict.fromkeys(_GAN_GROUPS, "gan")
    return "/".join([phases.get(group, group), *others[-1:]])


def _thinned(points: list[tuple[int, float]]) -> Series:
    parts = np.array_split(np.array(points, float), min(len(points), _MOST_POINTS))
    return [(float(part[-1, 0]), float(part[:, 1].mean())) for part in parts]
