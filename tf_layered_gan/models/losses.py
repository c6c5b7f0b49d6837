"""The loss terms of the paper's Eqs. 5 to 8, and losses that the paper does not have.

Every loss returns one value per example, float32 [batch]. All losses are minimised. A loss that has a value for
each pixel is averaged over the pixels. The paper prints Eqs. 5, 7 and 8 as log-likelihoods, without a minus sign. The
losses here are negative log-likelihoods, because they are minimised.
"""

import keras
from keras import KerasTensor, ops


def hinge_discriminator(real_logits: KerasTensor, fake_logits: KerasTensor) -> KerasTensor:
    """Adversarial loss of D, max(0, 1 - D(x_real)) + max(0, 1 + D(x_fake)) (text below Eq. 6). Minimised by D.

    Args:
        real_logits: D(x) of photos, float32 [batch].
        fake_logits: D(x) of composed images, float32 [batch].

    Returns:
        float32 [batch], 0 or more.
    """
    return ops.relu(1.0 - real_logits) + ops.relu(1.0 + fake_logits)


def hinge_generator(fake_logits: KerasTensor) -> KerasTensor:
    """Adversarial loss of the generators, -D(x_fake) (text below Eq. 6). Minimised by G_b and G_f.

    Args:
        fake_logits: D(x) of composed images, float32 [batch].

    Returns:
        float32 [batch], unbounded.
    """
    return -fake_logits


def r1(gradients: KerasTensor) -> KerasTensor:
    """R1 loss, |grad_x D(x_real)|^2 / 2: penalises large gradients of D at the photos. Minimised by D.

    The paper does not have this loss. It comes from Mescheder et al. (2018). ILSGAN gives this loss the weight 0.0002 *
    resolution^2 / batch size.

    Args:
        gradients: gradients of D's logits with respect to the photos that D sees, float32 [batch, height, width, rgb].

    Returns:
        float32 [batch], 0 or more.
    """
    return 0.5 * ops.sum(ops.square(gradients), axis=(1, 2, 3))


def mutual_information(logits: KerasTensor, code: KerasTensor) -> KerasTensor:
    """Mutual-information loss of a categorical code, -log E(code | image) in nats (one term of Eq. 5).

    Eq. 5 adds two such terms: E_x predicts c from the composed image, and E_pi predicts c_sup from the mask. Minimised
    by the generators and by the encoder, E_x or E_pi.

    Args:
        logits: the encoder's logits, float32 [batch, category].
        code: the code that was drawn, one-hot float32 [batch, category].

    Returns:
        float32 [batch], 0 or more. An encoder that always predicts the uniform distribution has the loss log(number of
        categories).
    """
    # keras.losses.categorical_crossentropy is not used, because it warns if there is only one category.
    return ops.categorical_crossentropy(code, logits, from_logits=True)


def normal_mutual_information(mean: KerasTensor, code: KerasTensor) -> KerasTensor:
    """Mutual-information loss of a normal code, |code - mean|^2 / 2 in nats (one term of Eq. 5).

    Minimised by the same networks as `mutual_information`. The encoder predicts the distribution N(mean, 1). The
    constant d_c/2 log(2 pi) of the negative log-likelihood is left out. The paper does not say whether the variance is
    fixed. In InfoGAN's published code, the variance is fixed.

    Args:
        mean: the encoder's mean, float32 [batch, dimension].
        code: the code that was drawn, float32 [batch, dimension].

    Returns:
        float32 [batch], 0 or more. An encoder that always predicts 0 has a loss of d_c / 2 on average.
    """
    return 0.5 * ops.sum(ops.square(code - mean), axis=-1)


def binarization(mask: KerasTensor) -> KerasTensor:
    """Binarisation loss L_b = min(pi, 1 - pi) (text below Eq. 6). Pulls masks towards 0 and 1. Minimised by G_f.

    Args:
        mask: pi before perturbation, float32 [batch, height, width, 1] in [0, 1].

    Returns:
        float32 [batch] in [0, 0.5].
    """
    return ops.mean(ops.minimum(mask, 1.0 - mask), axis=(1, 2, 3))


def mask_size(mask: KerasTensor, least: float, most: float = 1.0) -> KerasTensor:
    """Mask-size loss L_size = max(0, least - mean(pi)) + max(0, mean(pi) - most). Minimised by G_f.

    The loss keeps the mean of each mask between `least` and `most`. With `most` = 1, this loss is PerturbGAN's loss,
    which the paper's Table 1 compares with mutual information. A smaller `most` keeps a mask from filling the image.
    The paper does not have this upper limit.

    PerturbGAN's published code measures the mask after the perturbation. This function measures the mask before the
    perturbation.

    Args:
        mask: pi before perturbation, float32 [batch, height, width, 1] in [0, 1].
        least: smallest fraction of the image that a mask can cover without a loss, in [0, 1].
        most: greatest fraction of the image that a mask can cover without a loss, in [0, 1].

    Returns:
        float32 [batch] in [0, max(least, 1 - most)].
    """
    size = ops.mean(mask, axis=(1, 2, 3))
    return ops.relu(least - size) + ops.relu(size - most)


def variety(mask: KerasTensor, least: float) -> KerasTensor:
    """Variety loss max(0, least - d): penalises masks that are almost equal for the same private code.

    Minimised by G_f. The images 2i and 2i + 1 of the batch have the same private code but different z, see
    `sampling.build_sampler`. The distance of their masks a and b is d = mean|a - b| / (mean(a) + mean(b)). For binary
    masks, d is 1 minus the Dice coefficient. The paper does not have this loss. Mode-seeking GANs (Mao et al. 2019)
    also reward large distances between images with different z, but without a limit.

    Args:
        mask: pi before perturbation, float32 [batch, height, width, 1] in [0, 1]. The batch size must be even.
        least: the smallest distance at which the loss is 0, in [0, 1].

    Returns:
        float32 [batch] in [0, least]; the images 2i and 2i + 1 have the same value.
    """
    pairs = ops.reshape(mask, (-1, 2, *mask.shape[1:]))
    apart = ops.mean(ops.abs(pairs[:, 0] - pairs[:, 1]), axis=(1, 2, 3))
    sizes = ops.mean(pairs, axis=(2, 3, 4))
    distance = apart / ops.maximum(sizes[:, 0] + sizes[:, 1], keras.config.epsilon())
    return ops.repeat(ops.relu(least - distance), 2, axis=0)


def independence(background: KerasTensor, foreground: KerasTensor, mask: KerasTensor) -> KerasTensor:
    """Independence loss: penalises similarity between the hidden and the visible parts of the layers.

    Minimised by G_b and G_f. The paper does not have this loss. It comes from ILSGAN (Zou et al., 2023). Let x be a
    hidden part and y a visible part of one image, and let x' be the hidden part of another image. Take the
    difference mean|x' - y| - mean|x - y|. It is large if x is closer to y than x' is. The loss is the sum of this
    difference over two choices of (x, y): behind the mask (pi x_b, pi x_f), and outside the mask ((1 - pi) x_f,
    (1 - pi) x_b).

    The loss estimates an upper bound (CLUB) on the mutual information of x and y, if x has a Laplace distribution
    around y with a fixed width. The loss is not smallest for independent layers. If all images have the same mask, the
    loss of independent layers is 0 on average, but layers with opposite colours have a loss below 0. If the images have
    different masks, the loss of independent layers is above 0 on average, because both layers of an image share its
    mask. For example, take layers with values uniform in [-1, 1] and independent binary masks that cover a fraction p
    of the image. Their loss is p (1 - p) 2/3. So the loss also makes masks more alike, and pushes masks to be empty or
    full.

    In ILSGAN, x' comes from a random image. Here, x' comes from the preceding image of the batch. The choice makes no
    difference, because the images of a batch are drawn independently.

    Args:
        background: x_b inside the image's window, float32 [batch, height, width, rgb] in [-1, 1].
        foreground: x_f before perturbation, float32 [batch, height, width, rgb] in [-1, 1].
        mask: pi before perturbation, float32 [batch, height, width, 1] in [0, 1].

    Returns:
        float32 [batch] in [-2, 2]; 0 for a batch of one. Each device compares only the images in its part of the batch.
    """
    behind = _similarity(mask * background, mask * foreground)
    return behind + _similarity((1.0 - mask) * foreground, (1.0 - mask) * background)


def _similarity(hidden: KerasTensor, visible: KerasTensor) -> KerasTensor:
    def distance(x: KerasTensor) -> KerasTensor:
        return ops.mean(ops.abs(x - visible), axis=(1, 2, 3))

    return distance(ops.roll(hidden, 1, axis=0)) - distance(hidden)


def background(logits: KerasTensor) -> KerasTensor:
    """Background loss L_bg = -log(1 - F(x_b)) (Eq. 8): penalises backgrounds in which the segmenter finds an object.

    Minimised by G_b. The weights of the segmenter F are fixed.

    Args:
        logits: F's logits on synthetic backgrounds, float32 [batch, height, width, 1].

    Returns:
        float32 [batch] in nats, 0 or more.
    """
    return ops.mean(ops.softplus(logits), axis=(1, 2, 3))


def segmentation(logits: KerasTensor, mask: KerasTensor, labelled: KerasTensor | float = 1.0) -> KerasTensor:
    """Segmentation loss L^(F) = -(1 - pi) log(1 - F(x)) - pi log F(x) (Eq. 7). Minimised by the segmenter F.

    Args:
        logits: F's logits on the images, float32 [batch, height, width, 1].
        mask: pi, the soft target, float32 [batch, height, width, 1] in [0, 1]: the fraction of the pixel that is
            labelled as object.
        labelled: the fraction of the pixel that has a label, float32 [batch, height, width, 1] in [0, 1]. It is nowhere
            smaller than `mask`. Unlabelled pixels have no loss. The number 1 means that every pixel is labelled.

    Returns:
        float32 [batch] in nats, 0 or more: the mean over all pixels.
    """
    return ops.mean(labelled * ops.softplus(logits) - mask * logits, axis=(1, 2, 3))
