"""The segmenter: a network F that learns foreground masks from synthetic pairs (Eq. 7)."""

import keras
import tensorflow as tf

from tf_layered_gan.data.augmentation import apply_color
from tf_layered_gan.models import losses
from tf_layered_gan.models.averaging import averaged, update_averages
from tf_layered_gan.models.gradients import apply_gradients, replica_mean


class Segmenter(keras.Model):
    """Trains a segmentation network on pictures with soft masks, on photos that a teacher segments, or on both.

    Args:
        network: F, float32 [batch, height, width, rgb] in [-1, 1] to logits float32 [batch, height, width, 1].
        mask_size: pair (least, most) of [0, 1], the share of the picture that a mask may cover. Nothing is learnt from
            other pairs. Not in the paper; Voynov et al. 2021 filter likewise.
        ema_decay: decay a step of the averaged network, in [0, 1). At 0, the paper's way, it is the trained one.
        gamma_consistency: weight of the consistency loss, on the photos of a batch that has some: the network learns
            on a recoloured photo what its teacher finds on the photo itself. Not in the paper; Mean Teacher (Tarvainen
            and Valpola 2017).
        gamma_segmentation: weight of the loss on pictures with masks (Eq. 7); the paper has this one alone.
        teacher: network like F that does not learn, so that the consistency loss distils it (Hinton et al. 2015); None
            for the average, as Mean Teacher has it.

    Attributes:
        network: what `train_step` trains.
        average_network: what segments for everyone else; a few steps more or less change its masks less.

    A batch is a dict of "image" x, float32 [batch, height, width, rgb] in [-1, 1], and "mask" pi, float32 [batch,
    height, width, 1] in [0, 1]; or real photos, "photo", shaped like "image"; or all three, the same number of each;
    and the draws of the colour augmentation, "color" (see `augmentation.sample_color`), which apply to both. The step
    itself draws nothing.
    """

    def __init__(
        self,
        network,
        mask_size=(0.0, 1.0),
        ema_decay=0.0,
        gamma_consistency=1.0,
        gamma_segmentation=1.0,
        teacher=None,
    ):
        super().__init__()
        self.network, self.mask_size, self.ema_decay = network, mask_size, ema_decay
        self.gamma_consistency, self.gamma_segmentation = gamma_consistency, gamma_segmentation
        self.average_network = averaged(network)
        teacher = teacher or self.average_network
        self._teach = lambda photos: teacher(photos, training=False)  # no attribute, so that no checkpoint holds it

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
            dict of scalar float32: "segmentation", the loss of Eq. 7 in nats, and "pairs_used", the share of the pairs
            within `mask_size`, where there are pictures with masks; "consistency", the loss on photos in nats, where
            there are photos; and the gradient's norm.
        """
        examples = self._pairs(batch) | self._photos(batch)
        images, masks, _ = zip(*examples.values(), strict=True)
        weights = {"segmentation": self.gamma_segmentation, "consistency": self.gamma_consistency}
        with tf.GradientTape() as tape:  # in one batch, so that pairs and photos both make up its statistics
            logits = self(tf.concat(images, axis=0), training=True)
            terms = tf.split(losses.segmentation(logits, tf.concat(masks, axis=0)), len(examples))
            terms = {name: used * term for (name, (*_, used)), term in zip(examples.items(), terms, strict=True)}
            loss = replica_mean(sum(weights[name] * term for name, term in terms.items()))
        norm = apply_gradients(tape, loss, self.network.trainable_variables, self.optimizer)
        update_averages([self.average_network], [self.network], self.ema_decay)
        report = {name: tf.reduce_mean(term) for name, term in terms.items()}
        if "segmentation" in examples:
            report["pairs_used"] = tf.reduce_mean(examples["segmentation"][-1])
        return report | {"segmenter_gradient_norm": norm}

    def _pairs(self, batch):
        """What there is to learn from pairs, by the loss's name: pictures, masks, and which of them count."""
        if "image" not in batch:
            return {}
        size = tf.reduce_mean(batch["mask"], axis=(1, 2, 3))
        used = tf.cast((size >= self.mask_size[0]) & (size <= self.mask_size[1]), tf.float32)
        return {"segmentation": (apply_color(batch["image"], batch["color"]), batch["mask"], used)}

    def _photos(self, batch):
        """Likewise from photos."""
        if "photo" not in batch:
            return {}
        photos = batch["photo"]
        return {"consistency": (apply_color(photos, batch["color"]), tf.sigmoid(self._teach(photos)), 1.0)}


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
