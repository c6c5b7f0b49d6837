"""Layered GANs that learn to segment foreground from background without a single mask."""

import os

# TensorFlow turns oneDNN on by itself only on some processors; where it does not, a GAN step takes 1.6 times as long.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
