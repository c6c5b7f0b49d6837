from .files.images import UnreadableImage, read_image
from .segmenter import Segmenter

__all__ = ["Segmenter", "UnreadableImage", "read_image"]
