"""Images of blobs, and networks that are briefly trained to find red blobs. The tests of the web page use them."""

import keras
import numpy as np
from discs import TRAINING
from PIL import Image

from export.documentation.facts import segmenter_facts
from export.exporter import export_segmenter
from tf_layered_gan.data.photos import Photos
from tf_layered_gan.models.networks.separable_unet import separable_unet
from tf_layered_gan.models.networks.unet import unet

# The U-Net has the resolution and depth of configs/folder.py. The separable network is as large as a student.
NETWORKS = {"unet": lambda: unet(64, 8, 4), "separable": lambda: separable_unet(64, 16, 4)}
STEPS, BATCH, HELD_OUT = 60, 8, 32


def blobs(width, height, mode="RGB", seed=0):
    """Returns an image of blobs, which are bright and dark spots in many sizes and all colours."""
    rng = np.random.default_rng(seed)
    sum_of_scales = np.zeros((height, width, len(mode)))
    for cells in (3, 9, 27):
        grid = [Image.fromarray(rng.normal(size=(cells, cells)).astype("float32")) for _ in mode]
        sum_of_scales += np.stack([np.asarray(g.resize((width, height), Image.Resampling.BICUBIC)) for g in grid], -1)
    values = np.clip(127.5 + 60 * sum_of_scales, 0, 255).astype("uint8")
    return Image.fromarray(values[..., 0] if mode == "L" else values)


def exif(orientation):
    """Returns EXIF data with this orientation."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def is_red(image):
    """Returns a mask of the pixels around which there is more red than blue, bool [height, width]."""
    blurred = image.resize((6, 6), Image.Resampling.BOX).resize(image.size, Image.Resampling.BICUBIC)
    red, _, blue = np.moveaxis(np.asarray(blurred), -1, 0)
    return red > blue


def export_network(name, output):
    """Trains one of NETWORKS on images of blobs, and exports it. The images have the seeds 1, 2 and so on."""
    keras.utils.set_random_seed(0)
    network = NETWORKS[name]()
    held_out = _train(network)
    images = {"calibration": held_out, "tuning": held_out}
    test = Photos(held_out, None, ("",) * HELD_OUT)
    export_segmenter(network, images, test, output, facts=segmenter_facts(TRAINING), max_iou_loss=0.1)


def _train(network):
    """Trains the network to find red blobs. Returns uint8 images that were not used in training."""
    side = network.input_shape[1]
    images = [blobs(side, side, seed=seed) for seed in range(1, 1 + STEPS * BATCH + HELD_OUT)]
    pixels, masks = np.stack([*map(np.asarray, images)]), np.stack([*map(is_red, images)])[..., None]
    network.compile(keras.optimizers.Adam(1e-2), keras.losses.BinaryCrossentropy(from_logits=True))
    inputs = pixels[:-HELD_OUT] / np.float32(127.5) - 1
    network.fit(inputs, masks[:-HELD_OUT], BATCH, shuffle=False, verbose=0)
    return pixels[-HELD_OUT:]
