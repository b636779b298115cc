"""Look at a model, or try something on it, and leave it as it was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import keras


@contextmanager
def left_as_found(variables: Iterable[keras.Variable]) -> Iterator[None]:
    """Put the values of `variables` back at the end of the block, also after an error."""
    before = [(variable, variable.numpy()) for variable in variables]
    try:
        yield
    finally:
        for variable, value in before:
            variable.assign(value)


@contextmanager
def calls_replaced(calls: Mapping[keras.Layer, Callable]) -> Iterator[None]:
    """Let each layer do `calls[layer]` in place of its own `call` until the end of the block.

    Whatever the layers sit in (a chain, a graph, another model, a subclass) then uses the new
    calls, as long as it runs eagerly: a function that is already compiled keeps the old ones.
    """
    with ExitStack() as undo:
        for layer, call in calls.items():
            if "call" in vars(layer):  # someone had replaced it before
                undo.callback(setattr, layer, "call", layer.call)
            else:
                undo.callback(delattr, layer, "call")
            layer.call = call
        yield
