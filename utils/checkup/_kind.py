"""What a network is for: classes, yes or no, numbers; and what guessing is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from utils._shared.losses import loss_of, name_of, settings_of, units
from utils.checkup._data import Examples, rows

CLASSES, BINARY, LABELS, NUMBERS, OTHER = (
    "several classes",
    "two classes",
    "several labels each",
    "regression",
    "of its own kind",
)
FEW = 64  # examples that the untrained network answers


@dataclass(frozen=True)
class Kind:
    """What the network is for.

    task       CLASSES, BINARY, LABELS, NUMBERS or OTHER
    classes    how many outputs; for BINARY 2
    guess      the loss of always giving the training labels' mean; NaN where not known
    majority   the score of always giving the commonest answer; NaN where not known
    """

    task: str
    classes: int
    guess: float
    majority: float
    from_logits: bool
    loss: Any

    @property
    def score(self) -> str:
        return "R²" if self.task == NUMBERS else "accuracy"


def kind_of(model: keras.Model, data: Examples) -> Kind:
    """Read off the compiled loss, the outputs of an untrained network, and the labels.

    Raises ValueError for several outputs or losses.
    """
    outputs = np.asarray(first_outputs(model, data))
    loss = only_loss(model, outputs)
    classes = units(outputs.shape)
    task = task_of(name_of(loss) or "", classes, np.asarray(data.y_train))
    from_logits = bool(settings_of(loss).get("from_logits"))
    try:
        guess, majority = guessing(loss, task, outputs.shape, from_logits, data)
    except Exception:  # a loss of one's own, or labels in a form of their own: not known
        guess, majority = np.nan, np.nan
    return Kind(task, max(classes, 2), guess, majority, from_logits, loss)


def first_outputs(model: keras.Model, data: Examples) -> Any:
    outputs = keras.tree.flatten(model(rows(data.x_train, slice(FEW)), training=False))
    if len(outputs) != 1:
        raise ValueError(f"the model has {len(outputs)} outputs")
    return keras.ops.convert_to_numpy(outputs[0])


def only_loss(model: keras.Model, outputs: np.ndarray) -> Any:
    if (many := len(keras.tree.flatten(model.loss))) != 1:
        raise ValueError(f"the model has {many} losses")
    return loss_of(model, outputs.shape)


def task_of(name: str, classes: int, y: np.ndarray) -> str:
    if "binary" in name or ("hinge" in name and "categorical" not in name):
        return BINARY if classes == 1 else LABELS
    if "categorical" in name or "divergence" in name:
        return CLASSES
    regressions = "squared", "absolute", "huber", "logcosh", "poisson", "cosine"
    if name.startswith("mean") or any(word in name for word in regressions):
        return NUMBERS
    if name == "" and y.dtype.kind in "iu" and classes > 1:
        return CLASSES
    return OTHER


def guessing(
    loss: Any, task: str, shape: tuple, from_logits: bool, data: Examples
) -> tuple[float, float]:
    """Loss and score, on the validation labels, of one answer for all: the training labels' mean.

    shape   of the outputs for some examples
    """
    y, y_val = (np.asarray(part, dtype=float) for part in (data.y_train, data.y_val))
    if task == OTHER:
        return np.nan, np.nan
    if task == CLASSES:
        y, y_val = (as_classes(part, shape) for part in (y, y_val))
        shares = np.bincount(y.ravel(), minlength=shape[-1]) / y.size
        answer, majority = shares, float(np.mean(y_val == shares.argmax()))
    elif task in (BINARY, LABELS):
        answer = y.reshape(-1, units(shape)).mean(axis=0)
        labels = y_val.reshape(-1, len(answer))
        majority = float(np.mean(labels == (answer > 0.5)))
    else:
        answer, majority = y.reshape(len(y), -1).mean(axis=0), 0.0
    if from_logits:
        safe = np.clip(answer, 1e-7, 1 - 1e-7)
        answer = np.log(safe) - (np.log(1 - safe) if task in (BINARY, LABELS) else 0)
    predicted = np.broadcast_to(answer.reshape(answer_shape(task, shape)), (len(y_val), *shape[1:]))
    labels = np.asarray(data.y_val)
    if task in (NUMBERS, BINARY) and labels.size == predicted.size:
        labels = labels.reshape(predicted.shape).astype("float32")
    return float(np.mean(loss(labels, predicted.astype("float32")))), majority


def answer_shape(task: str, shape: tuple) -> tuple:
    return (1, *shape[1:]) if task == NUMBERS else (1,) * (len(shape) - 1) + shape[-1:]


def as_classes(y: np.ndarray, shape: tuple) -> np.ndarray:
    """Class numbers, from such or from one-hot labels."""
    if y.shape[1:] == shape[1:]:
        y = y.argmax(axis=-1)
    return y.reshape(len(y), -1).astype(int)
