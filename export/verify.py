"""Whether an exported segmenter still says what the Keras model says."""

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tf_layered_gan.evaluation import THRESHOLD, predict_probabilities

BATCH = 32


def savedmodel_runner(directory):
    """Loads a SavedModel.

    Args:
        directory: what `write_savedmodel` wrote.

    Returns:
        function from uint8 [picture, resolution, resolution, rgb] to the foreground probability, float32
        [picture, resolution, resolution, 1] in [0, 1].
    """
    model = tf.saved_model.load(str(directory))

    def predict(pixels):
        batches = [pixels[start : start + BATCH] for start in range(0, len(pixels), BATCH)]
        return np.concatenate([model.serve(batch).numpy() for batch in batches])

    return predict


def tflite_runner(content):
    """Loads a TFLite model.

    Args:
        content: bytes of the model.

    Returns:
        function as `savedmodel_runner` returns it. The pixels go in as they are; a quantised output is scaled
        back by the model's own parameters.
    """
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero_point = target["quantization"]

    def predict_one(picture):
        interpreter.set_tensor(source["index"], picture[None])
        interpreter.invoke()
        values = interpreter.get_tensor(target["index"])[0]
        return (values.astype("float32") - zero_point) * np.float32(scale) if scale else values

    return lambda pixels: np.stack([predict_one(picture) for picture in pixels])


def agreement(network, predict, images):
    """Compares an exported model with the Keras model that it was made from.

    Args:
        network: F, from float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits.
        predict: the exported model, as `savedmodel_runner` and `tflite_runner` return it.
        images: uint8 [picture, resolution, resolution, rgb], held-out photos.

    Returns:
        dict: "iou" of the two models' masks, probability above 0.5, over all pictures together, 1 where both
        are empty; "max_difference" of the probabilities; "foreground", the share of pixels in the Keras
        masks, which tells an agreement on something from one on nothing; "pictures", their number.

    Raises:
        ValueError: the exported model returned another shape, or numbers that are not finite.
    """
    expected, actual = predict_probabilities(network, images)[..., None], predict(images)
    if actual.shape != expected.shape or not np.isfinite(actual).all():
        raise ValueError(
            f"the exported model must return finite probabilities {list(expected.shape)}, "
            f"got {list(actual.shape)}, {np.isfinite(actual).mean():.1%} of them finite"
        )
    expected_mask, actual_mask = expected > THRESHOLD, actual > THRESHOLD
    union = np.sum(expected_mask | actual_mask)
    return {
        "iou": float(np.sum(expected_mask & actual_mask) / union) if union else 1.0,
        "max_difference": float(np.max(np.abs(expected - actual))),
        "foreground": float(np.mean(expected_mask)),
        "pictures": len(images),
    }


def require_agreement(name, network, predict, images, *, least_iou):
    """Prints and returns `agreement(network, predict, images)`, and refuses a model below the bar.

    Raises:
        ValueError: the IoU with the Keras model is below `least_iou`.
    """
    figures = agreement(network, predict, images)
    iou = figures["iou"]
    print(
        f"{name}: IoU {iou:.5f} (at least {least_iou}) with the Keras model's masks, which cover "
        f"{figures['foreground']:.1%} of {figures['pictures']} held-out pictures, "
        f"largest probability difference {figures['max_difference']:.2g}"
    )
    if not figures["foreground"]:
        print(f"warning: the Keras model finds nothing on these pictures, so {name} was verified on nothing")
    if iou < least_iou:
        raise ValueError(f"{name} was not kept: its IoU with the Keras model is {iou:.5f}, below {least_iou}")
    return figures
