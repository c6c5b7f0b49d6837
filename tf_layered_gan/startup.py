"""Settings that TensorFlow reads when it is imported. Import this module before TensorFlow.

`import tf_layered_gan` alone must not change them: a program decides for itself until it calls one of our functions.
"""

import os

# TensorFlow turns oneDNN on by itself only on some processors, but a GAN step is also much faster with it on others.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
