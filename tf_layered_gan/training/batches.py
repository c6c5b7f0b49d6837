"""What each kind of training step is given: photos, random draws, or both, for any step on."""

import tensorflow as tf

from tf_layered_gan.data import labels
from tf_layered_gan.data.pipeline import Share, photo_batch
from tf_layered_gan.models import sampling


class Batches:
    """Endless distributed datasets of batches; which batch a step is given follows from the config and its number.

    Every replica is given a share of the batch that one device would have been given, and a worker reads no photos but
    those of its own replicas.

    Args:
        config: the run's ConfigDict.
        splits: data.photos.Splits.
        strategy: tf.distribute.Strategy, over whose replicas each batch is shared out.
    """

    def __init__(self, config, splits, strategy):
        self._config, self._splits, self._strategy = config, splits, strategy

    def gan(self, first_step):
        """Photos and draws, see `LayeredGAN`, from step `first_step` (counted from 0) on."""
        return self._photos_and_draws("image", sampling.GAN_STREAM, first_step)

    def segmenter(self, first_step):
        """Draws alone, see `segmenter.synthetic_step`."""
        return self._distributed(self._draws(sampling.SEGMENTER_STREAM), first_step)

    def final_segmenter(self, first_step):
        """Likewise, with photos where the config has a consistency loss.

        Photos join no sooner: what a segmenter finds on them before it can segment would only confirm itself.
        """
        if not self._config.segmenter.gamma_consistency:
            return self.segmenter(first_step)
        return self._photos_and_draws("photo", sampling.SEGMENTER_STREAM, first_step)

    def labelled(self, first_step):
        """Photos with their true masks and the draws of the colour augmentation, see `Segmenter`."""
        photos, draws = self._photos(labels.labelled_photos(self._splits)), self._draws(sampling.SEGMENTER_STREAM)
        return self._distributed(
            lambda step, share: {**photos(step, share), "color": draws(step, share)["color"]}, first_step
        )

    def _photos_and_draws(self, name, stream, first_step):
        photos, draws = self._photos(self._splits.train), self._draws(stream)
        return self._distributed(
            lambda step, share: {name: photos(step, share)["image"], **draws(step, share)}, first_step
        )

    def _photos(self, photos):
        config = self._config
        return photo_batch(
            photos,
            batch_size=config.batch_size,
            resolution=config.resolution,
            crop_scale=config.data.crop_scale,
            flip=config.data.flip,
            seed=config.seed,
        )

    def _draws(self, stream):
        sample = sampling.build_sampler(self._config, stream)
        return lambda step, share: {name: share.of(values) for name, values in sample(step).items()}

    def _distributed(self, batch, first_step):
        """Makes of a function of a step and a `Share` a dataset; its elements are the replicas', one after another."""

        def dataset(context):
            replicas = context.num_replicas_in_sync // context.num_input_pipelines
            first_replica = context.input_pipeline_id * replicas
            size = context.get_per_replica_batch_size(self._config.batch_size)

            def element(number):
                replica = first_replica + number % replicas
                return batch(number // replicas, Share(replica * size, size))

            numbers = tf.data.Dataset.counter(first_step * replicas)
            return numbers.map(element, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)

        return self._strategy.distribute_datasets_from_function(dataset)
