"""One number for every kind of model: hand-computed, and that of `evaluate` where there is one."""

import keras
import numpy as np
import pytest
from keras import layers, losses, metrics

from utils.meters import _calling as calling
from utils.meters import _score as scoring
from utils.meters import score

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5)).astype("float32")
ONE, CLASSES = (X[:, 0] > 0.5).astype(int), np.abs(X[:, :3]).argmax(axis=1)
SEVERAL = (X[:, :3] > 0.2).astype(int)


def passing_on(loss=None, metric=None, width=1, activation=None):
    """Puts out its inputs, so that the answers are known."""
    model = keras.Sequential([keras.Input((width,)), layers.Activation(activation or "linear")])
    if loss is not None:
        model.compile("sgd", loss, metrics=metric and [metric], run_eagerly=True)
    return model


def trained(units, loss, metric, activation=None):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((5,)), layers.Dense(units, activation=activation)])
    model.compile("sgd", loss, metrics=[metric], run_eagerly=True)
    return model


CUT_AT_0 = metrics.BinaryAccuracy(threshold=0)
KINDS = {
    "sigmoid": (1, "binary_crossentropy", "accuracy", "sigmoid", ONE),
    "sigmoid, labels (n, 1)": (1, "binary_crossentropy", "acc", "sigmoid", ONE[:, None]),
    "sigmoid, true and false": (1, "binary_crossentropy", "accuracy", "sigmoid", ONE == 1),
    "logit": (1, losses.BinaryCrossentropy(from_logits=True), CUT_AT_0, None, ONE),
    "softmax": (3, "sparse_categorical_crossentropy", "accuracy", "softmax", CLASSES),
    "two classes": (2, "sparse_categorical_crossentropy", "accuracy", "softmax", ONE),
    "labels (n, 1)": (3, "sparse_categorical_crossentropy", "accuracy", None, CLASSES[:, None]),
    "one-hot": (3, "categorical_crossentropy", "accuracy", "softmax", np.eye(3)[CLASSES]),
    "several labels": (3, "binary_crossentropy", "binary_accuracy", "sigmoid", SEVERAL),
    "another threshold": (3, "mse", metrics.BinaryAccuracy(threshold=0.3), "sigmoid", SEVERAL),
    "squares of a one-hot": (3, "mse", "accuracy", "softmax", np.eye(3)[CLASSES]),
    "loss by shape": (3, "crossentropy", "accuracy", "softmax", CLASSES),
    "hinge": (1, "hinge", "accuracy", "tanh", ONE),
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_accuracy_of_evaluate(kind):
    *settings, activation, y = KINDS[kind]
    model = trained(*settings, activation)
    expected = model.evaluate(X, y, verbose=0, return_dict=True)
    del expected["loss"]
    assert score(model, X, y) == pytest.approx(*expected.values(), rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "metric", "y", "message"),
    [
        (losses.BinaryCrossentropy(from_logits=True), "accuracy", ONE, "cuts the logits at 0.5"),
        ("binary_crossentropy", "accuracy", SEVERAL, "looks at the largest label only"),
    ],
)
def test_an_accuracy_that_the_loss_does_not_mean_is_evaluates_and_said(loss, metric, y, message):
    model = trained(np.size(y) // len(y), loss, metric)
    expected = model.evaluate(X, y, verbose=0)[1]
    with pytest.warns(UserWarning, match=message):
        assert score(model, X, y) == pytest.approx(expected)


LOGITS = np.array([[-2.0], [0.2], [0.4], [3.0]])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (losses.BinaryCrossentropy(from_logits=True), 3 / 4),
        ("binary_crossentropy", 1 / 4),
        (losses.BinaryFocalCrossentropy(from_logits=True), 3 / 4),
        (losses.Hinge(), 3 / 4),
        ("squared_hinge", 3 / 4),
    ],
)
def test_without_a_metric_the_loss_says_what_a_single_output_means(loss, expected):
    assert score(passing_on(loss), LOGITS, [0, 1, 1, 0]) == expected


def test_labels_of_a_hinge_may_be_minus_one():
    assert score(passing_on("hinge"), LOGITS, [-1, 1, 1, -1]) == 3 / 4


def test_each_of_several_labels_counts():
    outputs = [[0.9, 0.1, 0.8], [0.2, 0.6, 0.3]]
    model = passing_on("binary_crossentropy", width=3)
    assert score(model, outputs, [[1, 0, 1], [0, 1, 1]]) == pytest.approx(5 / 6)


@pytest.mark.parametrize("loss", ["mse", "mae", losses.Huber(), losses.MeanSquaredError()])
def test_a_regression_is_scored_by_the_variance_explained(loss):
    model, y = passing_on(loss), np.array([1.0, 2.0, 3.0, 6.0])
    assert score(model, y[:, None], y) == 1
    assert score(model, np.full((4, 1), 3.0), y) == 0
    assert score(model, [[1.0], [2.0], [3.0], [2.0]], y[:, None]) == pytest.approx(1 - 16 / 14)


def test_several_numbers_are_scored_as_keras_does():
    model, y = passing_on("mse", width=2), RNG.normal(size=(9, 2)) * [1, 10]
    outputs = y + RNG.normal(size=(9, 2))
    r2 = metrics.R2Score()
    r2.update_state(y, outputs)
    assert score(model, outputs, y) == pytest.approx(float(r2.result()), rel=1e-5)


def test_a_regression_may_put_out_one_number_without_an_axis_of_its_own():
    model = keras.Sequential([keras.Input((1,)), layers.Lambda(lambda x: x[:, 0])])
    model.compile("sgd", "mse")
    outputs, y = [[1.0], [2.0], [3.0], [2.0]], [1.0, 2.0, 3.0, 6.0]
    assert score(model, outputs, y) == pytest.approx(1 - 16 / 14)


def test_numbers_have_no_accuracy_even_if_compiled_with_one():
    model, y = passing_on("mse", "accuracy"), np.array([0.0, 1.0, 2.5])
    assert score(model, y[:, None], y) == 1


def test_each_position_of_a_sequence_is_scored():
    model = keras.Sequential([keras.Input((3, 2)), layers.Activation("softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = np.eye(2)[[[0, 1, 1], [1, 1, 0]]], np.array([[0, 1, 0], [1, 1, 0]])
    assert score(model, x, y) == pytest.approx(5 / 6)
    assert score(model, x, y[..., None]) == pytest.approx(5 / 6)
    plain = keras.Sequential([keras.Input((3, 2)), layers.Activation("linear")])
    assert score(plain, x, np.eye(2)[y]) == pytest.approx(5 / 6)


@pytest.mark.parametrize(
    ("activation", "width", "y", "expected"),
    [
        ("sigmoid", 1, [0, 0, 1, 1], 3 / 4),  # the logit 0.2 is over ½ once squashed
        ("sigmoid", 2, [[0, 0], [1, 1], [1, 1], [1, 1]], 1),
        ("softmax", 2, [0, 1, 0, 0], 3 / 4),
        (None, 2, [0, 0, 0, 1], 3 / 4),
        (None, 2, [[1, 0], [1, 0], [1, 0], [0, 1]], 3 / 4),
        (None, 1, [-2.0, 0.2, 0.4, 3.0], 1),
        # the second column has the wrong sign: errors of 4 · 13.2 on squares of 12.56
        (None, 2, [[-2.0, 2.0], [0.2, -0.2], [0.4, -0.4], [3.0, -3.0]], 1 - 2 * 13.2 / 12.56),
    ],
)
def test_a_model_that_was_not_compiled_goes_by_its_last_activation(activation, width, y, expected):
    model = passing_on(width=width, activation=activation)
    assert score(model, np.repeat(LOGITS, width, axis=1), y) == pytest.approx(expected)


def test_a_layer_for_softmax_counts_as_its_activation():
    model = keras.Sequential([keras.Input((2,)), layers.Softmax()])
    assert score(model, [[1.0, 2.0], [2.0, 1.0]], [[0.2, 0.8], [0.1, 0.9]]) == 0.5


@pytest.mark.parametrize("loss", [None, lambda y, out: keras.ops.mean(out), losses.Dice()])
def test_a_number_whose_meaning_nothing_tells_is_refused(loss):
    with pytest.raises(ValueError, match="compile it with its loss"):
        score(passing_on(loss), LOGITS, [0, 1, 1, 0])


def test_a_loss_derived_from_one_of_keras_is_known():
    class Weighted(losses.BinaryCrossentropy):
        def call(self, y_true, y_pred):
            return 2 * super().call(y_true, y_pred)

    assert score(passing_on(Weighted(from_logits=True)), LOGITS, [0, 1, 1, 0]) == 3 / 4


def test_several_outputs_are_refused():
    x = keras.Input((5,))
    model = keras.Model(x, [layers.Dense(1)(x), layers.Dense(1)(x)])
    with pytest.raises(ValueError, match="2 outputs; give a model with one"):
        score(model, X, ONE)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_outputs_that_are_not_finite_are_refused(broken):
    with pytest.raises(ValueError, match="the training has diverged"):
        score(passing_on("mse"), [[1.0], [broken]], [1.0, 2.0])


@pytest.mark.parametrize(
    ("loss", "y", "error", "message"),
    [
        ("mse", [1.0, 2.0, 3.0], ValueError, "one row per example"),
        ("mse", [2.0, 2.0], ValueError, "one value only"),
        ("mse", [1.0, np.nan], ValueError, "not finite"),
        ("mse", ["cat", "dog"], TypeError, "give numbers"),
        ("mse", [[1.0, 2.0], [3.0, 4.0]], ValueError, r"give labels of shape \(2, 1\)"),
        ("sparse_categorical_crossentropy", [0, 1], ValueError, "one output, and a loss for"),
    ],
)
def test_labels_that_do_not_fit_are_refused(loss, y, error, message):
    with pytest.raises(error, match=message):
        score(passing_on(loss), [[1.0], [2.0]], y)


def test_classes_are_whole_numbers():
    model = passing_on("sparse_categorical_crossentropy", width=2)
    with pytest.raises(ValueError, match="classes as integers"):
        score(model, np.eye(2), [0.5, 1])
    assert score(model, np.eye(2), [0.0, 1.0]) == 1


@pytest.mark.parametrize("x", [3.0, None, np.ones((0, 1))])
def test_inputs_without_examples_are_refused(x):
    with pytest.raises((TypeError, ValueError), match="give"):
        score(passing_on("mse"), x, [1.0])


def test_a_class_is_not_a_model():
    with pytest.raises(TypeError, match="give a Keras model"):
        score(keras.Sequential, X, ONE)


def test_a_large_set_goes_through_in_parts(monkeypatch):
    monkeypatch.setattr(calling, "BATCH_BYTES", 7 * X[0].nbytes)
    model, seen = trained(3, "sparse_categorical_crossentropy", "accuracy"), []
    whole_set = scoring.predicted
    monkeypatch.setattr(
        scoring, "predicted", lambda model, x: seen.append(len(x)) or whole_set(model, x)
    )
    whole = (model(X).numpy().argmax(axis=1) == CLASSES).mean()
    assert score(model, X, CLASSES) == whole
    assert seen == [7] * 5 + [5]


def two_inputs():
    left, right = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    model = keras.Model([left, right], layers.Add()([left, right]))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("pack", [lambda a, b: [a, b], lambda a, b: {"left": a, "right": b}])
def test_several_inputs_come_as_a_list_or_a_dict(pack):
    left, right = np.eye(2)[[0, 1, 0]], 3 * np.eye(2)[[0, 0, 1]]
    assert score(two_inputs(), pack(left, right), [0, 0, 0]) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="as many of each"):
        score(two_inputs(), pack(left, right[:2]), [0, 0, 0])


def test_a_list_of_examples_is_one_input():
    model = passing_on("sparse_categorical_crossentropy", width=3)
    assert score(model, list(np.eye(3)[:2]), [0, 2]) == 0.5


def test_texts_are_inputs():
    vectorize = layers.TextVectorization(output_mode="multi_hot", vocabulary=["good", "bad"])
    first = layers.Lambda(lambda counts: counts[:, 1:])  # without the place for unknown words
    model = keras.Sequential([keras.Input((1,), dtype="string"), vectorize, first])
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert score(model, np.array([["good"], ["bad"], ["good"]]), [0, 1, 1]) == pytest.approx(2 / 3)


def test_it_leaves_states_as_they_were():
    keras.utils.set_random_seed(0)
    noisy = keras.layers.Dropout(0.5, seed=1)
    x = keras.Input((5,))
    model = keras.Model(x, layers.Dense(3)(noisy(x, training=True)))
    before = [variable.numpy() for variable in model.non_trainable_variables]
    score(model, X, CLASSES)
    after = [variable.numpy() for variable in model.non_trainable_variables]
    assert before
    assert all(map(np.array_equal, before, after))
