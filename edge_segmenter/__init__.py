from .pictures import read_picture
from .segmenter import Segmenter

__all__ = ["Segmenter", "read_picture"]
