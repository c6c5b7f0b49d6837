"""The global settings of Keras. They may come from ~/.keras/keras.json, or from other code in the same process."""

import keras
from absl import logging

_SETTINGS = {
    "floatx": ("float32", keras.config.floatx, keras.config.set_floatx),
    "image_data_format": ("channels_last", keras.config.image_data_format, keras.config.set_image_data_format),
    "epsilon": (1e-7, keras.config.epsilon, keras.config.set_epsilon),
    "dtype_policy": ("float32", lambda: keras.config.dtype_policy().name, keras.config.set_dtype_policy),
}


def use_our_settings() -> None:
    """Gives Keras the settings that the networks need. Logs a warning for each setting that had another value.

    Raises:
        ImportError: Keras was imported with another backend.
    """
    if keras.config.backend() != "tensorflow":
        raise ImportError(
            f"Keras's backend is {keras.config.backend()}, allowed: tensorflow; set KERAS_BACKEND=tensorflow before "
            "Keras is imported"
        )
    for name, (ours, get, use) in _SETTINGS.items():
        if get() != ours:
            logging.warning(
                "Keras's %s is %s, perhaps because of keras.json; this program sets it to %s", name, get(), ours
            )
            use(ours)
