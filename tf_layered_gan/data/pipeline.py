"""The endless stream of training batches, each a function of the seed and its step alone."""

import tensorflow as tf

from tf_layered_gan.data.augmentation import random_flip_and_crop


def batches(photos, *, batch_size, resolution, crop_scale, flip, seed, first_step=0):
    """An infinite dataset of augmented photos that can be resumed at any step.

    Every epoch is another permutation of all photos; batches run on across the end of an epoch, so
    each is full. Augmentation as `random_flip_and_crop`.

    A `tf.distribute` strategy splits each batch over its replicas, and over its workers if there are
    several; but what has no batch axis it refuses, so with more than one replica map "step" away first.

    Args:
        photos: `Photos`, at least one, of any width, all pixels labelled where there are masks; they are read from the
            array batch by batch.
        batch_size: photos a batch, over all replicas.
        resolution: pixels, the width of the result.
        crop_scale: (low, high), fractions of the width.
        flip: whether to mirror left to right with probability 1/2.
        seed: int, or int [2]; all randomness comes from it and the step.
        first_step: the step of the first element, in batches.

    Returns:
        `tf.data.Dataset` of dicts: "image", float32 [batch, resolution, resolution, rgb] in [-1, 1],
        "step", int64 scalar, and, where the photos have masks, "mask", float32 [batch, resolution, resolution, 1] in
        [0, 1], soft where a pixel shows both.

    Raises:
        ValueError: for no photo, or a setting out of range.
    """
    if len(photos) < 1 or batch_size < 1 or first_step < 0:
        raise ValueError(
            "photos and batch_size must be at least 1, first_step at least 0, "
            f"got {len(photos)}, {batch_size} and {first_step}"
        )
    order_seed, view_seed = tf.unstack(tf.random.split(tf.broadcast_to(seed, [2]), 2))

    def read(array, places):
        values = tf.numpy_function(array.__getitem__, [places], tf.uint8, stateful=False)
        return tf.cast(tf.ensure_shape(values, [batch_size, *array.shape[1:]]), tf.float32)

    def element(step):
        places = _places(step, order_seed, count=len(photos), batch_size=batch_size)
        views = read(photos.images, places) / 127.5 - 1.0
        if photos.masks is not None:
            views = tf.concat([views, read(photos.masks, places)[..., None]], axis=-1)
        views = random_flip_and_crop(
            views, tf.random.fold_in(view_seed, step), resolution=resolution, crop_scale=crop_scale, flip=flip
        )
        if photos.masks is None:
            return {"image": views, "step": step}
        return {"image": views[..., :3], "mask": views[..., 3:], "step": step}

    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    steps = tf.data.Dataset.counter(first_step)
    return steps.map(element, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE).with_options(options)


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
