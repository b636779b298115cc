"""Networks that public guides train, in our words and on small real data: is the report right?

Right where `fit` and `evaluate` can tell: the losses, the score, whether the validation loss turns.
"""

import keras
import numpy as np
import pytest
from keras import layers

from tests.utils.checkup.models import compiled, data_of, images, one_column, record
from utils.checkup import checkup
from utils.datasets import load
from utils.repeats import SEEDS, batch_order, seeded

pytestmark = pytest.mark.slow
CLASSES, BINARY = "sparse_categorical_crossentropy", "binary_crossentropy"
WORDS = 2000


def simple_convnet():
    """keras.io/examples/vision/mnist_convnet"""
    model = keras.Sequential([keras.Input((28, 28, 1))])
    for filters in (32, 64):
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D())
    for layer in (layers.Flatten(), layers.Dropout(0.5), layers.Dense(10, activation="softmax")):
        model.add(layer)
    return compiled(model, CLASSES)


def basic_classification():
    """tensorflow.org/tutorials/keras/classification"""
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten()])
    model.add(layers.Dense(128, activation="relu"))
    model.add(layers.Dense(10))
    return compiled(model, keras.losses.SparseCategoricalCrossentropy(from_logits=True))


def text_from_scratch():
    """keras.io/examples/nlp/text_classification_from_scratch"""
    inputs = keras.Input((48,), dtype="int64")
    x = layers.Dropout(0.5)(layers.Embedding(WORDS, 64)(inputs))
    x = layers.Conv1D(64, 7, padding="valid", activation="relu", strides=3)(x)
    x = layers.GlobalMaxPooling1D()(x)
    x = layers.Dropout(0.5)(layers.Dense(64, activation="relu")(x))
    return compiled(keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x)), BINARY)


def bidirectional_lstm():
    """keras.io/examples/nlp/bidirectional_lstm_imdb"""
    inputs = keras.Input((48,), dtype="int32")
    x = layers.Embedding(WORDS, 32)(inputs)
    x = layers.Bidirectional(layers.LSTM(16, return_sequences=True))(x)
    x = layers.Bidirectional(layers.LSTM(16))(x)
    return compiled(keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x)), BINARY)


def miles_per_gallon():
    """tensorflow.org/tutorials/keras/regression"""
    normalizer = layers.Normalization(axis=-1)
    normalizer.adapt(one_column().x_train)
    hidden = [layers.Dense(64, activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((56,)), normalizer, *hidden, layers.Dense(1)])
    return compiled(model, "mean_absolute_error", metrics=())


def imbalanced_fraud():
    """keras.io/examples/structured_data/imbalanced_classification"""
    model = keras.Sequential([keras.Input((57,)), layers.Dense(256, activation="relu")])
    for _ in range(2):
        model.add(layers.Dense(256, activation="relu"))
        model.add(layers.Dropout(0.3))
    model.add(layers.Dense(1, activation="sigmoid"))
    return compiled(model, BINARY, rate=1e-2)


def overfit_and_underfit():
    """tensorflow.org/tutorials/keras/overfit_and_underfit: the large network"""
    hidden = [layers.Dense(512, activation="elu") for _ in range(4)]
    model = keras.Sequential([keras.Input((57,)), *hidden, layers.Dense(1)])
    return compiled(model, keras.losses.BinaryCrossentropy(from_logits=True))


def time_series():
    """keras.io/examples/timeseries/timeseries_classification_from_scratch"""
    inputs = x = keras.Input((8, 8))
    for _ in range(3):
        x = layers.Conv1D(64, 3, padding="same")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.GlobalAveragePooling1D()(x)
    return compiled(keras.Model(inputs, layers.Dense(10, activation="softmax")(x)), CLASSES)


def transformer():
    """keras.io/examples/nlp/text_classification_with_transformer"""
    inputs = keras.Input((48,), dtype="int32")
    x = layers.Embedding(WORDS, 32)(inputs)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 32)(x, x))
    x = layers.LayerNormalization()(x + layers.Dense(32)(layers.Dense(32, activation="relu")(x)))
    x = layers.Dropout(0.1)(layers.GlobalAveragePooling1D()(x))
    return compiled(keras.Model(inputs, layers.Dense(6, activation="softmax")(x)), CLASSES)


def two_novels():
    """Passages of the first two novels only."""
    data = load("austen")
    train, val = data.y_train < 2, data.y_val < 2
    return record(data.x_train[train], data.y_train[train], data.x_val[val], data.y_val[val])


CASES = {
    simple_convnet: (lambda: images("fashion_mnist", 1000), 6),
    basic_classification: (lambda: images("fashion_mnist", 2000), 10),
    text_from_scratch: (two_novels, 6),
    bidirectional_lstm: (two_novels, 3),
    miles_per_gallon: (one_column, 15),
    imbalanced_fraud: (lambda: data_of("spam"), 10),
    overfit_and_underfit: (lambda: data_of("spam"), 15),
    time_series: (lambda: data_of("digits"), 15),
    transformer: (lambda: data_of("austen", 1200), 6),
}


def fitted(build, data, epochs):
    """By `fit`: the validation losses after each epoch, and what `evaluate` gives at the end."""
    model, losses = seeded(build, SEEDS[0]), []
    for epoch in range(epochs):
        order = batch_order(SEEDS[0], epoch, len(data.x_train))
        x, y = data.x_train[order], data.y_train[order]
        model.fit(x, y, batch_size=32, shuffle=False, verbose=0)
        losses.append(model.evaluate(data.x_val, data.y_val, verbose=0, return_dict=True))
    return [found["loss"] for found in losses], losses[-1]


@pytest.mark.parametrize("build", CASES, ids=lambda build: build.__name__)
def test_the_report_says_what_fit_and_evaluate_say(build):
    make, epochs = CASES[build]
    data = make()
    report = checkup(build, data, seeds=1, epochs=epochs, minutes=2)
    losses, end = fitted(build, data, epochs)
    is_random = any("Dropout" in type(layer).__name__ for layer in build().layers)
    tolerance = 0.15 if is_random else 0.02  # the masks are drawn otherwise
    assert report._found.seconds < 120
    ours = report.values("validation loss", best=False)[0]
    assert ours == pytest.approx(end["loss"], rel=tolerance, abs=0.01)
    if "accuracy" in end:
        accuracy = report.values("validation accuracy", best=False)[0]
        assert accuracy == pytest.approx(end["accuracy"], abs=tolerance / 3)
    rise = losses[-1] / np.min(losses) - 1
    if abs(rise - 0.1) > 2 * tolerance * is_random + 0.03:  # not at the threshold itself
        signs = [diagnosis.sign for diagnosis in report.diagnoses]
        assert ("overfitting" in signs) == (rise > 0.1), (rise, signs)
