"""What a seed decides: the first weights, the order of the batches, the dropout masks."""

from __future__ import annotations

import copy
import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context as eager_context

LARGEST_FIRST_SEED = 2**31 - 11


def first_seed() -> int:
    """The number in `COURSE_FIRST_SEED`, 0 where it is not set."""
    text = os.environ.get("COURSE_FIRST_SEED", "0")
    if not (text.isascii() and text.isdigit() and int(text) <= LARGEST_FIRST_SEED):
        raise ValueError(
            f"COURSE_FIRST_SEED is {text!r}; "
            f"give a whole number from 0 to {LARGEST_FIRST_SEED}, or unset it for 0"
        )
    return int(text)


SEEDS = tuple(range(first_seed(), first_seed() + 10))


def seeded(
    build_model: Callable[[], keras.Model], seed: int, input_shape: tuple | None = None
) -> keras.Model:
    """Call `build_model()` so that `seed` alone decides its random numbers, and return the model.

    `keras.utils.set_random_seed` is not enough for pairs: all layers draw from one stream, so a
    `Dropout` that one arm adds would shift every kernel behind it. So the weights that a Keras
    initializer has just drawn are drawn again, each from a seed of its own: the n-th of a shape
    starts alike in every arm. All others stay: those that `build_model` brings along (loaded, set
    by hand, or trained in it), those of an initializer with a seed, those drawn without one.

    input_shape   of the examples, first axis included, for a model without an `Input`
    Raises TypeError or ValueError if `build_model` does not return a compiled Keras model.
    """
    set_random_seed(seed)
    with initializers_noted() as noted:
        model = build_model()
        check_compiled(model)
        if not model.built and input_shape is not None:
            model(zeros(input_shape))
    draw_again(model, seed, noted)
    return model


def set_random_seed(seed: int) -> None:
    """`keras.utils.set_random_seed`; TensorFlow keeps what it has compiled where it can.

    `tf.random.set_seed` makes it drop all its kernels, and so instantiate every compiled program
    anew, half a second and more. That is for the sake of `tf.random`'s stateful functions: where
    none has drawn since the last seed was set, the new seed is all that there is to set.
    """
    set_and_drop = tf.random.set_seed
    tf.random.set_seed = set_alone if nothing_was_drawn() else set_and_drop
    try:
        keras.utils.set_random_seed(seed)
    finally:
        tf.random.set_seed = set_and_drop


def nothing_was_drawn() -> bool:
    now = eager_context.context()
    state = getattr(now, "_rng", None)
    return state is not None and state.getstate() == random.Random(now._seed).getstate()


def set_alone(seed: int) -> None:
    now = eager_context.context()
    now._seed, now._rng = seed, random.Random(seed)


def check_compiled(model: object) -> None:
    if not isinstance(model, keras.Model):
        raise TypeError(f"build_model returned {model!r}; let it return a compiled Keras model")
    if not model.compiled or model.optimizer is None:
        raise ValueError("build_model returned a model that is not compiled; call model.compile(…)")


def zeros(shape: tuple) -> Any:
    """One example of zeros: of a shape (examples, ...), or for each of a structure of specs."""
    if all(isinstance(length, int) for length in shape):
        return keras.ops.zeros((1, *shape[1:]))
    return tf.nest.map_structure(lambda spec: tf.zeros((1, *spec.shape[1:]), spec.dtype), shape)


@contextmanager
def initializers_noted() -> Iterator[dict[int, tuple[keras.Variable, Any]]]:
    """Note the initializer of every variable that is made: the variable's id -> both.

    Keras does not keep it, and a layer need not: `add_weight(initializer="glorot_uniform")`.
    """
    noted = {}
    make = keras.Variable.__init__

    def make_and_note(self, initializer, *args, **options):
        if isinstance(initializer, str):
            initializer = keras.initializers.get(initializer)
        noted[id(self)] = (self, initializer)
        make(self, initializer, *args, **options)

    keras.Variable.__init__ = make_and_note
    try:
        yield noted
    finally:
        keras.Variable.__init__ = make


def draw_again(model: keras.Model, seed: int, noted: dict[int, tuple]) -> None:
    """Draw every weight that its initializer has just drawn again, from `seed`, shape and place."""
    drawn = Counter()
    for weight in model.weights:
        _, initializer = noted.get(id(weight), (None, None))
        if not is_just_drawn(weight, initializer):
            continue
        shape = tuple(weight.shape)
        own = np.random.SeedSequence([seed, *shape, drawn[shape]]).generate_state(1)[0]
        drawn[shape] += 1
        again = copy.copy(initializer)
        again.seed = int(own >> 1)
        weight.assign(again(shape, dtype=weight.dtype))


def is_just_drawn(weight: keras.Variable, initializer: Any) -> bool:
    """Whether `weight` holds what its initializer, one without a seed of its own, has drawn.

    A Keras initializer draws the same numbers at every call.
    """
    if not isinstance(initializer, keras.Initializer) or not hasattr(initializer, "seed"):
        return False
    try:
        has_own_seed = initializer.get_config().get("seed", 0) is not None
    except NotImplementedError:
        return False
    if has_own_seed:
        return False
    drawn = np.asarray(initializer(tuple(weight.shape), dtype=weight.dtype))
    return np.array_equal(drawn, np.asarray(weight))


def new_model(build_model: Callable, seed: int, input_shape: tuple | None) -> keras.Model:
    """A model of `seed` whose names are those of every other seed's."""
    with fresh_names():
        return seeded(build_model, seed, input_shape)


def holds_first_values(weight: keras.Variable, noted: dict[int, tuple]) -> bool:
    """Whether `weight` holds what its initializer gives, and nothing that was brought along."""
    _, initializer = noted.get(id(weight), (None, None))
    if not isinstance(initializer, keras.Initializer):
        return callable(initializer)
    first = np.asarray(initializer(tuple(weight.shape), dtype=weight.dtype))
    return np.array_equal(first, np.asarray(weight))


@contextmanager
def fresh_names() -> Iterator[None]:
    """Name the layers that are built inside as in a new session: `dense`, `dense_1`, ...

    So the models of all seeds have the same names, whatever was built before. Keras offers no
    public way; where the private one is gone names differ, and no two seeds share a program.
    """
    try:
        from keras.src.backend.common import global_state
    except ImportError:
        yield
        return
    before = global_state.get_global_attribute("object_name_uids")
    global_state.set_global_attribute("object_name_uids", defaultdict(int))
    try:
        yield
    finally:
        global_state.set_global_attribute("object_name_uids", before)


def batch_order(seed: int, epoch: int, size: int) -> np.ndarray:
    """The order in which `seed` sees `size` training examples in `epoch`: int64 (size,)."""
    return np.random.default_rng([seed, epoch]).permutation(size)
