"""TensorFlow's own results of the programs. `device/check.py` compares a device's results with them."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from benchmarks.gpu.programs import Models, Program


def take_reference_steps(
    programs: Mapping[str, Program], models: Models, photos: np.ndarray, images: np.ndarray
) -> dict[str, np.ndarray]:
    """Runs a few steps of every training program. Each program starts from the initial variables.

    Args:
        programs: see `programs.build_programs`.
        models: the models in their initial state. The function restores this state at the end.
        photos: uint8 [step, batch, width, width, rgb], at the size of the stored photos.
        images: images for `predict`, uint8 [image, resolution, resolution, rgb].

    Returns:
        dict of arrays. "PROGRAM/report", float64 [step, result], has the results of each training step, ordered by
        name. "synthesize/LAYER" has the layers after the steps of "gan_later". "predict/probability" has the foreground
        probabilities after the steps of "final".
    """
    begin = {name: variable.numpy() for name, variable in models.variables.items()}
    arrays = {}
    for name in ("gan_first", "gan_later", "segmenter", "final"):
        arrays[f"{name}/report"] = _train(programs[name], photos)
        if name == "gan_later":
            layers = _compiled(programs["synthesize"])(tf.constant(1, tf.int64))
            arrays |= {f"synthesize/{layer}": value.numpy() for layer, value in layers.items()}
        if name == "final":
            filled = np.resize(images, programs["predict"][1]["images"].shape)
            probability = _compiled(programs["predict"])(tf.constant(filled))["probability"]
            arrays["predict/probability"] = probability.numpy()[: len(images)]
        for key, value in begin.items():
            models.variables[key].assign(value)
    return arrays


def _train(program: Program, photos: np.ndarray) -> np.ndarray:
    step, reports = _compiled(program), []
    for i, batch in enumerate(photos):
        report = step(*([tf.constant(batch)] if "photos" in program[1] else []), tf.constant(i, tf.int64))
        reports.append([float(report[key]) for key in sorted(report)])
    return np.array(reports)


def _compiled(program: Program) -> tf.types.experimental.GenericFunction:
    return tf.function(program[0], jit_compile=True, autograph=False)
