"""Moves the logits by half an 8-bit step, so that an int8 mask ends where the float mask does."""

import keras
import numpy as np

from tf_layered_gan.evaluation.segmentation import to_model_range

from ..quantization.folding import is_convolution

_BATCH = 32


def centre_threshold(network, images):
    """Copies F, with half a step added to its logits.

    In the int8 model logits are multiples of a step, the 255th of their range, and a pixel is foreground from the
    first multiple above 0 on. Without this, all that is rounded to 0 is background, logits up to half a step above 0
    among it: where many pixels are uncertain, the mask shrinks.

    Args:
        network: F, from float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits; the last of its
            convolutions has one filter and a bias, and gives the logits or those that are enlarged.
        images: uint8 [picture, resolution, resolution, rgb], the photos that the int8 model is calibrated on.

    Returns:
        keras.Model of F's interface, for conversion to int8 alone: in float32 its masks are a little too large.

    Raises:
        ValueError: the last convolution has several filters, or no bias.
    """
    centred = keras.models.clone_model(network)
    centred.set_weights(network.get_weights())
    last = [layer for layer in centred.layers if is_convolution(layer)][-1]
    if last.output.shape[-1] != 1 or not last.use_bias:
        raise ValueError(f"the last convolution, {last.name}, must have one filter and a bias")
    logits = _outputs(keras.Model(centred.input, last.output), images)
    last.bias.assign_add([(max(logits.max(), 0) - min(logits.min(), 0)) / 255 / 2])
    return centred


def _outputs(network, images):
    """What `predict` gives, without compiling anything for so few pictures."""
    batches = (images[start : start + _BATCH] for start in range(0, len(images), _BATCH))
    return np.concatenate([network(to_model_range(batch), training=False) for batch in batches])
