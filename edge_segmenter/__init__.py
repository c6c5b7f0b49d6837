TYPE_CHECKING = False  # not imported from typing: the import takes long, and Ctrl-C would show a traceback until then

if TYPE_CHECKING:
    from .files.images import UnreadableImage, read_image
    from .segmenter import Segmenter

__all__ = ["Segmenter", "UnreadableImage", "read_image"]


def __getattr__(name: str) -> object:
    """Imports a class or function on first use, so that the command starts before NumPy and Pillow are loaded."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import segmenter
    from .files import images

    return getattr(segmenter if name == "Segmenter" else images, name)
