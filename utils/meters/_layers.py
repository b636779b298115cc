"""Which layer is meant: by its name, by its position, or all the hidden ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from numbers import Integral

import keras


def inner_layers(layer: keras.Layer) -> Iterator[keras.Layer]:
    """The layers inside a model, or inside a layer of one's own, to any depth, in order.

    Layers that Keras calls are not looked into: an LSTM's cell and what a wrapper wraps are theirs.
    """
    if isinstance(layer, keras.Model) or not type(layer).call.__module__.startswith("keras."):
        for part in layer._flatten_layers(include_self=False, recursive=False):
            yield part
            yield from inner_layers(part)


def leaf_layers(model: keras.Model) -> list[keras.Layer]:
    """The layers that hold no others, in order, each once; inputs do not count."""
    return [
        layer
        for layer in dict.fromkeys(inner_layers(model))
        if not isinstance(layer, keras.layers.InputLayer) and not any(inner_layers(layer))
    ]


def find_layer(model: keras.Model, wanted: str | int) -> keras.Layer:
    """The layer of that name, or at that position among `leaf_layers`; negative from the end."""
    leaves = leaf_layers(model)
    if isinstance(wanted, Integral) and not isinstance(wanted, bool):
        if not -len(leaves) <= wanted < len(leaves):
            raise ValueError(f"layer {wanted} is not there; this model has {listed(leaves)}")
        return leaves[wanted]
    if not isinstance(wanted, str):
        raise TypeError(f"layer is {wanted!r}; give a name or a position: {listed(leaves)}")
    found = [layer for layer in dict.fromkeys(inner_layers(model)) if layer.name == wanted]
    if not found:
        raise ValueError(f"layer {wanted!r} is not there; this model has {listed(leaves)}")
    if len(found) > 1:
        raise ValueError(
            f"{len(found)} layers have the name {wanted!r}; give a position: {listed(leaves)}"
        )
    return found[0]


def find_layers(model: keras.Model, wanted: str | int | Iterable[str | int]) -> list[keras.Layer]:
    """The layers that `wanted` names, one or several, each once, in the order given."""
    several = isinstance(wanted, Iterable) and not isinstance(wanted, str)
    wanted = list(wanted) if several else [wanted]
    found = [find_layer(model, one) for one in wanted]
    if not found or len(set(found)) < len(found):
        raise ValueError(
            f"layer_names is {wanted}; give at least one layer, each once: "
            f"{listed(leaf_layers(model))}"
        )
    return found


def listed(leaves: list[keras.Layer]) -> str:
    """Positions and names of layers, as a message lists them: `0 flatten, 1 dense`."""
    return ", ".join(f"{place} {layer.name}" for place, layer in enumerate(leaves))
