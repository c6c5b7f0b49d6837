"""The photos of every training step, a function of the seed and the step alone."""

import tensorflow as tf

from tf_layered_gan.data.augmentation import crop_and_resize, sample_crops


def photo_batch(photos, *, batch_size, resolution, crop_scale, flip, seed):
    """Makes what reads and augments the photos of any step, or some of them.

    Every epoch is another permutation of all photos; batches run on across the end of an epoch, so
    each is full. Augmentation as `augmentation.random_flip_and_crop`.

    Args:
        photos: `Photos`, at least one, of any width, all pixels labelled where there are masks; they are read from the
            array as they are asked for.
        batch_size: photos a batch, over all replicas.
        resolution: pixels, the width of the result.
        crop_scale: (low, high), fractions of the width.
        flip: whether to mirror left to right with probability 1/2.
        seed: int, or int [2]; all randomness comes from it and the step.

    Returns:
        function of a step, int64 scalar from 0 on, and of a `Share` of its batch to a dict: "image", float32 [example,
        resolution, resolution, rgb] in [-1, 1], and, where the photos have masks, "mask", float32 [example,
        resolution, resolution, 1] in [0, 1], soft where a pixel shows both.

    Raises:
        ValueError: for no photo, or a setting out of range.
    """
    if len(photos) < 1 or batch_size < 1:
        raise ValueError(f"photos and batch_size must be at least 1, got {len(photos)} and {batch_size}")
    order_seed, view_seed = tf.unstack(tf.random.split(tf.broadcast_to(seed, [2]), 2))

    def read(array, places):
        values = tf.numpy_function(array.__getitem__, [places], tf.uint8, stateful=False)
        return tf.cast(tf.ensure_shape(values, [*places.shape, *array.shape[1:]]), tf.float32)

    def batch(step, share):
        places = share.of(_places(step, order_seed, count=len(photos), batch_size=batch_size))
        views = read(photos.images, places) / 127.5 - 1.0
        if photos.masks is not None:
            views = tf.concat([views, read(photos.masks, places)[..., None]], axis=-1)
        crops = sample_crops(
            batch_size, tf.random.fold_in(view_seed, step), width=views.shape[1], crop_scale=crop_scale, flip=flip
        )
        crops = {name: share.of(values) for name, values in crops.items()}
        views = crop_and_resize(views, **crops, resolution=resolution)
        if photos.masks is None:
            return {"image": views}
        return {"image": views[..., :3], "mask": views[..., 3:]}

    return batch


class Share:
    """Consecutive examples of a batch: those of one replica.

    Args:
        first: the first one's index in the batch, int or int scalar.
        count: int, how many.
    """

    def __init__(self, first, count):
        self._first, self._count = first, count

    def of(self, values):
        """Returns of a tensor [batch, ...] its [count, ...]."""
        return tf.ensure_shape(values[self._first : self._first + self._count], [self._count, *values.shape[1:]])


def _places(step, seed, *, count, batch_size):
    """int64 [batch]: which of `count` photos make up the batch.

    `RandomIndexShuffle` heeds the low 8 bits of its three seeds only, so each epoch hashes three new
    ones from `seed` and its number.
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
