"""How well E_x's categories agree with classes that people named."""

import numpy as np
from sklearn.metrics import normalized_mutual_info_score

_SHUFFLES = 20


def clustering_metrics(clusters, classes):
    """Computes the normalised mutual information between clusters and classes (paper, Table 4).

    Normalised by the arithmetic mean of the two entropies; the paper does not say by what. Few photos a class raise
    it even for clusters that know nothing, so the mean over 20 random permutations of the clusters stands beside it.

    Where all photos are in one cluster, or all of one class, there is no information, and NMI is 0; where both, it is 1
    (0 / 0, as scikit-learn has it: the partitions are the same). A permutation changes nothing then, so by chance it is
    the same.

    Args:
        clusters: int [photo], the category that E_x finds the likeliest.
        classes: str or int [photo].

    Returns:
        dict: "nmi" and "nmi_by_chance", floats in [0, 1]; "photos", "classes" and "clusters", ints, the clusters
        counted being those that have a photo; "normalised_by", what the entropies are made one number by.

    Raises:
        ValueError: for different lengths, or no photo.
    """
    if len(clusters) != len(classes) or len(clusters) == 0:
        raise ValueError(f"every photo needs a cluster and a class, got {len(clusters)} and {len(classes)}")
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
