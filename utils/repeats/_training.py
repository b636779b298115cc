"""One run: what `fit` does with one seed, epoch by epoch.

A run is a generator. What takes long it yields, as a function without arguments, and is sent back
what that returned; all else, the reader's own functions among it, runs in the caller's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils._shared.arguments import needed_arguments, one_of
from utils._shared.restoring import left_as_found
from utils.repeats._data import Examples, examples_of
from utils.repeats._data_prints import DataPrint
from utils.repeats._program import NO_XLA, Program, epoch, report, steps, values_of
from utils.repeats._programs import program_for
from utils.repeats._seeding import batch_order
from utils.repeats._stopping import Best, start_stopping
from utils.repeats._workers import threads


@dataclass(frozen=True)
class Plan:
    """What every seed of an arm does alike: the checked arguments of `repeat`."""

    build_model: Callable
    data: Examples | Callable[[int], Any]
    seeds: tuple[int, ...]
    epochs: int
    batch_size: int
    measure: dict[str, Callable]
    watch: dict[str, Callable]
    watch_every: int | None
    early_stopping: keras.callbacks.EarlyStopping | None
    keep_best: str | None
    jit_compile: bool | str
    programs: list[Program] = field(default_factory=list)  # those in use, the latest last

    def data_for(self, seed: int) -> Examples:
        if isinstance(self.data, Examples):
            return self.data
        return examples_of(self.data(seed))

    @property
    def shares(self) -> bool:
        """Whether the models hold something in common, so that only one may train at a time."""
        return any(program.private for program in self.programs)


@dataclass
class Run:
    """What one seed leaves behind.

    data      what it was trained on and evaluated on
    threads   that TensorFlow had for an operation where it was trained
    lost      why a measure or a watch has no value
    """

    seed: int
    data: tuple[DataPrint, DataPrint]
    history: list[dict[str, float]]
    kept_epoch: int
    weights: list[np.ndarray]
    measured: dict[str, np.ndarray]
    watched: dict[str, np.ndarray]
    watched_steps: np.ndarray
    threads: int
    lost: dict[str, str] = field(default_factory=dict)
    best: Run | None = None


def train(
    plan: Plan, seed: int, model: keras.Model, advance: Callable[[int], None]
) -> Generator[Callable, Any, Run]:
    """Train `model`, that of `seed`, to its end, calling `advance(epochs)` as they pass."""
    examples = plan.data_for(seed)
    data = examples.tensors()
    program = built_program(plan, model, data)
    values = values_of(model)
    history, best = [], Best(plan.keep_best)
    watcher = Watcher(plan, model, seed, examples)
    callback = start_stopping(plan.early_stopping, model)
    for number in range(plan.epochs):
        orders = stacked_order(batch_order(seed, number, len(tf.nest.flatten(data)[0])), plan)
        found = yield from train_epoch(program, values, data, orders, watcher)
        history.append(columns_of(found))
        if number == 0:
            check_names(plan, history[0])
        best.look(model, number, history[-1])
        advance(1)
        callback.on_epoch_end(number, keras_names(history[-1]))
        if model.stop_training:
            advance(plan.epochs - 1 - number)
            break
    model.optimizer.finalize_variable_values(model.trainable_variables)
    callback.on_train_end()
    restored = getattr(callback, "restore_best_weights", False) and callback.best_weights
    kept = callback.best_epoch if restored else number
    return run_of(plan, model, history, kept, watcher, best)


def built_program(plan: Plan, model: keras.Model, data: tuple) -> Program:
    """Build the metrics on the first examples, which no weight sees; then find the program."""
    first = tf.nest.map_structure(lambda part: part[:2], data[0])
    with left_as_found(model.variables):
        model.test_step(first)
    epochs, in_pieces = plan.epochs * len(plan.seeds), plan.watch_every is not None
    program = program_for(model, data, plan.jit_compile, epochs, in_pieces)
    plan.programs.append(program)
    return program


def stacked_order(order: np.ndarray, plan: Plan) -> tuple:
    """Whole batches, then the smaller rest, if any: int64 (steps, batch) each."""
    whole = len(order) - len(order) % plan.batch_size
    parts = order[:whole].reshape(-1, plan.batch_size), order[whole:].reshape(1, -1)
    return tuple(tf.constant(part) for part in parts if part.size)


def train_epoch(
    program: Program, values: list, data: tuple, orders: tuple, watcher: Watcher
) -> Generator[Callable, Any, dict]:
    """One pass over the training data: in one call, or in pieces between two looks."""
    if watcher.every is None:
        found = yield from call(program, epoch, values, data, orders)
        watcher.step += sum(len(order) for order in orders)
        watcher.look()
        return found
    watcher.model.reset_metrics()
    logs = {}
    for order in orders:
        for piece in watcher.pieces(len(order)):
            logs = yield from call(program, steps, values, data[0], (order[piece],))
    return (yield from call(program, report, values, data, logs))


def call(program: Program, what: Callable, values: list, *args: Any) -> Generator:
    try:
        return (yield program.prepare(what, values, args))
    except NO_XLA as error:
        program.give_up_xla(error)
        return (yield program.prepare(what, values, args))


def columns_of(found: dict) -> dict[str, float]:
    """Keras's names as `fit` fills them, and the same weights' numbers in inference mode."""
    penalty = float(found["penalty"])
    running, val, train = (numbers(found[part]) for part in ("running", "val", "train"))
    columns = running | {f"val_{name}": value for name, value in val.items()}
    columns |= {f"train_{name}": value for name, value in train.items()}
    columns["penalty"] = penalty
    for part in ("train", "val"):
        if f"{part}_loss" in columns:
            columns[f"{part}_data_loss"] = columns[f"{part}_loss"] - penalty
    return columns


def numbers(logs: dict) -> dict[str, float]:
    """Floats by name; a metric with one value per class has a column for each: `f1_score[0]`."""
    found = {}
    for name, value in logs.items():
        value = np.asarray(value, dtype=float)
        if value.ndim == 0:
            found[name] = float(value)
        else:
            found |= {f"{name}[{place}]": float(one) for place, one in enumerate(value.ravel())}
    return found


def check_names(plan: Plan, logs: dict[str, float]) -> None:
    """Refuse names that an epoch's metrics do not have, or already have."""
    if plan.keep_best is not None:
        one_of("keep_best", plan.keep_best, logs)
    if plan.early_stopping:
        one_of("monitor of EarlyStopping", plan.early_stopping.monitor, keras_names(logs))
    if taken := [name for name in plan.measure if name in logs]:
        raise ValueError(f"measure has {taken[0]!r}, which the history has too; give another name")


def keras_names(logs: dict[str, float]) -> dict[str, float]:
    """The part of an epoch's metrics that `fit` would hand to a callback."""
    ours = ("train_", "penalty", "val_data_loss")
    return {name: value for name, value in logs.items() if not name.startswith(ours)}


def run_of(
    plan: Plan, model: keras.Model, history: list, kept: int, watcher: Watcher, best: Best
) -> Run:
    """Measure the trained model, and the model of its best epoch if that was kept."""

    def measured_run(epoch: int) -> Run:
        weights = model.get_weights()
        values, lost = measured(plan, model, watcher.seed, watcher.examples)
        watched = {name: np.stack(found) for name, found in watcher.values.items()}
        at = np.array(watcher.steps)
        lost |= watcher.lost
        prints = watcher.examples.prints
        return Run(
            watcher.seed, prints, history, epoch, weights, values, watched, at, threads(), lost
        )

    run = measured_run(kept)
    if best.weights is not None:
        model.set_weights(best.weights)
        run.best = measured_run(best.epoch)
    return run


def measured(plan: Plan, model: keras.Model, seed: int, examples: Examples) -> tuple[dict, dict]:
    """What the functions of `measure` return, and why those that raise have no value."""
    values, lost = {}, {}
    weights = model.get_weights()
    for name, function in plan.measure.items():
        try:
            values[name] = np.asarray(look_at(function, model, examples))
        except Exception as error:  # the reader's own code: what was trained stays
            lost[name] = reason("measure", name, seed, error)
        model.set_weights(weights)
    return values, lost


def reason(what: str, name: str, seed: int, error: Exception) -> str:
    return f"{what} {name!r} raised {type(error).__name__} with seed {seed}: {error}"


def look_at(function: Callable, model: keras.Model, examples: Examples) -> Any:
    """`function(model)`, or `function(model, data)` if it takes both; data is the seed's own."""
    if needed_arguments(function) == 2:
        return function(model, examples.source)
    return function(model)


class Watcher:
    """Calls the functions of `watch` before the first step and then at a fixed cadence."""

    def __init__(self, plan: Plan, model: keras.Model, seed: int, examples: Examples) -> None:
        self.functions, self.every = dict(plan.watch), plan.watch_every
        self.model, self.seed, self.examples = model, seed, examples
        self.step = 0
        self.steps: list[int] = []
        self.values: dict[str, list] = {name: [] for name in self.functions}
        self.lost: dict[str, str] = {}
        self.look()

    def look(self) -> None:
        """Call every function; the running metrics stay, also where one calls `evaluate`."""
        self.steps.append(self.step)
        for name, function in list(self.functions.items()):
            try:
                with left_as_found(self.model.metrics_variables):
                    value = np.asarray(look_at(function, self.model, self.examples))
                np.stack([*self.values[name][-1:], value])  # of one shape at every look
                self.values[name].append(value)
            except Exception as error:  # the reader's own code: training goes on all the same
                self.lost[name] = reason("watch", name, self.seed, error)
                del self.functions[name], self.values[name]

    def pieces(self, steps: int) -> Iterator[slice]:
        """Cut the next `steps` steps where a look is due; the caller trains each as it comes."""
        start = 0
        while start < steps:
            due = self.every - self.step % self.every
            stop = min(start + due, steps)
            yield slice(start, stop)
            self.step += stop - start
            start = stop
            if self.step % self.every == 0:
                self.look()
