"""What can be seen before any training: in the data, and in the network as it was built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils._shared.losses import settings_of
from utils._shared.restoring import calls_replaced, left_as_found
from utils._shared.tensors import as_tensor
from utils.checkup._data import Examples, count, rows
from utils.checkup._kind import BINARY, CLASSES, LABELS, Kind, first_outputs
from utils.meters import leaf_layers

REGULARIZED = "kernel", "bias", "gamma", "beta", "embeddings", "recurrent", "depthwise", "pointwise"
NEAR = 0.05  # of the usual distance to the nearest training example: a copy, slightly changed
LOOKED_UP = 400  # validation examples, whose nearest training examples are searched
SEARCHED = 4_000  # training examples
STATISTICS = 512  # training examples whose means and variances normalization is held to


# The data


def bad_values(data: Examples) -> list[str]:
    """The parts that hold numbers which are not finite."""
    return [
        f"{name} (NaN or infinite in {np.mean(~np.isfinite(part)):.1%} of its values)"
        for name in ("x_train", "y_train", "x_val", "y_val")
        for part in tf.nest.flatten(getattr(data, name))
        if part.dtype.kind == "f" and not np.isfinite(part).all()
    ]


def largest_input(data: Examples) -> float:
    """The largest size of a floating-point input, in the first examples."""
    parts = tf.nest.flatten(data.some("train", 500)[0])
    sizes = [np.nanmax(np.abs(part)) for part in parts if part.dtype.kind == "f" and part.size]
    return float(max(sizes, default=0.0))


def repeated_examples(data: Examples) -> tuple[float, float]:
    """Validation examples that are training examples too, and training examples that occur twice.

    Two shares. Where the input is floating-point numbers, a nearly equal example counts as well:
    one that is far nearer than the nearest example usually is.
    """
    train, val = fingerprints(data.x_train), fingerprints(data.x_val)
    known = set(train)
    leaked, within = np.mean([one in known for one in val]), 1 - len(known) / len(train)
    if len(parts := tf.nest.flatten(data.x_train)) == 1 and parts[0].dtype.kind == "f":
        train, val = (flat(data.some(part, SEARCHED)[0]) for part in ("train", "val"))
        apart, own = nearest(spread(val), train), nearest_other(train)
        near = NEAR * max(np.median(apart), np.median(own))
        leaked, within = max(leaked, np.mean(apart < near)), max(within, np.mean(own < near))
    return float(leaked), float(within)


def fingerprints(x: Any) -> list[bytes]:
    """One for each example: equal where all of its inputs are."""
    parts = [np.ascontiguousarray(part).reshape(len(part), -1) for part in tf.nest.flatten(x)]
    return [b"".join(part[row].tobytes() for part in parts) for row in range(len(parts[0]))]


def flat(x: Any) -> np.ndarray:
    """The one input as a matrix, a row an example."""
    [values] = tf.nest.flatten(x)
    return values.reshape(len(values), -1)


def spread(points: np.ndarray) -> np.ndarray:
    """At most `LOOKED_UP` of the points, from the first to the last."""
    return points[np.unique(np.linspace(0, len(points) - 1, LOOKED_UP).astype(int))]


def nearest(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The distance of each point to the nearest of `others`."""
    return np.sqrt(squared_distances(points, others).min(axis=1))


def nearest_other(points: np.ndarray) -> np.ndarray:
    """For some of the points, the distance to the nearest that is not the point itself."""
    if len(points) < 2:
        return np.array([np.inf])
    return np.sqrt(np.partition(squared_distances(spread(points), points), 1, axis=1)[:, 1])


def squared_distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    points, others = points.astype(float), others.astype(float)
    squares = (points**2).sum(1)[:, None] + (others**2).sum(1) - 2 * points @ others.T
    return np.maximum(squares, 0)


# The network


def dead_penalties(model: keras.Model) -> list[str]:
    """Layers with a regularizer that adds nothing to the loss, and why."""
    return [
        f"{layer.name}.{name}_regularizer {why}"
        for layer in leaf_layers(model)
        for name in REGULARIZED
        if (penalty := getattr(layer, f"{name}_regularizer", None)) is not None
        and (why := why_dead(layer, name, penalty))
    ]


def why_dead(layer: keras.Layer, name: str, penalty: Any) -> str:
    weight = getattr(layer, f"_{name}", None)
    weight = getattr(layer, name, None) if weight is None else weight
    strengths = [getattr(penalty, one) for one in ("l1", "l2") if hasattr(penalty, one)]
    if strengths and not any(map(float, strengths)):
        return "has strength 0"
    if isinstance(weight, keras.Variable) and weight.regularizer is None and weight.trainable:
        return "was set after the layer was built"
    return ""


def logits_mismatch(model: keras.Model, kind: Kind, data: Examples) -> str:
    """What the loss takes the outputs for and what they are, where these differ; else ""."""
    if kind.task not in (CLASSES, BINARY, LABELS) or "from_logits" not in settings_of(kind.loss):
        return ""
    outputs = first_outputs(model, data)
    if not np.isfinite(outputs).all():
        return ""
    in_range = ((outputs >= 0) & (outputs <= 1)).all()
    sums = outputs.sum(axis=-1)
    are_shares = in_range and (kind.task != CLASSES or np.allclose(sums, 1, atol=1e-3))
    if kind.from_logits and are_shares and ends_in_probabilities(model):
        return "the loss has from_logits=True, and the outputs are probabilities already"
    if not kind.from_logits and not are_shares:
        return "the loss expects probabilities (from_logits=False), and the outputs are none"
    return ""


def ends_in_probabilities(model: keras.Model) -> bool:
    last = leaf_layers(model)[-1]
    activation = getattr(getattr(last, "activation", None), "__name__", "")
    return isinstance(last, keras.layers.Softmax) or activation in ("softmax", "sigmoid")


def normalizations(model: keras.Model) -> list[keras.Layer]:
    """The BatchNormalization layers that use batch statistics in training."""
    return [
        layer
        for layer in leaf_layers(model)
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
    ]


def first_statistics_left(model: keras.Model, steps: int) -> float:
    """The largest share of their initial values that moving averages still hold after `steps`."""
    return max((layer.momentum**steps for layer in normalizations(model)), default=0.0)


def has_dropout_before(model: keras.Model) -> bool:
    """Whether a Dropout stands before a BatchNormalization, in the order of the layers."""
    leaves = leaf_layers(model)
    drops = [n for n, one in enumerate(leaves) if getattr(one, "rate", 0) and is_dropout(one)]
    return any(leaves.index(layer) > min(drops, default=np.inf) for layer in normalizations(model))


def is_dropout(layer: keras.Layer) -> bool:
    return "Dropout" in type(layer).__name__


def statistics_gaps(model: keras.Model, data: Examples) -> np.ndarray:
    """Whether BatchNormalization's moving averages fit: float64 (4,).

    0  the loss of training examples in inference mode
    1  the same with the statistics of these examples in place of the moving averages
    2  lag: how far the variance of the batch, in training mode, is from the moving one
    3  shift: how far the variance in training mode, dropout and all, is from that without dropout
    The last two: the largest over the layers of the mean |log ratio| over the channels.
    """
    norms = normalizations(model)
    if not norms:
        return np.full(4, np.nan)
    x, y = data.some("train", STATISTICS)
    own = {layer: layer.call for layer in norms}
    with left_as_found(model.non_trainable_variables):
        plain = loss_of(model, x, y, {}, training=False)
        _, in_training = recorded(model, x, y, own, {}, training=True)
    with left_as_found(model.non_trainable_variables):
        batch = {"training": True}
        refreshed, in_inference = recorded(model, x, y, own, batch, training=False)
    lags, shifts = [], []
    for layer in norms:
        moving = np.asarray(layer.moving_variance) + layer.epsilon
        trained, calm = (v[layer] + layer.epsilon for v in (in_training, in_inference))
        lags.append(np.abs(np.log(moving / trained)).mean())
        shifts.append(np.abs(np.log(trained / calm)).mean())
    return np.array([plain, refreshed, max(lags), max(shifts)])


def recorded(
    model: keras.Model, x: Any, y: Any, own: dict, change: dict, training: bool
) -> tuple[float, dict]:
    """The loss, and the variance of what each layer of `own` is given: (channels,)."""
    variances = {}

    def look(layer, call):
        def call_and_look(inputs, *args, **settings):
            axis = layer.axis % len(inputs.shape)
            rest = [place for place in range(len(inputs.shape)) if place != axis]
            variances[layer] = keras.ops.convert_to_numpy(keras.ops.var(inputs, axis=rest))
            return call(inputs, *args, **(settings | change))

        return call_and_look

    calls = {layer: look(layer, call) for layer, call in own.items()}
    return loss_of(model, x, y, calls, training), variances


def loss_of(model: keras.Model, x: Any, y: Any, calls: dict, training: bool) -> float:
    x = tf.nest.map_structure(as_tensor, x)
    with calls_replaced(calls):
        outputs = model(x, training=training)
        return float(model.compute_loss(x=x, y=tf.convert_to_tensor(y), y_pred=outputs))


def answers(model: keras.Model, x: Any) -> np.ndarray:
    """The model's outputs in inference mode, some examples at a time."""
    parts = [rows(x, slice(start, start + STATISTICS)) for start in range(0, count(x), STATISTICS)]
    outputs = [model(tf.nest.map_structure(as_tensor, part), training=False) for part in parts]
    return np.concatenate([keras.ops.convert_to_numpy(output) for output in outputs])


def normalizable(model: keras.Model) -> Iterator[keras.Layer]:
    """Trainable layers with a kernel, but for the last, which gives the answer."""
    with_kernel = [layer for layer in leaf_layers(model) if own_kernel(layer) is not None]
    yield from (layer for layer in with_kernel[:-1] if layer.trainable)


def own_kernel(layer: keras.Layer) -> Any:
    found = [weight for weight in layer.weights if weight.name.endswith("kernel")]
    return found[0] if found and len(found[0].shape) > 1 else None


def smallest_hidden(model: keras.Model) -> int:
    """The fewest units of a normalizable layer."""
    return min((own_kernel(layer).shape[-1] for layer in normalizable(model)), default=0)
