"""The segmenter as a Python class."""

from . import results
from .letterbox import foreground_probability
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
        return foreground_probability(as_picture(picture), self.resolution, self.predict)

    def probabilities(self, pictures):
        """Yields the probability of each of several pictures, one after the other, so that any number fits in."""
        return map(self.probability, pictures)

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
