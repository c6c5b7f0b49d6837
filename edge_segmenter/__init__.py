# TYPE_CHECKING is not imported from typing, because that import takes long, and Ctrl-C during it shows a traceback.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from .files.images import UnreadableImage, read_image
    from .segmenter import Segmenter

__all__ = ["Segmenter", "UnreadableImage", "read_image"]


def __getattr__(name: str) -> object:
    """Imports a class or function when it is first used. So the command starts before NumPy and Pillow are loaded."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import segmenter
    from .files import images

    return getattr(segmenter if name == "Segmenter" else images, name)
