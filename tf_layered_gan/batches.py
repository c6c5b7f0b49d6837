"""What each kind of training step is given: photos, random draws, or both, for any step on."""

import tensorflow as tf

from tf_layered_gan import builders, evaluation
from tf_layered_gan.data import pipeline


class Batches:
    """Endless distributed datasets of batches; which batch a step is given follows from the config and its number.

    Args:
        config: the run's ConfigDict.
        splits: data.photos.Splits.
        strategy: tf.distribute.Strategy, over whose replicas each batch is shared out.
    """

    def __init__(self, config, splits, strategy):
        self._config, self._splits, self._strategy = config, splits, strategy

    def gan(self, first_step):
        """Photos and draws, see `LayeredGAN`, from step `first_step` (counted from 0) on."""
        return self._photos_and_draws("image", builders.GAN_STREAM, first_step)

    def segmenter(self, first_step):
        """Draws alone, see `segmenter.synthetic_step`."""
        sample = builders.build_sampler(self._config, builders.SEGMENTER_STREAM)
        return self._distributed(tf.data.Dataset.counter(first_step).map(sample))

    def final_segmenter(self, first_step):
        """Likewise, with photos where the config has a consistency loss.

        Photos join no sooner: what a segmenter finds on them before it can segment would only confirm itself.
        """
        if not self._config.segmenter.gamma_consistency:
            return self.segmenter(first_step)
        return self._photos_and_draws("photo", builders.SEGMENTER_STREAM, first_step)

    def labelled(self, first_step):
        """Photos with their true masks and the draws of the colour augmentation, see `Segmenter`."""
        sample = builders.build_sampler(self._config, builders.SEGMENTER_STREAM)

        def augmented(batch):
            return {"image": batch["image"], "mask": batch["mask"], "color": sample(batch["step"])["color"]}

        photos = self._photos(evaluation.labelled_photos(self._splits), first_step)
        return self._distributed(photos.map(augmented))

    def _photos_and_draws(self, name, stream, first_step):
        sample = builders.build_sampler(self._config, stream)
        photos = self._photos(self._splits.train, first_step)
        return self._distributed(photos.map(lambda batch: {name: batch["image"], **sample(batch["step"])}))

    def _photos(self, photos, first_step):
        config = self._config
        return pipeline.batches(
            photos,
            batch_size=config.batch_size,
            resolution=config.resolution,
            crop_scale=config.data.crop_scale,
            flip=config.data.flip,
            seed=config.seed,
            first_step=first_step,
        )

    def _distributed(self, batches):
        return self._strategy.experimental_distribute_dataset(batches.prefetch(2))
