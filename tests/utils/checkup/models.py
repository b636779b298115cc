"""Networks for check-ups, healthy and sick, on data other than those the thresholds were set on."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import numpy as np
from keras import layers

from utils.datasets import flip_labels, load

L2 = keras.regularizers.L2


def compiled(model, loss, rate=1e-3, metrics=("accuracy",), optimizer=keras.optimizers.Adam):
    model.compile(optimizer(rate), loss=loss, metrics=list(metrics))
    return model


def dense(shape=(8, 8), units=(64, 64), outputs=10, between=(), **settings):
    """A builder: dense hidden layers, `between` after each of them."""

    def build():
        model = keras.Sequential([keras.Input(shape), layers.Flatten()])
        for width in units:
            model.add(layers.Dense(width, activation="relu"))
            for make in between:
                model.add(make())
        model.add(layers.Dense(outputs, activation="softmax"))
        return compiled(model, "sparse_categorical_crossentropy", **settings)

    return build


def convolutional(shape=(8, 8, 1), outputs=10, momentum=None, **settings):
    """A builder: two convolutions, with batch normalization where a momentum is given."""

    def build():
        inputs = keras.Input(shape)
        x = inputs
        for filters in (16, 32):
            x = layers.Conv2D(filters, 3, padding="same")(x)
            if momentum:
                x = layers.BatchNormalization(momentum=momentum)(x)
            x = layers.MaxPooling2D()(layers.ReLU()(x))
        model = keras.Model(inputs, layers.Dense(outputs)(layers.Flatten()(x)))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return compiled(model, loss, **settings)

    return build


def one_output(activation, loss, inputs, units=(32,), **settings):
    """A builder: a table's yes or no, or its number."""

    def build():
        model = keras.Sequential([keras.Input((inputs,))])
        for width in units:
            model.add(layers.Dense(width, activation="relu"))
        model.add(layers.Dense(1, activation=activation))
        return compiled(model, loss, **settings)

    return build


def penalty_set_too_late():
    """What a reader does who wants L2 in a model that is built."""
    model = dense()()
    for layer in model.layers:
        if isinstance(layer, layers.Dense):
            layer.kernel_regularizer = L2(0.01)
    return model


def data_of(name, size=None):
    data = load(name, size)
    x = {part: getattr(data, f"x_{part}") for part in ("train", "val")}
    return record(x["train"], data.y_train, x["val"], data.y_val)


def record(x_train, y_train, x_val, y_val):
    return SimpleNamespace(x_train=x_train, y_train=y_train, x_val=x_val, y_val=y_val)


def images(name, size=None):
    """As `data_of`, with an axis of channels."""
    data = data_of(name, size)
    return record(data.x_train[..., None], data.y_train, data.x_val[..., None], data.y_val)


def one_column():
    """The last measurement of an e-mail, from the others: a regression."""
    data = data_of("spam", 800)
    return record(data.x_train[:, :-1], data.x_train[:, -1], data.x_val[:, :-1], data.x_val[:, -1])


def several_labels():
    """Of a digit: is it even, above four, a multiple of three?"""
    data = data_of("digits")
    y, y_val = (
        np.stack([y % 2 == 0, y > 4, y % 3 == 0], axis=1).astype("float32")
        for y in (data.y_train, data.y_val)
    )
    return record(data.x_train, y, data.x_val, y_val)


def with_wrong_labels(data, share):
    noisy, _ = flip_labels(data.y_train, share, seed=5)
    return record(data.x_train, noisy, data.x_val, data.y_val)


def leaking(data, share):
    """A share of the validation examples are training examples."""
    count = int(share * len(data.x_val))
    return record(
        data.x_train,
        data.y_train,
        np.concatenate([data.x_val[count:], data.x_train[:count]]),
        np.concatenate([data.y_val[count:], data.y_train[:count]]),
    )


def labels_each():
    model = keras.Sequential([keras.Input((8, 8)), layers.Flatten()])
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(3, activation="sigmoid"))
    return compiled(model, "binary_crossentropy", metrics=["binary_accuracy"])


def dropout():
    return layers.Dropout(0.5)


def normalization():
    return layers.BatchNormalization(momentum=0.9)


EMOJI = {"shape": (24, 24, 3), "outputs": 7}
SPAM = {"shape": (57,), "outputs": 2, "units": (64,)}
CROSS_ENTROPY = "binary_crossentropy"

# name -> builder, data, settings of the check-up
HEALTHY = {
    "digits": (dense(), lambda: data_of("digits"), {"epochs": 15}),
    "digits, normalized": (convolutional(momentum=0.9), lambda: images("digits"), {"epochs": 10}),
    "spam": (
        one_output("sigmoid", CROSS_ENTROPY, 57),
        lambda: data_of("spam"),
        {"epochs": 15},
    ),
    "emoji": (convolutional(**EMOJI), lambda: data_of("emoji"), {"epochs": 12}),
    "a number": (
        one_output(None, "mse", 56, metrics=()),
        one_column,
        {"epochs": 15},
    ),
    "several labels": (labels_each, several_labels, {"epochs": 25}),
}
# name -> what must be diagnosed first, builder, data, settings
SICK = {
    "rate, digits": (
        "a learning rate that is too high",
        dense(rate=0.1),
        lambda: data_of("digits"),
        {"epochs": 10},
    ),
    "rate, emoji": (
        "a learning rate that is too high",
        convolutional(**EMOJI, rate=0.1),
        lambda: data_of("emoji"),
        {"epochs": 6},
    ),
    "divergence, spam": (
        "a training that diverges",
        dense(**SPAM, rate=20.0, optimizer=keras.optimizers.SGD),
        lambda: data_of("spam"),
        {"epochs": 10},
    ),
    "momentum": (
        "moving averages that lag",
        convolutional(momentum=0.99),
        lambda: images("digits"),
        {"epochs": 2},
    ),
    "dropout": (
        "dropout before batch normalization",
        dense(between=(dropout, normalization)),
        lambda: data_of("digits"),
        {"epochs": 10},
    ),
    "penalty": (
        "a penalty without effect",
        penalty_set_too_late,
        lambda: data_of("digits"),
        {"epochs": 5},
    ),
    "labels, digits": (
        "wrong labels in the training data",
        dense(),
        lambda: with_wrong_labels(data_of("digits"), 0.2),
        {"epochs": 15},
    ),
    "labels, emoji": (
        "wrong labels in the training data",
        convolutional(**EMOJI),
        lambda: with_wrong_labels(data_of("emoji"), 0.2),
        {"epochs": 12},
    ),
    "small": (
        "a network that is too small, or held back too much",
        dense(units=(2,)),
        lambda: data_of("digits"),
        {"epochs": 20},
    ),
    "leak, spam": (
        "validation data that leak from the training data",
        one_output("sigmoid", CROSS_ENTROPY, 57),
        lambda: leaking(data_of("spam"), 0.3),
        {"epochs": 5},
    ),
    "leak, emoji": (
        "validation data that leak from the training data",
        convolutional(**EMOJI),
        lambda: leaking(data_of("emoji"), 0.3),
        {"epochs": 4},
    ),
}
