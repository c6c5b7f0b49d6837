"""Warnings about a GAN whose layers have collapsed or whose masks are all alike, with advice."""

from collections.abc import Mapping

_TOO_MUCH, _TOO_LITTLE, _TOO_MANY = 0.75, 0.1, 0.2
_ALIKE = 0.05


def collapse_warning(mask_mean: float, masks_full: float = 0.0) -> str | None:
    """Describes a collapse of the layers, and says what to change.

    Args:
        mask_mean: mean of the synthetic masks, in [0, 1].
        masks_full: share of the masks that fill the image, in [0, 1].

    Returns:
        str, or None if the mean is between 0.1 and 0.75 and at most a fifth of the masks fill the image.
    """
    if mask_mean > _TOO_MUCH:
        return (
            f"everything became foreground: the masks cover {mask_mean:.0%} of the image, and hide the background. "
            "Raise perturbation.shift or lower perturbation.scale_exponent, so that the seam around the object shows."
        )
    if mask_mean < _TOO_LITTLE:
        return (
            f"everything became background: the masks cover only {mask_mean:.0%} of the image, and the background "
            "layer paints everything. Raise gan.gamma_mi, so that the private code must show in image and mask."
        )
    if masks_full > _TOO_MANY:
        return (
            f"everything became foreground in some images: {masks_full:.0%} of the masks fill the image. Raise "
            "networks.mask_centring, lower perturbation.scale_exponent, or set segmenter.mask_size, so that the "
            "segmenter does not learn from such pairs."
        )
    return None


def variety_warning(synthetic: Mapping[str, float]) -> str | None:
    """Describes a lack of different silhouettes, and says what to change.

    Args:
        synthetic: the figures of `gan_figures.evaluate_synthetic_masks`.

    Returns:
        str. None if the two masks are alike in at most 5 % of all pairs of masks. If there were 20 equally frequent
        silhouettes, the two masks would be alike in 5 % of the pairs.
    """
    if synthetic["pairs_alike"] <= _ALIKE:
        return None
    return (
        f"few silhouettes: there are only {synthetic['silhouettes']:.0f} among {synthetic['pictures']:.0f} masks, and "
        f"in {synthetic['pairs_alike']:.0%} of the pairs of masks, the two masks are alike. z explains "
        f"{synthetic['variance_z']:.0%} of the masks' variance, and the private code explains "
        f"{synthetic['variance_code']:.0%}. See docs/training.md."
    )
