"""The terms of Eqs. 5 to 8 and two beside them, one function each; every one is per example, to be minimised.

What is of pixels is a mean over them. The paper writes Eqs. 5, 7 and 8 without their minus signs; each is a negative
log-likelihood.
"""

from keras import ops


def hinge_discriminator(real_logits, fake_logits):
    """L_adv^(D) = max(0, 1 - D(x_real)) + max(0, 1 + D(x_fake)) (below Eq. 6); minimised by D.

    Args:
        real_logits: D(x) of real pictures, float32 [batch].
        fake_logits: D(x) of composed pictures, float32 [batch].

    Returns:
        float32 [batch], at least 0.
    """
    return ops.relu(1.0 - real_logits) + ops.relu(1.0 + fake_logits)


def hinge_generator(fake_logits):
    """L_adv^(G) = -D(x_fake) (below Eq. 6); minimised by G_b and G_f.

    Args:
        fake_logits: D(x) of composed pictures, float32 [batch].

    Returns:
        float32 [batch], unbounded.
    """
    return -fake_logits


def mutual_information(logits, code):
    """One half of L_mi = -log E(code | .) (Eq. 5), in nats; minimised by the generators and by E_x or E_pi.

    For a code with a categorical prior.

    Args:
        logits: of the approximate posterior, float32 [batch, category].
        code: the true code, one-hot float32 [batch, category].

    Returns:
        float32 [batch], at least 0; log(number of categories) where nothing is known of the code.
    """
    return ops.categorical_crossentropy(code, logits, from_logits=True)  # the loss of this name warns of one category


def normal_mutual_information(mean, code):
    """The same half of L_mi (Eq. 5) for a code with a normal prior, |code - mean|^2 / 2, in nats.

    The approximate posterior is N(mean, 1), its variance fixed, which the paper does not say; InfoGAN's published
    code fixes it too. Left out is the constant d_c/2 log(2 pi).

    Args:
        mean: of the approximate posterior, float32 [batch, dimension].
        code: the true code, float32 [batch, dimension].

    Returns:
        float32 [batch], at least 0; on average d_c / 2 where nothing is known of the code.
    """
    return 0.5 * ops.sum(ops.square(code - mean), axis=-1)


def binarization(mask):
    """L_b = min(pi, 1 - pi) (below Eq. 6), which draws masks towards 0 and 1; minimised by G_f.

    Args:
        mask: pi before perturbation, float32 [batch, height, width, 1] in [0, 1].

    Returns:
        float32 [batch] in [0, 0.5].
    """
    return ops.mean(ops.minimum(mask, 1.0 - mask), axis=(1, 2, 3))


def mask_size(mask, least, most=1.0):
    """L_size = max(0, least - mean(pi)) + max(0, mean(pi) - most), which keeps each mask to a size; minimised by G_f.

    With `most` 1 it is PerturbGAN's, to which the paper's Table 1 compares mutual information; less keeps a mask from
    taking the whole picture, too, and is not in the paper. Differs from PerturbGAN's published code, which takes the
    perturbed mask: here it is the size that G_f painted, wherever it then moves.

    Args:
        mask: pi before perturbation, float32 [batch, height, width, 1] in [0, 1].
        least, most: share of the picture, in [0, 1].

    Returns:
        float32 [batch] in [0, max(least, 1 - most)].
    """
    size = ops.mean(mask, axis=(1, 2, 3))
    return ops.relu(least - size) + ops.relu(size - most)


def independence(background, foreground, mask):
    """Punishes what is hidden for resembling what is visible in front of it or beside it; minimised by G_b and G_f.

    Of the same picture, x hidden and y visible, |x - y| is small where one repeats the other; of another picture's x,
    here the preceding one's, |x - y| is what chance gives. The loss is the second minus the first, for (x, y) =
    (pi x_b, pi x_f) and ((1 - pi) x_f, (1 - pi) x_b), summed: ILSGAN's (Zou et al., 2023), an estimate of the mutual
    information of x and y that takes a fixed Laplace distribution around y for x given y (CLUB). Not in the paper.

    It is a bound on the mutual information only where that distribution fits, and its least value is not at
    independence: layers that are opposites give less than 0. Nor do independent layers give 0 where masks differ, for
    the two layers of a picture share its mask: layers uniform in [-1, 1] under independent binary masks that cover p
    give p (1 - p) 2/3. So it also pulls masks towards one another and towards all or nothing.

    Args:
        background: x_b as the picture sees it, float32 [batch, height, width, rgb] in [-1, 1].
        foreground: x_f before perturbation, likewise.
        mask: pi before perturbation, float32 [batch, height, width, 1] in [0, 1].

    Returns:
        float32 [batch] in [-2, 2]; 0 for a batch of one (on each device its own).

    Differs from ILSGAN, which pairs the pictures of a batch at random: they are independent draws, in any order.
    """
    behind = _resemblance(mask * background, mask * foreground)
    return behind + _resemblance((1.0 - mask) * foreground, (1.0 - mask) * background)


def _resemblance(hidden, visible):
    def distance(x):
        return ops.mean(ops.abs(x - visible), axis=(1, 2, 3))

    return distance(ops.roll(hidden, 1, axis=0)) - distance(hidden)


def background(logits):
    """L_bg = -log(1 - F(x_b)) (Eq. 8): the segmenter must find no object in a background; minimised by G_b.

    Args:
        logits: the fixed segmenter's on generated backgrounds, float32 [batch, height, width, 1].

    Returns:
        float32 [batch], at least 0, in nats.
    """
    return ops.mean(ops.softplus(logits), axis=(1, 2, 3))


def segmentation(logits, mask):
    """L^(F) = -(1 - pi) log(1 - F(x)) - pi log F(x) (Eq. 7); minimised by the segmenter.

    Args:
        logits: the segmenter's on synthetic pictures, float32 [batch, height, width, 1].
        mask: pi, the target, soft, float32 [batch, height, width, 1] in [0, 1].

    Returns:
        float32 [batch], at least 0, in nats.
    """
    return ops.mean(ops.softplus(logits) - mask * logits, axis=(1, 2, 3))
