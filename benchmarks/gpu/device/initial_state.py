"""Recipes for a run's initial variables. The device makes the variables from their recipes, so the bundle does not
have to hold these variables.

This module needs only NumPy.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def describe(values: Mapping[str, np.ndarray], exact: bool) -> tuple[dict[str, dict[str, Any]], Arrays]:
    """Returns a recipe for each variable, and the values that the bundle must carry.

    There are three recipes: one number everywhere, a copy of an earlier variable, and a random orthogonal matrix. If a
    value fits none of these recipes, the bundle carries the value itself.

    Args:
        values: the initial values of all variables by name.
        exact: if True, the bundle carries all values, and the device begins with exactly these values.
    """
    recipes: dict[str, dict[str, Any]] = {}
    carried: Arrays = {}
    first: dict[tuple, str] = {}
    for name, value in values.items():
        key = (value.shape, value.dtype.name, value.tobytes())
        how = {"from": "value"} if exact else _recipe(value, first.setdefault(key, name), name)
        recipes[name] = {"shape": list(value.shape), "dtype": value.dtype.name, **how}
        if how["from"] == "value":
            carried[name] = value
    return recipes, carried


def make(recipes: Mapping[str, Mapping[str, Any]], carried: Mapping[str, np.ndarray], seed: int) -> Arrays:
    """Makes the initial values of all variables. The seed determines the random values.

    Raises:
        ValueError: if a value does not have the shape or dtype of its recipe.
    """
    generator = np.random.default_rng(seed)
    state: Arrays = {}
    for name, recipe in recipes.items():
        shape, dtype, kind = tuple(recipe["shape"]), recipe["dtype"], recipe["from"]
        if kind == "value":
            state[name] = carried[name]
        elif kind == "fill":
            state[name] = np.full(shape, recipe["fill"], dtype)
        elif kind == "same":
            state[name] = state[recipe["same"]].copy()
        else:
            state[name] = _draw_orthogonal(generator, shape)
        if state[name].shape != shape or state[name].dtype != dtype:
            raise ValueError(f"{name} is {state[name].dtype} {state[name].shape}, allowed: {dtype} {shape}")
    return state


def _recipe(value: np.ndarray, first: str, name: str) -> dict[str, Any]:
    if value.size and (value == value.flat[0]).all():
        return {"from": "fill", "fill": value.flat[0].item()}
    if first != name:
        return {"from": "same", "same": first}
    if value.ndim >= 2 and _is_orthogonal(value):
        return {"from": "orthogonal"}
    return {"from": "value"}


def _is_orthogonal(value: np.ndarray) -> bool:
    matrix = value.reshape(-1, value.shape[-1]).astype(np.float64)
    if matrix.shape[0] < matrix.shape[1]:
        matrix = matrix.T
    return matrix.shape[0] > 1 and bool(np.abs(matrix.T @ matrix - np.eye(matrix.shape[1])).max() < 1e-3)


def _draw_orthogonal(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draws an orthogonal matrix like keras.initializers.Orthogonal, and gives it the shape `shape`.

    The last axis of the shape becomes the columns of the matrix. All earlier axes together become its rows.
    """
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    noise = generator.standard_normal((max(rows, columns), min(rows, columns))).astype(np.float32)
    q, r = np.linalg.qr(noise)
    q *= np.sign(np.diag(r))
    return np.ascontiguousarray((q if rows >= columns else q.T).reshape(shape), np.float32)
