"""The compiled program of a network: a whole epoch, both evaluations included, in one call.

The values of all variables (weights, the optimizer's state, metrics, seeds of dropout) are
arguments of the program. So every seed brings a model of its own and calls the same program, also
several at once. While it is traced, the arguments stand in for the traced model's variables.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

import keras
import tensorflow as tf

from utils._shared.sharing import standing_in

EVALUATION_BATCH = 500
NO_XLA = tf.errors.InvalidArgumentError, tf.errors.NotFoundError, tf.errors.UnimplementedError


class Program:
    """Trains and evaluates every model whose identity is that of `model`.

    model       built, and its optimizer and metrics too
    with_xla    True, False, or "auto": with XLA, and without it where it cannot compile the model
    """

    def __init__(self, model: keras.Model, with_xla: bool | str) -> None:
        self.model = model
        self.with_xla = with_xla
        self.variables = variables_of(model)
        self.traced: dict[tuple, Callable] = {}
        self.compiled: set[tuple] = set()
        self.compiling = threading.Lock()
        self.private = False  # uses a table or variable that no other model brings along

    def prepare(self, what: Callable, values: list, args: tuple) -> Callable:
        """`what(model, *args)` as a function without arguments, to be called in any thread.

        values    what stands in for the variables: those of a model of the same identity
        Tracing happens here, in the caller's thread: Keras's settings are those of a thread.
        """
        specs = specs_of(what, args)
        key = (what.__name__, str(specs))
        if key not in self.traced:
            self.traced[key] = self.trace(what, values, specs)
        if self.private and values[0] is not self.variables[0]._value:
            raise ValueError("build_model's models share a variable or a table; use workers=1")
        return partial(self.run, key, self.traced[key], values, args)

    def trace(self, what: Callable, values: list, specs: tuple) -> Callable:
        def with_values(values, *args):
            with standing_in(self.variables, values):
                return what(self.model, *args)

        function = tf.function(with_values, jit_compile=bool(self.with_xla), autograph=False)
        try:
            traced = function.get_concrete_function(values, *specs)
        except Exception as error:  # code that only runs eagerly fails in many ways
            raise ValueError(
                "build_model's network cannot be compiled, so it runs only eagerly: train it with "
                f"`fit`. TensorFlow says: {str(error)[-300:].strip()}"
            ) from error
        self.private |= any(held.dtype == tf.resource for held in traced.captured_inputs)
        return traced

    def run(self, key: tuple, function: Callable, values: list, args: tuple) -> object:
        """The first call compiles; calls that come meanwhile wait for it."""
        if key in self.compiled:
            return function(values, *args)
        with self.compiling:
            result = function(values, *args)
            self.compiled.add(key)
        return result

    def give_up_xla(self, error: Exception) -> None:
        """Go on without XLA where it cannot compile the model; nothing has been trained then."""
        if self.with_xla is True:
            raise ValueError(
                "jit_compile is True, but XLA cannot compile this model on this machine; "
                f'give "auto" or False. XLA says: {error.message[:300]}'
            ) from error
        if not self.with_xla:
            raise error
        self.with_xla = False
        self.traced.clear()


def variables_of(model: keras.Model) -> list[keras.Variable]:
    """All that training changes: weights, dropout's seeds, the optimizer's state, metrics."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    every = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return list({id(variable): variable for variable in every}.values())


def values_of(model: keras.Model) -> list[tf.Variable]:
    return [variable._value for variable in variables_of(model)]


def specs_of(what: Callable, args: tuple) -> tuple:
    """The forms of a function's arguments; `steps` takes any number of batches."""

    def spec_of(tensor: tf.Tensor) -> tf.TensorSpec:
        return tf.TensorSpec(tensor.shape, tensor.dtype)

    if what is steps:
        pair, orders = args
        any_number = tuple(tf.TensorSpec((None, order.shape[1]), order.dtype) for order in orders)
        return (tf.nest.map_structure(spec_of, pair), any_number)
    return tf.nest.map_structure(spec_of, args)


# What is traced. `pair` is (x, y), `data` two of them: training and validation.


def epoch(model: keras.Model, data: tuple, orders: tuple) -> dict:
    """Train on all batches and evaluate, as `fit` does in an epoch."""
    model.reset_metrics()
    return report(model, data, steps(model, data[0], orders))


def steps(model: keras.Model, pair: tuple, orders: tuple) -> dict:
    """Train on the examples that `orders` name, whole numbers (steps, batch) each."""
    with_each = compiled_loop(model, "train_step", pair)
    logs = {}
    for order in orders:
        logs = with_each(tf.nest.map_structure(partial(tf.gather, indices=order), pair))
    return logs


def report(model: keras.Model, data: tuple, logs: dict) -> dict:
    """What the metrics ran up to in training, and both halves of the data in inference mode.

    logs   of the last step, where the model's own steps give any
    """
    running = as_fit_logs(model, logs)
    penalty = penalty_of(model)
    with_each = compiled_loop(model, "test_step", data[0])
    train, val = (evaluated(model, pair, with_each) for pair in data)
    return {"running": running, "val": val, "train": train, "penalty": penalty}


def evaluated(model: keras.Model, pair: tuple, with_each: Callable) -> dict:
    """Loss and metrics in inference mode, as `model.evaluate` gives them."""
    model.reset_metrics()
    logs = {}
    for batches in in_batches(pair, EVALUATION_BATCH):
        logs = with_each(batches)
    return as_fit_logs(model, logs)


def as_fit_logs(model: keras.Model, logs: dict) -> dict:
    """The metrics' results; the last step's own logs where these have other names, as in `fit`."""
    results = model.get_metrics_result()
    return logs if logs and set(logs) != set(results) else results


def penalty_of(model: keras.Model) -> tf.Tensor:
    """The sum of the weights' penalties, as they stand: what Keras adds to the loss."""
    penalties = [w.regularizer(w) for w in model.trainable_weights if w.regularizer is not None]
    return sum((tf.cast(penalty, tf.float64) for penalty in penalties), tf.zeros((), tf.float64))


def compiled_loop(model: keras.Model, name: str, pair: tuple) -> Callable:
    """A function of stacked batches that calls the model's step for each of them, in order.

    Traced once, for batches of any size, as `fit` does. It returns the logs of the last step if the
    model has code of its own that makes them; Keras's only repeats what the metrics hold.
    """
    step = getattr(model, name)
    one = tf.nest.map_structure(lambda x: tf.TensorSpec((None, *x.shape[1:]), x.dtype), pair)
    many = tf.nest.map_structure(lambda part: tf.TensorSpec((None, *part.shape), part.dtype), one)
    logs_of_step = tf.function(step, input_signature=[one], autograph=False)
    made_by = name, "compute_metrics"
    has_own_logs = any(getattr(type(model), n) is not getattr(keras.Model, n) for n in made_by)

    def loop(batches):
        start = empty_logs(logs_of_step) if has_own_logs else {}

        def with_batch(i, logs):
            found = logs_of_step(tf.nest.map_structure(lambda part: part[i], batches))
            return i + 1, flattened(found) if has_own_logs else logs

        count = tf.shape(tf.nest.flatten(batches)[0])[0]
        options = {"parallel_iterations": 1}
        return tf.while_loop(lambda i, logs: i < count, with_batch, (0, start), **options)[1]

    return tf.function(loop, input_signature=[many], autograph=False)


def empty_logs(logs_of_step: Callable) -> dict:
    """Zeros in the form of a step's logs."""
    logs = logs_of_step.get_concrete_function().structured_outputs
    if not isinstance(logs, dict):
        raise TypeError(f"the model's own step returns {type(logs).__name__}; let it return a dict")
    return {n: tf.zeros(value.shape, value.dtype) for n, value in flattened(logs).items()}


def flattened(logs: dict) -> dict:
    """Logs in which a dict stands for its own entries, as `fit` reads them."""
    flat = {}
    for name, value in logs.items():
        flat |= flattened(value) if isinstance(value, dict) else {name: value}
    return flat


def in_batches(pair: tuple, size: int) -> Iterator[tuple]:
    """Stack whole batches, then the smaller rest, if any: one or two pairs (steps, batch, ...)."""
    examples = tf.nest.flatten(pair)[0].shape[0]
    whole = examples - examples % size
    for start, stop, batch in ((0, whole, size), (whole, examples, examples - whole)):
        if stop > start:
            yield tf.nest.map_structure(
                lambda part, start=start, stop=stop, batch=batch: tf.reshape(
                    part[start:stop], (-1, batch, *part.shape[1:])
                ),
                pair,
            )
