"""The batches of each kind of training step: photos, random draws, or both."""

from collections.abc import Callable, Iterable

import tensorflow as tf
from ml_collections import ConfigDict

from tf_layered_gan.data import labels
from tf_layered_gan.data.photos import Photos, Splits
from tf_layered_gan.data.pipeline import Share, photo_batch
from tf_layered_gan.models import sampling

# A function that takes a step (int64 scalar from 0) and a replica's part of the batch (`Share`). It returns some or all
# items of this part.
_Batch = Callable[[tf.Tensor, Share], dict[str, tf.Tensor]]


class Batches:
    """Makes endless distributed datasets of batches.

    The batch of a step depends only on the config and the number of the step.

    All replicas together get the same batch that a single device would get. A worker reads only the photos of its own
    replicas.
    """

    def __init__(self, config: ConfigDict, splits: Splits, strategy: tf.distribute.Strategy):
        self._config, self._splits, self._strategy = config, splits, strategy

    def gan(self, first_step: int) -> Iterable:
        """Returns photos and draws (see `LayeredGAN`) from step `first_step` on, counted from 0."""
        return self._photos_and_draws("image", sampling.GAN_STREAM, first_step)

    def segmenter(self, first_step: int) -> Iterable:
        """Returns batches of draws, see `segmenter.synthetic_step`."""
        return self._distributed(self._draws(sampling.SEGMENTER_STREAM), first_step)

    def final_segmenter(self, first_step: int) -> Iterable:
        """Returns draws, and photos if the config has a consistency loss.

        Only the final steps see photos, because a segmenter that is not good yet would learn its own mistakes from
        photos.
        """
        if not self._config.segmenter.gamma_consistency:
            return self.segmenter(first_step)
        return self._photos_and_draws("photo", sampling.SEGMENTER_STREAM, first_step)

    def labelled(self, first_step: int) -> Iterable:
        """Returns photos, their masks, and the draws of the colour augmentation, see `Segmenter`."""
        photos = self._photos(labels.labelled_photos(self._splits))
        draws = self._draws(sampling.SEGMENTER_STREAM)
        return self._distributed(
            lambda step, share: {**photos(step, share), "color": draws(step, share)["color"]}, first_step
        )

    def _photos_and_draws(self, name: str, stream: int, first_step: int) -> Iterable:
        photos, draws = self._photos(self._splits.train), self._draws(stream)
        return self._distributed(
            lambda step, share: {name: photos(step, share)["image"], **draws(step, share)}, first_step
        )

    def _photos(self, photos: Photos) -> _Batch:
        config = self._config
        return photo_batch(
            photos,
            batch_size=config.batch_size,
            resolution=config.resolution,
            crop_scale=config.data.crop_scale,
            flip=config.data.flip,
            seed=config.seed,
        )

    def _draws(self, stream: int) -> _Batch:
        sample = sampling.build_sampler(self._config, stream)
        return lambda step, share: tf.nest.map_structure(share.of, sample(step))

    def _distributed(self, batch: _Batch, first_step: int) -> Iterable:
        """Makes a dataset with each replica's part of each batch, in the order of the replicas."""

        def dataset(context: tf.distribute.InputContext) -> tf.data.Dataset:
            replicas = context.num_replicas_in_sync // context.num_input_pipelines
            first_replica = context.input_pipeline_id * replicas
            size = context.get_per_replica_batch_size(self._config.batch_size)

            @tf.autograph.experimental.do_not_convert  # AutoGraph takes seconds, and no function here needs it
            def element(number: tf.Tensor) -> dict[str, tf.Tensor]:
                replica = first_replica + number % replicas
                return batch(number // replicas, Share(replica * size, size))

            numbers = tf.data.Dataset.counter(first_step * replicas)
            return numbers.map(element, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)

        return self._strategy.distribute_datasets_from_function(dataset)
