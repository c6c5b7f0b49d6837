"""A script that computes the golden arrays of this folder with tensorflow-addons, see README.md."""

import pathlib

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa

FOLDER = pathlib.Path(__file__).parent
SIZE = 12
# The columns are s, alpha in radians, t_x and t_y. The rows are the identity, two scales, two rotations, a shift, and
# two mixed transforms.
PARAMETERS = np.array(
    [
        [0.0, 0.0, 0.0, 0.0],
        [-0.4, 0.0, 0.0, 0.0],
        [0.3, 0.0, 0.0, 0.0],
        [0.0, 0.5, 0.0, 0.0],
        [0.0, -0.2, 0.0, 0.0],
        [0.0, 0.0, 2.25, -1.5],
        [-0.2, 0.25, 3.0, 1.7],
        [0.2, -0.6, -2.4, 0.3],
    ],
    np.float32,
)


def scale_transform(exponent):
    """Returns the projective transform that scales by 2^exponent about the centre of the image."""
    centre, inverse = (SIZE - 1) / 2, 2.0**-exponent
    offset = centre * (1 - inverse)
    return tf.constant([[inverse, 0, offset, 0, inverse, offset, 0, 0]], tf.float32)


def perturb(image, exponent, angle, shift_x, shift_y):
    """Scales an image, then turns it, and then shifts it.

    In tensorflow-addons, positive angles turn counter-clockwise on screen.
    """
    transform = tfa.image.compose_transforms(
        [
            scale_transform(exponent),
            tfa.image.transform_ops.angles_to_projective_transforms(-angle, SIZE, SIZE),
            tfa.image.translate_ops.translations_to_projective_transforms([shift_x, shift_y]),
        ]
    )
    return tfa.image.transform(image, transform, interpolation="bilinear", fill_mode="constant", fill_value=0.0)


def write_warps(generator):
    image = generator.uniform(-1, 1, (SIZE, SIZE, 2)).astype(np.float32)
    warped = np.stack([perturb(image, *row) for row in PARAMETERS])
    np.savez_compressed(FOLDER / "warp.npz", image=image, parameters=PARAMETERS, warped=warped)


def kernel_with_gap(generator):
    """Returns a convolution kernel with the singular values 4, 2, 1 and 0.5.

    tensorflow-addons computes sigma half an iteration earlier than SN-GAN. Because the singular values are far apart,
    sigma is nevertheless the same after 5 iterations, although u still changes.
    """
    left, _ = np.linalg.qr(generator.standard_normal((18, 4)))
    right, _ = np.linalg.qr(generator.standard_normal((4, 4)))
    return (left @ np.diag([4.0, 2.0, 1.0, 0.5]) @ right.T).reshape(3, 3, 2, 4).astype(np.float32)


def write_power_iterations(generator):
    kernel = kernel_with_gap(generator)
    u = generator.standard_normal((1, 4)).astype(np.float32)
    inputs = tf.zeros((1, 3, 3, 2))
    layer = tfa.layers.SpectralNormalization(tf.keras.layers.Conv2D(4, 3))
    layer.build(inputs.shape)
    layer.layer.kernel.assign(kernel)
    layer.u.assign(u)
    arrays = {"kernel": kernel, "u_0": u}
    for step in range(1, 6):
        layer(inputs, training=True)
        arrays[f"u_{step}"] = layer.u.numpy()
    arrays["normalized_kernel_5"] = layer.layer.kernel.numpy()
    np.savez_compressed(FOLDER / "power_iteration.npz", **arrays)


if __name__ == "__main__":
    write_warps(np.random.default_rng(0))
    write_power_iterations(np.random.default_rng(1))
