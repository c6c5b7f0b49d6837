"""Layered GANs that learn to segment foreground from background without a single mask.

from tf_layered_gan import load_segmenter, synthesize_pairs, train_on_folder
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tf_layered_gan.library import Pair, load_segmenter, synthesize_pairs, train_on_folder

__version__ = "0.2.0"
__all__ = ["Pair", "load_segmenter", "synthesize_pairs", "train_on_folder"]


def __getattr__(name: str) -> Any:
    """Imports the module `library` when one of its functions is first used. The commands do not need this module."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tf_layered_gan import library

    return getattr(library, name)
