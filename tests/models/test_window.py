import keras
import numpy as np
import tensorflow as tf

from tf_layered_gan.models.networks.window import Window


def test_cuts_each_square_at_its_corner():
    features = tf.reshape(tf.range(2 * 3 * 4 * 2), [2, 3, 4, 2])  # not square
    squares = Window(2)(tf.cast(features, tf.float32), tf.constant([[0, 1], [1, 2]]))
    np.testing.assert_array_equal(squares[0], features[0, 0:2, 1:3])
    np.testing.assert_array_equal(squares[1], features[1, 1:3, 2:4])


def test_gradient_is_0_outside_the_square():
    features = tf.ones([1, 3, 3, 1])
    with tf.GradientTape() as tape:
        tape.watch(features)
        square = Window(2)(features, tf.constant([[1, 0]]))
    np.testing.assert_array_equal(tape.gradient(square, features)[0, :, :, 0], [[0, 0, 0], [1, 1, 0], [1, 1, 0]])


def test_symbolic_output_shape():
    features, corner = keras.Input((6, 6, 3)), keras.Input((2,), dtype="int32")
    assert Window(4)(features, corner).shape == (None, 4, 4, 3)
