"""Layered GANs that learn to segment foreground from background without a single mask."""

import os

from tf_layered_gan import interruption

interruption.hide_traceback_of_imports()
# TensorFlow turns oneDNN on by itself only on some processors, but a GAN step is also much faster with it on others.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# The training loop needs TensorFlow, whatever a shell's profile or ~/.keras/keras.json names.
os.environ["KERAS_BACKEND"] = "tensorflow"

__version__ = "0.2.0"
