"""oneDNN, which makes TensorFlow fast on CPUs. Import this module before TensorFlow.

TensorFlow turns oneDNN on by itself only on some processors, but a GAN step is also much faster with it on others.
"""

import os

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
