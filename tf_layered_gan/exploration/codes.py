"""Chosen codes as inputs of the generators. In training, all codes are random."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from tf_layered_gan.models.composition import compose
from tf_layered_gan.models.layered_gan import LayeredGAN

Sampler = Callable[[tf.Tensor], dict[str, tf.Tensor]]
Layers = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class Codes:
    """The codes of some images.

    Attributes:
        z: z of the background, float32 [image, z_dim].
        foreground_z: z of the object, float32 [image, z_dim].
        c_sup: float32 [image, c_sup_dim].
        c: float32 [image, c_dim].
        window: the position of the image on the background's canvas, int32 [image, 2].
    """

    z: np.ndarray
    foreground_z: np.ndarray
    c_sup: np.ndarray
    c: np.ndarray
    window: np.ndarray

    def __len__(self) -> int:
        """Returns the number of images."""
        return len(self.z)

    def at(self, places: Sequence[int] | np.ndarray) -> "Codes":
        """Returns the codes at the given indices, in this order."""
        return Codes(**{name: values[np.asarray(places)] for name, values in vars(self).items()})

    def but(self, other: "Codes", *names: str) -> "Codes":
        """Returns a copy in which the fields listed in `names` have the values of `other`.

        `other` has as many codes as this object, or a single code, whose values are then used for all images.
        """
        return dataclasses.replace(
            self, **{name: np.broadcast_to(getattr(other, name), getattr(self, name).shape) for name in names}
        )


Z, PRIVATE = ("z", "foreground_z", "window"), ("c_sup", "c")


def drawn_codes(sample: Sampler, count: int) -> Codes:
    """Draws codes in the same way as training does.

    Args:
        sample: function that takes a step, int64 scalar, and returns the random inputs of a batch, see
            `sampling.build_sampler`.
        count: number of codes.
    """
    batches = [sample(tf.constant(0, tf.int64))]
    while sum(len(batch["z"]) for batch in batches) < count:
        batches.append(sample(tf.constant(len(batches), tf.int64)))
    names = [field.name for field in dataclasses.fields(Codes)]
    return Codes(**{name: np.concatenate([batch[name] for batch in batches])[:count] for name in names})


def joined(parts: Sequence[Codes]) -> Codes:
    """Concatenates codes."""
    return Codes(**{name: np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])})


def every_category(codes: Codes, group_size: int) -> tuple[Codes, list[list[int]]]:
    """Returns one code for each category of c, and the list of categories in each group.

    Args:
        codes: drawn codes. All returned codes have the z of the first drawn code. A normal prior has no categories. For
            such a prior, the drawn codes are returned with the z of the first code, and each code counts as a group.
        group_size: the number of categories in a group; 0 for a normal prior.
    """
    if not group_size:
        return codes.but(codes.at([0]), *Z), [[i] for i in range(len(codes))]
    count = codes.c.shape[1]
    one_hot = np.eye(count, dtype=np.float32)
    c_sup = np.eye(count // group_size, dtype=np.float32).repeat(group_size, 0)
    every = dataclasses.replace(codes.at([0] * count), c=one_hot, c_sup=c_sup)
    return every, [list(range(i, i + group_size)) for i in range(0, count, group_size)]


def between(first: Codes, last: Codes, steps: int) -> Codes:
    """Interpolates from one code to another. The first and the last result are the two codes themselves.

    z moves on a great circle, so that its norm stays as large as in training (White 2016). c and c_sup are mixed
    linearly. In training, the networks never see such mixtures. All results have the window of the first code.
    """
    shares = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
    return Codes(
        z=_on_great_circle(first.z, last.z, shares),
        foreground_z=_on_great_circle(first.foreground_z, last.foreground_z, shares),
        c_sup=(1 - shares) * first.c_sup + shares * last.c_sup,
        c=(1 - shares) * first.c + shares * last.c,
        window=first.window.repeat(steps, 0),
    )


def _on_great_circle(first: np.ndarray, last: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Interpolates the direction and the length of vectors, float32 [1, z_dim], separately."""
    lengths = np.linalg.norm(first), np.linalg.norm(last)
    cosine = float(np.clip((first * last).sum() / max(lengths[0] * lengths[1], 1e-12), -1, 1))
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-3:  # equal or opposite directions have no unique great circle
        return (1 - shares) * first + shares * last
    length = (1 - shares) * lengths[0] + shares * lengths[1]
    from_first, from_last = np.sin((1 - shares) * angle), np.sin(shares * angle)
    return length * (from_first * first / lengths[0] + from_last * last / lengths[1]) / np.sin(angle)


def paint(gan: LayeredGAN, codes: Codes, batch_size: int = 32) -> Layers:
    """Paints layers with the averaged generators, without the perturbation of training.

    Returns:
        dict of float32 arrays: "background", "foreground" and "composed" [image, height, width, rgb] in [-1, 1], and
        "mask" [image, height, width] in [0, 1].
    """
    batches = [
        _paint(gan, codes.at(range(i, min(i + batch_size, len(codes))))) for i in range(0, len(codes), batch_size)
    ]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def _paint(gan: LayeredGAN, codes: Codes) -> Layers:
    background = gan.average_background_generator([codes.z, codes.window], training=False)
    foreground, mask = gan.average_foreground_generator([codes.foreground_z, codes.c_sup, codes.c], training=False)
    layers = {"background": background, "foreground": foreground, "composed": compose(background, foreground, mask)}
    return {name: np.asarray(layer) for name, layer in layers.items()} | {"mask": np.asarray(mask)[..., 0]}
