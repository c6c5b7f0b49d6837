"""Images of discs, and small networks, for the tests of the export."""

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from edge_segmenter.model import dequantize
from export.documentation.facts import run_facts
from tf_layered_gan.data.photos import Photos

RESOLUTION = 32
TFLITE = ("segmenter_float32.tflite", "segmenter_float16.tflite", "segmenter_dynamic.tflite", "segmenter_int8.tflite")
FILES = {"lock", "saved_model", *TFLITE, "export.json", "model_card.md"}
TRAINING = run_facts(
    "folder",
    fit="crop",
    photos={"train": 514, "validation": 16, "test": 16},
    supervised=False,
    encoder="none",
    rounds=1,
    images_seen=16000,
    segmenter_steps=600,
    passes=0,
    test_masks=None,
)


def disc_photos(count, seed):
    """Returns images of bright discs on dark gradients, and their masks.

    The images are uint8 in [20, 220], so no pixel is black or white.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:RESOLUTION, :RESOLUTION]
    centres, radii = rng.uniform(8, 24, (count, 2, 1, 1)), rng.uniform(4, 10, (count, 1, 1))
    masks = (np.hypot(y - centres[:, 0], x - centres[:, 1]) < radii)[..., None]
    ramps = 20 + (x * rng.uniform(0, 2, (count, 1, 1)))[..., None] * rng.uniform(0.5, 1, (count, 1, 1, 3))
    discs = rng.uniform(140, 220, (count, 1, 1, 3))
    return np.where(masks, discs, ramps).astype("uint8"), masks.astype("float32")


def unlabelled(images):
    """Returns `Photos` without masks."""
    return Photos(images, None, ("",) * len(images))


def pixel_network(weights, bias=0.0):
    """Returns a network whose logit at a pixel is a weighted sum of the pixel's three channels."""
    image = keras.Input((RESOLUTION, RESOLUTION, 3))
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(image))
    model.set_weights([np.reshape(weights, (1, 1, 3, 1)), np.array([bias])])
    return model


def grey(*values):
    """Returns one uint8 image for each value, filled with this value."""
    return np.ones((1, RESOLUTION, RESOLUTION, 3), "uint8") * np.reshape(values, (-1, 1, 1, 1)).astype("uint8")


def run_tflite(content, images):
    """Runs the first signature on one image per call. Returns the dequantised outputs without the channel axis."""
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    outputs = []
    for image in images:
        interpreter.set_tensor(source["index"], image[None])
        interpreter.invoke()
        outputs.append(dequantize(interpreter.get_tensor(target["index"])[0, ..., 0], target))
    return np.stack(outputs)
