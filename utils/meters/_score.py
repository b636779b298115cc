"""One number for how right a model is: its accuracy, or R² for a regression."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

from utils._shared.losses import loss_of, name_of, settings_of, units
from utils.meters._calling import (
    as_tensors,
    batches,
    count,
    only_one,
    predicted,
    recorded_calls,
    take,
)

# Keras's losses by what their outputs mean: the names of classes and functions, without the "_".
BINARY = {"binarycrossentropy", "binaryfocalcrossentropy"}
MARGIN = {"hinge", "squaredhinge"}
CLASSES = {
    "categoricalcrossentropy",
    "categoricalfocalcrossentropy",
    "categoricalgeneralizedcrossentropy",
    "categoricalhinge",
    "kldivergence",
    "sparsecategoricalcrossentropy",
}
NUMBERS = {
    "huber",
    "logcosh",
    "meanabsoluteerror",
    "meanabsolutepercentageerror",
    "meansquarederror",
    "meansquaredlogarithmicerror",
    "poisson",
}

ACCURACY = "accuracy"
EXPLAINED = "R²"


class Rule(NamedTuple):
    """How outputs are scored against labels: the mean of the points of all examples is the score.

    points   function(outputs, which rows of the labels) -> float64, one for each example
    """

    number: str
    points: Callable[[np.ndarray, slice], np.ndarray]


def score(model: keras.Model, x: Any, y: Any) -> float:
    """How right `model` is about `y`: the accuracy, or R² for a regression.

    x   (n, ...), as `fit` takes it; for several inputs a dict or a list of such
    y   n labels or numbers, in any shape that the model's loss takes

    A model that was compiled with an accuracy is scored by it: the number is that of `evaluate`.
    Otherwise the loss decides, and where that is none of Keras's the activation of the last layer:

    - binary cross-entropy: an output over ½, or a logit over 0, says 1. The accuracy is the mean
      over the examples, and over the labels where each example has several. (Hinge: as a logit.)
    - cross-entropy over classes: the largest output says which, against integers (n,) or (n, 1),
      or one-hot labels. Outputs (n, ..., classes) are scored at each position.
    - a regression: R² = 1 − Σ(y − ŷ)² / Σ(y − mean)², as in `keras.metrics.R2Score`: the mean over
      the outputs (last axis). 1 is perfect, 0 as good as the mean of `y`; there is no lowest.

    The examples go through the model in batches. Raises ValueError for a model with several
    outputs, outputs that are not finite, labels that do not fit the outputs, and where nothing
    tells what the outputs mean; TypeError for labels that are no numbers.
    """
    return scored(model, as_tensors(model, x), y)[1]


def scored(model: keras.Model, x: Any, y: Any) -> tuple[str, float]:
    """Which number it is, and the number: of the outputs for the tensors `x`, in batches."""
    rule, points = None, []
    for rows in batches(x):
        outputs = predicted(model, take(x, rows))
        rule = rule or rule_for(model, x, y, outputs.shape)
        points.append(rule.points(outputs, rows))
    return rule.number, float(np.concatenate(points).mean())


def rule_for(model: keras.Model, x: Any, y: Any, outputs: tuple[int, ...]) -> Rule:
    """The rule by which the outputs for the tensors `x` are scored against `y`.

    outputs   the shape of the outputs for some of `x`
    """
    y = as_labels(x, y)
    shape = len(y), *outputs[1:]
    return (
        rule_of_metric(model, y, shape)
        or rule_of_loss(model, y, shape)
        or rule_of_activation(model, x, y, shape)
    )


def as_labels(x: Any, y: Any) -> np.ndarray:
    """`y` as an array with one row for each example of the tensors `x`."""
    y = np.asarray(y)
    if y.dtype.kind not in "biuf":
        raise TypeError(f"y is {y.dtype}; give numbers: classes as integers or one-hot")
    if y.shape[:1] != (count(x),):
        raise ValueError(f"y has shape {y.shape} for {count(x)} examples; give one row per example")
    if not np.isfinite(y).all():
        raise ValueError("y has values that are not finite; leave those examples out")
    return y


def rule_of_metric(model: keras.Model, y: np.ndarray, shape: tuple) -> Rule | None:
    """The first accuracy that the model was compiled with, if any."""
    loss = loss_of(model, shape)
    for metric in compiled_metrics(model):
        guessed = str(metric).lower() in ("accuracy", "acc")
        if guessed and name_of(loss) in NUMBERS and not np.isin(y, (0, 1)).all():
            continue  # numbers that are no labels have no accuracy
        metric = accuracy_guessed(y, shape) if guessed else keras.metrics.get(metric)
        name = name_of(metric)
        if name == "binaryaccuracy":
            threshold = settings_of(metric).get("threshold", 0.5)
            if gives_logits(loss) and threshold == 0.5:
                warn_of("cuts the logits at 0.5, not at 0", "BinaryAccuracy(threshold=0)")
            return over(threshold, y, shape)
        if name in ("categoricalaccuracy", "sparsecategoricalaccuracy"):
            if guessed and name_of(loss) in BINARY:
                warn_of("looks at the largest label only", '"binary_accuracy"')
            return largest(y, shape)
    return None


def accuracy_guessed(y: np.ndarray, shape: tuple) -> keras.metrics.Metric:
    """What Keras makes of "accuracy" (keras/src/trainers/compile_utils.py, `get_metric`)."""
    if units(shape) == 1:
        return keras.metrics.BinaryAccuracy()
    if y.ndim < len(shape) or y.shape[-1] == 1:
        return keras.metrics.SparseCategoricalAccuracy()
    return keras.metrics.CategoricalAccuracy()


def warn_of(what: str, better: str) -> None:
    warnings.warn(
        f"the accuracy that the model was compiled with {what}; so do `evaluate` and this score. "
        f"To count what the loss trains for, compile with metrics=[{better}]",
        stacklevel=2,
    )


def rule_of_loss(model: keras.Model, y: np.ndarray, shape: tuple) -> Rule | None:
    """What the compiled loss trains for; None where it is none of Keras's."""
    loss = loss_of(model, shape)
    name = name_of(loss)
    if name in BINARY:
        return over(0.0 if gives_logits(loss) else 0.5, y, shape)
    if name in MARGIN:
        return over(0.0, (y > 0).astype(int), shape)
    if name in CLASSES:
        return largest(y, shape)
    if name in NUMBERS:
        return explained(y, shape)
    return None


def rule_of_activation(model: keras.Model, x: Any, y: np.ndarray, shape: tuple) -> Rule:
    """What the last layer's activation says, or the labels where it says nothing."""
    activation, is_label = last_activation(model, x), np.isin(y, (0, 1)).all()
    several = units(shape) > 1
    if several and (activation == "softmax" or fits(y, shape[:-1])):
        return largest(y, shape)
    if activation == "sigmoid" and is_label:
        return over(0.5, y, shape)
    if several and is_one_hot(y, shape):
        return largest(y, shape)
    if not is_label or not fits(y, shape):
        return explained(y, shape)
    raise ValueError(
        f"nothing tells what the outputs of model {model.name!r} mean; compile it with its loss, "
        'as "mse" for a regression or keras.losses.BinaryCrossentropy(from_logits=True)'
    )


def last_activation(model: keras.Model, x: Any) -> str | None:
    """The name of the activation in the layer whose output is the model's."""
    outputs, calls = recorded_calls(model, take(x, slice(1)))
    output = only_one(model, outputs)
    last = next((call.layer for call in reversed(calls) if call.output is output), None)
    if isinstance(last, keras.layers.Softmax):
        return "softmax"
    return getattr(getattr(last, "activation", None), "__name__", None)


def over(threshold: float, y: np.ndarray, shape: tuple) -> Rule:
    """The share of the outputs that are over the threshold where y is 1, not where it is 0."""
    y = fitted(y, shape)
    return Rule(ACCURACY, lambda outputs, rows: per_example((outputs > threshold) == y[rows]))


def largest(y: np.ndarray, shape: tuple) -> Rule:
    """1 where the largest output is the one that y names, 0 elsewhere, the mean over positions."""
    if units(shape) == 1:
        raise ValueError(
            "model has one output, and a loss for several classes; compile it with a loss for one, "
            'as "binary_crossentropy"'
        )
    y = y.argmax(axis=-1) if y.shape == shape else fitted(y, shape[:-1])
    if (y != np.round(y)).any():
        raise ValueError("y has values that are no whole numbers; give classes as integers")
    return Rule(ACCURACY, lambda outputs, rows: per_example(outputs.argmax(axis=-1) == y[rows]))


def explained(y: np.ndarray, shape: tuple) -> Rule:
    """1 less the squared error, in units of y's variance."""
    y = fitted(y, shape).astype(float)
    y = y if y.ndim > 1 else y[:, None]
    variance = y.var(axis=tuple(range(y.ndim - 1)))
    if not variance.all():
        raise ValueError("y has a column with one value only; R² says nothing about that")

    def points(outputs, rows):
        return per_example(1 - (outputs.reshape(y[rows].shape) - y[rows]) ** 2 / variance)

    return Rule(EXPLAINED, points)


def per_example(points: np.ndarray) -> np.ndarray:
    """The mean of points (n, ...) for each example: float64 (n,)."""
    return points.reshape(len(points), -1).mean(axis=1)


def fits(y: np.ndarray, shape: tuple) -> bool:
    """Whether `y` has that shape, but for a last axis of one."""
    return shape in (y.shape, (*y.shape, 1)) or y.shape == (*shape, 1)


def fitted(y: np.ndarray, shape: tuple) -> np.ndarray:
    """`y` in that shape, where it differs by a last axis of one at most."""
    if not fits(y, shape):
        raise ValueError(f"y has shape {y.shape}; give labels of shape {shape} for these outputs")
    return y.reshape(shape)


def is_one_hot(y: np.ndarray, shape: tuple) -> bool:
    """Whether `y` holds zeros and a single 1 for each example or position."""
    return y.shape == shape and np.isin(y, (0, 1)).all() and (y.sum(axis=-1) == 1).all()


def compiled_metrics(model: keras.Model) -> list:
    """The metrics that `model` was compiled with, as they were given."""
    given = getattr(model, "_compile_metrics", None)
    if given is None:
        return []
    metrics = keras.tree.flatten([given._user_metrics, given._user_weighted_metrics])
    return [metric for metric in metrics if metric is not None]


def gives_logits(loss: Any) -> bool:
    """Whether it is a binary cross-entropy of logits."""
    return name_of(loss) in BINARY and bool(settings_of(loss).get("from_logits"))
