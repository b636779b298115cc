"""One run: what `fit` does with one seed, epoch by epoch, in a compiled loop."""

from collections.abc import Callable
from dataclasses import dataclass, field

import keras
import numpy as np
import tensorflow as tf

from utils._shared.arguments import direction, one_of
from utils._shared.restoring import left_as_found
from utils.repeats._compiled import EVALUATION_BATCH, compiled_loop, in_batches, penalty_of
from utils.repeats._seeding import batch_order


@dataclass(frozen=True)
class Plan:
    """What every seed of an arm does alike: the checked arguments of `repeat`."""

    build_model: Callable
    data_for: Callable
    epochs: int
    batch_size: int
    measure: dict[str, Callable]
    watch: dict[str, Callable]
    watch_every: int | None
    early_stopping: keras.callbacks.EarlyStopping | None
    keep_best: str | None
    jit_compile: bool | str
    loops: dict = field(default_factory=dict)


@dataclass
class Run:
    """What one seed leaves behind."""

    history: list[dict[str, float]]
    kept_epoch: int
    weights: list[np.ndarray]
    measured: dict[str, np.ndarray]
    watched: dict[str, np.ndarray]
    watched_steps: np.ndarray
    best: "Run | None" = None


def train(plan, seed, fresh, advance):
    """Train `fresh`, the model of `seed`, to its end, calling `advance(epochs)` as they pass."""
    data = plan.data_for(seed)
    x, y, x_val, y_val = map(as_tensor, (data.x_train, data.y_train, data.x_val, data.y_val))
    evaluated = [list(in_batches(*part, EVALUATION_BATCH)) for part in ((x, y), (x_val, y_val))]
    loop = compiled_loop(fresh, x, y, plan.jit_compile, plan.loops)
    loop.restart_from(fresh)
    model = loop.model
    history, watcher, best = [], Watcher(plan, model), Best(plan.keep_best)
    callback = started(plan.early_stopping, model)
    for epoch in range(plan.epochs):
        order = batch_order(seed, epoch, len(x))
        train_epoch(loop, tf.gather(x, order), tf.gather(y, order), plan.batch_size, watcher)
        history.append(metrics_after_epoch(loop, *evaluated))
        if epoch == 0:
            check_names(plan, history[0])
        best.look(model, history)
        advance(1)
        callback.on_epoch_end(epoch, keras_names(history[-1]))
        if model.stop_training:
            advance(plan.epochs - 1 - epoch)
            break
    model.optimizer.finalize_variable_values(model.trainable_variables)
    callback.on_train_end()
    restored = getattr(callback, "restore_best_weights", False) and callback.best_weights
    kept = callback.best_epoch if restored else epoch
    return run_of(plan, model, history, kept, watcher, best)


def train_epoch(loop, x, y, batch_size, watcher):
    """One pass over the training data, in the order given."""
    loop.model.reset_metrics()
    for batches_x, batches_y in in_batches(x, y, batch_size):
        for piece in watcher.pieces(len(batches_x)):
            loop.train(batches_x[piece], batches_y[piece])
    watcher.end_epoch()


def metrics_after_epoch(loop, train_batches, val_batches):
    """Keras's names as `fit` fills them, and the same weights' numbers in inference mode."""
    penalty = penalty_of(loop.model)
    running = loop.metrics()
    training = {f"train_{name}": value for name, value in loop.evaluate(train_batches).items()}
    validation = {f"val_{name}": value for name, value in loop.evaluate(val_batches).items()}
    without_penalty = {
        "penalty": penalty,
        "train_data_loss": training["train_loss"] - penalty,
        "val_data_loss": validation["val_loss"] - penalty,
    }
    return running | validation | training | without_penalty


def check_names(plan, logs):
    """Refuse names that an epoch's metrics do not have, or already have."""
    if plan.keep_best is not None:
        one_of("keep_best", plan.keep_best, logs)
    if plan.early_stopping:
        one_of("monitor of EarlyStopping", plan.early_stopping.monitor, keras_names(logs))
    if taken := [name for name in plan.measure if name in logs]:
        raise ValueError(f"measure has {taken[0]!r}, which the history has too; give another name")


def keras_names(logs):
    """The part of an epoch's metrics that `fit` would hand to a callback."""
    ours = ("train_", "penalty", "val_data_loss")
    return {name: value for name, value in logs.items() if not name.startswith(ours)}


def run_of(plan, model, history, kept, watcher, best):
    """Measure the trained model, and the model of its best epoch if that was kept."""
    watched = {name: np.stack(values) for name, values in watcher.values.items()}
    steps = np.array(watcher.steps)
    run = Run(history, kept, model.get_weights(), measured(plan, model), watched, steps)
    if best.weights is not None:
        model.set_weights(best.weights)
        run.best = Run(history, best.epoch, best.weights, measured(plan, model), watched, steps)
    return run


def measured(plan, model):
    return {name: np.asarray(function(model)) for name, function in plan.measure.items()}


def as_tensor(values):
    """A tensor as `fit` makes it: floating-point numbers in Keras's float type."""
    values = np.asarray(values)
    is_float = np.issubdtype(values.dtype, np.floating)
    return tf.convert_to_tensor(values.astype(keras.config.floatx()) if is_float else values)


def started(early_stopping, model):
    """The callback, at the start of a run of `model`; one that does nothing if there is none.

    Before Keras 3.15 `EarlyStopping` carries the best value of one run into the next: forget it.
    """
    callback = early_stopping or keras.callbacks.Callback()
    model.stop_training = False
    callback.set_model(model)
    callback.on_train_begin()
    callback.best = None
    return callback


class Watcher:
    """Calls the functions of `watch` before the first step and then at a fixed cadence."""

    def __init__(self, plan, model):
        self.functions, self.every, self.model = plan.watch, plan.watch_every, model
        self.step = 0
        self.steps = []
        self.values = {name: [] for name in self.functions}
        self.look()

    def look(self):
        """Call every function; the running metrics stay, also where one calls `evaluate`."""
        self.steps.append(self.step)
        for name, function in self.functions.items():
            with left_as_found(self.model.metrics_variables):
                self.values[name].append(np.asarray(function(self.model)))

    def pieces(self, steps):
        """Cut the next `steps` steps where a look is due; the caller trains each as it comes."""
        start = 0
        while start < steps:
            due = self.every - self.step % self.every if self.every else steps
            stop = min(start + due, steps)
            yield slice(start, stop)
            self.step += stop - start
            start = stop
            if self.every and self.step % self.every == 0:
                self.look()

    def end_epoch(self):
        if not self.every:
            self.look()


class Best:
    """Keeps the weights of the epoch in which `name`, a loss or an accuracy, was best."""

    def __init__(self, name):
        self.name, self.epoch, self.weights = name, 0, None

    def look(self, model, history):
        if self.name is None:
            return
        values = direction(self.name) * np.array([logs[self.name] for logs in history])
        if self.weights is None or values[-1] > values[self.epoch]:
            self.epoch, self.weights = len(history) - 1, model.get_weights()
