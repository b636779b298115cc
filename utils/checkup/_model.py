"""The reader's model: as a function that builds it, and with another learning rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from utils._shared.arguments import function


def builder_of(build_model: Any) -> Callable[[], keras.Model]:
    """The function itself; of a compiled model one that builds its like, drawn anew."""
    if not isinstance(build_model, keras.Model):
        return function("build_model", build_model)
    if not build_model.compiled:
        raise ValueError("build_model is a model that is not compiled; call its compile(…) first")
    model = build_model
    frozen = {layer.name: layer.get_weights() for layer in model.layers if not layer.trainable}

    def build() -> keras.Model:
        try:
            fresh = keras.models.clone_model(model)
            fresh.compile_from_config(model.get_compile_config())
        except Exception:
            raise TypeError(
                "build_model is a model that Keras cannot build anew; "
                "give the function that builds and compiles it"
            ) from None
        for layer in fresh.layers:
            if layer.name in frozen:
                layer.trainable = False
                layer.set_weights(frozen[layer.name])
        return fresh

    build()
    return build


def rate_of(model: keras.Model) -> float:
    """The learning rate; NaN where it is a schedule."""
    try:
        given = model.optimizer._learning_rate
        if isinstance(given, keras.optimizers.schedules.LearningRateSchedule):
            return np.nan
        return float(model.optimizer.learning_rate)
    except (AttributeError, TypeError, ValueError):
        return np.nan


def with_rate(build: Callable[[], keras.Model], factor: float) -> Callable[[], keras.Model]:
    """The same model with another learning rate."""

    def build_with_rate() -> keras.Model:
        model = build()
        model.optimizer.learning_rate = factor * rate_of(model)
        return model

    return build_with_rate
