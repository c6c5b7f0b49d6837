"""Writes a compiled training step as StableHLO with its state, to run it where TensorFlow isn't.

    python -m benchmarks.export_step --config=configs/shapes.py --step=gan --output=DIR

A compiled step is a pure program: its parameters are the call's arguments followed by every variable that it reads,
its results the call's results followed by every variable that it writes. Any PJRT client (JAX's, for one) can load
it: give it the arguments, then the state, and put the results named in `aliases` back into the state after each step.

DIR/program.mlir   the program, StableHLO as text
DIR/state.npz      arg0, arg1, ... an example of the arguments; var0, var1, ... the state, in parameter order
DIR/meta.json      the arguments' names, the state's names, the results' names, and the aliases (result, parameter)
"""

import json
import pathlib
import re

import numpy as np
import tensorflow as tf
from absl import app, flags
from ml_collections import config_flags

from tf_layered_gan.config import validate
from tf_layered_gan.models import build, sampling
from tf_layered_gan.models.segmenter import synthetic_step


def training_step(config, kind):
    """Builds a whole training step, its random draws included.

    Args:
        config: a validated ConfigDict with `jit`.
        kind: "gan", "gan_first_round" or "segmenter".

    Returns:
        (step, arguments): the compiled function, and an example of its arguments: "image", float32 [batch, height,
        width, rgb] in [-1, 1], only for the GAN, and "step", int64 scalar, from which all draws follow. (XLA's draws
        differ from TensorFlow's own for the same step.)
    """
    segmenter = build.build_segmenter(config)
    gan = build.build_gan(config, segmenter)
    gan.uses_segmenter = kind == "gan"
    step = tf.constant(0, tf.int64)
    if kind == "segmenter":
        sample, learn = sampling.build_sampler(config, sampling.SEGMENTER_STREAM), synthetic_step(gan, segmenter)
        return tf.function(lambda step: learn(sample(step)), jit_compile=True), {"step": step}
    sample = sampling.build_sampler(config, sampling.GAN_STREAM)
    learn = tf.function(lambda image, step: gan.train_step({"image": image, **sample(step)}), jit_compile=True)
    return learn, {"image": tf.zeros([config.batch_size, config.resolution, config.resolution, 3]), "step": step}


def save_program(step, arguments, directory):
    """Writes program.mlir, state.npz and meta.json (see the module).

    Args:
        step: `tf.function(jit_compile=True)` returning a dict of scalars.
        arguments: dict of the tensors of one call, in order.
        directory: where to write; made where missing.
    """
    out = pathlib.Path(directory)
    out.mkdir(parents=True, exist_ok=True)
    values = list(arguments.values())
    concrete = step.get_concrete_function(*values)
    ir = step.experimental_get_compiler_ir(*values)
    (out / "program.mlir").write_text(ir(stage="stablehlo"))
    header = ir(stage="hlo").split("entry_computation_layout")[0]
    aliases = re.findall(r"\{(\d+)\}: \((\d+), \{\}, may-alias\)", header)
    state = [_variable(concrete, handle) for handle in concrete.captured_inputs]
    np.savez(
        out / "state.npz",
        **{f"arg{i}": value.numpy() for i, value in enumerate(values)},
        **{f"var{i}": variable.numpy() for i, variable in enumerate(state)},
    )
    meta = {
        "arguments": list(arguments),
        "args": len(values),
        "captured": [variable.name for variable in state],
        "results": sorted(concrete.structured_outputs),
        "aliases": [[int(result), int(parameter)] for result, parameter in aliases],
    }
    (out / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")


def _variable(concrete, handle):
    matches = [v for v in concrete.variables if v.handle is handle]
    if not matches:
        raise ValueError(f"the step reads {handle}, which is no variable: StableHLO cannot carry it")
    return matches[0]


def main(_):
    """Writes the step that the flags name."""
    config = flags.FLAGS.config
    config.jit = True
    try:
        validate(config)
    except ValueError as error:
        raise SystemExit(f"error: {error}") from error
    step, arguments = training_step(config, flags.FLAGS.step)
    save_program(step, arguments, flags.FLAGS.output)
    print(f"wrote {flags.FLAGS.output}")


if __name__ == "__main__":
    config_flags.DEFINE_config_file("config", None, "The run's configuration.", lock_config=True)
    flags.DEFINE_string("output", None, "Where to write.", required=True)
    flags.DEFINE_enum(
        "step",
        "gan",
        ["gan", "gan_first_round", "segmenter"],
        "gan: Algorithm 1, lines 4 and 5; gan_first_round: without the background loss; segmenter: lines 7 and 8.",
    )
    flags.mark_flag_as_required("config")
    app.run(main)
