"""Agreement between the categories that E_x finds and the known classes of photos."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import normalized_mutual_info_score

_SHUFFLES = 20


def clustering_metrics(clusters: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """Computes the normalised mutual information (NMI) of clusters and classes (paper, Table 4).

    NMI is normalised by the arithmetic mean of the two entropies. The paper does not say which normalisation it uses.
    If classes have few photos, NMI is high even for random clusters. So the dict also has the mean NMI of 20 random
    permutations of the clusters.

    If there is only one cluster but several classes, or only one class but several clusters, NMI is 0. If there is only
    one cluster and only one class, NMI is 0 / 0 and counts as 1 (scikit-learn's convention).

    Args:
        clusters: int [photo], the category that E_x finds most likely.
        classes: class of each photo.

    Returns:
        dict with the floats "nmi" and "nmi_by_chance", both in [0, 1]. The ints "photos", "classes" and "clusters" are
        the numbers of photos, of classes, and of clusters that have a photo. The text "normalised_by" describes the
        normalisation.

    Raises:
        ValueError: if the lengths differ, or there is no photo.
    """
    if len(clusters) != len(classes) or len(clusters) == 0:
        raise ValueError(
            f"every photo needs a cluster and a class, got {len(clusters)} clusters and {len(classes)} classes"
        )
    generator = np.random.default_rng(0)
    by_chance = [normalized_mutual_info_score(classes, generator.permutation(clusters)) for _ in range(_SHUFFLES)]
    return {
        "nmi": float(normalized_mutual_info_score(classes, clusters)),
        "nmi_by_chance": float(np.mean(by_chance)),
        "normalised_by": "arithmetic mean of the entropies",
        "photos": len(clusters),
        "classes": len(np.unique(classes)),
        "clusters": len(np.unique(clusters)),
    }
