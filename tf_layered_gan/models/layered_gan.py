"""The layered GAN: two generators, a discriminator, and two encoders that predict the codes.

The GAN is trained with the loss of Eq. 6.
"""

from collections.abc import Callable, Mapping

import keras
import tensorflow as tf
from keras import ops

from tf_layered_gan.models import losses
from tf_layered_gan.models.augmentation import perturbation
from tf_layered_gan.models.augmentation.differentiable_augmentation import DifferentiableAugmentation
from tf_layered_gan.models.composition import compose
from tf_layered_gan.models.ema import ema_copy, update_ema
from tf_layered_gan.models.gradients import apply_gradients, replica_mean
from tf_layered_gan.models.networks.spectral_norm import update_spectral_norm

FULL = 0.9  # a mask that covers more than this fraction of the image is called full

Batch = Mapping[str, tf.Tensor]
Tensors = dict[str, tf.Tensor]
Terms = dict[str, tuple[float, tf.Tensor]]  # maps the name of a loss term to its weight and its values, float32 [batch]


class LayeredGAN(keras.Model):
    """Learns to paint images in two layers: a background and a masked foreground.

    Args:
        background_generator: G_b, see `networks.generator`.
        foreground_generator: G_f, see `networks.generator`.
        discriminator: D, with E_x on its backbone, see `networks.discriminator`.
        mask_encoder: E_pi, see `networks.mask_encoder`.
        segmenter: F, see `networks.unet`. It is not trained here, and is used only while `uses_segmenter` is true.
        ema_decay: decay, per training step, of the moving average of the generators' weights, in [0, 1). `synthesize`
            uses the averaged weights.
        warp: `perturbation.warp`, or `perturbation.warp_gather` for steps that XLA compiles.
        augmentation: the augmentation of all images that D and E_x see. None, as in the paper, means no augmentation.

    Attributes:
        uses_segmenter: whether the background loss is used. In round 1, it is true only if a trusted
            bootstrap has trained a segmenter. In later rounds, it is always true.

    A batch is a dict. Its "image" holds photos, float32 [batch, height, width, rgb] in [-1, 1]. Its other items are the
    random draws for the same number of synthetic images: "z", "foreground_z", "c_sup" and "c" (see
    `codes.sample_codes`), "window", "transform" and "contrast" (see `perturbation`). With an augmentation there are
    also "augment_real" and "augment_fake" (see `differentiable_augmentation`). The training step draws no random
    numbers, so its result depends only on the weights and the batch.
    """

    def __init__(
        self,
        background_generator: keras.Model,
        foreground_generator: keras.Model,
        discriminator: keras.Model,
        mask_encoder: keras.Model,
        segmenter: keras.Model,
        *,
        ema_decay: float,
        warp: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] = perturbation.warp,
        augmentation: DifferentiableAugmentation | None = None,
    ):
        super().__init__()
        self.background_generator = background_generator
        self.foreground_generator = foreground_generator
        self.discriminator = discriminator
        self.mask_encoder = mask_encoder
        self.segmenter = segmenter
        self.uses_segmenter = False
        self.resolution = discriminator.input_shape[1]
        self.warp = warp
        self.augmentation = augmentation
        self.ema_decay = ema_decay
        self.average_background_generator = ema_copy(background_generator)
        self.average_foreground_generator = ema_copy(foreground_generator)

    def compile(
        self,
        generator_optimizer: keras.optimizers.Optimizer,
        discriminator_optimizer: keras.optimizers.Optimizer,
        *,
        gamma_mi: float,
        gamma_b: float,
        gamma_bg: float,
        background_every: int = 1,
        gamma_size: float = 0.0,
        mask_size: tuple[float, float] = (0.25, 1.0),
        gamma_independence: tuple[float, float] = (0.0, 0.0),
        gamma_variety: float = 0.0,
        mask_distance: float = 0.2,
        gamma_r1: float = 0.0,
        mutual_information: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] = losses.mutual_information,
    ) -> None:
        """Sets the optimizers and the weights of the loss terms. A term of weight 0 is neither computed nor reported.

        Args:
            generator_optimizer: for G_b and G_f.
            discriminator_optimizer: for D, E_x and E_pi.
            gamma_mi: weight of the mutual-information loss (Eq. 5).
            gamma_b: weight of the binarisation loss.
            gamma_bg: weight of the background loss (Eq. 8), which is used while `uses_segmenter` is true.
            background_every: n, which is 1 in the paper. Only every n-th step computes the background loss, and
                multiplies its weight by n. This saves time, because F is often the largest network. StyleGAN2 computes
                R1 in this way (Karras et al. 2020).
            gamma_size: weight of the mask-size loss, which is not in Eq. 6.
            mask_size: (least, most), fractions of the image. The mask-size loss keeps the size of each mask between
                these two fractions.
            gamma_independence: (first, later), weights of the independence loss, which is not in the paper. The weight
                is `first` while `uses_segmenter` is false, and `later` while `uses_segmenter` is true.
            gamma_variety: weight of the variety loss, which is not in the paper.
            mask_distance: the variety loss is 0 for masks that are at least this distance apart, see `losses.variety`.
            gamma_r1: weight of R1 in the update of D, which is not in the paper.
            mutual_information: the function for one term of Eq. 5: `losses.mutual_information` for a categorical code,
                or `losses.normal_mutual_information` for a normal code.
        """
        super().compile(optimizer=generator_optimizer)
        self.discriminator_optimizer = discriminator_optimizer
        self.gamma_mi, self.gamma_b, self.gamma_bg = gamma_mi, gamma_b, gamma_bg
        self.background_every = background_every
        self.gamma_size, self.mask_size = gamma_size, mask_size
        self.gamma_independence, self.gamma_r1 = gamma_independence, gamma_r1
        self.gamma_variety, self.mask_distance = gamma_variety, mask_distance
        self.mutual_information = mutual_information
        generator_optimizer.build(self.generator_variables)
        discriminator_optimizer.build(self.discriminator_variables)

    @property
    def generator_variables(self) -> list[keras.Variable]:
        """The trainable variables of G_b and G_f."""
        return self.background_generator.trainable_variables + self.foreground_generator.trainable_variables

    @property
    def discriminator_variables(self) -> list[keras.Variable]:
        """The trainable variables of D, E_x and E_pi."""
        return self.discriminator.trainable_variables + self.mask_encoder.trainable_variables

    def call(self, draws: Batch, training: bool = False) -> Tensors:
        """Paints the layers, perturbs them, and composes the image (Eq. 3).

        Args:
            draws: dict, see the class.
            training: whether batch normalisation uses (and records) the statistics of the batch.

        Returns:
            dict of float32 tensors. "background" x_b, "foreground" x_f and "mask" pi are not perturbed. "composed" is
            x, the image that D sees. "composed_mask" is T(pi), the mask of the object in x.
        """
        return self._paint(self.background_generator, self.foreground_generator, draws, training)

    def synthesize(self, draws: Batch) -> Tensors:
        """Does the same as `call`, but with the averaged generators. F learns from "composed" and "composed_mask"."""
        return self._paint(self.average_background_generator, self.average_foreground_generator, draws, training=False)

    def _paint(
        self, background_generator: keras.Model, foreground_generator: keras.Model, draws: Batch, training: bool
    ) -> Tensors:
        background = background_generator([draws["z"], draws["window"]], training=training)
        foreground, mask = foreground_generator([draws["foreground_z"], draws["c_sup"], draws["c"]], training=training)
        warped = self.warp(ops.concatenate([foreground, mask], axis=-1), draws["transform"])
        jittered = perturbation.jitter_contrast(background, draws["contrast"])
        return {
            "background": background,
            "foreground": foreground,
            "mask": mask,
            "composed": compose(jittered, warped[..., :3], warped[..., 3:]),
            "composed_mask": warped[..., 3:],
        }

    def train_step(self, batch: Batch) -> Tensors:
        """Updates the generators, D, E_x and E_pi on the same synthetic images (Algorithm 1, lines 4 and 5; Eq. 6).

        The update of the generators and the update of D, E_x and E_pi share one forward pass. Before this pass, the
        power iteration for D's spectral norms takes one step.

        Returns:
            dict of scalar float32: the unweighted loss terms, the gradients' norms and the size of the masks.
        """
        update_spectral_norm(self.discriminator)
        with tf.GradientTape(persistent=True) as tape:
            layers = self(batch, training=True)
            photos = self._augment(batch["image"], batch, "augment_real")
            composed = self._augment(layers["composed"], batch, "augment_fake")
            real_logits, _ = self.discriminator(photos, training=True)
            fake_logits, c_read = self.discriminator(composed, training=True)
            c_sup_read = self.mask_encoder(layers["mask"], training=True)
            information = {
                "mutual_information_image": (self.gamma_mi, self.mutual_information(c_read, batch["c"])),
                "mutual_information_mask": (self.gamma_mi, self.mutual_information(c_sup_read, batch["c_sup"])),
            }
            generator_terms = self._generator_terms(layers, fake_logits) | information
            discriminator_terms = self._discriminator_terms(photos, real_logits, fake_logits) | information
            generator_loss, discriminator_loss = _total(generator_terms), _total(discriminator_terms)
        norms = {
            "generator_gradient_norm": apply_gradients(tape, generator_loss, self.generator_variables, self.optimizer),
            "discriminator_gradient_norm": apply_gradients(
                tape, discriminator_loss, self.discriminator_variables, self.discriminator_optimizer
            ),
        }
        averages = [self.average_background_generator, self.average_foreground_generator]
        update_ema(averages, [self.background_generator, self.foreground_generator], self.ema_decay)
        report = {name: values for name, (_, values) in (generator_terms | discriminator_terms).items()} | norms
        report |= {"real_logits": real_logits, "fake_logits": fake_logits}
        if self.augmentation and self.augmentation.target:
            self.augmentation.adapt(real_logits)
            report["augmentation_probability"] = self.augmentation.probability
        mask_sizes = ops.mean(layers["mask"], axis=(1, 2, 3))
        report |= {"mask_mean": mask_sizes, "masks_full": ops.cast(mask_sizes > FULL, "float32")}
        return {name: ops.mean(values) for name, values in report.items()} | {"mask_spread": ops.std(mask_sizes)}

    def _generator_terms(self, layers: Tensors, fake_logits: tf.Tensor) -> Terms:
        """Returns the loss terms that only the generators minimise."""
        background, foreground, mask = layers["background"], layers["foreground"], layers["mask"]
        terms = {
            "generator_adversarial": (1.0, losses.hinge_generator(fake_logits)),
            "binarization": (self.gamma_b, losses.binarization(mask)),
        }
        if self.gamma_size:
            terms["mask_size"] = (self.gamma_size, losses.mask_size(mask, *self.mask_size))
        if self.gamma_variety:
            terms["variety"] = (self.gamma_variety, losses.variety(mask, self.mask_distance))
        if gamma_independence := self.gamma_independence[self.uses_segmenter]:
            terms["independence"] = (gamma_independence, losses.independence(background, foreground, mask))
        if self.uses_segmenter and self.gamma_bg:
            terms["background"] = (self.background_every * self.gamma_bg, self._background_loss(background))
        return terms

    def _background_loss(self, background: tf.Tensor) -> tf.Tensor:
        """Returns the background loss (Eq. 8), float32 [batch].

        In a step that does not compute this loss, returns zeros.
        """

        def loss() -> tf.Tensor:
            return losses.background(self.segmenter(background, training=False))

        if self.background_every == 1:
            return loss()
        has_loss = (self.optimizer.iterations + 1) % self.background_every == 0
        return tf.cond(has_loss, loss, lambda: tf.zeros(tf.shape(background)[0]))

    def _discriminator_terms(self, photos: tf.Tensor, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> Terms:
        """Returns the loss terms that only D minimises."""
        terms = {"discriminator_adversarial": (1.0, losses.hinge_discriminator(real_logits, fake_logits))}
        if self.gamma_r1:
            terms["r1"] = (self.gamma_r1, losses.r1(self._slope(photos)))
        return terms

    def _augment(self, images: tf.Tensor, batch: Batch, draws: str) -> tf.Tensor:
        return images if self.augmentation is None else self.augmentation(images, batch[draws])

    def _slope(self, images: tf.Tensor) -> tf.Tensor:
        """Returns the gradient of D's logits with respect to the images."""
        with tf.GradientTape() as tape:
            tape.watch(images)
            logits, _ = self.discriminator(images, training=True)
        return tape.gradient(logits, images)


def _total(terms: Terms) -> tf.Tensor:
    return replica_mean(sum(weight * values for weight, values in terms.values()))
