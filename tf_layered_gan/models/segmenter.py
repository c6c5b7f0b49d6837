"""The segmenter: a network F that learns foreground masks from synthetic pairs (Eq. 7)."""

from collections.abc import Callable, Mapping

import keras
import tensorflow as tf

from tf_layered_gan.data.augmentation import apply_color
from tf_layered_gan.models import losses
from tf_layered_gan.models.composition import compose
from tf_layered_gan.models.ema import ema_copy, update_ema
from tf_layered_gan.models.gradients import apply_gradients, replica_mean
from tf_layered_gan.models.layered_gan import LayeredGAN

Batch = Mapping[str, tf.Tensor]
# Images to learn from, their masks, the labelled fraction of each pixel (see `losses.segmentation`), and a factor for
# the loss of each image: 1 if the image counts, 0 if it is ignored. The factors are float32 [batch], or the number 1
# for all images.
Examples = tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor | float]
# A function that takes the layers of `LayeredGAN.synthesize` and the draws. It returns a dict with "image" and "mask",
# see `Segmenter`. If the dict also has "color", this value replaces the "color" of the draws.
PairMaker = Callable[[Batch, Batch], dict[str, tf.Tensor]]


class Segmenter(keras.Model):
    """Trains a segmentation network on pairs of image and soft mask, on photos that a teacher segments, or on both.

    Args:
        network: F, which maps float32 [batch, height, width, rgb] in [-1, 1] to logits float32 [batch, height, width,
            1].
        mask_size: (least, most) in [0, 1], the least and the greatest fraction of the image that a mask may cover.
            Pairs with smaller or larger masks are ignored. The paper uses all pairs. Voynov et al. 2021 filter pairs in
            the same way.
        ema_decay: decay, per training step, of the moving average of the network's weights, in [0, 1). At 0, as in the
            paper, the average is the trained network itself.
        gamma_consistency: weight of the consistency loss on photos. The network sees a photo with changed colours, and
            learns the mask that the teacher predicts for the original photo. The paper does not have this loss. It
            comes from Mean Teacher (Tarvainen and Valpola 2017).
        gamma_segmentation: weight of the loss on pairs (Eq. 7), the segmenter's only loss in the paper.
        teacher: a fixed network that the consistency loss distils (Hinton et al. 2015). It has the input and output of
            F. If None, the averaged network is the teacher, as in Mean Teacher.

    Attributes:
        network: the network that `train_step` trains.
        average_network: the ema of `network`. All other code uses the averaged network, because its masks change less
            from step to step.

    A batch is a dict. It holds pairs, or photos, or both in equal numbers. The items of pairs are "image" x, float32
    [batch, height, width, rgb] in [-1, 1], and "mask" pi, float32 [batch, height, width, 1] in [0, 1]. If some pixels
    have no label, pairs also have "labelled", see `losses.segmentation`. The item of photos is "photo", with the shape
    of "image". Every batch also has "color", the draws of the colour augmentation for pairs and photos, see
    `augmentation.sample_color`. The step itself draws no random numbers.
    """

    def __init__(
        self,
        network: keras.Model,
        mask_size: tuple[float, float] = (0.0, 1.0),
        ema_decay: float = 0.0,
        gamma_consistency: float = 1.0,
        gamma_segmentation: float = 1.0,
        teacher: keras.Model | None = None,
    ):
        super().__init__()
        self.network, self.mask_size, self.ema_decay = network, mask_size, ema_decay
        self.gamma_consistency, self.gamma_segmentation = gamma_consistency, gamma_segmentation
        self.average_network = ema_copy(network)
        teacher = teacher or self.average_network
        # Because of the lambda, Keras does not track the teacher, and checkpoints do not contain the teacher.
        self._teach = lambda photos: teacher(photos, training=False)

    def compile(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Sets the optimizer."""
        super().compile(optimizer=optimizer)
        optimizer.build(self.network.trainable_variables)

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns the logits of F(x), float32 [batch, height, width, 1]."""
        return self.network(images, training=training)

    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Updates F on one batch (Algorithm 1, line 8).

        Returns:
            dict of scalar float32 with "segmenter_gradient_norm". For pairs, it also has "segmentation", the loss of
            Eq. 7 in nats, and "pairs_used", the fraction of pairs within `mask_size`. For photos, it also has
            "consistency", the consistency loss in nats.
        """
        examples = self._pairs(batch) | self._photos(batch)
        images, masks, labelled, _ = zip(*examples.values(), strict=True)
        weights = {"segmentation": self.gamma_segmentation, "consistency": self.gamma_consistency}
        # Pairs and photos share one forward pass, so that batch normalisation sees them together.
        with tf.GradientTape() as tape:
            logits = self(tf.concat(images, axis=0), training=True)
            loss = losses.segmentation(logits, tf.concat(masks, axis=0), tf.concat(labelled, axis=0))
            terms = tf.split(loss, len(examples))
            terms = {name: used * term for (name, (*_, used)), term in zip(examples.items(), terms, strict=True)}
            loss = replica_mean(sum(weights[name] * term for name, term in terms.items()))
        norm = apply_gradients(tape, loss, self.network.trainable_variables, self.optimizer)
        update_ema([self.average_network], [self.network], self.ema_decay)
        report = {name: tf.reduce_mean(term) for name, term in terms.items()}
        if "segmentation" in examples:
            report["pairs_used"] = tf.reduce_mean(examples["segmentation"][-1])
        return report | {"segmenter_gradient_norm": norm}

    def _pairs(self, batch: Batch) -> dict[str, Examples]:
        """Returns the pairs as `Examples`, in a dict whose key is the name of their loss.

        The dict is empty if the batch has no pairs.
        """
        if "image" not in batch:
            return {}
        size = tf.reduce_mean(batch["mask"], axis=(1, 2, 3))
        used = tf.cast((size >= self.mask_size[0]) & (size <= self.mask_size[1]), tf.float32)
        mask = batch["mask"]
        labelled = batch.get("labelled", tf.ones_like(mask))
        return {"segmentation": (apply_color(batch["image"], batch["color"]), mask, labelled, used)}

    def _photos(self, batch: Batch) -> dict[str, Examples]:
        """Returns the photos and the teacher's masks as `Examples`, in a dict whose key is the name of their loss.

        The dict is empty if the batch has no photos.
        """
        if "photo" not in batch:
            return {}
        mask = tf.sigmoid(self._teach(batch["photo"]))
        return {"consistency": (apply_color(batch["photo"], batch["color"]), mask, tf.ones_like(mask), 1.0)}


def perturbed_pairs(layers: Batch, draws: Batch) -> dict[str, tf.Tensor]:
    """Returns pairs with the image that D sees: the perturbed object in front of the perturbed background."""
    return {"image": layers["composed"], "mask": layers["composed_mask"]}


def plain_pairs(layers: Batch, draws: Batch) -> dict[str, tf.Tensor]:
    """Returns pairs that are not perturbed. The paper perturbs layers for the GAN, but not for the segmenter."""
    return {
        "image": compose(layers["background"], layers["foreground"], layers["mask"]),
        "mask": layers["mask"],
    }


def synthetic_step(
    gan: LayeredGAN, segmenter: Segmenter, make_pairs: PairMaker
) -> Callable[[Batch], dict[str, tf.Tensor]]:
    """Makes the training step on synthetic pairs (Algorithm 1, lines 7 and 8).

    Args:
        gan: the GAN whose averaged generators paint the pairs.
        segmenter: the segmenter to train.
        make_pairs: `perturbed_pairs`, `plain_pairs` or a `photo_like.PhotoLike`.

    Returns:
        A function that takes a dict with the draws (see `LayeredGAN`) and "color". The dict may also have "photo" (see
        `Segmenter`). The function returns what `Segmenter.train_step` returns.
    """

    def step(draws: Batch) -> dict[str, tf.Tensor]:
        return segmenter.train_step({**draws, **make_pairs(gan.synthesize(draws), draws)})

    return step
