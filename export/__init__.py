"""Export of the trained segmenter for servers and devices, and verification of every exported file."""

from tf_layered_gan import startup  # noqa: F401

MAX_IOU_LOSS = 0.01  # the default of the largest drop in IoU that is allowed for a format
