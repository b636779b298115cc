"""How much of what a layer wants to learn depends on layers below that learn at the same time."""

from __future__ import annotations

from numbers import Real
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from utils._shared.restoring import left_as_found
from utils._shared.sharing import compiled_once
from utils.meters._calling import as_tensors
from utils.meters._layers import find_layer, leaf_layers


class GradientShift(NamedTuple):
    """How far a gradient G is from G′, what it is after the layers below took their step.

    length   ‖G − G′‖ / ‖G‖: 0 if nothing changed; NaN for a layer whose gradient is 0
    cosine   of the angle between the two: 1 if only the length changed
    """

    length: float
    cosine: float


def gradient_shift(
    model: keras.Model, layer_name: str | int, x: Any, y: Any, rate: float
) -> GradientShift:
    """How much the layer's gradient changes when the layers below it take their step.

    This is internal covariate shift as Santurkar et al. 2018 define it, with plain gradient steps.

    model        a compiled Keras model; it is left as it was found
    layer_name   as in `layer_output`; "below" are the layers before it, in the model's order
    x, y         one batch, as `fit` takes it: both gradients are of its loss, in training mode
    rate         the learning rate of the step
    Raises ValueError for a layer that is not there or has nothing to train, and a rate that is not
    above 0.
    """
    rate, layer = checked_rate(rate), find_layer(model, layer_name)
    if not layer.trainable_variables:
        raise ValueError(f"layer {layer.name!r} has no weights to train; give one that has some")

    def gradients(model, batch):
        return gradients_before_and_after(model, layer_name, *batch)

    both = compiled_once(gradients, model, ("gradient shift", layer_name))
    batch = as_tensors(model, x), tf.convert_to_tensor(y), tf.constant(rate, model.variable_dtype)
    with left_as_found(model.metrics_variables):
        return change(*map(keras.ops.convert_to_numpy, both(batch)))


def change(first: np.ndarray, second: np.ndarray) -> GradientShift:
    """Relative length of the difference, and cosine, of two gradients (n,)."""
    length, other = np.linalg.norm(first), np.linalg.norm(second)
    if not length * other > 0:
        return GradientShift(np.nan, np.nan)
    return GradientShift(
        float(np.linalg.norm(first - second) / length), float(first @ second / (length * other))
    )


def gradients_before_and_after(
    model: keras.Model, layer_name: str | int, x: Any, y: tf.Tensor, rate: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The layer's gradient (n,), before and after the layers below take their step; undone again.

    Moving averages and dropout's seeds are set back in between, so that both see the same masks.
    """
    layer, leaves = find_layer(model, layer_name), leaf_layers(model)
    below = {id(w) for part in leaves[: leaves.index(layer)] for w in part.trainable_variables}
    own = {id(weight) for weight in layer.trainable_variables}
    kept = [(variable, tf.identity(variable.value)) for variable in model.variables]
    moving = {id(variable) for variable in model.non_trainable_variables}
    first = slopes(model, x, y)
    for variable, value in kept:
        if id(variable) in moving:
            variable.assign(value)
    for weight, slope in zip(model.trainable_variables, first, strict=True):
        if id(weight) in below:
            weight.assign_sub(rate * slope)
    second = slopes(model, x, y)
    for variable, value in kept:
        variable.assign(value)
    mine = [id(weight) in own for weight in model.trainable_variables]
    return tuple(
        tf.concat([tf.reshape(s, [-1]) for s, is_mine in zip(g, mine, strict=True) if is_mine], 0)
        for g in (first, second)
    )


def slopes(model: keras.Model, x: Any, y: tf.Tensor) -> list[tf.Tensor]:
    """The gradient of the batch's loss in training mode, for each trainable variable."""
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=True), training=True)
    variables = [weight.value for weight in model.trainable_variables]
    return tape.gradient(loss, variables, unconnected_gradients="zero")


def checked_rate(rate: float) -> float:
    """Return `rate` if it is a number above 0."""
    if isinstance(rate, bool) or not isinstance(rate, Real):
        raise TypeError(f"rate is {rate!r}; give a number above 0, as 0.05")
    if not 0 < rate < np.inf:
        raise ValueError(f"rate is {rate}; give a number above 0, as 0.05")
    return float(rate)
