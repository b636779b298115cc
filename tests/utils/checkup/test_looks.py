"""What is seen before a training, on examples whose answer is known."""

import keras
import numpy as np
import pytest
from keras import layers

from utils.checkup import _looks as looks
from utils.checkup._data import Examples
from utils.checkup._kind import BINARY, CLASSES, LABELS, NUMBERS, kind_of

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 5)).astype("float32")
Y = np.arange(200) % 4


def examples(x=X, y=Y, x_val=None, y_val=None):
    x_val = RNG.normal(size=(80, 5)).astype("float32") if x_val is None else x_val
    return Examples(x, y, x_val, y[: len(x_val)] if y_val is None else y_val)


def network(*more, outputs=4, activation="softmax", loss="sparse_categorical_crossentropy"):
    model = keras.Sequential([keras.Input((5,)), *more])
    model.add(layers.Dense(outputs, activation=activation))
    model.compile("adam", loss=loss)
    return model


def test_copies_are_counted_exact_and_nearly_so():
    fresh = RNG.normal(size=(60, 5)).astype("float32")
    exact = np.concatenate([fresh, X[:20]])
    nearly = np.concatenate([fresh, X[:20] + 1e-4])
    assert looks.repeated_examples(examples(x_val=fresh)) == (0, 0)
    assert looks.repeated_examples(examples(x_val=exact)) == (0.25, 0)
    assert looks.repeated_examples(examples(x_val=nearly)) == (0.25, 0)


def test_examples_that_repeat_anyway_are_counted_beside_it():
    twice = np.concatenate([X[:100], X[:100]])
    leaked, within = looks.repeated_examples(examples(x=twice, x_val=X[:50]))
    assert (leaked, within) == (1, 0.5)
    ids = RNG.integers(0, 9, (200, 3))
    assert looks.repeated_examples(examples(x=ids, x_val=ids[:10]))[0] == 1


def test_values_that_are_not_finite_are_named():
    x = X.copy()
    x[0, 0] = np.nan
    assert looks.bad_values(examples(x=x)) == ["x_train (NaN or infinite in 0.1% of its values)"]
    assert looks.bad_values(examples()) == []


def late():
    model = network(layers.Dense(3))
    model.layers[0].kernel_regularizer = keras.regularizers.L2(0.1)
    return model


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (late(), "kernel_regularizer was set after the layer was built"),
        (network(layers.Dense(3, kernel_regularizer="l1l2")), "kernel_regularizer has strength 0"),
        (network(layers.Dense(3, kernel_regularizer="l2")), None),
        (network(layers.Dense(3)), None),
    ],
)
def test_a_penalty_without_effect_is_seen_in_the_built_model(model, found):
    dead = looks.dead_penalties(model)
    assert dead == [] if found is None else found in dead[0]


def logits(outputs=4, activation=None, **settings):
    loss = keras.losses.SparseCategoricalCrossentropy(**settings)
    return network(outputs=outputs, activation=activation, loss=loss)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (logits(from_logits=True), ""),
        (logits(activation="softmax"), ""),
        (logits(), "expects probabilities"),
        (logits(activation="softmax", from_logits=True), "probabilities already"),
        (network(), ""),
    ],
)
def test_what_the_loss_expects_is_held_to_the_outputs(model, words):
    kind = kind_of(model, examples())
    found = looks.logits_mismatch(model, kind, examples())
    assert words in found
    assert bool(found) == bool(words)


def test_moving_averages_that_fit_that_lag_and_that_dropout_shifts():
    data = examples(x=3 * X)
    fitting = network(layers.BatchNormalization())
    fitting.layers[0].moving_variance.assign((3 * X).var(axis=0))
    fitting.layers[0].moving_mean.assign((3 * X).mean(axis=0))
    plain, own, lag, shift = looks.statistics_gaps(fitting, data)
    assert plain == pytest.approx(own, abs=1e-3)
    assert (lag, shift) == pytest.approx((0, 0), abs=1e-2)

    lagging = network(layers.BatchNormalization())  # its moving variance is 1, the batch's 9
    before = lagging.get_weights()
    _, _, lag, shift = looks.statistics_gaps(lagging, data)
    assert lag == pytest.approx(np.log(9), abs=0.2)
    assert shift == pytest.approx(0, abs=1e-6)
    for old, new in zip(before, lagging.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)

    dropped = network(layers.Dropout(0.5), layers.BatchNormalization())
    *_, shift = looks.statistics_gaps(dropped, data)
    assert shift == pytest.approx(np.log(2), abs=0.2)  # 1 / (1 − 0.5), at mean zero
    assert looks.has_dropout_before(dropped)
    assert not looks.has_dropout_before(network(layers.BatchNormalization(), layers.Dropout(0.5)))


def test_what_is_left_of_the_first_statistics():
    model = network(layers.BatchNormalization())
    assert looks.first_statistics_left(model, 100) == pytest.approx(0.99**100)
    model.layers[0].trainable = False
    assert looks.first_statistics_left(model, 100) == 0


BINARY_LOGITS = keras.losses.BinaryCrossentropy(from_logits=True)
ONE_HOT = np.eye(4, dtype="float32")[Y]


@pytest.mark.parametrize(
    ("model", "y", "task", "guess", "majority"),
    [
        (network(), Y, CLASSES, np.log(4), 0.25),
        (logits(from_logits=True), Y, CLASSES, np.log(4), 0.25),
        (network(loss="categorical_crossentropy"), ONE_HOT, CLASSES, np.log(4), 0.25),
        (network(outputs=1, activation=None, loss=BINARY_LOGITS), Y % 2, BINARY, np.log(2), 0.5),
        (network(outputs=1, activation="sigmoid", loss="bce"), Y % 2, BINARY, np.log(2), 0.5),
        (network(activation="sigmoid", loss="binary_crossentropy"), ONE_HOT, LABELS, 0.5623, 0.75),
        (network(outputs=1, activation=None, loss="mse"), Y * 1.0, NUMBERS, 1.25, 0),
    ],
)
def test_guessing_is_worth_what_is_known(model, y, task, guess, majority):
    kind = kind_of(model, examples(y=y, y_val=y[:80]))
    assert kind.task == task
    assert kind.guess == pytest.approx(guess, rel=1e-3)
    assert kind.majority == pytest.approx(majority)


def test_a_loss_of_ones_own_has_no_guess_and_several_outputs_no_kind():
    def own(y, outputs):
        raise RuntimeError

    kind = kind_of(network(loss=own), examples())
    assert (kind.task, np.isnan(kind.guess)) == (CLASSES, True)
    inputs = keras.Input((5,))
    model = keras.Model(inputs, [layers.Dense(1)(inputs), layers.Dense(1)(inputs)])
    model.compile("adam", loss=["mse", "mse"])
    with pytest.raises(ValueError, match="the model has 2 outputs"):
        kind_of(model, examples())


class OwnCrossentropy(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)


class OwnSquares(keras.losses.MeanSquaredError):
    """Derived from one that Keras knows, and so `score` is R²."""


@pytest.mark.parametrize(
    ("loss", "y", "task"), [(OwnCrossentropy(), Y, CLASSES), (OwnSquares(), ONE_HOT * 1.5, NUMBERS)]
)
def test_a_loss_class_of_ones_own_is_told_as_score_tells_it(loss, y, task):
    kind = kind_of(network(loss=loss), examples(y=y, y_val=y[:80]))
    assert kind.task == task


def test_labels_drawn_at_random_are_told_from_hard_examples():
    from utils.checkup._meters import odd_labels

    y = np.arange(4000) % 10
    near = np.eye(10)[y] + 0.9 * np.eye(10)[(y + 1) % 10]  # the next class is a close second
    noise = RNG.uniform(0, 0.1, near.shape)

    def model(x, training):
        return x

    hard = np.where(RNG.random(4000) < 0.3, (y + 1) % 10, y)
    flipped = np.where(RNG.random(4000) < 0.3, (y + RNG.integers(1, 10, 4000)) % 10, y)

    def share(labels):
        return odd_labels(model, Examples(None, None, near + noise, labels))

    assert share(y) == share(hard) == 0
    assert share(flipped) == pytest.approx(0.3, abs=0.05)
