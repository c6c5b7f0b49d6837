import cv2
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from tf_layered_gan.evaluation.metrics.segmentation import (
    boundary_bands,
    confusion_matrices,
    segmentation_metrics,
)


def predicted(*images):
    return np.array(images, bool)


def truth(*images):
    return np.array(images, np.uint8)


# Image 0 has the labels 1 1 0 0 and the prediction 1 0 1 0. So each cell of its confusion matrix has one pixel. Image 1
# has the labels 1 0 0 0, which are predicted correctly.
PREDICTED = predicted([[1, 0], [1, 0]], [[1, 0], [0, 0]])
TRUTH = truth([[1, 1], [0, 0]], [[1, 0], [0, 0]])


def test_confusion_matrices_count_true_label_by_predicted_label():
    # The truth is 1 1 1 0 0 0, and the prediction is 0 0 1 1 1 0. One background pixel is predicted as 0, and two are
    # predicted as 1. Two foreground pixels are predicted as 0, and one is predicted as 1.
    matrices = confusion_matrices(predicted([[0, 0, 1], [1, 1, 0]]), truth([[1, 1, 1], [0, 0, 0]]))
    assert matrices.tolist() == [[[1, 2], [2, 1]]]
    assert matrices.dtype == np.int64


def test_figures_over_all_pixels_add_up_the_images_first():
    metrics = segmentation_metrics(PREDICTED, TRUTH)
    assert metrics["iou"] == pytest.approx((1 + 1) / (3 + 1))  # the intersections are 1 and 1; the unions are 3 and 1
    assert metrics["accuracy"] == pytest.approx(6 / 8)  # 2 + 4 of the 8 pixels are correct
    # The background has the intersections 1 and 3, and the unions 3 and 3. So its IoU is 4 / 6. The mean of 1/2 and 2/3
    # is 7/12.
    assert metrics["miou"] == pytest.approx(7 / 12)


def test_figures_per_image_are_means_over_the_images():
    metrics = segmentation_metrics(PREDICTED, TRUTH)
    assert metrics["iou_per_image"] == pytest.approx((1 / 3 + 1) / 2)
    assert metrics["accuracy_per_image"] == pytest.approx((2 / 4 + 1) / 2)
    # In image 0, foreground and background have the IoU 1/3, so their mean is 1/3. In image 1, the mean is 1.
    assert metrics["miou_per_image"] == pytest.approx((1 / 3 + 1) / 2)


def test_a_mask_is_never_inverted():
    metrics = segmentation_metrics(predicted([[0, 0], [1, 1]]), truth([[1, 1], [0, 0]]))
    assert metrics["iou"] == metrics["accuracy"] == metrics["miou_per_image"] == 0


def test_unlabelled_pixels_are_ignored():
    # The labelled pixels are 1 1 0 and are predicted as 1 0 0. The intersection is 1, and the union is 2. Two of the
    # three pixels are correct.
    metrics = segmentation_metrics(predicted([[1, 0, 0], [1, 1, 0]]), truth([[1, 1, 0], [255, 255, 255]]))
    assert metrics["iou"] == pytest.approx(1 / 2)
    assert metrics["accuracy"] == pytest.approx(2 / 3)
    assert metrics["predicted_fraction"] == pytest.approx(1 / 3)
    assert metrics["true_fraction"] == pytest.approx(2 / 3)


def test_an_image_without_labels_is_ignored():
    without = segmentation_metrics(PREDICTED[:1], TRUTH[:1])
    unlabelled = np.full((1, 2, 2), 255, np.uint8)
    assert segmentation_metrics(PREDICTED, np.concatenate([TRUTH[:1], unlabelled])) == without
    assert without["images"] == 1


@pytest.mark.parametrize(
    "mask, labels, expected",
    [
        ([0, 0], [0, 0], {"iou": 1, "iou_per_image": 1, "miou": 1, "accuracy": 1}),  # 0 / 0 counts as 1
        ([1, 1], [1, 1], {"miou": 1, "ari": 1}),  # the IoU of the background is 0 / 0, which counts as 1 too
        ([0, 0], [1, 1], {"iou": 0, "ari": 1}),  # the mask and the labels have one segment each
        # The IoU of the foreground is 0 / 1 = 0, and the IoU of the background is 1 / 2. The mean is 1/4.
        ([1, 0], [0, 0], {"iou": 0, "miou": 1 / 4}),
        ([0, 0], [1, 0], {"iou_per_image": 0, "miou_per_image": 1 / 4}),
    ],
)
def test_figures_of_missing_segments(mask, labels, expected):
    metrics = segmentation_metrics(predicted([mask]), truth([labels]))
    assert {name: metrics[name] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize(
    "mask, labels, message",
    [
        (PREDICTED.astype("float32"), TRUTH, "predicted must be bool .* got float32"),
        (PREDICTED, TRUTH.astype(int), "truth must be uint8 .* got int64"),
        (PREDICTED[0], TRUTH[0], r"got bool \(2, 2\)"),
        (PREDICTED[:1], TRUTH, r"the same shape, got \(1, 2, 2\) and \(2, 2, 2\)"),
        (PREDICTED, TRUTH * 128, r"0, 1 and 255 only, got \[128\]"),
        (PREDICTED, TRUTH | 255, "must have a labelled pixel .* none in 2 images"),
    ],
)
def test_refuses(mask, labels, message):
    with pytest.raises(ValueError, match=message):
        segmentation_metrics(mask, labels)


def test_ari_equals_the_mean_of_scikit_learns():
    generator = np.random.default_rng(3)
    labels = truth(*generator.choice([0, 1, 255], (5, 8, 8), p=[0.5, 0.4, 0.1]))
    masks = (labels == 1) ^ (generator.random(labels.shape) < [[[share]] for share in (0, 0.1, 0.3, 0.5, 1)])
    labelled = labels != 255
    expected = [adjusted_rand_score(labels[i][labelled[i]], masks[i][labelled[i]]) for i in range(5)]
    assert segmentation_metrics(masks, labels)["ari"] == pytest.approx(np.mean(expected))
    assert expected[0] == expected[4] == 1  # the last mask is inverted


def test_msc_is_the_mean_of_the_best_ious_of_the_true_segments():
    # The truth is 1 1 0 0 0 0, and the prediction is 0 1 1 1 0 0. The true foreground has the IoU 1/4 with each
    # predicted segment. The true background has the IoU 2/5 with each of them. The mean is 0.325. The second image has
    # no foreground, and its background has the IoU 1.
    masks, labels = [[0, 1, 1, 1, 0, 0]], [[1, 1, 0, 0, 0, 0]]
    assert segmentation_metrics(predicted(masks), truth(labels))["msc"] == pytest.approx(0.325)
    both = segmentation_metrics(predicted(masks, [[0] * 6]), truth(labels, [[0] * 6]))
    assert both["msc"] == pytest.approx((0.325 + 1) / 2)


@pytest.mark.parametrize("shape, width", [((8, 8), 1), ((30, 40), 1), ((96, 128), 3), ((240, 320), 8)])
def test_boundary_bands_are_those_of_opencv(shape, width):
    # The width of a band is 2 % of the image's diagonal, rounded, but at least 1 pixel. The diagonals are 11, 50, 160
    # and 400 pixels long.
    masks = np.random.default_rng(0).random((3, *shape)) > 0.001
    for mask, band in zip(masks, boundary_bands(masks), strict=True):
        kernel = np.ones((2 * width + 1, 2 * width + 1))
        inner = cv2.erode(mask.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        np.testing.assert_array_equal(band, mask & (inner == 0))


def square(top):
    mask = np.zeros((1, 40, 40), bool)
    mask[:, top : top + 20, 10:30] = True
    return mask


def test_the_boundary_iou_looks_at_the_boundary_alone():
    # Each band is a frame of 76 pixels, and the frame is 1 pixel wide. The second prediction is one row lower than the
    # truth. So the predicted frame and the true frame share 2 x 19 pixels of their sides.
    metrics = segmentation_metrics(np.concatenate([square(10), square(11)]), square(10).repeat(2, 0).astype(np.uint8))
    assert metrics["boundary_iou"] == pytest.approx((76 + 38) / (76 + 2 * 76 - 38))
    assert metrics["boundary_iou_per_image"] == pytest.approx((1 + 38 / (2 * 76 - 38)) / 2)
    assert metrics["iou"] > 0.9


def test_the_end_of_the_labels_is_no_boundary():
    labels = square(10).astype(np.uint8)
    labels[:, :, :20] = 255
    assert segmentation_metrics(square(10), labels)["boundary_iou"] == 1
    # The prediction is one row lower than the truth. In the labelled half, the predicted band has 10 + 18 + 10 pixels.
    # The unlabelled half of the truth gets the predicted labels, so the truth has a step of one row in the middle. At
    # this step, the true band has one more pixel. The bands share this pixel and 19 pixels of the right side.
    assert segmentation_metrics(square(11), labels)["boundary_iou"] == pytest.approx(20 / (38 + 39 - 20))
