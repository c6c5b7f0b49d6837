"""Tests of the comparison of speed after training. The peers are not run."""

import numpy as np
import pytest

from benchmarks.speed.after_training import compare, peer
from benchmarks.speed.after_training.rows import Inputs, Row
from tf_layered_gan.evaluation.metrics.segmentation import confusion_matrices, segment_covering

ROW = Row("ari", "adjusted Rand index: scikit-learn", 10, "masks", 1e-3, 3)


class Side:
    def __init__(self, result, seconds):
        self.result, self.seconds = result, seconds

    def take(self, name):
        return self.seconds, self.seconds, self.result


def test_a_line_holds_both_speeds_and_their_ratio():
    line = compare.measure(ROW, Side([1.0, 2.0], 0.5), Side([1.0, 2.001], 1.0))
    assert " ".join(line.split()) == (
        "ari ours 20.000 masks/s peer 10.000 ratio 2.00 (quartiles 2.00 to 2.00; CPU time 2.00) differs by 5.0e-04 "
        "adjusted Rand index: scikit-learn"
    )


def test_other_results_are_refused():
    with pytest.raises(ValueError, match="ari: the results differ by 1, allowed: 0.001"):
        compare.check(ROW, [1.0, 2.0], [1.0, 1.0])
    with pytest.raises(ValueError, match=r"ari: our result has the shape \(1,\), the peer's result \(2,\)"):
        compare.check(ROW, [1.0], [1.0, 1.0])


def test_weights_get_the_names_of_pytorch_fid():
    names = ["Conv2d_1a.conv.weight", "Conv2d_1a.bn.weight", "Mixed_5b.branch1x1.conv.weight", "Mixed_6b.a.conv.weight"]
    arrays = {}
    for i, scope in enumerate(("conv", "mixed_9/conv", "mixed_10/tower/conv")):
        arrays[f"{scope}/conv2d_params"] = np.full((1, 2, 3, 4), i)
        arrays |= {f"{scope}/batchnorm/{part}": np.full(4, i) for part in ("beta", "moving_mean", "moving_variance")}
    state = peer.state_of(arrays, names)
    assert state["Mixed_5b.branch1x1.conv.weight"].shape == (4, 3, 1, 2)
    assert [state[f"{name}.bn.running_mean"][0] for name in ("Conv2d_1a", "Mixed_5b.branch1x1", "Mixed_6b.a")] == [
        0,
        1,
        2,
    ]


def test_covering_by_its_definition_agrees_with_ours():
    random = np.random.default_rng(0)
    predicted, truth = random.random((4, 8, 8)) > 0.3, random.choice([0, 1, 255], (4, 8, 8)).astype(np.uint8)
    found = [peer.covering(p[t != 255], t[t != 255]) for p, t in zip(predicted, truth, strict=True)]
    assert found == pytest.approx(segment_covering(confusion_matrices(predicted, truth)))


def test_photos_of_each_turn_follow_one_another(tmp_path):
    (tmp_path / "photos").mkdir()
    for name in "abc":
        (tmp_path / "photos" / f"{name}.jpg").touch()
    (tmp_path / "edge.json").write_text("2")
    turns = [[path[-5] for path in Inputs(tmp_path).edge_photos(turn)] for turn in range(3)]
    assert turns == [["a", "b"], ["c", "a"], ["b", "c"]]
