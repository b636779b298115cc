"""One compiled function for all models that are provably the same, each with its own variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary, ref

import keras
import tensorflow as tf

from utils._shared.identity import identity_of
from utils._shared.memory import Memory

# What Keras's optimizers ask of a variable, beside its value.
ASKED = ("_unique_id", "_handle_name", "_aggregation", "_synchronization")

functions = Memory()  # (identity, what for) -> a function of values and inputs
known = WeakKeyDictionary()  # model -> {what for: its key above, or a function of its own}


@contextmanager
def standing_in(variables: list[keras.Variable], values: list[tf.Variable]) -> Iterator[None]:
    """Let `values`, arguments of a function that is being traced, stand in for `variables`."""
    before = [variable._value for variable in variables]
    try:
        for variable, old, new in zip(variables, before, values, strict=True):
            for name in ASKED:
                setattr(new, name, getattr(old, name))
            variable._value = new
        yield
    finally:
        for variable, old in zip(variables, before, strict=True):
            variable._value = old


def compiled_once(
    function: Callable[[keras.Model, Any], Any], model: keras.Model, what_for: tuple
) -> Callable[[Any], Any]:
    """`function(model, x)` as a compiled function of `x`, compiled once for all models alike.

    what_for   names the function, with all but the model that decides what it computes
    Compiled anew where a layer has been frozen since: normalization then computes something else.
    """
    what_for += tuple(layer.trainable for layer in model._flatten_layers())
    of_model = known.setdefault(model, {})
    if what_for not in of_model:
        identity = identity_of(model)
        own = compiled(function, ref(model)) if identity is None else None
        of_model[what_for] = (identity, what_for), own
    key, own = of_model[what_for]
    shared = own or functions.recall(key, lambda: compiled(function, lambda: model))
    return partial(shared, [variable._value for variable in model.variables])


def compiled(function: Callable, traced: Callable[[], keras.Model]) -> Callable:
    """A function of the values of a model's variables, and of inputs.

    traced   gives the model that it is traced of: a weak reference to one that no other is like
    """

    def with_values(values, x):
        with standing_in(traced().variables, values):
            return function(traced(), x)

    return tf.function(with_values, autograph=False, reduce_retracing=True)
