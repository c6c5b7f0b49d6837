"""Folding of each batch normalisation into the convolution before it, as TFLite's converter does."""

import keras
import numpy as np
from keras import layers


def fold_batch_norm(network: keras.Model) -> keras.Model:
    """Copies a network and folds each batch normalisation into the convolution before it.

    Args:
        network: functional model. Each layer with weights must be a Conv2D, a DepthwiseConv2D or a BatchNormalization.
            Every BatchNormalization must normalise the channels of a convolution without activation. No other layer may
            use the output of this convolution.

    Returns:
        keras.Model with the same output in inference mode and no BatchNormalization. Every convolution has a bias and
        is trainable.

    Raises:
        ValueError: another kind of layer has weights, or a BatchNormalization does not follow a convolution.
    """
    convolutions = [layer for layer in network.layers if is_convolution(layer)]
    norms = {id(layer.input): layer for layer in network.layers if isinstance(layer, layers.BatchNormalization)}
    _check(network, convolutions, norms)
    folded = keras.models.clone_model(network, clone_function=_clone, call_function=_call)
    for layer in convolutions:
        folded.get_layer(layer.name).set_weights(_folded_weights(layer, norms.get(id(layer.output))))
    return folded


def is_convolution(layer: keras.Layer) -> bool:
    """Returns whether the class of a layer is exactly Conv2D or DepthwiseConv2D. Subclasses do not count."""
    return type(layer) in (layers.Conv2D, layers.DepthwiseConv2D)


def _check(network: keras.Model, convolutions: list[keras.Layer], norms: dict[int, layers.BatchNormalization]) -> None:
    for layer in network.layers:
        if layer.weights and layer not in convolutions and layer not in norms.values():
            allowed = "Conv2D, DepthwiseConv2D and BatchNormalization"
            raise ValueError(f"layer {layer.name} is a {type(layer).__name__} with weights, allowed: {allowed}")
    foldable = {id(layer.output) for layer in convolutions if layer.activation is keras.activations.linear}
    inputs = [id(tensor) for layer in network.layers for tensor in keras.tree.flatten(layer.input)]
    for tensor, norm in norms.items():
        if tensor not in foldable or inputs.count(tensor) > 1 or norm.axis not in (-1, 3):
            raise ValueError(
                f"layer {norm.name} must normalise the channels of a linear convolution, and no other layer may use "
                "the output of this convolution"
            )


def _clone(layer: keras.Layer) -> keras.Layer:
    changes = {"use_bias": True, "trainable": True} if is_convolution(layer) else {}
    return type(layer).from_config(layer.get_config() | changes)


def _call(layer: keras.Layer, *args: keras.KerasTensor, **kwargs: object) -> keras.KerasTensor:
    return args[0] if isinstance(layer, layers.BatchNormalization) else layer(*args, **kwargs)


def _folded_weights(layer: keras.Layer, norm: layers.BatchNormalization | None) -> tuple[np.ndarray, np.ndarray]:
    """Returns the kernel and the bias of a convolution.

    If a normalisation follows the convolution, the normalisation is folded into the kernel and the bias.
    """
    kernel, channels = np.asarray(layer.kernel), layer.output.shape[-1]
    bias = np.asarray(layer.bias) if layer.use_bias else np.zeros(channels, "float32")
    if norm is None:
        return kernel, bias
    scale = np.reciprocal(np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon))
    scale = scale * np.asarray(norm.gamma) if norm.scale else scale
    bias = (bias - np.asarray(norm.moving_mean)) * scale
    bias = bias + np.asarray(norm.beta) if norm.center else bias
    is_depthwise = isinstance(layer, layers.DepthwiseConv2D)  # in a depthwise kernel, the last two axes are channels
    return kernel * (scale.reshape(kernel.shape[2:]) if is_depthwise else scale), bias
