"""Export of the trained segmenter for servers and devices, and verification of every exported file."""

from tf_layered_gan import startup  # noqa: F401
