"""How far what a layer puts out wanders while the network learns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils._shared.restoring import left_as_found
from utils._shared.sharing import compiled_once
from utils.meters._calling import as_tensors, recorded_calls
from utils.meters._layers import find_layer

PERCENTILES = (15, 50, 85)


def layer_output(
    model: keras.Model, layer_name: str | int, x: Any, training: bool = False
) -> np.ndarray:
    """What the layer puts out for `x`, and the model left as it was found.

    model        any Keras model
    layer_name   its name, wherever it is nested, or its position among all layers that hold no
                 others (inputs do not count, -1 is the last)
    x            (images, ...), as `fit` takes it; for several inputs a dict or a list of such
    training     False: with moving averages, as in `predict`; True: with batch statistics, as in
                 `fit`, after which moving averages and dropout seeds are set back
    Returns an array (images, ..., channels). Raises ValueError for a layer that is not there, that
    is not called exactly once, or puts out several arrays.
    """
    x = as_tensors(model, x)
    probe = compiled_probe(model, layer_name, training)
    with left_as_found(model.non_trainable_variables):
        return keras.ops.convert_to_numpy(probe(x))


def compiled_probe(model: keras.Model, layer_name: str | int, training: bool) -> Callable:
    """A compiled function from the model's input to a layer's output, shared by models alike."""
    find_layer(model, layer_name)

    def probe(model, x):
        return output_of(model, layer_name, x, training)

    return compiled_once(probe, model, ("output", layer_name, bool(training)))


def output_of(model: keras.Model, layer_name: str | int, x: Any, training: bool) -> tf.Tensor:
    """What the layer puts out while the model answers the tensors `x`."""
    layer = find_layer(model, layer_name)
    _, calls = recorded_calls(model, x, [layer], training)
    if len(calls) != 1 or not tf.is_tensor(calls[0].output):
        raise ValueError(
            f"layer {layer.name!r} is called {len(calls)} times (calls inside a tf.function do not "
            "count); give a layer that is called once and puts out one array"
        )
    return calls[0].output


def channel_percentiles(output: Any) -> np.ndarray:
    """The 15th, 50th and 85th percentile of each channel over batch and space: (3, channels).

    output   (batch, ..., channels), finite
    """
    output = np.asarray(output)
    if output.ndim < 2 or output.size == 0:
        raise ValueError(f"output has shape {output.shape}; give (batch, ..., channels)")
    return np.percentile(output.reshape(-1, output.shape[-1]), PERCENTILES, axis=0)


def drift(percentiles: Any) -> float:
    """How far the channels' medians wander: path length / mean interpercentile range.

    percentiles   (times, 3, channels): `channel_percentiles` at a fixed cadence. The cadence is
                  part of the number: looking twice as often finds a longer path.
    Returns the mean over the channels that are not dead. 0 for outputs that do not change; the
    same for outputs in other units. The range is from the 15th to the 85th percentile, the mean
    over the times. Raises ValueError for values that are not finite, or dead channels only.
    """
    medians, width = living_channels(percentiles)
    return float((np.abs(np.diff(medians, axis=0)).sum(axis=0) / width).mean())


def net_shift(percentiles: Any) -> float:
    """How far the channels' medians are from where they began; the rest as in `drift`."""
    medians, width = living_channels(percentiles)
    return float((np.abs(medians[-1] - medians[0]) / width).mean())


def dead_channels(percentiles: Any) -> int:
    """How many channels put out one and the same value at each time; `drift` leaves them out.

    percentiles   (times, 3, channels), as in `drift`
    """
    return int((mean_width(checked_percentiles(percentiles)) <= 0).sum())


def living_channels(percentiles: Any) -> tuple[np.ndarray, np.ndarray]:
    """Medians (times, channels) and mean range (channels,) of the channels that are not dead."""
    percentiles = checked_percentiles(percentiles)
    width = mean_width(percentiles)
    alive = width > 0
    if not alive.any():
        raise ValueError(
            f"all {len(alive)} channels are dead: each has the same output for all images, "
            "and no range to measure drift in"
        )
    return percentiles[:, 1, alive], width[alive]


def mean_width(percentiles: np.ndarray) -> np.ndarray:
    """The distance between the 15th and the 85th percentile, mean over the times: (channels,)."""
    return (percentiles[:, 2] - percentiles[:, 0]).mean(axis=0)


def checked_percentiles(percentiles: Any) -> np.ndarray:
    """`percentiles` as a finite array (times, 3, channels) with at least two times."""
    percentiles = np.asarray(percentiles, dtype=float)
    if percentiles.ndim != 3 or percentiles.shape[1] != 3 or len(percentiles) < 2:
        raise ValueError(
            f"percentiles has shape {percentiles.shape}; "
            "give (times, 3, channels) with at least two times"
        )
    if not np.isfinite(percentiles).all():
        raise ValueError("percentiles has values that are not finite; the training has diverged")
    return percentiles
