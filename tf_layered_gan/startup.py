"""Settings that TensorFlow and Keras read when they are imported. Import this module before TensorFlow and Keras.

Importing `tf_layered_gan` must not change these settings. A program keeps its own settings until it calls one of our
functions.
"""

import os

from tf_layered_gan import interruption

# By default TensorFlow uses oneDNN only on some processors, but with oneDNN a GAN step is much faster on others too.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# The training loop needs TensorFlow as Keras's backend. A shell's profile or ~/.keras/keras.json may set another
# backend.
os.environ["KERAS_BACKEND"] = "tensorflow"
interruption.hide_traceback_of_imports()
