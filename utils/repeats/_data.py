"""Training and validation data as people have them, in one form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils._shared.arguments import needed_arguments
from utils._shared.tensors import as_tensor
from utils.repeats._data_prints import DataPrint, prints_of

PARTS = ("x_train", "y_train", "x_val", "y_val")
# Weights of examples or classes, which `fit` would use and `repeat` does not.
UNREAD = re.compile(r"(sample_?|class_?)?weights?(_|$)|sample_?weight|class_?weight|w_(train|val)$")


@dataclass(frozen=True)
class Examples:
    """Arrays, or dicts and tuples of arrays where a network has several inputs or outputs.

    source   what they were taken from, with whatever else it carries: `measure` may look at it
    """

    x_train: Any
    y_train: Any
    x_val: Any
    y_val: Any
    source: Any

    @cached_property
    def prints(self) -> tuple[DataPrint, DataPrint]:
        """Of the training and the evaluation data; once, where all seeds share them."""
        return prints_of(self)

    def tensors(self) -> tuple:
        """(x_train, y_train), (x_val, y_val) as `fit` would hand them to the network."""
        pairs = (self.x_train, self.y_train), (self.x_val, self.y_val)
        return tf.nest.map_structure(as_tensor, pairs)


def examples_or_function(data: Any) -> Examples | Callable:
    """The examples that all seeds share, or the function of the seed that gives each its own."""
    if not callable(data) or holds_parts(data):
        return examples_of(data)
    if isinstance(data, type):
        raise TypeError(f"data is the class {data.__name__}; give an instance of it")
    if needed_arguments(data) not in (None, 1):
        raise TypeError(f"data is {data!r}; give examples, or a function of the seed alone")
    return data


def holds_parts(data: Any) -> bool:
    return all(hasattr(data, name) for name in PARTS)


def examples_of(data: Any) -> Examples:
    """Take the four parts out of an object with these attributes, a dict, or pairs as
    `keras.datasets` gives: (x_train, y_train), (x_val, y_val).

    Raises TypeError or ValueError for anything else, and for weights of examples or classes.
    """
    found = parts_of_data(data)
    names = found if isinstance(found, Mapping) else dir(found)
    unread = [name for name in names if isinstance(name, str) and UNREAD.match(name)]
    if unread:
        raise ValueError(
            f"data has {unread[0]}, which `repeat` does not use; leave it out, or train with `fit`"
        )
    get = found.get if isinstance(found, Mapping) else lambda name: getattr(found, name, None)
    missing = [name for name in PARTS if get(name) is None]
    if missing:
        raise TypeError(f"data has no {missing[0]}; give x_train, y_train, x_val and y_val")
    parts = {name: arrays(f"data.{name}", get(name)) for name in PARTS}
    check_lengths(parts)
    return Examples(**parts, source=data)


def parts_of_data(data: Any) -> Any:
    pairs = isinstance(data, tuple | list) and len(data) == 2
    if pairs and all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in data):
        (x, y), (x_val, y_val) = data
        return {"x_train": x, "y_train": y, "x_val": x_val, "y_val": y_val}
    return data


def arrays(name: str, values: Any) -> Any:
    """`values` with NumPy arrays in place of lists, tensors and tables; structure is kept."""
    if isinstance(values, tf.data.Dataset | keras.utils.PyDataset):
        raise TypeError(f"{name} is a {type(values).__name__}; give arrays of examples")
    if isinstance(values, Mapping):
        return {key: arrays(f"{name}[{key!r}]", part) for key, part in values.items()}
    if holds_several(values):
        return tuple(arrays(f"{name}[{n}]", part) for n, part in enumerate(values))
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is no array: {error}; give examples of one shape") from error
    if array.dtype.kind == "O" and all(isinstance(value, str) for value in array.ravel()):
        array = array.astype(str)
    if array.dtype.kind == "O":
        raise TypeError(f"{name} holds {type(array.ravel()[0]).__name__} objects; give numbers")
    if array.dtype.kind in "mMV":  # dates, lengths of time, records
        raise TypeError(f"{name} is {array.dtype}; give numbers")
    return array


def holds_several(values: Any) -> bool:
    """Whether `values` are several inputs: a tuple, or a list of arrays, with an axis each."""
    if not isinstance(values, tuple | list) or not all(np.ndim(part) for part in values):
        return False
    return isinstance(values, tuple) or all(hasattr(part, "dtype") for part in values)


def check_lengths(parts: dict[str, Any]) -> None:
    """Refuse images and labels that do not belong together."""
    for part in ("train", "val"):
        x, y = (tf.nest.flatten(parts[f"{name}_{part}"]) for name in "xy")
        lengths = {len(array) if np.ndim(array) else None for array in (*x, *y)}
        if len(lengths) > 1 or not all(lengths):
            shapes = [", ".join(str(np.shape(array)) for array in arrays_) for arrays_ in (y, x)]
            raise ValueError(
                f"data.y_{part} has shape {shapes[0]} and data.x_{part} {shapes[1]}; "
                "give one label per example"
            )
    for name in "xy":
        check_alike(name, parts[f"{name}_train"], parts[f"{name}_val"])


def check_alike(name: str, train: Any, val: Any) -> None:
    """Refuse validation data of another kind than the training data."""
    try:
        pairs = list(zip(tf.nest.flatten(train), tf.nest.flatten(val), strict=True))
        tf.nest.assert_same_structure(train, val)
    except ValueError as error:
        raise ValueError(f"data.{name}_val has other parts than data.{name}_train") from error
    for a, b in pairs:
        if a.shape[1:] != b.shape[1:] or a.dtype.kind != b.dtype.kind:
            raise ValueError(
                f"data.{name}_val is {b.dtype} {b.shape} and data.{name}_train {a.dtype} "
                f"{a.shape}; give both the same kind of numbers and shape per example"
            )
