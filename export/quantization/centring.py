"""Addition of half an 8-bit step to the logits, so that int8 masks have the same boundary as float masks."""

import keras
import numpy as np

from tf_layered_gan.evaluation.segmentation import to_model_range

from .folding import is_convolution

_BATCH = 32


def centre_threshold(network: keras.Model, images: np.ndarray) -> keras.Model:
    """Copies F and adds half a step to its logits.

    In the int8 model, logits are multiples of a step. The step is 1/255 of their range. A pixel is foreground if its
    logit is at least one step above 0. Without the addition, logits between 0 and half a step are rounded to 0, and
    their pixels become background. So the mask would become smaller where many pixels are uncertain.

    Args:
        network: F, which maps float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits. Its last convolution
            has one filter and a bias. This convolution returns the logits, possibly at a lower resolution than F.
        images: uint8 [photo, resolution, resolution, rgb], the calibration photos of the int8 model.

    Returns:
        keras.Model with the same interface as F. Use it only for the conversion to int8, because in float32 its masks
        are slightly too large.

    Raises:
        ValueError: the last convolution has several filters or no bias.
    """
    centred = keras.models.clone_model(network)
    centred.set_weights(network.get_weights())
    last = [layer for layer in centred.layers if is_convolution(layer)][-1]
    if last.output.shape[-1] != 1 or not last.use_bias:
        raise ValueError(f"the last convolution, {last.name}, must have one filter and a bias")
    logits = _outputs(keras.Model(centred.input, last.output), images)
    last.bias.assign_add([(max(logits.max(), 0) - min(logits.min(), 0)) / 255 / 2])
    return centred


def _outputs(network: keras.Model, images: np.ndarray) -> np.ndarray:
    """Returns the same as `network.predict`. Compiles no graph, because compiling takes too long for a few images."""
    batches = (images[start : start + _BATCH] for start in range(0, len(images), _BATCH))
    return np.concatenate([network(to_model_range(batch), training=False) for batch in batches])
