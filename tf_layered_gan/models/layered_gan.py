"""The layered GAN: two generators, a discriminator and two code readers, trained by Eq. 6."""

import keras
import tensorflow as tf
from keras import ops

from tf_layered_gan.models import losses, perturbation
from tf_layered_gan.models.averaging import averaged, update_averages
from tf_layered_gan.models.composition import compose
from tf_layered_gan.models.gradients import apply_gradients, replica_mean
from tf_layered_gan.models.networks.spectral_norm import update_spectral_norm

FULL = 0.9  # share of the picture from which on a mask counts as full


class LayeredGAN(keras.Model):
    """Learns to paint pictures in two layers, background and masked foreground.

    Args:
        background_generator: G_b, see `networks.generator`.
        foreground_generator: G_f, likewise.
        discriminator: D with E_x on its backbone, see `networks.discriminator`.
        mask_encoder: E_pi, see `networks.mask_encoder`.
        segmenter: F, see `networks.unet`; fixed here. Asked only while `uses_segmenter` is true.
        ema_decay: decay a step of the averaged generators that `synthesize` uses, in [0, 1).
        warp: `perturbation.warp`, or `perturbation.warp_gather` where XLA compiles the step.

    A batch is a dict of "image", real pictures, float32 [batch, height, width, rgb] in [-1, 1], and the draws that
    make as many fakes: "z", "foreground_z", "c_sup" and "c" (see `codes.sample_codes`), "window", "transform" and
    "contrast" (see `perturbation`). The step itself draws nothing, so the same batch gives the same step on any
    device.
    """

    def __init__(
        self,
        background_generator,
        foreground_generator,
        discriminator,
        mask_encoder,
        segmenter,
        *,
        ema_decay,
        warp=perturbation.warp,
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
        self.ema_decay = ema_decay
        self.average_background_generator = averaged(background_generator)
        self.average_foreground_generator = averaged(foreground_generator)

    def compile(
        self,
        generator_optimizer,
        discriminator_optimizer,
        *,
        gamma_mi,
        gamma_b,
        gamma_bg,
        gamma_size=0.0,
        mask_size=(0.25, 1.0),
        gamma_independence=(0.0, 0.0),
        mutual_information=losses.mutual_information,
    ):
        """Sets the optimizers, the terms of Eq. 6 and their weights.

        Args:
            generator_optimizer: for G_b and G_f.
            discriminator_optimizer: for D, E_x and E_pi.
            gamma_mi: weight of the mutual-information loss (Eq. 5).
            gamma_b: weight of the binarisation loss.
            gamma_bg: weight of the background loss (Eq. 8), which applies while `uses_segmenter` is true; at 0 it is
                neither computed nor reported.
            gamma_size: weight of the mask-size loss, not in Eq. 6; at 0 as above.
            mask_size: pair (least, most), the share of the picture to which that loss keeps each mask.
            gamma_independence: weights of the independence loss, not in the paper, while `uses_segmenter` is false
                (round 1) and while it is true; at 0 as above.
            mutual_information: one half of Eq. 5 for the code's prior, `losses.mutual_information` (categorical) or
                `losses.normal_mutual_information`.
        """
        super().compile(optimizer=generator_optimizer)
        self.discriminator_optimizer = discriminator_optimizer
        self.gamma_mi, self.gamma_b, self.gamma_bg = gamma_mi, gamma_b, gamma_bg
        self.gamma_size, self.mask_size = gamma_size, mask_size
        self.gamma_independence = gamma_independence
        self.mutual_information = mutual_information
        generator_optimizer.build(self.generator_variables)
        discriminator_optimizer.build(self.discriminator_variables)

    @property
    def generator_variables(self):
        """The trainable variables of G_b and G_f."""
        return self.background_generator.trainable_variables + self.foreground_generator.trainable_variables

    @property
    def discriminator_variables(self):
        """The trainable variables of D, E_x and E_pi."""
        return self.discriminator.trainable_variables + self.mask_encoder.trainable_variables

    def call(self, draws, training=False):
        """Paints the layers and composes them, perturbed (Eq. 3).

        Args:
            draws: dict, see the class.
            training: whether batch normalisation uses (and records) the batch's statistics.

        Returns:
            dict of float32 tensors: "background" x_b, "foreground" x_f, "mask" pi as generated; "composed" x and
            "composed_mask" T(pi), what D sees and where its object is.
        """
        return self._paint(self.background_generator, self.foreground_generator, draws, training)

    def synthesize(self, draws):
        """The same as `call`, by the averaged generators: the pairs ("composed", "composed_mask") train F."""
        return self._paint(self.average_background_generator, self.average_foreground_generator, draws, training=False)

    def _paint(self, background_generator, foreground_generator, draws, training):
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

    def train_step(self, batch):
        """Updates G_b and G_f, then D, E_x and E_pi on the same fakes (Algorithm 1, lines 4 and 5).

        Returns:
            dict of scalar float32: the loss terms, unweighted, and what monitoring watches.
        """
        layers, generator_report = self._update_generators(batch)
        discriminator_report = self._update_discriminator(batch, layers)
        self._update_averages()
        mask_means = ops.mean(layers["mask"], axis=(1, 2, 3))
        return {
            **generator_report,
            **discriminator_report,
            "mask_mean": ops.mean(mask_means),
            "mask_spread": ops.std(mask_means),
            "masks_full": ops.mean(ops.cast(mask_means > FULL, "float32")),
        }

    def _update_generators(self, batch):
        with tf.GradientTape() as tape:
            layers = self(batch, training=True)
            terms = self._generator_terms(batch, layers)
            loss = replica_mean(sum(weight * term for weight, term in terms.values()))
        norm = apply_gradients(tape, loss, self.generator_variables, self.optimizer)
        report = _means({name: term for name, (_, term) in terms.items()})
        return layers, {**report, "generator_gradient_norm": norm}

    def _generator_terms(self, batch, layers):
        """Returns what the generators minimise: by name, a term's weight and its values, float32 [batch]."""
        fake_logits, c_read = self.discriminator(layers["composed"], training=True)
        c_sup_read = self.mask_encoder(layers["mask"], training=True)
        terms = {
            "generator_adversarial": (1.0, losses.hinge_generator(fake_logits)),
            "mutual_information_image": (self.gamma_mi, self.mutual_information(c_read, batch["c"])),
            "mutual_information_mask": (self.gamma_mi, self.mutual_information(c_sup_read, batch["c_sup"])),
            "binarization": (self.gamma_b, losses.binarization(layers["mask"])),
        }
        if self.gamma_size:
            terms["mask_size"] = (self.gamma_size, losses.mask_size(layers["mask"], *self.mask_size))
        gamma_independence = self.gamma_independence[self.uses_segmenter]
        if gamma_independence:
            dependence = losses.independence(layers["background"], layers["foreground"], layers["mask"])
            terms["independence"] = (gamma_independence, dependence)
        if self.uses_segmenter and self.gamma_bg:
            logits = self.segmenter(layers["background"], training=False)
            terms["background"] = (self.gamma_bg, losses.background(logits))
        return terms

    def _update_discriminator(self, batch, layers):
        real, fake = batch["image"], ops.stop_gradient(layers["composed"])
        mask = ops.stop_gradient(layers["mask"])
        update_spectral_norm(self.discriminator)
        with tf.GradientTape() as tape:
            logits, c_read = self.discriminator(ops.concatenate([real, fake]), training=True)
            real_logits, fake_logits = ops.split(logits, 2)
            _, c_read = ops.split(c_read, 2)
            c_sup_read = self.mask_encoder(mask, training=True)
            adversarial = losses.hinge_discriminator(real_logits, fake_logits)
            image_information = self.mutual_information(c_read, batch["c"])
            mask_information = self.mutual_information(c_sup_read, batch["c_sup"])
            loss = replica_mean(adversarial + self.gamma_mi * (image_information + mask_information))
        norm = apply_gradients(tape, loss, self.discriminator_variables, self.discriminator_optimizer)
        terms = {
            "discriminator_adversarial": adversarial,
            "discriminator_mutual_information_image": image_information,
            "discriminator_mutual_information_mask": mask_information,
            "real_logits": real_logits,
            "fake_logits": fake_logits,
        }
        return {**_means(terms), "discriminator_gradient_norm": norm}

    def _update_averages(self):
        averages = [self.average_background_generator, self.average_foreground_generator]
        update_averages(averages, [self.background_generator, self.foreground_generator], self.ema_decay)


def _means(terms):
    return {name: ops.mean(term) for name, term in terms.items()}
