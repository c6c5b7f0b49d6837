"""GrabCut (Rother et al. 2004), which finds a mask from the colours inside and outside a rectangle."""

import cv2
import numpy as np

_WIDTH = 128  # pixels; in smaller images, the fixed weight of GrabCut's smoothness term erases most objects
_MARGIN = 0.02  # margin beside the rectangle, as a fraction of the height and width


def grabcut_from_rectangle(image: np.ndarray, iterations: int) -> np.ndarray:
    """Segments an image from a centred rectangle. Pixels outside the rectangle are fixed as background.

    The rectangle leaves a margin of 2 % of the height and width. Margins of 1 to 26 pixels were tried on images of
    128x128 pixels. The margin of 2 % scored best on validation photos of birds, cars and flowers. The margin was chosen
    with true masks, so GrabCut has an advantage over methods that see no true mask.

    Args:
        image: uint8 [height, width, rgb]. An image narrower than 128 pixels is enlarged to that width by bicubic
            interpolation. The mask is then reduced to the size of the image. A pixel of the reduced mask is foreground
            if more than half of its area is foreground.
        iterations: how many times GrabCut fits its colour models.

    Returns:
        bool [height, width]. The mask may be empty. Equal images always get equal masks.
    """
    large = _enlarged(image)
    seeds = np.full(large.shape[:2], cv2.GC_PR_FGD, np.uint8)
    top, left = (max(1, int(_MARGIN * length)) for length in large.shape[:2])
    seeds[:top] = seeds[-top:] = seeds[:, :left] = seeds[:, -left:] = cv2.GC_BGD
    return _cut(large, seeds, iterations, image.shape[:2])


def _enlarged(image: np.ndarray) -> np.ndarray:
    factor = max(1.0, _WIDTH / image.shape[1])
    return cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)


def _cut(image: np.ndarray, seeds: np.ndarray, iterations: int, shape: tuple[int, ...]) -> np.ndarray:
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(image, seeds, None, background, foreground, iterations, cv2.GC_INIT_WITH_MASK)
    mask = np.isin(seeds, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    return cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_AREA) > 0.5
