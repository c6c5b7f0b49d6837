from tf_layered_gan import startup  # noqa: F401

# isort: split

from tf_layered_gan.models import keras_settings

keras_settings.use_our_settings()
