"""The photos of every training step.

The photos of a step depend only on the seed and the step, so a resumed run gets the same photos.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_layered_gan.data.augmentation import crop_and_resize, sample_crops
from tf_layered_gan.data.photos import FOREGROUND, UNLABELLED, Photos


class Share:
    """The consecutive examples of a batch that one replica processes.

    Args:
        first: index of the replica's first example in the batch, int or int scalar.
        count: number of examples.
    """

    def __init__(self, first: int | tf.Tensor, count: int):
        self._first, self._count = first, count

    def of(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the replica's rows, [count, ...], of a tensor [batch, ...]."""
        return tf.ensure_shape(values[self._first : self._first + self._count], [self._count, *values.shape[1:]])


def photo_batch(
    photos: Photos,
    *,
    batch_size: int,
    resolution: int,
    crop_scale: tuple[float, float],
    flip: bool,
    seed: int | tuple[int, int],
) -> Callable[[tf.Tensor, Share], dict[str, tf.Tensor]]:
    """Returns a function that reads and augments the photos of a step.

    Every epoch uses each photo once, in a new random order. A batch may begin in one epoch and end in the next, so
    every batch is full. For the augmentation see `augmentation.random_flip_and_crop`.

    Args:
        photos: one or more photos (`Photos`), of any width. A photo is read when a step needs it.
        batch_size: photos in a batch, over all replicas.
        resolution: width of the result, pixels.
        crop_scale: (low, high), fractions of the width.
        flip: whether to mirror left to right with probability 1/2.
        seed: int, or int [2]; all randomness comes from the seed and the step.

    Returns:
        A function that takes a step, int64 scalar from 0 on, and a `Share` of the batch. It returns a dict with
        "image", float32 [example, resolution, resolution, rgb] in [-1, 1]. If the photos have masks, the dict also has
        "mask" and "labelled", float32 [example, resolution, resolution, 1] in [0, 1]. "mask" is the fraction of each
        pixel that is labelled as object. "labelled" is the fraction of each pixel that has a label.

    Raises:
        ValueError: if there is no photo, or a setting is out of range.
    """
    if len(photos) < 1 or batch_size < 1:
        raise ValueError(f"number of photos and batch_size must be at least 1, got {len(photos)} and {batch_size}")
    order_seed, view_seed = tf.unstack(tf.random.split(tf.broadcast_to(seed, [2]), 2))

    def read(array: np.ndarray, places: tf.Tensor) -> tf.Tensor:
        values = tf.numpy_function(array.__getitem__, [places], tf.uint8, stateful=False)
        return tf.cast(tf.ensure_shape(values, [*places.shape, *array.shape[1:]]), tf.float32)

    def batch(step: tf.Tensor, share: Share) -> dict[str, tf.Tensor]:
        places = share.of(_places(step, order_seed, count=len(photos), batch_size=batch_size))
        views = read(photos.images, places) / 127.5 - 1.0
        if photos.masks is not None:
            masks = read(photos.masks, places)[..., None]
            parts = [tf.cast(part, tf.float32) for part in (masks == FOREGROUND, masks != UNLABELLED)]
            views = tf.concat([views, *parts], axis=-1)
        crops = sample_crops(
            batch_size, tf.random.fold_in(view_seed, step), width=views.shape[1], crop_scale=crop_scale, flip=flip
        )
        crops = {name: share.of(values) for name, values in crops.items()}
        views = crop_and_resize(views, **crops, resolution=resolution)
        if photos.masks is None:
            return {"image": views}
        return {"image": views[..., :3], "mask": views[..., 3:4], "labelled": views[..., 4:]}

    return batch


def _places(step: tf.Tensor, seed: tf.Tensor, *, count: int, batch_size: int) -> tf.Tensor:
    """Returns the indices of the batch's photos among `count` photos, int64 [batch].

    `RandomIndexShuffle` uses only the low 8 bits of its three seeds. So three new seeds are hashed for each epoch, from
    `seed` and the number of the epoch.
    """
    positions = step * batch_size + tf.range(batch_size, dtype=tf.int64)
    epochs = positions // count
    touched = [epochs[0] + k for k in range((batch_size + count - 2) // count + 1)]
    seeds = [tf.random.stateless_uniform([3], tf.random.fold_in(seed, e), None, None, tf.int32) for e in touched]
    return tf.raw_ops.RandomIndexShuffle(
        index=positions % count,
        seed=tf.gather(seeds, epochs - epochs[0]),
        max_index=tf.cast(count - 1, tf.int64),
    )
