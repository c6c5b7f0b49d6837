"""The segmenter as a Python class."""

import itertools

import numpy as np

from . import results
from .letterbox import letterbox, to_own_size
from .model import load_model
from .pictures import as_picture


class Segmenter:
    """Cuts the foreground out of pictures with an exported model.

    A picture is the path of a file, a PIL.Image of mode RGB or uint8 [height, width, rgb] (OpenCV's are bgr);
    ValueError for another. A Segmenter serves one thread at a time.

    Args:
        model: path of a .tflite file that takes uint8 [1, R, R, rgb] and gives the probability [1, R, R, 1]; of several
            signatures the first is taken. ValueError for another.
        threads: int, 1 or more, how many the model uses on a picture.
    """

    def __init__(self, model, threads=1):
        self.resolution, self.predict = load_model(model, threads)

    def probability(self, picture):
        """Returns the foreground probability at the picture's own size, float32 [height, width] in [0, 1]."""
        return self._probabilities([as_picture(picture)])[0]

    def probabilities(self, pictures, batch=1):
        """Segments pictures, as many in a call of the model as `batch` says, and that many are held in memory.

        Args:
            pictures: iterable, of any length.
            batch: int, 1 or more; ValueError for another.

        Returns:
            iterator over the probability of each, see `probability`.
        """
        if batch < 1:
            raise ValueError(f"batch must be 1 or more, got {batch}")
        pictures = map(as_picture, pictures)
        groups = iter(lambda: list(itertools.islice(pictures, batch)), [])
        return itertools.chain.from_iterable(map(self._probabilities, groups))

    def _probabilities(self, pictures):
        pixels, filled = zip(*(letterbox(picture, self.resolution) for picture in pictures), strict=True)
        found = self.predict(np.stack(pixels))
        return [to_own_size(found[i][filled[i]], picture) for i, picture in enumerate(pictures)]

    def mask(self, picture, threshold=results.THRESHOLD):
        """Returns a grey PIL.Image: 255 where the probability is above the threshold, which is in [0, 1], else 0."""
        return results.mask(self.probability(picture), threshold)

    def cutout(self, picture):
        """Returns the picture as a PIL.Image, RGBA, with the probability as alpha."""
        picture = as_picture(picture)
        return results.cutout(picture, self.probability(picture))

    def blurred(self, picture, radius=results.RADIUS):
        """Returns the picture as a PIL.Image, RGB, its background blurred by a Gaussian of `radius` pixels."""
        picture = as_picture(picture)
        return results.blurred(picture, self.probability(picture), radius)
