"""The programs that run on the device, as TensorFlow functions of the project's models.

A program is a whole training step, or it applies the averaged networks. All random draws, including the crops of the
photos, depend only on the argument `step`.
"""

from collections.abc import Callable

import keras
import tensorflow as tf
from ml_collections import ConfigDict

from tf_layered_gan.data.augmentation import random_flip_and_crop
from tf_layered_gan.data.photos import Photos
from tf_layered_gan.evaluation.gan_figures import crossed_masks
from tf_layered_gan.models import build, sampling
from tf_layered_gan.models.segmenter import synthetic_step

PREDICTED_IMAGES = 64  # images in a batch of the program `predict`

Function = Callable[..., dict[str, tf.Tensor]]
Program = tuple[Function, dict[str, tf.Tensor]]


class Models:
    """The GAN and the segmenter of a config, with a name for each of their variables.

    Attributes:
        gan: LayeredGAN, compiled.
        segmenter: Segmenter, compiled.
        variables: the variables of the networks, of their averages and of the optimizers, keras.Variable by name. A
            name is "GROUP/INDEX".
    """

    def __init__(self, config: ConfigDict):
        self.segmenter = build.build_segmenter(config)
        self.gan = build.build_gan(config, self.segmenter)
        gan, segmenter = self.gan, self.segmenter
        groups = {
            "background_generator": gan.background_generator,
            "foreground_generator": gan.foreground_generator,
            "discriminator": gan.discriminator,
            "mask_encoder": gan.mask_encoder,
            "average_background_generator": gan.average_background_generator,
            "average_foreground_generator": gan.average_foreground_generator,
            "generator_optimizer": gan.optimizer,
            "discriminator_optimizer": gan.discriminator_optimizer,
            "segmenter": segmenter.network,
            "average_segmenter": segmenter.average_network,
            "segmenter_optimizer": segmenter.optimizer,
        }
        if gan.augmentation:
            groups["augmentation"] = gan.augmentation
        self.variables: dict[str, keras.Variable] = {
            f"{group}/{i:03d}": variable
            for group, owner in groups.items()
            for i, variable in enumerate(owner.variables)
        }

    def name_of(self, handle: tf.Tensor) -> str:
        """Returns the name of the variable with this resource handle.

        Raises:
            ValueError: if no variable of the models has this handle.
        """
        for name, variable in self.variables.items():
            if variable.value.handle is handle:
                return name
        raise ValueError(f"a program cannot be exported: it reads {handle}, which is not a variable of the models")

    def learning_rates(self) -> dict[str, str]:
        """Returns the name of the variable that holds the learning rate, for "generator" and for "discriminator"."""
        optimizers = {"generator": self.gan.optimizer, "discriminator": self.gan.discriminator_optimizer}
        return {key: self.name_of(adam.learning_rate.value.handle) for key, adam in optimizers.items()}


def build_programs(config: ConfigDict, models: Models, train: Photos) -> dict[str, Program]:
    """Builds the programs.

    Args:
        config: the run's config.
        models: the models of this config.
        train: the photos to train on.

    Returns:
        dict from the name of a program to its function and an example of its arguments. A program takes one or two of
        the following arguments. "photos" is uint8 [batch, width, width, rgb], at the size of the photos to train on.
        "images" is uint8 [PREDICTED_IMAGES, resolution, resolution, rgb]. "step" is a scalar int64.
    """
    gan, segmenter, resolution = models.gan, models.segmenter, config.resolution
    learn = synthetic_step(gan, segmenter, build.build_pairs(config, gan, train))
    generator = gan.average_foreground_generator
    streams = (sampling.GAN_STREAM, sampling.SEGMENTER_STREAM, sampling.SYNTHESIS_STREAM)
    gan_draws, draws, synthesis_draws = (sampling.build_sampler(config, stream) for stream in streams)

    def train_gan(uses_segmenter: bool) -> Function:
        def train(photos: tf.Tensor, step: tf.Tensor) -> dict[str, tf.Tensor]:
            gan.uses_segmenter = uses_segmenter
            return gan.train_step({"image": _views(config, photos, step), **gan_draws(step)})

        return train

    def train_final(photos: tf.Tensor, step: tf.Tensor) -> dict[str, tf.Tensor]:
        return learn({"photo": _views(config, photos, step), **draws(step)})

    def predict(images: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = segmenter.average_network(_to_model_range(images), training=False)
        return {"probability": tf.sigmoid(logits)[..., 0]}

    step = {"step": tf.constant(0, tf.int64)}
    photos = {"photos": tf.zeros([config.batch_size, *train.images.shape[1:]], tf.uint8)}
    images = {"images": tf.zeros([PREDICTED_IMAGES, resolution, resolution, 3], tf.uint8)}
    on_pairs: Program = (lambda step: learn(draws(step)), step)
    return {
        "gan_first": (train_gan(uses_segmenter=False), photos | step),
        "gan_later": (train_gan(uses_segmenter=True), photos | step),
        "segmenter": on_pairs,
        "final": (train_final, photos | step) if config.segmenter.gamma_consistency else on_pairs,
        "synthesize": (lambda step: gan.synthesize(synthesis_draws(step)), step),
        "cross": (lambda step: {"mask": crossed_masks(generator, synthesis_draws(step))}, step),
        "predict": (predict, images),
    }


def _views(config: ConfigDict, photos: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    # This seed is negative, and the seeds of `sampling` are not. So this seed is different from all of them.
    seed = tf.stack([tf.constant(-1 - config.seed, tf.int64), step])
    return random_flip_and_crop(
        _to_model_range(photos),
        seed,
        resolution=config.resolution,
        crop_scale=config.data.crop_scale,
        flip=config.data.flip,
    )


def _to_model_range(pixels: tf.Tensor) -> tf.Tensor:
    return tf.cast(pixels, tf.float32) / 127.5 - 1.0
