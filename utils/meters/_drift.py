"""How far what a layer puts out wanders while the network learns."""

from weakref import WeakKeyDictionary

import keras
import numpy as np
import tensorflow as tf

from utils._shared.restoring import left_as_found

PERCENTILES = (15, 50, 85)
probes = WeakKeyDictionary()  # model -> {(layer, mode, what is frozen): compiled probe}


def layer_output(model, layer_name, x, training=False):
    """What the layer puts out for `x`, and the model left as it was found.

    training   False: with moving averages, as in `predict`; True: with batch statistics, as in
               `fit`, after which moving averages and dropout seeds are set back
    """
    probe = compiled_probe(model, layer_name, training)
    with left_as_found(model.non_trainable_variables):
        return probe(tf.convert_to_tensor(x)).numpy()


def compiled_probe(model, layer_name, training):
    """A compiled function from the model's input to a layer's output, made once per model."""
    frozen = tuple(layer.trainable for layer in model.layers)
    known = probes.setdefault(model, {})
    key = (layer_name, bool(training), frozen)
    if key not in known:
        part = keras.Model(model.inputs[0], model.get_layer(layer_name).output)
        known[key] = tf.function(lambda x: part(x, training=training), reduce_retracing=True)
    return known[key]


def channel_percentiles(output):
    """The 15th, 50th and 85th percentile of each channel over batch and space: (3, channels).

    output   (batch, ..., channels), finite
    """
    output = np.asarray(output)
    if output.ndim < 2 or output.size == 0:
        raise ValueError(f"output has shape {output.shape}; give (batch, ..., channels)")
    return np.percentile(output.reshape(-1, output.shape[-1]), PERCENTILES, axis=0)


def drift(percentiles):
    """How far the channels' medians wander, in units of their spread: path length / mean spread.

    percentiles   (times, 3, channels): `channel_percentiles` at a fixed cadence. The cadence is
                  part of the number: looking twice as often finds a longer path.
    Returns the mean over the channels. 0 for outputs that do not change; the same for outputs in
    other units. Spread is the distance between the 15th and the 85th percentile.
    """
    medians, spread = medians_and_spread(percentiles)
    return float((np.abs(np.diff(medians, axis=0)).sum(axis=0) / spread).mean())


def net_shift(percentiles):
    """How far the channels' medians are from where they began, in units of their mean spread."""
    medians, spread = medians_and_spread(percentiles)
    return float((np.abs(medians[-1] - medians[0]) / spread).mean())


def medians_and_spread(percentiles):
    """Medians (times, channels) and mean spread (channels,), checked."""
    percentiles = np.asarray(percentiles, dtype=float)
    if percentiles.ndim != 3 or percentiles.shape[1] != 3 or len(percentiles) < 2:
        raise ValueError(
            f"percentiles has shape {percentiles.shape}; "
            "give (times, 3, channels) with at least two times"
        )
    if not np.isfinite(percentiles).all():
        raise ValueError("percentiles has values that are not finite; the training has diverged")
    spread = (percentiles[:, 2] - percentiles[:, 0]).mean(axis=0)
    if (spread <= 0).any():
        raise ValueError("a channel has no spread at any time: its outputs are all the same")
    return percentiles[:, 1], spread
