"""Quantisation-aware fine-tuning: training of a segmenter while the rounding to 8 bits is simulated.

This training makes the masks of the int8 model more similar to the masks of the float model. As in Jacob et al. 2018,
batch normalisation is folded first, so that training and TFLite round the same numbers. On each photo, the network
learns to repeat the output that it had before the fine-tuning (distillation, Hinton et al. 2015). So no labels are
needed.
"""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from edge_segmenter.progress import progress
from tf_layered_gan.data.augmentation import random_flip_and_crop

from .folding import fold_batch_norm, is_convolution

# No rounding is needed after these layers, because pixels have 8 bits already and max pooling only selects values.
_UNROUNDED = (layers.InputLayer, layers.MaxPooling2D)


def fine_tune(
    network: keras.Model,
    images: np.ndarray,
    *,
    steps: int = 100,
    batch_size: int = 16,
    learning_rate: float = 3e-5,
    seed: int = 0,
) -> keras.Model:
    """Returns a tuned copy of F. Its int8 model agrees better with F's masks than the int8 model of F itself does.

    Args:
        network: F, which maps float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits. `fold_batch_norm` must
            accept its layers. F is not changed.
        images: uint8 [photo, side, side, rgb], training photos, side >= resolution. Training uses random square crops
            of these photos. Each crop has sides of at least `resolution` pixels, is resized to `resolution`, and is
            mirrored with probability one half.
        steps: number of training steps, at least 1.
        batch_size: photos per step, at least 1.
        learning_rate: Adam's learning rate in the first step. It falls to 0 along a cosine. After fine-tuning with
            1e-3, one network no longer found any object.
        seed: seed of all random draws.

    Returns:
        keras.Model with the same interface as F, but without batch normalisation. Use it only for the conversion to
        int8, because in float32 its masks differ slightly from the masks of F. The threshold still has to be centred,
        see `centring.centre_threshold`.

    Raises:
        ValueError: there are no images, the images have another type or shape, `steps` is less than 1, or the network
            cannot be folded.
    """
    _check(network, images, steps)
    tuned = fold_batch_norm(network)
    rounding = simulate_rounding(tuned)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps))
    optimizer.build(tuned.trainable_variables)
    train_step = _train_step(network, tuned, rounding, optimizer)
    draw = _batch_function(images, batch_size, network.input_shape[1])
    for step in progress(range(steps), "fine-tuning", steps, "steps"):
        train_step(draw(tf.constant([seed, step])))
    return tuned


def _check(network: keras.Model, images: np.ndarray, steps: int) -> None:
    resolution = network.input_shape[1]
    allowed = images.ndim == 4 and images.shape[1] == images.shape[2] >= resolution and images.shape[3] == 3
    if images.dtype != np.uint8 or not allowed or not len(images):
        shape = f"uint8 [at least 1, side, side, 3], side at least {resolution}"
        raise ValueError(f"images must be {shape}, got {images.dtype} {list(images.shape)}")
    if steps < 1:
        raise ValueError(f"steps is {steps}, allowed: 1 or more")


def _batch_function(images: np.ndarray, batch_size: int, resolution: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns a function that takes a seed, int32 [2], and returns a batch of random crops, float32 in [-1, 1]."""
    photos, crop_scale = tf.constant(images), (resolution / images.shape[1], 1.0)

    def draw(seed: tf.Tensor) -> tf.Tensor:
        choice, view = tf.unstack(tf.random.split(seed))
        chosen = tf.random.stateless_uniform([batch_size], choice, 0, len(images), tf.int32)
        batch = tf.cast(tf.gather(photos, chosen), tf.float32) / 127.5 - 1.0
        return random_flip_and_crop(batch, view, resolution=resolution, crop_scale=crop_scale, flip=True)

    return tf.function(draw, autograph=False)


def _train_step(
    network: keras.Model, tuned: keras.Model, rounding: keras.Model, optimizer: keras.Optimizer
) -> Callable[[tf.Tensor], None]:
    convolutions = [layer for layer in tuned.layers if is_convolution(layer)]
    variables = tuned.trainable_variables

    def step(images: tf.Tensor) -> None:
        target = tf.sigmoid(network(images, training=False))
        with tf.GradientTape() as tape:
            kernels = [(layer.kernel, rounded_kernel(layer)) for layer in convolutions]
            with keras.StatelessScope(kernels):  # in this scope, the kernels are replaced by rounded kernels
                logits = rounding(images)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(target, logits))
        optimizer.apply(tape.gradient(loss, variables), variables)

    return tf.function(step, autograph=False)


def simulate_rounding(network: keras.Model) -> keras.Model:
    """Adds a `Round` after each operation whose result TFLite rounds, except the last operation.

    The layers are shared, not copied. A ReLU and the convolution before it count as one operation. The output is not
    rounded, because rounding does not change masks if the threshold is centred.
    """
    fused = {id(layer.input) for layer in network.layers if isinstance(layer, layers.ReLU)}

    def call(layer: keras.Layer, *args: keras.KerasTensor, **kwargs: object) -> keras.KerasTensor:
        output = layer(*args, **kwargs)
        unrounded = isinstance(layer, _UNROUNDED) or id(layer.output) in fused or layer is network.layers[-1]
        return output if unrounded else Round()(output)

    return keras.models.clone_model(network, clone_function=lambda layer: layer, call_function=call)


class Round(layers.Layer):
    """Rounds x to 256 values over the range of x in the batch. TFLite uses the range of the calibration photos."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Returns x rounded. The gradient ignores the rounding."""
        low, high = ops.minimum(ops.min(x), 0.0), ops.maximum(ops.max(x), 0.0)
        return tf.quantization.fake_quant_with_min_max_vars(x, tf.stop_gradient(low), tf.stop_gradient(high))


def rounded_kernel(layer: keras.Layer) -> tf.Tensor:
    """Returns a layer's rounded kernel. The gradient ignores the rounding.

    The weights of a filter become multiples of a step, which is 1/127 of the largest absolute weight in this filter.
    """
    kernel = tf.convert_to_tensor(layer.kernel)
    filter_axes = (0, 1) if isinstance(layer, layers.DepthwiseConv2D) else (0, 1, 2)
    step = tf.maximum(tf.reduce_max(tf.abs(kernel), filter_axes, keepdims=True) / 127, np.finfo("float32").tiny)
    return kernel + tf.stop_gradient(tf.round(kernel / step) * step - kernel)
