"""The layers of a model, whatever they are nested in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import keras


def layers_of(model: keras.Model) -> Iterator[keras.Layer]:
    """Every layer of `model`, those of nested models included, in order."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)
        else:
            yield layer


def parts_of(layers: Iterable[keras.Layer]) -> Iterator[keras.Layer]:
    """`layers`, each followed by the layers inside it: an LSTM's cell, what a wrapper wraps."""
    for layer in layers:
        yield layer
        yield from parts_of(part for part in vars(layer).values() if isinstance(part, keras.Layer))
