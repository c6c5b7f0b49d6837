"""Each model's own way from a picture to a mask of its size: how it resizes, what it takes, what it gives."""

import numpy as np
from PIL import Image

from benchmarks.peers.runtimes import load
from edge_segmenter.letterbox import foreground_probability
from export.any_segmenter import load_segmenter

_MEAN, _DEVIATION = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])  # ImageNet's


def ours(path):
    """This program's segmenter, .tflite or .onnx, as the edge command uses it.

    Args:
        path: the model file; takes uint8 [1, R, R, rgb], gives probabilities [1, R, R, 1].

    Returns:
        A function from a PIL picture to the foreground probability, float32 [height, width] in [0, 1].
    """
    resolution, predict = _onnx(path) if path.suffix == ".onnx" else load_segmenter(path)
    return lambda picture: foreground_probability(picture, resolution, predict)


def _onnx(path):
    shape, _, run = load(path, threads=1)
    return shape[1], lambda pixels: run(pixels[None])[0, :, :, 0]


def mediapipe_selfie(path):
    """MediaPipe's selfie segmenter, as its graph selfie_segmentation_cpu.pbtxt: 256 x 256, in [0, 1], not letterboxed.

    Args:
        path: selfie_segmentation.tflite.

    Returns:
        As `ours`.
    """
    (_, height, width, _), _, run = load(path, threads=1)

    def probability(picture):
        pixels = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR), np.float32) / 255
        return _resized(run(pixels[None])[0, :, :, 0], picture.size, Image.Resampling.BILINEAR)

    return probability


def u2netp(path):
    """U²-Netp as rembg uses it: 320 x 320, by the picture's maximum and ImageNet's mean; stretched to [0, 1].

    Args:
        path: u2netp.onnx.

    Returns:
        As `ours`; the picture's least probable pixel has 0 and its most probable one 1.
    """
    (_, _, height, width), _, run = load(path, threads=1)

    def probability(picture):
        pixels = np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS), np.float32)
        pixels = (pixels / max(pixels.max(), 1e-6) - _MEAN) / _DEVIATION
        values = run(pixels.transpose(2, 0, 1)[None])[0, 0]
        spread = values.max() - values.min()
        return _resized((values - values.min()) / max(spread, 1e-6), picture.size, Image.Resampling.LANCZOS)

    return probability


def _resized(values, size, resampling):
    return np.asarray(Image.fromarray(values).resize(size, resampling)).clip(0, 1)
