"""Mixed precision (Micikevicius et al. 2018): layers compute in bfloat16, but their weights are float32."""

import contextlib
import os
import pathlib
import re
from collections.abc import Iterator

import keras
import tensorflow as tf

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
_CPU_FACTS = pathlib.Path("/proc/cpuinfo")  # of Linux


@contextlib.contextmanager
def built_for(precision: str) -> Iterator[None]:
    """Sets the precision in which layers compute, for all layers that are built in the `with` block.

    A layer that is built with its own `dtype` keeps this `dtype`. So the last layers of each network are always
    float32.

    Args:
        precision: "float32" or "bfloat16".
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_POLICIES[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def gan_precision(precision: str) -> str:
    """Returns the precision of all training but the passes over photos, "float32" or "bfloat16".

    "auto" becomes float32, because the masks of a GAN that trained in bfloat16 were worse, see benchmarks/README.md.
    Students were not measured.
    """
    return "float32" if precision == "auto" else precision


def pass_precision(precision: str) -> tuple[str, str]:
    """Returns the precision of passes over photos, "float32" or "bfloat16", and the reason.

    "auto" becomes bfloat16 if that was measured to be faster and as good, see benchmarks/README.md: on a CPU with
    AVX512_BF16, whose convolutions oneDNN computes. Without these instructions, bfloat16 is several times slower than
    float32. On GPUs, bfloat16 was not measured with TensorFlow.
    """
    if precision != "auto":
        return precision, "the config says so"
    if tf.config.list_physical_devices("GPU"):
        return "float32", "bfloat16 was not measured on GPUs"
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0":
        return "float32", "oneDNN is off"
    if not _has_bfloat16_instructions():
        return "float32", "the CPU has no AVX512_BF16, or does not say so"
    return "bfloat16", "the CPU has AVX512_BF16"


def _has_bfloat16_instructions() -> bool:
    try:
        facts = _CPU_FACTS.read_text()
    except OSError:
        return False
    return re.search(r"^flags\s*:.*\bavx512_bf16\b", facts, re.MULTILINE) is not None
