"""Layered GANs that learn to segment foreground from background without a single mask."""

import os

# TensorFlow turns oneDNN on by itself only on some processors; on others, too, a GAN step is much faster with it.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__version__ = "0.2.0"
