"""The rows of the comparison, and the files that both sides read.

This module imports only NumPy and the standard library.
"""

import dataclasses
import json
import pathlib

import numpy as np

PIXELS = 64  # width of masks and of decoded photos
# Width of the images in pixels. Images of other sizes would be resized, and the two sides resize differently.
_INCEPTION = 299
# For each folder of enlarged photos: the width and height of each photo in pixels, and the number of photos.
LARGER = {"medium": ((500, 375), 100), "camera": ((4000, 3000), 8)}
_IMAGES, _FEATURES, _MASKS = 16, 4096, 200


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of the comparison.

    Attributes:
        name: name of the function in both workers (the processes of `ours` and `peer`).
        about: the computation, and the peer that it is compared with.
        count, unit: how many things a turn processes, and what they are, for example 500 and "masks".
        allowed: the largest difference that the results of both sides may have. If `allowed` is less than 1,
            differences are relative to the peer's value wherever the peer's value is above 1. Elsewhere they are
            absolute.
        pairs: number of turns of each side.
    """

    name: str
    about: str
    count: int
    unit: str
    allowed: float
    pairs: int


def all_rows(photos: int, edge_photos: int, pairs: int) -> list[Row]:
    """Returns all rows.

    Args:
        photos: how many photos lie in the folder that both workers read.
        edge_photos: how many photos `edge-segmenter` segments, in all turns together.
        pairs: number of turns of each side. Slow rows have fewer turns.
    """
    few, edge_pairs = min(pairs, 5), min(pairs, 10)
    return [
        Row("features", "FID features, random weights: pytorch-fid", _IMAGES, "images", 1e-3, few),
        Row("statistics", "FID mean and covariance: pytorch-fid", _FEATURES, "features", 1e-6, few),
        Row("distance", "FID of two statistics: pytorch-fid", 1, "FID", 1e-6, min(pairs, 3)),
        Row("ari", "adjusted Rand index: scikit-learn", _MASKS, "masks", 1e-9, pairs),
        Row("covering", "segmentation covering: a plain loop in NumPy", _MASKS, "masks", 1e-9, pairs),
        Row("decode", f"decode and resize to {PIXELS} px: OpenCV", photos, "photos", 1.0, pairs),
        Row("medium", "the same at 500 x 375 pixels: OpenCV", LARGER["medium"][1], "photos", 1.0, pairs),
        Row("camera", "the same at 12 megapixels: OpenCV", LARGER["camera"][1], "photos", 1.0, few),
        Row("folder", f"read a folder at {PIXELS} px: OpenCV", photos, "photos", 1.0, pairs),
        Row("edge", "photo files to mask files: rembg, u2netp", edge_photos // edge_pairs, "photos", 0.0, edge_pairs),
    ]


class Inputs:
    """The files that both workers read, in one folder. Our worker writes all of them except the photos.

    Attributes:
        photos: paths of the photos, sorted.
        weights: path of Inception's weights, as `metrics.inception_weights` writes them.
    """

    def __init__(self, folder: str | pathlib.Path):
        self._folder = pathlib.Path(folder)
        self.weights = self._folder / "inception.npz"
        self.photos = self.enlarged("photos")

    def enlarged(self, name: str) -> list[str]:
        """Returns the paths of the photos in the subfolder `name`: "photos", or a name in `LARGER`."""
        return sorted(map(str, self._folder.glob(f"{name}/*")))

    def array(self, name: str) -> np.ndarray:
        """Returns the array that `write_arrays` wrote under this name."""
        return np.load(self._folder / f"{name}.npy")

    def edge_photos(self, turn: int) -> list[str]:
        """Returns the photos that `edge-segmenter` segments in a turn. After the last photo, the list starts again."""
        count = json.loads((self._folder / "edge.json").read_text())
        return [self.photos[i % len(self.photos)] for i in range(turn * count, (turn + 1) * count)]

    def output(self, side: str) -> pathlib.Path:
        """Returns the folder for a side's masks."""
        return self._folder / "masks" / side


def write_arrays(folder: str | pathlib.Path, edge_count: int) -> None:
    """Writes the arrays: images, two sets of features with their statistics, and masks.

    "images" is uint8 [image, 299, 299, rgb]. "features0" and "features1" are float32 [image, 2048]. "mean0",
    "covariance0" and so on are their statistics in float64. "predicted" is bool [mask, 64, 64]. "truth" is uint8 with
    the labels 0, 1 and 255 (unlabelled).
    """
    random = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {
        "images": random.integers(256, size=(_IMAGES, _INCEPTION, _INCEPTION, 3), dtype=np.uint8)
    }
    mixing = random.normal(size=(256, 2048)).astype(np.float32)
    for i in "01":
        noise = random.normal(size=(_FEATURES, 256 + 2048)).astype(np.float32)
        features = np.abs(noise[:, :256] @ mixing / 16 + noise[:, 256:] + float(i) / 10)
        arrays[f"features{i}"] = features
        arrays[f"mean{i}"] = features.mean(0, dtype=np.float64)
        arrays[f"covariance{i}"] = np.cov(features.astype(np.float64), rowvar=False)
    smooth = _smooth_noise(random)
    arrays["predicted"] = smooth + 0.5 * _smooth_noise(random) > 0.2
    arrays["truth"] = np.where(abs(smooth) < 0.05, 255, smooth > 0).astype(np.uint8)
    for name, array in arrays.items():
        np.save(pathlib.Path(folder, f"{name}.npy"), array)
    pathlib.Path(folder, "edge.json").write_text(json.dumps(edge_count))


def _smooth_noise(random: np.random.Generator) -> np.ndarray:
    """Returns smooth noise, float [mask, 64, 64].

    It is a sum of waves with periods of 16 pixels or more. Its standard deviation is about 1.
    """
    spectrum = np.fft.fft2(random.normal(size=(_MASKS, PIXELS, PIXELS)))
    kept = abs(np.fft.fftfreq(PIXELS)) <= 1 / 16
    values = np.fft.ifft2(spectrum * kept[:, None] * kept).real
    return values / values.std()
