"""Measures of the variety of a GAN's masks. A GAN may ignore z and paint only a few different silhouettes."""

import numpy as np

# Limits of the intersection over union of two masks. If the intersection over union is above ALIKE, the masks are
# alike. If it is SAME or more, the masks have the same silhouette.
ALIKE, SAME = 0.8, 0.7


def mask_variety(masks: np.ndarray) -> dict[str, float]:
    """Counts the different silhouettes among masks, and the pairs of masks that are nearly equal.

    The first mask is a silhouette. A later mask is compared with the earlier silhouettes in order. If the intersection
    over union of the mask and a silhouette is 0.7 or more, the mask belongs to the first such silhouette. Otherwise the
    mask is a new silhouette. Two empty masks count as equal. The number of silhouettes grows with the number of masks,
    so compare only results for equal numbers of masks.

    Args:
        masks: [mask, height, width] in [0, 1]; foreground is above 0.5.

    Returns:
        dict with "silhouettes", the number of different silhouettes, and with "pairs_alike" in [0, 1], the share of all
        pairs of masks whose intersection over union is above 0.8. With N equally frequent silhouettes, "pairs_alike" is
        about 1 / N.

    Raises:
        ValueError: if there are fewer than two masks.
    """
    if len(masks) < 2:
        raise ValueError(f"got {len(masks)} masks, allowed: 2 or more")
    pixels = (masks > 0.5).reshape(len(masks), -1).astype(np.float32)
    common, sizes = pixels @ pixels.T, pixels.sum(1)
    union = sizes[:, None] + sizes - common
    agreement = np.where(union > 0, common / np.maximum(union, 1), 1.0)
    firsts: list[int] = []
    for i in range(len(masks)):
        if not (agreement[i, firsts] >= SAME).any():
            firsts.append(i)
    pairs = agreement[np.triu_indices(len(masks), k=1)]
    return {"silhouettes": len(firsts), "pairs_alike": float((pairs > ALIKE).mean())}


def variance_shares(masks: np.ndarray) -> dict[str, float]:
    """Computes the shares of the masks' variance that the private code and z explain.

    The shares are the main effects of a two-way analysis of variance.

    If the two shares add up to less than 1, the rest comes from the interaction of the code and z.

    Args:
        masks: [group, code, z, height, width] in [0, 1]. In a group, every code is combined with every z.

    Returns:
        dict: "variance_code" and "variance_z", fractions of the masks' variance within the groups, in [0, 1]. The
        variance is the sum of the variances of all pixels. Both fractions are 0 if there is no variance.
    """
    total = masks.var(axis=(1, 2)).sum()
    by_code, by_z = (masks.mean(axis=other).var(axis=1).sum() for other in (2, 1))
    return {"variance_code": float(by_code / (total or 1)), "variance_z": float(by_z / (total or 1))}
