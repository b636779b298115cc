"""The hidden layers of any model, found by what it computes for one example."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers as kinds

from utils.meters._calling import Call, recorded_calls, take, tensors_in

WITHOUT_UNITS = kinds.Embedding, kinds.Normalization, kinds.PReLU  # though they have matrices
UNIT_BY_UNIT = (
    kinds.Activation,
    kinds.BatchNormalization,
    kinds.ELU,
    kinds.LeakyReLU,
    kinds.PReLU,
    kinds.ReLU,
)


def hidden_layers(model: keras.Model, x: Any) -> list[keras.Layer]:
    """The layers with units that another layer with units follows, in the order of their calls.

    Units behind a BatchNormalization or an activation are what comes out of that: where such a
    layer alone takes a layer's output, it is given in place of it.

    x   tensors, as the model takes them
    Raises ValueError for a model without a hidden layer.
    """
    with tf.GradientTape(persistent=True) as tape:
        _, calls = recorded_calls(
            model, take(x, slice(1)), look=lambda output: tape.watch(floats_in(output))
        )
    with_units = [call for call in calls if has_units(call.layer)]
    hidden = [
        behind(call, calls)
        for place, call in enumerate(with_units)
        if any(depends(tape, later, call) for later in with_units[place + 1 :])
    ]
    if not hidden:
        raise ValueError(
            f"model {model.name!r} has no hidden layer: no layer with units feeds another one"
        )
    return list(dict.fromkeys(hidden))


def has_units(layer: keras.Layer) -> bool:
    """Whether it mixes its inputs by a matrix, as Dense, Conv and recurrent layers do."""
    matrices = any(len(weight.shape) > 1 for weight in layer.weights)
    return matrices and not isinstance(layer, WITHOUT_UNITS)


def depends(tape: tf.GradientTape, later: Call, call: Call) -> bool:
    """Whether what `later` was given depends on what `call` put out."""
    target, source = floats_in(later.inputs), floats_in(call.output)
    if any(t is s for t in target for s in source):
        return True
    return any(change is not None for change in tape.gradient(target, source))


def behind(call: Call, calls: list[Call]) -> keras.Layer:
    """The last of the layers right after `call` that change each unit on its own."""
    takers = [
        other
        for other in calls
        if other.output is not call.output and any(t is call.output for t in other.inputs)
    ]
    if len(takers) == 1 and isinstance(takers[0].layer, UNIT_BY_UNIT):
        return behind(takers[0], calls)
    return call.layer


def floats_in(values: Any) -> list[tf.Tensor]:
    return [value for value in tensors_in(values) if value.dtype.is_floating]
