"""Export of the trained segmenter for servers and devices, and verification of every exported file."""

from tf_layered_gan import startup  # noqa: F401

MAX_IOU_LOSS = 0.01  # default limit: a format may lose at most this much IoU
