"""Mixed precision (Micikevicius et al. 2018): layers compute in bfloat16, but their weights are float32."""

import contextlib
from collections.abc import Iterator

import keras

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


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
