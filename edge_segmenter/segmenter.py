"""The segmenter as a Python class."""

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from PIL import Image

from . import results
from .facts import read_facts, training_fit
from .files.images import AnyImage, ImageAndAlpha, as_image
from .fit import fit_for_whole_photos, to_own_size, to_square
from .model import load_model
from .sharpening import sharpen


class Segmenter:
    """Cuts the foreground out of images with an exported model.

    Every method takes an image: the path of a file, a PIL.Image in mode RGB, or uint8 [height, width, rgb]. Convert an
    array of OpenCV first, because its channels are in BGR order. Any other value raises ValueError. A photo is turned
    upright as its EXIF says. If a file has alpha, the probability is multiplied by this alpha. Threads may share a
    Segmenter. The model then processes their images one after another. A Segmenter that is copied, or sent to another
    process by pickle, loads the model from its file again.

    Args:
        model: path of a .tflite file that maps uint8 [1, R, R, rgb] to the probability [1, R, R, 1]. If it has several
            signatures, the first is used. Any other model raises ValueError.
        threads: the number of threads that the model uses, 1 to 1024.
        sharpened: whether to sharpen each probability by the colours and edges of its image, see `sharpening`.

    Attributes:
        resolution: R, pixels.
        predict: function that takes uint8 [image, R, R, rgb] and returns the probability, float32 [image, R, R].
        fit: how an image is fitted into the model's square, "squeeze" or "pad", see `fit`. The file of the model states
            the fit.
    """

    def __init__(self, model: str | os.PathLike, threads: int = 1, sharpened: bool = False):
        self.resolution, self.predict = load_model(model, threads)
        self.fit = fit_for_whole_photos(training_fit(read_facts(model)))
        self._sharpened = sharpened
        self._arguments = model, threads, sharpened

    def __reduce__(self) -> tuple:
        """Returns the function and arguments with which `pickle` and `copy` build a copy."""
        return Segmenter, self._arguments

    def probability(self, image: AnyImage) -> np.ndarray:
        """Returns the foreground probability at the image's own size, float32 [height, width] in [0, 1]."""
        return self.segment(as_image(image))

    def probabilities(self, images: Iterable[AnyImage], batch: int = 1) -> Iterator[np.ndarray]:
        """Segments images in batches.

        Args:
            images: any number of images.
            batch: number of images in a call of the model, 1 or more. All of them are in memory at the same time.

        Returns:
            Iterator over the probability of each image, see `probability`.

        Raises:
            ValueError: if `batch` is below 1.
        """
        if batch < 1:
            raise ValueError(f"batch is {batch}, allowed: 1 or more")
        decoded = map(as_image, images)
        groups = iter(lambda: list(itertools.islice(decoded, batch)), [])
        return itertools.chain.from_iterable(map(self._probabilities, groups))

    def _probabilities(self, images: Sequence[ImageAndAlpha]) -> list[np.ndarray]:
        pixels, filled = zip(*(to_square(image, self.resolution, self.fit) for image, _ in images), strict=True)
        found = self.predict(np.stack(pixels))
        return [self._finished(found[i][filled[i]], *image) for i, image in enumerate(images)]

    def _finished(self, found: np.ndarray, image: Image.Image, alpha: Image.Image | None) -> np.ndarray:
        probability = to_own_size(found, image)
        if self._sharpened:
            probability = sharpen(np.asarray(image), probability)
        return results.visible(probability, alpha)

    def segment(self, image: ImageAndAlpha) -> np.ndarray:
        """Returns the foreground probability of an image that `files.images.as_image` returned, see `probability`."""
        return self._probabilities([image])[0]

    def mask(self, image: AnyImage, threshold: float = results.THRESHOLD) -> Image.Image:
        """Returns a grey image: 255 where the probability is above the threshold, otherwise 0."""
        return results.mask(self.probability(image), threshold)

    def cutout(self, image: AnyImage) -> Image.Image:
        """Returns the image as RGBA, with the probability as alpha. Transparent parts of the image stay transparent."""
        decoded, alpha = as_image(image)
        return results.cutout(decoded, self.segment((decoded, alpha)), alpha)

    def blurred(self, image: AnyImage, radius: float = results.RADIUS) -> Image.Image:
        """Returns the image with its background blurred by a Gaussian of `radius` pixels."""
        decoded = as_image(image)
        return results.blurred(decoded[0], self.segment(decoded), radius)
