"""What a seed decides: the first weights, the order of the batches, the dropout masks."""

import os
from collections import Counter

import keras
import numpy as np

from utils._shared.layers import layers_of, parts_of

LARGEST_FIRST_SEED = 2**31 - 11
# What a layer calls the weights that `…_initializer` draws, where it is not `…`.
OTHER_NAMES = {
    "depthwise": ["depthwise_kernel", "kernel"],
    "pointwise": ["pointwise_kernel"],
    "recurrent": ["recurrent_kernel"],
}


def first_seed():
    """The number in `COURSE_FIRST_SEED`, 0 where it is not set."""
    text = os.environ.get("COURSE_FIRST_SEED", "0")
    if not (text.isascii() and text.isdigit() and int(text) <= LARGEST_FIRST_SEED):
        raise ValueError(
            f"COURSE_FIRST_SEED is {text!r}; "
            f"give a whole number from 0 to {LARGEST_FIRST_SEED}, or unset it for 0"
        )
    return int(text)


SEEDS = tuple(range(first_seed(), first_seed() + 10))


def seeded(build_model, seed, input_shape=None):
    """Call `build_model()` so that `seed` alone decides its random numbers, and return the model.

    `keras.utils.set_random_seed` is not enough for pairs: all layers draw from one stream, so a
    `Dropout` that one arm adds would shift every kernel behind it. So the kernels are drawn again,
    each from a seed of its own: the n-th kernel of a shape starts alike in every arm.

    A model without an `Input` is built for `input_shape`, batch axis included. Weights that a layer
    draws without a Keras initializer keep their first draw.
    """
    keras.utils.set_random_seed(seed)
    model = build_model()
    if not isinstance(model, keras.Model):
        raise TypeError(f"build_model returned {model!r}; let it return a compiled Keras model")
    if not model.compiled or model.optimizer is None:
        raise ValueError("build_model returned a model that is not compiled; call model.compile(…)")
    if not model.built and input_shape is not None:
        model(keras.ops.zeros((1, *input_shape[1:])))
    redraw_kernels(model, seed)
    return model


def redraw_kernels(model, seed):
    """Draw every randomly initialized weight of `model` again, from `seed`, shape and place."""
    drawn = Counter()
    for layer in parts_of(layers_of(model)):
        for weight, initializer in random_weights(layer):
            shape = tuple(weight.shape)
            weight_seed = np.random.SeedSequence([seed, *shape, drawn[shape]]).generate_state(1)[0]
            drawn[shape] += 1
            config = initializer.get_config() | {"seed": int(weight_seed >> 1)}
            weight.assign(type(initializer).from_config(config)(shape, dtype=weight.dtype))


def random_weights(layer):
    """The weights of `layer` that an initializer without a seed of its own has drawn."""
    for name, initializer in vars(layer).items():
        if not (name.endswith("_initializer") and isinstance(initializer, keras.Initializer)):
            continue
        stem = name.removesuffix("_initializer")
        weights = [getattr(layer, name, None) for name in OTHER_NAMES.get(stem, [stem])]
        weight = next((weight for weight in weights if weight is not None), None)
        if weight is not None and initializer.get_config().get("seed", 0) is None:
            yield weight, initializer


def batch_order(seed, epoch, size):
    """The order in which `seed` sees `size` training examples in `epoch`: int64 (size,)."""
    return np.random.default_rng([seed, epoch]).permutation(size)
