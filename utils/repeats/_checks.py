"""Whether a build function and its data can be trained, tried before the training starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils._shared.restoring import left_as_found
from utils._shared.tensors import as_tensor
from utils.repeats._data import Examples
from utils.repeats._seeding import holds_first_values, initializers_noted, new_model


def checked_models(
    build_model: Callable, seeds: tuple[int, ...], shape: Any, data: Examples
) -> list[keras.Model]:
    """New models of the first two seeds, if the first takes `data` and the second is another."""
    first = new_model(build_model, seeds[0], shape)
    check_batch_size(first)
    with left_as_found(first.variables):
        check_labels(first, data)
    if len(seeds) == 1:
        return [first]
    with initializers_noted() as noted:
        second = new_model(build_model, seeds[1], shape)
    brought = [w for w in second.weights if not holds_first_values(w, noted)]
    check_difference(first, second, bool(brought))
    return [first, second]


def shape_of(x: Any) -> Any:
    """The shape of the examples; of several inputs, or none of floats, a structure of specs."""
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        return tuple(x.shape)
    return tf.nest.map_structure(tf.TensorSpec.from_tensor, tf.nest.map_structure(as_tensor, x))


def check_batch_size(model: keras.Model) -> None:
    """Refuse a network for batches of one size, as a stateful one.

    1 is the size of the example with which a model without an `Input` was built.
    """
    inputs = tf.nest.flatten(getattr(model, "inputs", None) or [])
    if sizes := {part.shape[0] for part in inputs} - {None, 1}:
        raise ValueError(
            f"build_model's network takes batches of {max(sizes)} only, and `repeat` also "
            "trains on the smaller rest and evaluates in larger ones; build it without a batch size"
        )


def check_labels(model: keras.Model, data: Examples) -> None:
    """Refuse labels that the model's loss cannot take: tried on the lowest and the highest."""
    for part, (x, y) in zip(("train", "val"), data.tensors(), strict=True):
        labels = tf.nest.flatten(y)[0].numpy()
        if labels.dtype.kind not in "biuf":
            raise ValueError(
                f"data.y_{part} is {np.asarray(getattr(data, f'y_{part}')).dtype}; give numbers"
            )
        first = labels.reshape(len(labels), -1)[:, 0]
        tried = [first.argmin(), first.argmax()]
        try:
            model.test_step(
                tf.nest.map_structure(lambda values, at=tried: tf.gather(values, at), (x, y))
            )
        except (TypeError, ValueError, tf.errors.OpError) as error:
            x, y = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
            raise ValueError(
                f"data.x_{part} is {in_words(x)} and data.y_{part} {in_words(y)} with values from "
                f"{labels.min()} to {labels.max()}; build_model's network or its loss cannot take "
                f"them. Keras says: {str(error)[-200:].strip()}"
            ) from error


def in_words(values: Any) -> str:
    """An array's type and shape: `float64 (50, 3)`."""
    return ", ".join(f"{part.dtype} {part.shape}" for part in tf.nest.flatten(values))


def check_difference(model: keras.Model, other: keras.Model, has_brought_weights: bool) -> None:
    """Refuse a build function that gives no new model, or the same start, under another seed.

    Weights that it brings along, from a file or by hand, may well be the same.
    """
    if other is model:
        raise ValueError("build_model returned the same model twice; build a new one inside it")
    if other.optimizer is model.optimizer:
        raise ValueError("build_model used one optimizer twice; make a new one inside it")
    if model.count_params() != other.count_params():
        raise ValueError(
            f"build_model returned {model.count_params():,} parameters under one seed and "
            f"{other.count_params():,} under another; build the same layers every time"
        )
    pairs = zip(model.get_weights(), other.get_weights(), strict=False)
    same = all(np.array_equal(a, b) for a, b in pairs)
    if same and not has_brought_weights:
        raise ValueError(
            "build_model returned the same initial weights under two seeds; "
            "give its initializers no seed"
        )
