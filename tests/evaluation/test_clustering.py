import numpy as np
import pytest

from tf_layered_gan.evaluation.metrics.clustering import clustering_metrics


def test_nmi_is_1_if_the_clusters_are_the_classes():
    metrics = clustering_metrics(np.array([5, 5, 2, 2, 9, 9]), ["a", "a", "b", "b", "c", "c"])
    assert metrics["nmi"] == pytest.approx(1)
    assert [metrics[name] for name in ("photos", "classes", "clusters")] == [6, 3, 3]


def test_nmi_is_normalised_by_the_mean_entropy():
    # The clusters are 0 0 1 1, and there are four classes. In units of log 2, the mutual information is 1, and the
    # entropies are 1 and 2. So NMI is 1 / mean(1, 2) = 2/3.
    assert clustering_metrics(np.array([0, 0, 1, 1]), [0, 1, 2, 3])["nmi"] == pytest.approx(2 / 3)


def test_nmi_by_chance_is_high_for_few_photos_per_class():
    generator = np.random.default_rng(1)
    clusters, classes = generator.integers(0, 50, 100), np.arange(100) % 50
    few = clustering_metrics(clusters, classes)
    many = clustering_metrics(generator.integers(0, 2, 4000), np.arange(4000) % 2)
    assert few["nmi"] == pytest.approx(few["nmi_by_chance"], abs=0.05)
    assert few["nmi_by_chance"] > 0.5 > 0.01 > many["nmi_by_chance"]


@pytest.mark.parametrize(
    "clusters, classes, nmi",
    [
        ([7, 7, 7], ["a", "a", "a"], 1),
        ([7], ["a"], 1),
        ([7, 7, 7], ["a", "b", "c"], 0),
        ([1, 2, 3], ["a", "a", "a"], 0),
    ],
)
def test_nmi_of_one_cluster_or_one_class(clusters, classes, nmi):
    metrics = clustering_metrics(np.array(clusters), classes)
    assert metrics["nmi"] == metrics["nmi_by_chance"] == nmi


@pytest.mark.parametrize("clusters, classes", [([], []), ([1, 2], [1])])
def test_refuses_missing_classes(clusters, classes):
    with pytest.raises(ValueError, match="every photo needs a cluster and a class"):
        clustering_metrics(np.array(clusters), classes)
