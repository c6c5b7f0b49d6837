"""Functions that compute masks with each model, at the image's own size.

The image is prepared as the documentation of the model says.
"""

import pathlib
from collections.abc import Callable

import numpy as np
from PIL import Image

from benchmarks.peers.runtimes import load
from edge_segmenter.fit import fit_for_whole_photos, foreground_probability
from export.documentation.metadata import fit_of_segmenter
from export.output_folder import EXPORT_RECORD
from tf_layered_gan.files.records import read_record
from tf_layered_gan.labelling.any_segmenter import load_segmenter

Segmenter = Callable[[Image.Image], np.ndarray]

_MEAN, _DEVIATION = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)  # ImageNet's


def ours(path: pathlib.Path) -> Segmenter:
    """Opens a segmenter of this program, and uses it in the same way as the edge command does.

    Args:
        path: a .tflite or .onnx file. Its model maps uint8 [1, R, R, rgb] to probabilities [1, R, R, 1]. An ONNX file
            does not state how an image is fitted into the square that the model sees. So an ONNX file must be in the
            same folder as the file export.json of its export.

    Returns:
        A function that takes a PIL image and returns the foreground probability, float32 [height, width] in [0, 1].
    """
    resolution, predict, fit = (
        _onnx(path) if path.suffix == ".onnx" else (*load_segmenter(path), fit_of_segmenter(path))
    )
    return lambda image: foreground_probability(image, resolution, predict, fit)


def _onnx(path: pathlib.Path) -> tuple[int, Callable[[np.ndarray], np.ndarray], str]:
    shape, _, run = load(path, threads=1)
    fit = fit_for_whole_photos(read_record(path.parent / EXPORT_RECORD).get("fit"))
    return shape[1], lambda pixels: run(pixels[None])[0, :, :, 0], fit


def mediapipe_selfie(path: pathlib.Path) -> Segmenter:
    """Opens MediaPipe's selfie segmenter, selfie_segmentation.tflite. Returns the same kind of function as `ours`.

    As in MediaPipe's graph selfie_segmentation_cpu.pbtxt, the image is squeezed to 256 x 256, with values in [0, 1].
    """
    (_, height, width, _), _, run = load(path, threads=1)

    def probability(image: Image.Image) -> np.ndarray:
        pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), np.float32) / 255
        return _resized(run(pixels[None])[0, :, :, 0], image.size, Image.Resampling.BILINEAR)

    return probability


def u2netp(path: pathlib.Path) -> Segmenter:
    """Opens U²-Netp, u2netp.onnx. Returns the same kind of function as `ours`.

    As in rembg, the image is squeezed to 320 x 320, divided by its maximum and normalised with ImageNet's mean and
    deviation. The output is stretched so that its least value becomes 0 and its greatest value 1.
    """
    (_, _, height, width), _, run = load(path, threads=1)

    def probability(image: Image.Image) -> np.ndarray:
        pixels = np.asarray(image.resize((width, height), Image.Resampling.LANCZOS), np.float32)
        pixels = (pixels / max(pixels.max(), 1e-6) - _MEAN) / _DEVIATION
        values = run(pixels.transpose(2, 0, 1)[None])[0, 0]
        spread = values.max() - values.min()
        return _resized((values - values.min()) / max(spread, 1e-6), image.size, Image.Resampling.LANCZOS)

    return probability


def _resized(values: np.ndarray, size: tuple[int, int], resampling: Image.Resampling) -> np.ndarray:
    return np.asarray(Image.fromarray(values).resize(size, resampling)).clip(0, 1)
