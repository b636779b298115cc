"""How much a classifier's answer moves when its inputs do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils._shared.losses import loss_of, name_of
from utils._shared.restoring import left_as_found
from utils._shared.sharing import compiled_once
from utils.meters._calling import answer, as_tensors, batches, finite, predicted, take
from utils.meters._score import BINARY, NUMBERS, gives_logits, last_activation

UNCHANGED = "unchanged"
PROBABILITIES = {UNCHANGED: tf.identity, "softmax": tf.nn.softmax, "sigmoid": tf.sigmoid}


def jacobian_norm(model: keras.Model, x: Any) -> float:
    """How much the probabilities move with the inputs: the mean of ‖∂p/∂x‖ over the examples.

    ‖∂p/∂x‖ is the root of the sum of the squared slopes of every probability along every input, in
    inference mode. 0: the answer is the same everywhere. Unlike the norm of the weights, it is the
    same for two networks that compute the same. It depends on the units of `x`.

    model   a classifier with one output: of probabilities, or of logits, of which it takes the
            softmax (the sigmoid, where the loss is a binary cross-entropy)
    x       (n, ...), as `fit` takes it; numbers, since one cannot move a word a little
    Raises ValueError for a regression, for inputs without a slope, and outputs that are not finite.
    """
    x = as_tensors(model, x)
    if not all(part.dtype.is_floating for part in keras.tree.flatten(x)):
        raise ValueError("x has parts that are whole numbers or words; give inputs that can move")
    shape = predicted(model, take(x, slice(1))).shape
    kind = kind_of_outputs(model, x, shape)

    def slopes(model, batch):
        return squared_slopes(model, *batch, PROBABILITIES[kind])

    squares = compiled_once(slopes, model, ("slopes", kind))
    norms = []
    with left_as_found(model.non_trainable_variables):
        for rows in batches(x):
            part = take(x, rows)
            each = [finite(squares((part, tf.constant(k)))) for k in range(np.prod(shape[1:]))]
            norms.append(np.sqrt(np.sum(each, axis=0, dtype=float)))
    return float(np.concatenate(norms).mean())


def kind_of_outputs(model: keras.Model, x: Any, shape: tuple) -> str:
    """What makes probabilities of the model's outputs, of this shape: a key of `PROBABILITIES`."""
    loss = loss_of(model, shape)
    if last_activation(model, x) in PROBABILITIES:
        return UNCHANGED
    if name_of(loss) in BINARY:
        return "sigmoid" if gives_logits(loss) else UNCHANGED
    if name_of(loss) in NUMBERS or shape[-1] == 1:
        raise ValueError(f"model {model.name!r} gives no probabilities; give a classifier")
    return "softmax"


def squared_slopes(
    model: keras.Model, x: Any, k: tf.Tensor, as_probabilities: Callable
) -> tf.Tensor:
    """Σ(∂p_k/∂x)² of each example: (n,)."""
    parts = keras.tree.flatten(x)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(parts)
        p = as_probabilities(answer(model, x))
        p_k = tf.gather(tf.reshape(p, (tf.shape(p)[0], -1)), k, axis=1)
    slopes = [slope for slope in tape.gradient(p_k, parts) if slope is not None]
    if not slopes:
        raise ValueError(f"the outputs of model {model.name!r} have no slope along x")
    return tf.add_n([tf.reduce_sum(tf.reshape(s, (tf.shape(s)[0], -1)) ** 2, 1) for s in slopes])
