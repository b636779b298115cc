"""One compiled function for all models that are provably the same, each with its own variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary, ref

import keras
import tensorflow as tf

from utils._shared.identity import identity_of

# What Keras's optimizers ask of a variable, beside its value.
ASKED = ("_unique_id", "_handle_name", "_aggregation", "_synchronization")
REMEMBERED = 24

functions: dict[tuple, Callable] = {}  # (identity, what for) -> a function of values and inputs
known = WeakKeyDictionary()  # model -> {what for: a function of inputs}


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
    """
    of_model = known.setdefault(model, {})
    if what_for not in of_model:
        shared = shared_function(function, model, what_for)
        values = [variable._value for variable in model.variables]
        of_model[what_for] = lambda x: shared(values, x)
    return of_model[what_for]


def shared_function(function: Callable, model: keras.Model, what_for: tuple) -> Callable:
    identity = identity_of(model)
    key = (identity, what_for)
    if identity is not None and key in functions:
        return functions[key]

    # A model that nothing is known of is held by nobody but its owner: it may be let go.
    traced = ref(model) if identity is None else lambda: model

    def with_values(values, x):
        with standing_in(traced().variables, values):
            return function(traced(), x)

    shared = tf.function(with_values, autograph=False, reduce_retracing=True)
    if identity is not None:
        while len(functions) >= REMEMBERED:
            del functions[next(iter(functions))]
        functions[key] = shared
    return shared
