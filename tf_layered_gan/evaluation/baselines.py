"""Masks that need no training, to hold a trained segmenter's against."""

import numpy as np

GRABCUT_WIDTH = 128
_POOLED_PIXELS = 100_000


def all_foreground(images):
    """Calls every pixel foreground, the score that a mask must beat to mean anything.

    Args:
        images: uint8 [image, height, width, rgb].

    Returns:
        bool [image, height, width], all True.

    Raises:
        ValueError: for another type or shape.
    """
    _check_images(images)
    return np.ones(images.shape[:3], bool)


def centred_disc(images):
    """Calls a disc in the middle, two thirds of the picture wide, the foreground: what knowing no picture gives.

    Photographers put their object in the middle, so this is the score that a method with a prior for the middle
    (`networks.mask_centring`) must beat to mean anything.

    Args:
        images: uint8 [image, height, width, rgb].

    Returns:
        bool [image, height, width], in each image the same; an ellipse where height and width differ.

    Raises:
        ValueError: for another type or shape.
    """
    _check_images(images)
    y, x = ((2 * np.arange(length) + 1) / length - 1 for length in images.shape[1:3])
    return np.broadcast_to(np.hypot(y[:, None], x) < 2 / 3, images.shape[:3])


def otsu(images):
    """Splits each image's greys in two by Otsu's threshold and takes the part that has less of the border.

    Source: Otsu, "A threshold selection method from gray-level histograms", 1979, by OpenCV. That the
    foreground has less of the border is our choice of polarity, which looks at no mask; where both parts have
    half of it the brighter one is the foreground. An image of a single grey has no foreground.

    Args:
        images: uint8 [image, height, width, rgb].

    Returns:
        bool [image, height, width], True = foreground.

    Raises:
        ValueError: for another type or shape.
        ImportError: without OpenCV.
    """
    _check_images(images)
    cv2 = _opencv()

    def segment(image):
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        return _inner_part(cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1].astype(bool))

    return np.stack([segment(image) for image in images])


def two_colours(images):
    """Splits each image's colours in two, whatever their brightness, and takes the largest thing of the inner colour.

    Two clusters (k-means) of the chroma, a and b of CIELAB; of these the one that has less of the border; of that the
    `largest_thing`. What an object of one colour on a background of another cannot hide from.

    Args:
        images: uint8 [image, height, width, rgb].

    Returns:
        bool [image, height, width], True = foreground.

    Raises:
        ValueError: for another type or shape.
        ImportError: without OpenCV.
    """
    _check_images(images)
    cv2 = _opencv()

    def segment(image):
        chroma = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)[..., 1:].reshape(-1, 2).astype(np.float32)
        cluster = _two_means(cv2, chroma)[1].reshape(image.shape[:2])
        return largest_thing(_inner_part(cluster == 1))

    return np.stack([segment(image) for image in images])


def pooled_hues(images):
    """Splits the hues of all the images together in two, and takes each image's largest thing of the inner hues.

    Two clusters (k-means) of the hue, as a point on the circle; of these the one that has less of the border than of
    the whole; of that the `largest_thing`. What a kind of object that has colours of its own cannot
    hide from. At most 100,000 pixels, evenly spaced, are clustered; the others take the nearer centre.

    Args:
        images: uint8 [image, height, width, rgb].

    Returns:
        bool [image, height, width], True = foreground; a mask depends on the other images.

    Raises:
        ValueError: for another type or shape.
        ImportError: without OpenCV.
    """
    _check_images(images)
    cv2 = _opencv()
    angles = np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)[..., 0] for image in images]) * (2 * np.pi / 256)
    hues = np.stack([np.cos(angles), np.sin(angles)], -1).astype(np.float32)
    pixels = hues.reshape(-1, 2)
    centres = _two_means(cv2, np.ascontiguousarray(pixels[:: 1 + len(pixels) // _POOLED_PIXELS]))[0]
    first, second = ((hues - centre) ** 2 for centre in centres)
    cluster = first.sum(-1) < second.sum(-1)
    if cluster[:, _border(images.shape[1:3])].mean() > cluster.mean():
        cluster = ~cluster
    return np.stack([largest_thing(mask) for mask in cluster])


def _two_means(cv2, points):
    """Clusters float32 [point, 2] in two; returns the centres [2, 2] and each point's cluster, 0 or 1."""
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, 20, 1e-3)
    _, clusters, centres = cv2.kmeans(points, 2, None, stop, 3, cv2.KMEANS_PP_CENTERS)
    return centres, clusters


def largest_thing(mask):
    """Finds the largest connected component after an opening with a square of an eighth of the width.

    Args:
        mask: bool [height, width].

    Returns:
        bool [height, width]; empty where the opening leaves nothing.
    """
    cv2 = _opencv()
    square = np.ones((2 * (mask.shape[1] // 16) + 1,) * 2, np.uint8)
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, square)
    count, component, statistics, _ = cv2.connectedComponentsWithStats(opened)
    areas = statistics[1:, cv2.CC_STAT_AREA]
    return component == 1 + areas.argmax() if count > 1 else np.zeros(mask.shape, bool)


def _inner_part(mask):
    return mask if mask[_border(mask.shape)].mean() <= 0.5 else ~mask


def _border(shape):
    border = np.ones(shape, bool)
    border[1:-1, 1:-1] = False
    return border


def grabcut(images, iterations=5, margin=0.02):
    """Runs GrabCut from the centred rectangle, so that what lies outside it is background for certain.

    Source: Rother et al., "GrabCut", 2004, by OpenCV. The paper quotes GrabCut's scores without saying how it
    was started. The default margin, 2 of 128 pixels, was the best of 1 to 26 on validation photos of birds,
    cars and flowers, so the choice looked at masks, to the baseline's advantage. Images narrower than 128
    pixels are enlarged to that (bicubic) and their masks reduced again (foreground where it covers more than
    half of the pixel): GrabCut's weight of smoothness is fixed, and at 32 pixels it wipes out most objects.

    GrabCut may leave no foreground, which gives an empty mask. OpenCV's random state is set to 0 before each
    image, so that a mask does not depend on the other images.

    Args:
        images: uint8 [image, height, width, rgb].
        iterations: of GrabCut, at least 1.
        margin: what the rectangle leaves free on each side, as a fraction of the height and width, above 0
            and below 0.5; at least one pixel.

    Returns:
        bool [image, height, width], True = foreground.

    Raises:
        ValueError: for another type or shape, or a number out of range.
        ImportError: without OpenCV.
    """
    _check_images(images)
    if iterations < 1:
        raise ValueError(f"iterations must be at least 1, got {iterations}")
    if not 0 < margin < 0.5:
        raise ValueError(f"margin must be above 0 and below 0.5, got {margin}")
    cv2 = _opencv()
    return np.stack([_grabcut_one(cv2, image, iterations, margin) for image in images])


def _grabcut_one(cv2, image, iterations, margin):
    height, width = image.shape[:2]
    factor = max(1.0, GRABCUT_WIDTH / width)
    large = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    top, left = (max(1, int(margin * length)) for length in large.shape[:2])
    rectangle = (left, top, large.shape[1] - 2 * left, large.shape[0] - 2 * top)
    labels, models = np.zeros(large.shape[:2], np.uint8), np.zeros((2, 1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(large, labels, rectangle, *models, iterations, cv2.GC_INIT_WITH_RECT)
    foreground = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    return cv2.resize(foreground, (width, height), interpolation=cv2.INTER_AREA) > 0.5


def _opencv():
    try:
        import cv2
    except ImportError as error:
        raise ImportError("this baseline needs OpenCV: pip install opencv-python-headless") from error
    return cv2


def _check_images(images):
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or 0 in images.shape:
        raise ValueError(f"images must be uint8 [image, height, width, 3], none 0, got {images.dtype} {images.shape}")


BASELINES = {
    "all_foreground": all_foreground,
    "centred_disc": centred_disc,
    "otsu": otsu,
    "two_colours": two_colours,
    "pooled_hues": pooled_hues,
    "grabcut": grabcut,
}
