"""Whether two arms had the same data: fingerprints of the numbers that `fit` would see."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np


class DataPrint(NamedTuple):
    """Of the examples of one seed.

    values   equal for equal numbers in any precision: decimals are compared in float32
    exactly  of the numbers as they are trained on
    types    the types of the arrays: `float64, int64 (n, 1)`
    """

    values: str
    exactly: str
    types: str


def prints_of(data: Any) -> tuple[DataPrint, DataPrint]:
    """Of the examples that a seed trains on, and of those that it is evaluated on."""
    train, val = (dict(arrays_of(data, part)) for part in ("train", "val"))
    return print_of(train), print_of(val)


def arrays_of(data: Any, part: str) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of one part by name: inputs and labels."""
    for name in (f"x_{part}", f"y_{part}"):
        yield from arrays_in(name, getattr(data, name))


def arrays_in(name: str, value: object) -> Iterator[tuple[str, np.ndarray]]:
    """One array, or those of a dict or a tuple of several inputs."""
    if isinstance(value, Mapping | tuple):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            yield from arrays_in(f"{name} {key}", item)
    else:
        yield name, np.asarray(value)


def print_of(arrays: dict[str, np.ndarray]) -> DataPrint:
    values, exactly = hashlib.blake2b(), hashlib.blake2b()
    for name, array in arrays.items():
        shape = array.shape[:-1] if is_column(array) else array.shape
        values.update(f"{name} {shape}".encode() + in_one_precision(array))
        exactly.update(f"{name} {shape}".encode() + as_trained(array))
    types = [f"{a.dtype} (n, 1)" if is_column(a) else str(a.dtype) for a in arrays.values()]
    return DataPrint(values.hexdigest(), exactly.hexdigest(), ", ".join(types))


def is_column(array: np.ndarray) -> bool:
    """Whether it is one number per example with an axis of its own, which losses take off."""
    return array.ndim == 2 and array.shape[1] == 1


def in_one_precision(array: np.ndarray) -> bytes:
    """Bytes that equal numbers share, whatever type they have: whole numbers stay exact."""
    if array.dtype.kind in "OUST":
        return "\0".join(map(str, array.ravel())).encode()
    single = array.astype(np.float32)
    if array.dtype.kind in "biu" and not np.array_equal(single, array):
        return array.astype(np.float64).tobytes()
    return single.tobytes()


def as_trained(array: np.ndarray) -> bytes:
    """The bytes of the numbers as `fit` takes them: decimals in Keras's float type."""
    if array.dtype.kind in "OUST":
        return in_one_precision(array)
    is_decimal = array.dtype.kind not in "biu"
    return np.ascontiguousarray(
        array.astype(keras.config.floatx()) if is_decimal else array
    ).tobytes()
