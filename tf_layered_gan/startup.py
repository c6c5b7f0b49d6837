"""Settings that TensorFlow and Keras read when they are imported. Import this module before TensorFlow and Keras.

`import tf_layered_gan` alone must not change these settings. A program keeps its own settings until it calls one of our
functions.
"""

import os

from tf_layered_gan import interruption

# TensorFlow itself turns oneDNN on for some processors only, but a GAN step is much faster with oneDNN on others too.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# The training loop needs Keras's backend TensorFlow, whatever a shell's profile or ~/.keras/keras.json sets.
os.environ["KERAS_BACKEND"] = "tensorflow"
interruption.hide_traceback_of_imports()
