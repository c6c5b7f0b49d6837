"""Classes for photos and splits. Every source returns objects of these classes."""

import dataclasses

import numpy as np

BACKGROUND, FOREGROUND, UNLABELLED = 0, 1, 255


@dataclasses.dataclass(frozen=True, eq=False)
class Photos:
    """Square photos of one size, with their true masks if there are any.

    Attributes:
        images: uint8 [photo, height, width, rgb] in [0, 255], height = width >= 1; may be memory mapped. The number of
            photos may be 0.
        masks: None, or uint8 [photo, height, width]: 0 background, 1 foreground, 255 unlabelled. Metrics ignore
            unlabelled pixels.
        names: a name for each photo, usually its path.

    Raises:
        ValueError: for any other type, shape or value.
    """

    images: np.ndarray
    masks: np.ndarray | None
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Checks types, shapes and values."""
        _check_images(self.images)
        if self.masks is not None:
            _check_masks(self.masks, shape=self.images.shape[:3])
        if not isinstance(self.names, tuple) or not all(isinstance(name, str) for name in self.names):
            raise ValueError(f"names must be a tuple of str, got {self.names!r:.80}")
        if len(self.names) != len(self.images):
            raise ValueError(f"got {len(self.names)} names for {len(self.images)} photos")

    def __len__(self) -> int:
        """Returns the number of photos."""
        return len(self.images)


@dataclasses.dataclass(frozen=True, eq=False)
class Splits:
    """The photos of one source, in three splits.

    Attributes:
        train: photos at the storage size. The storage size is larger than the training resolution, so that a random
            crop is not enlarged.
        validation: photos at the training resolution; used for every choice of settings.
        test: photos at the training resolution; used only for the reported figures.

    Raises:
        ValueError: if validation and test photos differ in size, or if training photos are smaller than these.
    """

    train: Photos
    validation: Photos
    test: Photos

    def __post_init__(self) -> None:
        """Checks that the widths fit together."""
        splits = self.train, self.validation, self.test
        train, validation, test = (split.images.shape[1] for split in splits)
        if not train >= validation == test:
            raise ValueError(
                "validation and test photos must have the same width, and training photos must be at least as wide: "
                f"got train {train}, validation {validation}, test {test} pixels"
            )


def _check_images(images: object) -> None:
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        raise ValueError(f"images must be a uint8 array, got {_describe(images)}")
    if images.ndim != 4 or images.shape[1] != images.shape[2] or images.shape[3] != 3 or images.shape[1] == 0:
        raise ValueError(f"images must be [photo, width, width, 3] with width > 0, got {images.shape}")


def _check_masks(masks: object, *, shape: tuple[int, ...]) -> None:
    if not isinstance(masks, np.ndarray) or masks.dtype != np.uint8:
        raise ValueError(f"masks must be None or a uint8 array, got {_describe(masks)}")
    if masks.shape != shape:
        raise ValueError(f"masks must have the shape {shape} to match the images, got {masks.shape}")
    others = set(np.unique(masks).tolist()) - {BACKGROUND, FOREGROUND, UNLABELLED}
    if others:
        raise ValueError(f"masks must hold 0, 1 and 255 only, got {sorted(others)} as well")


def _describe(value: object) -> object:
    return getattr(value, "dtype", None) or type(value).__name__
