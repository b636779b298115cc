"""The loss or the metric that a model was compiled with: what it is called, and how it is set."""

from __future__ import annotations

from typing import Any

import keras

SAY_NOTHING = {"Loss", "LossFunctionWrapper"}  # what a loss of one's own is derived from


def units(shape: tuple) -> int:
    """How many numbers the model puts out for each example or position."""
    return shape[-1] if len(shape) > 1 else 1


def loss_of(model: keras.Model, shape: tuple) -> Any:
    """The one loss that `model` was compiled with, as Keras looks it up, or None."""
    losses = keras.tree.flatten(getattr(model, "loss", None))
    if len(losses) != 1:
        return None
    if str(losses[0]).lower() in ("crossentropy", "ce"):
        return keras.losses.get(f"{'binary' if units(shape) == 1 else 'categorical'}_crossentropy")
    return keras.losses.get(losses[0])


def name_of(thing: Any) -> str | None:
    """A name for Keras's own losses and metrics, and what is derived from them; others: None."""
    kinds = [thing] if hasattr(thing, "__name__") else type(thing).__mro__
    for kind in kinds:
        if kind.__name__ in SAY_NOTHING:
            return None
        if kind.__module__.startswith("keras."):
            return kind.__name__.lower().replace("_", "")
    return None


def settings_of(thing: Any) -> dict:
    """The arguments of a loss or metric; a function has its defaults: none."""
    return thing.get_config() if hasattr(thing, "get_config") else {}
