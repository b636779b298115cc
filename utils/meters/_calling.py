"""What a model answers in inference mode, whatever it is made of, and what its layers put out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from utils._shared.restoring import calls_replaced, left_as_found
from utils._shared.sharing import compiled_once
from utils.meters._layers import leaf_layers

BATCH_BYTES = 2**24  # of inputs; what a layer puts out may be a few tens of times as large
BATCH_EXAMPLES = 4096


class Call(NamedTuple):
    """One call of a layer, as it happened."""

    layer: keras.Layer
    inputs: list[tf.Tensor]
    output: Any


def as_tensors(model: keras.Model, x: Any) -> Any:
    """`x` as tensors: one, or as many as `x`, a dict or a list of arrays, brings along.

    Numbers get the type that the model would cast them to, so that the model's first layers see
    the same tensor in every call. Raises TypeError for what is no array, ValueError for arrays of
    different lengths, or none.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"model is {model!r}; give a Keras model, built and trained")
    inputs = getattr(model, "inputs", None) or ()
    dtype = inputs[0].dtype if len(inputs) == 1 else None

    def as_tensor(value):
        if not tf.is_tensor(value):
            value = np.asarray(value)
        if not value.shape:
            raise TypeError(
                f"x is {type(x).__name__}; give an array of examples, or a dict of them"
            )
        value = tf.convert_to_tensor(value)
        if value.dtype == tf.string:
            return value
        return tf.cast(value, dtype or (model.dtype if value.dtype.is_floating else value.dtype))

    several = isinstance(x, list | tuple) and all(hasattr(part, "shape") for part in x)
    if isinstance(x, dict) or (several and len(inputs) != 1):
        x = keras.tree.map_structure(as_tensor, x)
    else:
        x = as_tensor(x)
    lengths = {len(part) for part in keras.tree.flatten(x)}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"x has {sorted(lengths)} examples; give at least one, as many of each")
    return x


def count(x: Any) -> int:
    """How many examples the tensors `x` hold."""
    return len(keras.tree.flatten(x)[0])


def take(x: Any, rows: slice) -> Any:
    """These rows of the tensors `x`."""
    return keras.tree.map_structure(lambda part: part[rows], x)


def batches(x: Any) -> Iterator[slice]:
    """Rows of the tensors `x`, so many at a time that a large set fits into memory."""
    size = sum(part.dtype.size * np.prod(part.shape[1:]) for part in keras.tree.flatten(x))
    step = int(np.clip(BATCH_BYTES // max(size, 1), 1, BATCH_EXAMPLES))
    return (slice(start, start + step) for start in range(0, count(x), step))


def answer(model: keras.Model, x: Any) -> tf.Tensor:
    """The model's one output for the tensors `x`, from a plain call: what layers do can be seen."""
    return only_one(model, model(x, training=False))


def predicted(model: keras.Model, x: Any) -> np.ndarray:
    """The model's one output for the tensors `x`, as an array; compiled once for models alike."""

    def predict(model, x):
        return model(x, training=False)

    with left_as_found(model.non_trainable_variables):  # a recurrent state, a dropout's seed
        outputs = compiled_once(predict, model, ("predict",))(x)
    return finite(only_one(model, outputs))


def only_one(model: keras.Model, outputs: Any) -> Any:
    """The one array or tensor in `outputs`; ValueError for a model with several outputs."""
    outputs = keras.tree.flatten(outputs)
    if len(outputs) != 1:
        raise ValueError(
            f"model {model.name!r} has {len(outputs)} outputs; give a model with one, "
            "as keras.Model(model.inputs, model.outputs[0])"
        )
    return outputs[0]


def finite(outputs: Any) -> np.ndarray:
    """`outputs` as an array; ValueError for a model that has diverged."""
    outputs = keras.ops.convert_to_numpy(outputs)
    if not np.isfinite(outputs).all():
        raise ValueError("model gives outputs that are not finite; the training has diverged")
    return outputs


def recorded_calls(
    model: keras.Model,
    x: Any,
    layers: list[keras.Layer] | None = None,
    training: bool = False,
    look: Callable[[Any], None] = lambda output: None,
) -> tuple[Any, list[Call]]:
    """What the model puts out, and the calls of `layers` (all leaf layers) on the way, in order.

    look   called with each output, as soon as there is one
    """
    calls, home = [], tf.compat.v1.get_default_graph()

    def recorded(layer, call):
        def call_and_note(*args, **kwargs):
            output = call(*args, **kwargs)
            if tf.compat.v1.get_default_graph() is home:  # not inside a function of its own
                look(output)
                calls.append(Call(layer, tensors_in((args, kwargs)), output))
            return output

        return call_and_note

    layers = leaf_layers(model) if layers is None else layers
    with calls_replaced({layer: recorded(layer, layer.call) for layer in layers}):
        return model(x, training=training), calls


def tensors_in(arguments: Any) -> list[tf.Tensor]:
    """The tensors among a call's arguments, however they are nested."""
    return [value for value in keras.tree.flatten(arguments) if tf.is_tensor(value)]
