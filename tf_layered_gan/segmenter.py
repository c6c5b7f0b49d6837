"""The segmenter: a network F that learns foreground masks from synthetic pairs (Eq. 7)."""

import keras
import tensorflow as tf

from tf_layered_gan import losses
from tf_layered_gan.averaging import averaged, update_averages
from tf_layered_gan.data.augmentation import apply_color
from tf_layered_gan.gradients import apply_gradients, replica_mean


class Segmenter(keras.Model):
    """Trains a segmentation network on pictures with soft masks.

    Args:
        network: F, float32 [batch, height, width, rgb] in [-1, 1] to logits float32 [batch, height, width, 1].
        mask_size: pair (least, most) of [0, 1], the share of the picture that a mask may cover. Nothing is learnt from
            other pairs. Not in the paper; Voynov et al. 2021 filter likewise.
        ema_decay: decay a step of the averaged network, in [0, 1). At 0, the paper's way, it is the trained one.
        gamma_consistency: weight of the consistency loss, on the photos of a batch that has some: the network learns
            on a recoloured photo what its average finds on the photo itself. Not in the paper; Mean Teacher (Tarvainen
            and Valpola 2017).

    Attributes:
        network: what `train_step` trains.
        average_network: what segments for everyone else; a few steps more or less change its masks less.

    A batch is a dict of "image" x, float32 [batch, height, width, rgb] in [-1, 1]; "mask" pi, float32 [batch,
    height, width, 1] in [0, 1]; the draws of the colour augmentation, "color" (see `augmentation.sample_color`); and
    perhaps real photos, "photo", shaped like "image", to which the same draws apply. The step itself draws nothing.
    """

    def __init__(self, network, mask_size=(0.0, 1.0), ema_decay=0.0, gamma_consistency=1.0):
        super().__init__()
        self.network, self.mask_size, self.ema_decay = network, mask_size, ema_decay
        self.gamma_consistency = gamma_consistency
        self.average_network = averaged(network)

    def compile(self, optimizer):
        """Sets the optimizer."""
        super().compile(optimizer=optimizer)
        optimizer.build(self.network.trainable_variables)

    def call(self, images, training=False):
        """Returns the logits of F(x), float32 [batch, height, width, 1]."""
        return self.network(images, training=training)

    def train_step(self, batch):
        """Updates F on one batch (Algorithm 1, line 8).

        Returns:
            dict of scalar float32: "segmentation", the loss of Eq. 7 in nats; "pairs_used", the share of the pairs
            within `mask_size`; "consistency", the loss on photos in nats, where there is one; and the gradient's norm.
        """
        images, masks = apply_color(batch["image"], batch["color"]), batch["mask"]
        size = tf.reduce_mean(masks, axis=(1, 2, 3))
        used = tf.cast((size >= self.mask_size[0]) & (size <= self.mask_size[1]), tf.float32)
        weights = {"segmentation": used}
        if "photo" in batch:  # in one batch, so that both make up its statistics
            images = tf.concat([images, apply_color(batch["photo"], batch["color"])], axis=0)
            masks = tf.concat([masks, tf.sigmoid(self.average_network(batch["photo"], training=False))], axis=0)
            weights["consistency"] = self.gamma_consistency
        with tf.GradientTape() as tape:
            per_example = losses.segmentation(self(images, training=True), masks)
            terms = dict(zip(weights, tf.split(per_example, len(weights)), strict=True))
            loss = replica_mean(sum(weights[name] * terms[name] for name in weights))
        norm = apply_gradients(tape, loss, self.network.trainable_variables, self.optimizer)
        update_averages([self.average_network], [self.network], self.ema_decay)
        return {
            "segmentation": tf.reduce_mean(used * terms.pop("segmentation")),
            **{name: tf.reduce_mean(term) for name, term in terms.items()},
            "pairs_used": tf.reduce_mean(used),
            "segmenter_gradient_norm": norm,
        }


def synthetic_step(gan, segmenter):
    """Makes the training step on synthetic pairs (Algorithm 1, lines 7 and 8).

    Args:
        gan: LayeredGAN, whose averaged generators paint.
        segmenter: Segmenter.

    Returns:
        function of the draws (see `LayeredGAN`), with "color" and "photo" as in a batch of `Segmenter`, to the report
        of `Segmenter.train_step`.
    """

    def step(draws):
        pairs = gan.synthesize(draws)
        return segmenter.train_step({**draws, "image": pairs["composed"], "mask": pairs["composed_mask"]})

    return step
