"""Early stopping, and the best epoch: the same decisions as in `fit`."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import keras
import numpy as np

CALLED = ("on_train_begin", "on_epoch_end", "on_train_end")
WHERE_HIGH_IS_GOOD = ("acc", "accuracy", "auc", "precision", "recall")


def only_early_stopping(callbacks: object) -> keras.callbacks.EarlyStopping | None:
    """Return the one `EarlyStopping` in `callbacks`, or None; any other callback is an error."""
    if not isinstance(callbacks, list | tuple):
        callbacks = [] if callbacks is None else [callbacks]
    for callback in callbacks:
        check_callback(callback)
    if len(callbacks) > 1:
        raise ValueError(f"callbacks has {len(callbacks)} EarlyStopping; give one")
    return without_model(callbacks[0]) if callbacks else None


def check_callback(callback: object) -> None:
    if isinstance(callback, type):
        raise TypeError(f"callbacks has the class {callback.__name__}; give an instance of it")
    if not isinstance(callback, keras.callbacks.EarlyStopping):
        raise ValueError(
            f"callbacks has {callback!r}; `repeat` calls only keras.callbacks.EarlyStopping "
            "(to look into the training, use `watch`; for anything else, use `fit`)"
        )
    hooks = [name for name in dir(keras.callbacks.Callback) if name.startswith(("on_", "set_"))]
    usual = keras.callbacks.EarlyStopping
    for name in hooks:
        is_own = getattr(type(callback), name) is not getattr(usual, name)
        if name in vars(callback) or (is_own and name not in CALLED):
            raise ValueError(
                f"callbacks has {type(callback).__name__}, whose {name} `repeat` does not call; of "
                f"a class's own it calls {', '.join(CALLED)} only. For anything else, use `fit`"
            )


def without_model(callback: keras.callbacks.EarlyStopping) -> keras.callbacks.EarlyStopping:
    """A copy with the settings only: no model, and nothing of an earlier run."""
    plain = copy.copy(callback)
    plain._model = None
    plain.best_weights = None
    return plain


def start_stopping(
    early_stopping: keras.callbacks.EarlyStopping | None, model: keras.Model
) -> keras.callbacks.Callback:
    """A callback at the start of a run of `model`; one that does nothing if there is none.

    Before Keras 3.15 `EarlyStopping` carries the best value of one run into the next: forget it.
    """
    callback = without_model(early_stopping) if early_stopping else keras.callbacks.Callback()
    model.stop_training = False
    callback.set_model(model)
    callback.on_train_begin()
    callback.best = None
    return callback


class Best:
    """Keeps the weights of the epoch in which `name`, a column of the history, was best."""

    def __init__(self, name: str | None) -> None:
        self.name, self.sign = name, 0
        self.epoch, self.value, self.weights = 0, -np.inf, None

    def look(self, model: keras.Model, epoch: int, logs: Mapping[str, float]) -> None:
        if self.name is None:
            return
        self.sign = self.sign or direction(self.name, model)
        value = self.sign * logs[self.name]
        if self.weights is None or value > self.value:
            self.epoch, self.value, self.weights = epoch, value, model.get_weights()


def direction(name: str, model: keras.Model) -> int:
    """Return 1 where a high value of `name` is good, -1 where a low one is, as Keras knows it."""
    metric = name.removeprefix("val_").removeprefix("train_")
    if metric in ("loss", "data_loss"):
        return -1
    known = keras.callbacks.EarlyStopping(metric)
    known.set_model(model)
    known.on_train_begin()
    try:
        known.on_epoch_end(0, {metric: 0.0})
    except ValueError as error:
        if metric.endswith(WHERE_HIGH_IS_GOOD):
            return 1
        raise ValueError(
            f"keep_best is {name!r}; give a loss or an accuracy, or another metric of which Keras "
            "knows whether high is good"
        ) from error
    return 1 if bool(known.monitor_op(1.0, 0.0)) else -1
