"""Exports the trained segmenter for servers and devices, and verifies every exported file."""

from tf_layered_gan import startup  # noqa: F401
