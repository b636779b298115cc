"""Whether a build function and its data can be trained, tried before the training starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils.repeats._data import Examples, as_tensor
from utils.repeats._seeding import holds_first_values, initializers_noted, seeded


def checked_model(
    build_model: Callable, seeds: tuple[int, ...], shape: Any, data: Examples
) -> keras.Model:
    """The model of the first seed, if it takes `data` and the next seed gives another."""
    model = seeded(build_model, seeds[0], shape)
    start = model.get_weights()
    check_labels(model, data)
    if len(seeds) > 1:
        with initializers_noted() as noted:
            other = seeded(build_model, seeds[1], shape)
        brought = [w for w in other.weights if not holds_first_values(w, noted)]
        check_difference(model, start, other, bool(brought))
    model.set_weights(start)
    return model


def shape_of(x: Any) -> Any:
    """The shape of the examples; of several inputs, or none of floats, a structure of specs."""
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        return tuple(x.shape)
    return tf.nest.map_structure(tf.TensorSpec.from_tensor, tf.nest.map_structure(as_tensor, x))


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


def check_difference(
    model: keras.Model, start: list[np.ndarray], other: keras.Model, has_brought_weights: bool
) -> None:
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
    same = all(np.array_equal(a, b) for a, b in zip(start, other.get_weights(), strict=False))
    if same and not has_brought_weights:
        raise ValueError(
            "build_model returned the same initial weights under two seeds; "
            "give its initializers no seed"
        )
