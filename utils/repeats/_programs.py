"""Which program trains a model: one that is there, if it is provably the same, or a new one."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from utils._shared.identity import identity_of
from utils._shared.memory import Memory
from utils.repeats._program import Program

# Where XLA repays its compile time on a CPU: of dense layers it saves 10 ms in 10⁹ operations,
# and it takes about two seconds.
WORTH_COMPILING = 2e11

remembered = Memory()  # whether with XLA, and the model's identity -> its program


def program_for(
    model: keras.Model, data: tuple, jit_compile: bool | str, epochs: int, in_pieces: bool
) -> Program:
    """A program for `model`, built with optimizer and metrics.

    epochs      how many it will train in all, over all seeds: whether XLA is worth its compile time
    in_pieces   whether it trains in pieces of several lengths, each of which XLA would compile
    """
    identity = identity_of(model)
    with_xla = jit_compile
    if jit_compile == "auto":
        pays = not in_pieces and pays_to_compile(model, data, epochs)
        with_xla = "auto" if pays else False
    if identity is None:
        return Program(model, with_xla)
    key = (with_xla, identity)
    if key in remembered and remembered[key].private:
        del remembered[key]
    return remembered.recall(key, lambda: Program(model, with_xla))


def pays_to_compile(model: keras.Model, data: tuple, epochs: int) -> bool:
    """Whether XLA is worth its compile time: with a GPU yes, on a CPU for dense layers only.

    On CPUs XLA's convolutions are several times slower than TensorFlow's own.
    """
    inputs = tf.nest.flatten(data)
    if any(part.dtype == tf.string for part in inputs):
        return False
    if tf.config.list_logical_devices("GPU"):
        return True
    weights = sum(np.prod(weight.shape) for weight in model.trainable_weights)
    is_dense = all(len(weight.shape) <= 2 for weight in model.trainable_weights)
    return bool(is_dense and 6 * weights * len(inputs[0]) * epochs > WORTH_COMPILING)
