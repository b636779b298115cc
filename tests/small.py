"""Data and networks small enough to train in a test."""

from types import SimpleNamespace

import keras
import numpy as np
from keras import layers


def small_data(examples=50, shape=(4, 4), classes=3):
    """Two thirds of noise for training, the rest for validation; labels that can be learnt."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(examples * 3 // 2, *shape))
    y = np.argmax(x.reshape(len(x), -1)[:, :classes], axis=1)
    return SimpleNamespace(
        x_train=x[:examples], y_train=y[:examples], x_val=x[examples:], y_val=y[examples:]
    )


def dense(*hidden, optimizer="adam", penalty=None, metrics=("accuracy",)):
    """A compiled network with 8 and 3 units, and the layers `hidden` between the two."""
    model = keras.Sequential([keras.Input((4, 4)), layers.Flatten()])
    model.add(layers.Dense(8, activation="tanh", kernel_regularizer=penalty))
    for layer in hidden:
        model.add(layer)
    model.add(layers.Dense(3))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss=loss, metrics=list(metrics))
    return model


def convolutional(*, batch_norm=False):
    """A compiled convolutional network, with batch normalization after the convolution or not."""
    model = keras.Sequential([keras.Input((4, 4)), layers.Reshape((4, 4, 1))])
    model.add(layers.Conv2D(4, 3))
    if batch_norm:
        model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.ReLU())
    model.add(layers.Flatten())
    model.add(layers.Dense(3))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss=loss, metrics=["accuracy"])
    return model
