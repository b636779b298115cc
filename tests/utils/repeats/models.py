"""Networks from beyond the lessons, as readers bring them: small, each with data of its own.

Each build function has one keyword; with another value it gives a sibling, which a careless engine
takes for the same network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace

import keras
import numpy as np
from keras import layers, losses, metrics, ops, optimizers, regularizers

TRAIN, ALL = 40, 60


def split(x, y) -> SimpleNamespace:
    """The first `TRAIN` examples for training, the rest for validation."""

    def part(values, piece):
        return keras.tree.map_structure(lambda array: array[piece], values)

    train, val = slice(TRAIN), slice(TRAIN, None)
    return SimpleNamespace(
        x_train=part(x, train), y_train=part(y, train), x_val=part(x, val), y_val=part(y, val)
    )


def decaying(left_out: bool) -> keras.Model:
    """Weights that decay; all, or all but `body`'s, which is in the path `…/body/kernel`."""
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, name="body"), layers.Dense(3)])
    optimizer = optimizers.AdamW(0.05, weight_decay=2.0)
    if left_out:
        optimizer.exclude_from_weight_decay(var_names=["body"])
    model.compile(optimizer, losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(ALL, *shape))


def table() -> SimpleNamespace:
    """Six features, two classes; labels (n, 1), as the metric BinaryCrossentropy wants them."""
    x = noise(6)
    return split(x, (x[:, :1] + x[:, 1:2] > 0).astype(int))


def curve() -> SimpleNamespace:
    """One feature far from zero, one number to predict."""
    x = 100 + 20 * noise(1)
    return split(x, np.sin(x / 20))


def texts() -> SimpleNamespace:
    """Sequences of word numbers, 0 for padding at their ends, two classes."""
    rng = np.random.default_rng(0)
    x = rng.integers(1, 20, size=(ALL, 8))
    y = (x == 7).any(axis=1).astype(int)
    x[np.arange(8) >= rng.integers(2, 9, size=(ALL, 1))] = 0
    return split(x, y)


def images() -> SimpleNamespace:
    """Images of 8 × 8 pixels in 3 channels, three classes."""
    x = noise(8, 8, 3)
    return split(x, x.mean(axis=(1, 2)).argmax(axis=1))


def pairs(form: type = dict) -> SimpleNamespace:
    """Two inputs under names, in a dict or a tuple."""
    left, right = noise(4), noise(3, seed=1)
    x = {"left": left, "right": right} if form is dict else (left, right)
    return split(x, (left[:, 0] > right[:, 0]).astype(int))


def binary(model, optimizer, *extra):
    model.compile(
        optimizer,
        loss=losses.BinaryCrossentropy(from_logits=True),
        metrics=["accuracy", *extra],
        jit_compile=False,
    )
    return model


def classes(model, optimizer):
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss=loss, metrics=["accuracy"], jit_compile=False)
    return model


def higgs(size: str = "tiny", l2: float = 0.0, dropout: float = 0.0):
    """TensorFlow's "Overfit and underfit": ELU layers, Adam on a rate that falls with time."""
    units = {"tiny": [16], "small": [16, 16], "medium": [16, 16, 16]}[size]
    model = keras.Sequential([keras.Input((6,))])
    for width in units:
        penalty = regularizers.L2(l2) if l2 else None
        model.add(layers.Dense(width, activation="elu", kernel_regularizer=penalty))
        if dropout:
            model.add(layers.Dropout(dropout))
    model.add(layers.Dense(1))
    falling = optimizers.schedules.InverseTimeDecay(0.01, decay_steps=3, decay_rate=1)
    entropy = metrics.BinaryCrossentropy(from_logits=True, name="binary_crossentropy")
    return binary(model, optimizers.Adam(falling), entropy)


def regression(scale: float = 1.0):
    """A feature normalized by what the layer has adapted to."""
    normalize = layers.Normalization(input_shape=(1,), axis=None)
    normalize.adapt(scale * curve().x_train)
    model = keras.Sequential([normalize, layers.Dense(8, activation="relu"), layers.Dense(1)])
    model.compile(optimizers.Adam(0.05), loss="mse", metrics=["mae"], jit_compile=False)
    return model


def bag_of_words(penalized: bool = False):
    """The mean of the words' embeddings; the penalty is set on the variable."""
    embedding = layers.Embedding(20, 4)
    model = keras.Sequential([keras.Input((8,), dtype="int64"), embedding])
    model.add(layers.GlobalAveragePooling1D())
    model.add(layers.Dense(1))
    if penalized:
        embedding.embeddings.regularizer = regularizers.L2(0.1)
    return binary(model, "adam")


def recurrent(mask_zero: bool = True):
    """An LSTM that skips the padding."""
    inputs = keras.Input((8,), dtype="int64")
    hidden = layers.LSTM(5)(layers.Embedding(20, 4, mask_zero=mask_zero)(inputs))
    return binary(keras.Model(inputs, layers.Dense(1)(hidden)), optimizers.RMSprop(0.01))


def residual(slope: float = 0.0):
    """Two residual blocks of convolutions; layers without names, operations between them."""
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same")(inputs)
    for stride in (1, 2):
        y = layers.Conv2D(4, 3, strides=stride, padding="same")(x)
        y = layers.Conv2D(4, 3, padding="same")(ops.leaky_relu(y, slope))
        shortcut = x if stride == 1 else layers.Conv2D(4, 1, strides=2)(x)
        x = ops.relu(shortcut + y)
    outputs = layers.Dense(3)(layers.GlobalAveragePooling2D()(x))
    return classes(keras.Model(inputs, outputs), optimizers.SGD(0.1, momentum=0.9))


def separable(momentum: float = 0.8):
    """Separable convolutions with batch normalization."""
    model = keras.Sequential([keras.Input((8, 8, 3))])
    for filters in (4, 6):
        model.add(layers.SeparableConv2D(filters, 3, use_bias=False))
        model.add(layers.BatchNormalization(momentum=momentum))
        model.add(layers.ReLU())
    model.add(layers.GlobalMaxPooling2D())
    model.add(layers.Dense(3))
    return classes(model, "adam")


def decayed(excluded: str = "bias"):
    """AdamW on half a cosine; what the decay leaves out is set on the optimizer."""
    cosine = optimizers.schedules.CosineDecay(0.05, decay_steps=6)
    optimizer = optimizers.AdamW(cosine, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=[excluded])
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="gelu")])
    model.add(layers.LayerNormalization())
    model.add(layers.Dense(1))
    return binary(model, optimizer)


@cache
def trained_base(labels: int) -> tuple[np.ndarray, ...]:
    """The weights of a base that has learnt another task."""
    data = images()
    base = base_network()
    model = keras.Sequential([base, layers.Dense(1)])
    model.compile(optimizers.Adam(0.02), loss="mse", jit_compile=False)
    model.run_eagerly = True
    keras.utils.set_random_seed(labels)
    model.fit(data.x_train, data.x_train[:, labels, 0, 0], epochs=2, verbose=0)
    return tuple(base.get_weights())


def base_network():
    stack = [keras.Input((8, 8, 3)), layers.Conv2D(6, 3), layers.BatchNormalization()]
    return keras.Sequential([*stack, layers.ReLU(), layers.GlobalAveragePooling2D()])


def transfer(labels: int = 1, dropout: float = 0.0):
    """A trained base, frozen, under a new head."""
    base = base_network()
    base.set_weights(trained_base(labels))
    base.trainable = False
    inputs = keras.Input((8, 8, 3))
    hidden = layers.Dropout(dropout)(base(inputs, training=False))
    return classes(keras.Model(inputs, layers.Dense(3)(hidden)), optimizers.Adam(0.05))


def two_inputs(swapped: bool = False):
    """Two inputs by name, of different widths, that meet in the middle."""
    left, right = keras.Input((4,), name="left"), keras.Input((3,), name="right")
    sides = [layers.Dense(4, activation="tanh")(side) for side in (left, right)]
    hidden = ops.subtract(*(reversed(sides) if swapped else sides))
    inputs = {"left": left, "right": right}
    return binary(keras.Model(inputs, layers.Dense(1)(hidden)), "adam")


def two_inputs_in_order(swapped: bool = False):
    """The same with its inputs in a list."""
    left, right = keras.Input((4,)), keras.Input((3,))
    sides = [layers.Dense(4, activation="tanh")(side) for side in (left, right)]
    hidden = ops.subtract(*(reversed(sides) if swapped else sides))
    return binary(keras.Model([left, right], layers.Dense(1)(hidden)), "adam")


class Smoothed(keras.Model):
    """A subclass with its own `train_step`: noise on the labels of each step is averaged out."""

    def __init__(self, smoothing: float):
        super().__init__()
        self.smoothing = smoothing
        self.hidden, self.last = layers.Dense(8, activation="relu"), layers.Dense(1)

    def call(self, x):
        return self.last(self.hidden(x))

    def train_step(self, data):
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            logits = self(x, training=True)
            soft = ops.cast(y, logits.dtype) * (1 - 2 * self.smoothing) + self.smoothing
            loss = self.compute_loss(x, soft, logits)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        for metric in self.metrics:
            metric.update_state(loss) if metric.name == "loss" else metric.update_state(y, logits)
        return {metric.name: metric.result() for metric in self.metrics}


def own_step(smoothing: float = 0.1):
    return binary(Smoothed(smoothing), optimizers.SGD(0.5))


def averaged(momentum: float = 0.5):
    """Weights averaged over the steps, put in place every two and at the end."""
    optimizer = optimizers.SGD(0.5, use_ema=True, ema_momentum=momentum, ema_overwrite_frequency=2)
    return plain(optimizer)


def clipped(norm: float = 0.05):
    return plain(optimizers.Adam(0.05, global_clipnorm=norm))


def accumulated(steps: int = 2):
    return plain(optimizers.SGD(0.5, gradient_accumulation_steps=steps))


def plain(optimizer):
    stack = [keras.Input((6,)), layers.Dense(8, activation="tanh"), layers.Dense(1)]
    return binary(keras.Sequential(stack), optimizer)


@dataclass(frozen=True)
class Foreign:
    """A network, its sibling, and the data of both.

    at_once   whether one `fit` over all epochs differs from one `fit` per epoch
    """

    build: Callable
    sibling: Callable
    data: Callable[[], SimpleNamespace]
    at_once: bool = False


FOREIGN = {
    "overfit and underfit, tiny": Foreign(higgs, lambda: higgs(l2=0.1), table),
    "overfit and underfit, small": Foreign(
        lambda: higgs("small"), lambda: higgs("small", l2=0.1), table
    ),
    "overfit and underfit, medium": Foreign(
        lambda: higgs("medium"), lambda: higgs("medium", dropout=0.5), table
    ),
    "overfit and underfit, L2": Foreign(
        lambda: higgs("medium", l2=0.001), lambda: higgs("medium", l2=0.1), table
    ),
    "overfit and underfit, dropout": Foreign(
        lambda: higgs("medium", dropout=0.5), lambda: higgs("medium", dropout=0.1), table
    ),
    "overfit and underfit, combined": Foreign(
        lambda: higgs("medium", l2=0.0001, dropout=0.5),
        lambda: higgs("medium", l2=0.1, dropout=0.5),
        table,
    ),
    "regression": Foreign(regression, lambda: regression(scale=3.0), curve),
    "bag of words": Foreign(bag_of_words, lambda: bag_of_words(penalized=True), texts),
    "LSTM with masks": Foreign(recurrent, lambda: recurrent(mask_zero=False), texts),
    "residual": Foreign(residual, lambda: residual(slope=0.5), images),
    "separable": Foreign(separable, lambda: separable(momentum=0.1), images),
    "AdamW on a cosine": Foreign(decayed, lambda: decayed("kernel"), table),
    "transfer": Foreign(transfer, lambda: transfer(labels=2), images),
    "two inputs, dict": Foreign(two_inputs, lambda: two_inputs(swapped=True), pairs),
    "two inputs, tuple": Foreign(
        two_inputs_in_order, lambda: two_inputs_in_order(swapped=True), lambda: pairs(tuple)
    ),
    "own train_step": Foreign(own_step, lambda: own_step(smoothing=0.4), table),
    "averaged weights": Foreign(averaged, lambda: averaged(momentum=0.9), table, at_once=True),
    "clipped gradients": Foreign(clipped, lambda: clipped(norm=5.0), table),
    "accumulated gradients": Foreign(accumulated, lambda: accumulated(steps=3), table),
}
