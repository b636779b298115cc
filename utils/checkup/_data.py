"""Data as people have them: arrays, an object or a dict of arrays, `tf.data`, a `PyDataset`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import keras
import numpy as np
import tensorflow as tf

PARTS = ("x_train", "y_train", "x_val", "y_val")
HELD_OUT = 0.2  # of the examples, where no validation data are given
SPLIT_SEED = 26
MOST = 20_000  # examples read from a pipeline
USUAL_BATCH = 32  # that of `fit`
FORMS = (
    "give ((x_train, y_train), (x_val, y_val)), an object or a dict with these four, "
    "a pair of tf.data.Dataset, or (x, y)"
)


@dataclass
class Examples:
    """What the network is trained and evaluated on; `repeat` takes it as it is.

    notes   what was done to the data, a sentence each
    """

    x_train: Any
    y_train: Any
    x_val: Any
    y_val: Any
    batch_size: int = USUAL_BATCH
    notes: list[str] = field(default_factory=list)

    def some(self, part: str, most: int) -> tuple[Any, np.ndarray]:
        """At most so many examples and labels of "train" or "val", always the same ones.

        Drawn at random: people's data are often sorted by class.
        """
        x, y = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
        which = drawn(count(x), most)
        return rows(x, which), rows(y, which)

    def fewer(self, train: int, val: int) -> Examples:
        """The same, with fewer examples."""
        pairs = self.some("train", train), self.some("val", val)
        return Examples(*pairs[0], *pairs[1], batch_size=self.batch_size, notes=self.notes)


def rows(values: Any, which: Any) -> Any:
    """These rows of every array in `values`."""
    return tf.nest.map_structure(lambda part: part[which], values)


def drawn(size: int, most: int) -> Any:
    """Which `most` of `size` rows are taken: all of them, or some in their order."""
    if size <= most:
        return slice(None)
    return np.sort(np.random.default_rng(SPLIT_SEED).permutation(size)[:most])


def count(values: Any) -> int:
    """How many examples there are."""
    return len(tf.nest.flatten(values)[0])


def read(data: Any, model: keras.Model) -> Examples:
    """`data` as arrays in four parts. Raises TypeError or ValueError, with what would do."""
    notes: list[str] = []
    if is_pipeline(data):
        x, y, batch = drained("data", data, model, notes)
        found = Examples(*split(x, y, notes), batch_size=batch, notes=notes)
    elif isinstance(data, tuple | list) and data and all(map(is_pipeline, data)):
        if len(data) != 2:
            raise ValueError(f"data has {len(data)} pipelines; give two, for training, validation")
        x, y, batch = drained("data[0]", data[0], model, notes)
        x_val, y_val, _ = drained("data[1]", data[1], model, notes)
        found = Examples(x, y, x_val, y_val, batch_size=batch, notes=notes)
    else:
        found = Examples(*four_parts(data, notes), notes=notes)
    for name in ("y_train", "y_val"):
        check_labels(name, getattr(found, name))
    return found


def four_parts(data: Any, notes: list[str]) -> list[Any]:
    """x_train, y_train, x_val, y_val as arrays; a fifth of (x, y) is held out for validation."""
    if isinstance(data, Mapping) or all(hasattr(data, name) for name in PARTS):
        get = data.get if isinstance(data, Mapping) else lambda name: getattr(data, name, None)
        if missing := [name for name in PARTS if get(name) is None]:
            raise TypeError(f"data has no {missing[0]}; {FORMS}")
        return [arrays(get(name)) for name in PARTS]
    if not isinstance(data, tuple | list):
        raise TypeError(f"data is {type(data).__name__}; {FORMS}")
    if len(data) == 4:
        return list(map(arrays, data))
    if len(data) == 2 and all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in data):
        return [arrays(part) for pair in data for part in pair]
    if len(data) == 2:
        return split(arrays(data[0]), arrays(data[1]), notes)
    raise ValueError(f"data has {len(data)} parts; {FORMS}")


def arrays(values: Any) -> Any:
    """NumPy arrays in place of lists, tensors and tables; dicts and tuples are kept."""
    if isinstance(values, Mapping):
        return {key: arrays(part) for key, part in values.items()}
    if isinstance(values, tuple) or (
        isinstance(values, list) and values and all(hasattr(part, "dtype") for part in values)
    ):
        return tuple(map(arrays, values))
    array = np.asarray(values)
    is_text = array.dtype.kind == "O" and all(isinstance(one, str) for one in array.ravel())
    return array.astype(str) if is_text else array


def split(x: Any, y: Any, notes: list[str]) -> list[Any]:
    """Hold a fifth out, drawn at random from a constant seed."""
    size = count(x)
    if size != count(y):
        raise ValueError(f"data has {size} examples and {count(y)} labels; give as many of each")
    order = np.random.default_rng(SPLIT_SEED).permutation(size)
    held, rest = np.split(order, [max(1, round(HELD_OUT * size))])
    notes.append("No validation data were given: a fifth of the examples, drawn at random, is it.")
    return [rows(x, rest), rows(y, rest), rows(x, held), rows(y, held)]


def is_pipeline(data: Any) -> bool:
    return isinstance(data, tf.data.Dataset | keras.utils.PyDataset)


def drained(name: str, pipeline: Any, model: keras.Model, notes: list[str]) -> tuple[Any, Any, int]:
    """All that a pipeline gives in one pass, up to `MOST` examples: x, y, and its batch size."""
    found, size, batch = [], 0, 0
    for x, y in batches_of(name, pipeline, model):
        found.append((arrays(as_numpy(x)), arrays(as_numpy(y))))
        size, batch = size + count(found[-1][1]), max(batch, count(found[-1][1]))
        if size >= MOST:
            notes.append(f"{name}: its first {size:,} examples are used.")
            break
    if not found:
        raise ValueError(f"{name} gives no examples; {FORMS}")
    notes.append(f"{name}: read once, so an augmentation in it is not drawn anew in each epoch.")
    try:
        x, y = tf.nest.map_structure(lambda *parts: np.concatenate(parts), *found)
    except ValueError as error:
        raise ValueError(
            f"{name} gives examples of different lengths; pad them all to one, as by "
            "padded_batch with padded_shapes"
        ) from error
    return x, y, batch


def batches_of(name: str, pipeline: Any, model: keras.Model) -> Iterator[tuple[Any, Any]]:
    """The pairs (x, y) of one pass; ValueError for a pipeline without end, or with weights."""
    if getattr(pipeline, "cardinality", int)() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(f"{name} never ends; leave out repeat(), or give {name}.take(steps)")
    if isinstance(pipeline, keras.utils.PyDataset):
        batches = (pipeline[place] for place in range(pipeline.num_batches or MOST))
    elif is_batched(pipeline, model):
        batches = pipeline
    else:
        batches = pipeline.batch(USUAL_BATCH)
    for batch in islice(batches, MOST):
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            parts = len(batch) if isinstance(batch, tuple | list) else 1
            raise ValueError(
                f"{name} gives {parts} arrays a batch; give (x, y): weights are not used"
            )
        yield tuple(batch)


def is_batched(pipeline: tf.data.Dataset, model: keras.Model) -> bool:
    """By the number of axes where the model says how many it takes; else by an open first axis."""
    spec = tf.nest.flatten(pipeline.element_spec)[0]
    inputs = tf.nest.flatten(getattr(model, "inputs", None) or [])
    if inputs and spec.shape.rank is not None:
        return spec.shape.rank >= len(inputs[0].shape)
    return spec.shape.rank is None or (spec.shape.rank > 0 and spec.shape[0] is None)


def as_numpy(values: Any) -> Any:
    def one(value):
        if isinstance(value, tf.RaggedTensor | tf.SparseTensor):
            raise TypeError(f"a pipeline gives {type(value).__name__}; give dense ones (to_tensor)")
        value = np.asarray(value)
        return np.char.decode(value.astype(bytes), "utf-8") if value.dtype.kind == "O" else value

    return tf.nest.map_structure(one, values)


def check_labels(name: str, labels: Any) -> None:
    """Refuse what is no number, with the line that makes numbers of it."""
    for part in tf.nest.flatten(labels):
        if part.dtype.kind in "USO":
            first = part.ravel()[0] if part.size else ""
            raise TypeError(
                f"{name} holds text, as {str(first)!r}; give whole numbers: "
                "class_names, y = np.unique(y, return_inverse=True)"
            )
        if part.ndim == 0 or len(part) == 0:
            raise ValueError(f"{name} has no examples; give at least two")
