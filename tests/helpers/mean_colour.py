"""A replacement for FID's Inception."""

import numpy as np


class MeanColour:
    """Computes features for FID that need no weights: the mean colour of each image. Records the batches of images."""

    def __init__(self, sha256="0123"):
        self.sha256, self.seen = sha256, []

    def __call__(self, images):
        self.seen.append(images)
        return images.mean((1, 2), dtype=np.float32)
