TYPE_CHECKING = False  # not from typing, which takes long to import: until then, Ctrl-C would show a traceback

if TYPE_CHECKING:
    from .files.images import UnreadableImage, read_image
    from .segmenter import Segmenter

__all__ = ["Segmenter", "UnreadableImage", "read_image"]


def __getattr__(name: str) -> object:
    """Imports a class or function when it is first used: the command begins before NumPy and Pillow are loaded."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import segmenter
    from .files import images

    return getattr(segmenter if name == "Segmenter" else images, name)
