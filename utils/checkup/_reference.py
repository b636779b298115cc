"""A plain network on the same data: what there is to be found, for whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from utils.checkup._data import Examples
from utils.checkup._kind import BINARY, CLASSES, LABELS, NUMBERS, Kind

WIDTH = 256  # units in each of two hidden layers
MOST_INPUTS = 20_000
MOST_WORDS = 30_000


def reference_for(
    model: keras.Model, data: Examples, kind: Kind | None
) -> tuple[Callable, Examples] | None:
    """A builder of two dense layers of 256 units, and the data as it takes them.

    None where it does not apply: several inputs, text, one output for each position.
    """
    known = kind is not None and kind.task in (CLASSES, BINARY, LABELS, NUMBERS)
    parts = tf.nest.flatten(data.x_train)
    if not known or len(parts) != 1 or parts[0].dtype.kind not in "biuf":
        return None
    x_train, x_val = as_columns(parts[0], tf.nest.flatten(data.x_val)[0])
    if x_train.shape[1] > MOST_INPUTS:
        return None
    units = model.output_shape[-1] if getattr(model, "output_shape", None) else kind.classes
    activation = {CLASSES: "softmax", NUMBERS: None}.get(kind.task, "sigmoid")
    loss, from_logits = kind.loss, kind.from_logits

    def build() -> keras.Model:
        dense = keras.layers.Dense
        hidden = [dense(WIDTH, activation="relu"), dense(WIDTH, activation="relu")]
        last = dense(units, activation=None if from_logits else activation)
        plain = keras.Sequential([keras.Input(x_train.shape[1:]), *hidden, last])
        plain.compile("adam", loss=loss)
        return plain

    return build, replace(data, x_train=x_train, x_val=x_val)


def as_columns(x_train: np.ndarray, x_val: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers: standardized columns. Word ids, (n, words) of whole numbers: which words occur."""
    if x_train.dtype.kind in "iu" and x_train.ndim == 2 and 50 < x_train.max() < MOST_WORDS:
        width = int(max(x_train.max(), x_val.max())) + 1
        return which_occur(x_train, width), which_occur(x_val, width)
    train, val = (part.reshape(len(part), -1).astype("float32") for part in (x_train, x_val))
    mean, deviation = train.mean(axis=0), train.std(axis=0) + 1e-3
    return (train - mean) / deviation, (val - mean) / deviation


def which_occur(ids: np.ndarray, width: int) -> np.ndarray:
    """float32 (n, width): 1 for each word that a text holds; 0 is padding."""
    found = np.zeros((len(ids), width), "float32")
    found[np.arange(len(ids))[:, None], ids] = 1
    found[:, 0] = 0
    return found
