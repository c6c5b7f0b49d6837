"""Fine-tunes a segmenter with its rounding to 8 bits simulated, so that the int8 model says what the float one says.

Jacob et al. 2018: the batch normalisations are folded first, so that what is rounded in training is what TFLite rounds.
The target is what the network finds before it is tuned, on photos (Hinton et al. 2015); no labels are needed.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from tf_layered_gan.data.augmentation import random_flip_and_crop

from ..quantization.folding import fold_batch_norm, is_convolution

_UNROUNDED = (layers.InputLayer, layers.MaxPooling2D)  # a pixel is 8 bits already, a maximum is one of its inputs


def fine_tune(network, images, *, steps=100, batch_size=16, learning_rate=3e-5, seed=0):
    """Makes a copy of F whose int8 conversion agrees better with F's masks.

    Args:
        network: F, from float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits, of the layers that
            `fold_batch_norm` allows; it stays as it is.
        images: uint8 [picture, side, side, rgb], photos to train on, side >= resolution. What is learnt from are random
            squares of at least `resolution` pixels, resized to it, half of them mirrored.
        steps: how many batches to learn from, at least 1.
        batch_size: photos a batch, at least 1.
        learning_rate: that of Adam in the first step; it falls to 0 along a cosine. At 1e-3 a network forgot what
            it knew.
        seed: int, from which all draws follow.

    Returns:
        keras.Model of F's interface, without batch normalisation, for conversion to int8 alone, as in float32 its
        masks are not quite F's. Its threshold is still to be centred, see `centring.centre_threshold`.

    Raises:
        ValueError: for images of another type or shape, no image, no step, or a network that cannot be folded.
    """
    _check(network, images, steps)
    tuned = fold_batch_norm(network)
    rounding = _with_rounding(tuned)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps))
    optimizer.build(tuned.trainable_variables)
    train_step = _train_step(network, tuned, rounding, optimizer)
    draw = _draw(images, batch_size, network.input_shape[1])
    for step in range(steps):
        train_step(draw(tf.constant([seed, step])))
    return tuned


def _check(network, images, steps):
    resolution = network.input_shape[1]
    wanted = images.ndim == 4 and images.shape[1] == images.shape[2] >= resolution and images.shape[3] == 3
    if images.dtype != np.uint8 or not wanted or not len(images):
        allowed = f"uint8 [at least 1, side, side, 3], side at least {resolution}"
        raise ValueError(f"images must be {allowed}, got {images.dtype} {list(images.shape)}")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")


def _draw(images, batch_size, resolution):
    """The function from a seed, int32 [2], to a batch of views of the images in [-1, 1]."""
    pictures, crop_scale = tf.constant(images), (resolution / images.shape[1], 1.0)

    def draw(seed):
        choice, view = tf.unstack(tf.random.split(seed))
        chosen = tf.random.stateless_uniform([batch_size], choice, 0, len(images), tf.int32)
        batch = tf.cast(tf.gather(pictures, chosen), tf.float32) / 127.5 - 1.0
        return random_flip_and_crop(batch, view, resolution=resolution, crop_scale=crop_scale, flip=True)

    return tf.function(draw, autograph=False)


def _train_step(network, tuned, rounding, optimizer):
    convolutions = [layer for layer in tuned.layers if is_convolution(layer)]
    variables = tuned.trainable_variables

    def step(pictures):
        target = tf.sigmoid(network(pictures, training=False))
        with tf.GradientTape() as tape:
            kernels = [(layer.kernel, _rounded_kernel(layer)) for layer in convolutions]
            with keras.StatelessScope(kernels):  # in which a layer has the rounded kernel for its own
                logits = rounding(pictures)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(target, logits))
        optimizer.apply(tape.gradient(loss, variables), variables)

    return tf.function(step, autograph=False)


def _with_rounding(network):
    """The same layers, not copies, with `_Round` after each operation that TFLite rounds, but for the output.

    A ReLU is one operation with the convolution before it. How finely the output, the logits, is rounded decides no
    mask once its threshold is centred.
    """
    fused = {id(layer.input) for layer in network.layers if isinstance(layer, layers.ReLU)}

    def call(layer, *args, **kwargs):
        output = layer(*args, **kwargs)
        unrounded = isinstance(layer, _UNROUNDED) or id(layer.output) in fused or layer is network.layers[-1]
        return output if unrounded else _Round()(output)

    return keras.models.clone_model(network, clone_function=lambda layer: layer, call_function=call)


class _Round(layers.Layer):
    """Rounds to 256 values over the batch's range, as TFLite does over that of the calibration photos."""

    def call(self, x):
        """Returns x rounded; the gradient is that of x itself."""
        low, high = ops.minimum(ops.min(x), 0.0), ops.maximum(ops.max(x), 0.0)
        return tf.quantization.fake_quant_with_min_max_vars(x, tf.stop_gradient(low), tf.stop_gradient(high))


def _rounded_kernel(layer):
    """The kernel in 254 steps a filter, symmetric about 0; the gradient is that of the kernel itself."""
    kernel = tf.convert_to_tensor(layer.kernel)
    filter_axes = (0, 1) if isinstance(layer, layers.DepthwiseConv2D) else (0, 1, 2)
    step = tf.maximum(tf.reduce_max(tf.abs(kernel), filter_axes, keepdims=True) / 127, np.finfo("float32").tiny)
    return kernel + tf.stop_gradient(tf.round(kernel / step) * step - kernel)
