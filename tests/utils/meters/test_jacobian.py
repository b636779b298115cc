"""The norm of the Jacobian, on networks for which it is worked out by hand."""

import keras
import numpy as np
import pytest
from keras import layers

from utils.meters import jacobian_norm

LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
ZERO = np.zeros((3, 2), "float32")


def linear(kernel, activation=None, loss=LOGITS):
    """One dense layer with this kernel, whose outputs are all 0 where the inputs are."""
    kernel = np.array(kernel, dtype="float32")
    dense = layers.Dense(kernel.shape[1], activation=activation)
    model = keras.Sequential([keras.Input((kernel.shape[0],)), dense])
    dense.set_weights([kernel, np.zeros(kernel.shape[1])])
    model.compile("sgd", loss)
    return model


def network(seed=0):
    keras.utils.set_random_seed(seed)
    stack = [keras.Input((4,)), layers.Dense(8, activation="relu"), layers.Dense(3)]
    model = keras.Sequential(stack)
    model.compile("sgd", LOGITS)
    return model


X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


def test_two_classes_by_hand():
    # p = ½, ½; ∂p/∂logits = ¼ [[1, −1], [−1, 1]]; times 6 · identity: four slopes of ±1.5
    assert jacobian_norm(linear(6 * np.eye(2)), ZERO) == pytest.approx(3)
    assert jacobian_norm(linear(6 * np.eye(2), "softmax", None), ZERO) == pytest.approx(3)


def test_the_mean_over_examples_by_hand():
    # far to the right the first class has probability 1, and nothing moves
    x = np.array([[0, 0], [50, -50]])
    assert jacobian_norm(linear(6 * np.eye(2)), x) == pytest.approx(3 / 2)


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("sigmoid", "binary_crossentropy"),
        (None, keras.losses.BinaryCrossentropy(from_logits=True)),
    ],
)
def test_one_output_by_hand(activation, loss):
    # the sigmoid's slope at 0 is ¼; ‖(3, 4)‖ = 5
    assert jacobian_norm(linear([[3], [4]], activation, loss), ZERO) == pytest.approx(5 / 4)


def test_several_labels_are_no_softmax():
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    assert jacobian_norm(linear(4 * np.eye(2), None, loss), ZERO) == pytest.approx(np.sqrt(2))


def test_a_network_by_finite_differences():
    model, step = network(), 1e-2
    squares = 0
    for move in step * np.eye(4):
        high, low = (keras.ops.softmax(model(X + sign * move)).numpy() for sign in (1, -1))
        squares = squares + (((high - low) / (2 * step)) ** 2).sum(axis=1)
    assert jacobian_norm(model, X) == pytest.approx(np.sqrt(squares).mean(), rel=0.01)


def test_networks_that_compute_the_same_have_the_same():
    model = network()
    before = jacobian_norm(model, X)
    first, bias, second, other = model.get_weights()
    model.set_weights([10 * first, 10 * bias, second / 10, other])
    assert jacobian_norm(model, X) == pytest.approx(before, rel=1e-4)
    model.set_weights([10 * first, 10 * bias, second, other])
    assert jacobian_norm(model, X) > 1.5 * before


def test_it_sees_inference_mode_and_leaves_the_model_as_it_was():
    normalized = keras.Sequential([keras.Input((2,)), layers.BatchNormalization(epsilon=0.0)])
    normalized.add(layers.Dropout(0.5))
    normalized.compile("sgd", LOGITS)
    mean, variance = np.zeros(2), np.full(2, 1 / 36)
    normalized.set_weights([np.ones(2), np.zeros(2), mean, variance, *normalized.get_weights()[4:]])
    before = normalized.get_weights()
    assert jacobian_norm(normalized, ZERO) == pytest.approx(3, rel=1e-4)
    assert all(map(np.array_equal, before, normalized.get_weights()))


def test_positions_and_several_inputs_add_up():
    # each of two positions is as in the first test
    model = keras.Sequential([keras.Input((2, 2)), layers.Dense(2, kernel_initializer="identity")])
    model.compile("sgd", LOGITS)
    assert jacobian_norm(model, np.zeros((1, 2, 2))) == pytest.approx(np.sqrt(2) / 2)
    one, other = keras.Input((2,), name="one"), keras.Input((2,), name="other")
    model = keras.Model([one, other], layers.Add()([one, other]))
    model.compile("sgd", LOGITS)
    twice = jacobian_norm(model, [ZERO, ZERO])
    assert twice == pytest.approx(np.sqrt(2) / 2)


def test_what_has_no_slope_is_refused():
    words = keras.Sequential([keras.Input((3,), dtype="int32"), layers.Embedding(5, 2)])
    words.add(layers.Flatten())
    words.compile("sgd", LOGITS)
    with pytest.raises(ValueError, match="give inputs that can move"):
        jacobian_norm(words, np.ones((2, 3), dtype=int))
    with pytest.raises(ValueError, match="gives no probabilities; give a classifier"):
        jacobian_norm(linear(np.eye(2), loss="mse"), ZERO)
    with pytest.raises(ValueError, match="gives no probabilities"):
        jacobian_norm(linear([[3], [4]], loss=None), ZERO)
    constant = keras.Sequential([keras.Input((2,)), layers.Lambda(lambda x: x * 0 // 1)])
    with pytest.raises(ValueError, match="have no slope along x"):
        jacobian_norm(constant, ZERO)


def test_a_diverged_network_and_no_model_are_refused():
    with pytest.raises(ValueError, match="not finite"):
        jacobian_norm(linear(np.nan * np.eye(2)), ZERO)
    with pytest.raises(TypeError, match="give a Keras model"):
        jacobian_norm("model", ZERO)


def test_more_examples_than_a_batch_holds_are_averaged():
    model, x = network(), np.random.default_rng(1).normal(size=(5000, 4)).astype("float32")
    halves = [jacobian_norm(model, half) for half in np.split(x, 2)]
    assert jacobian_norm(model, x) == pytest.approx(np.mean(halves), rel=1e-5)


def test_models_of_ones_own_and_recurrent_ones_have_slopes():
    class Own(keras.Model):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def call(self, x):
            return self.inner(x)

    model = network()
    own = Own(model)
    own.compile("sgd", LOGITS)
    assert jacobian_norm(own, X) == pytest.approx(jacobian_norm(model, X), rel=1e-5)
    recurrent = keras.Sequential([keras.Input((4, 1)), layers.LSTM(3), layers.Dense(2)])
    recurrent.compile("sgd", LOGITS)
    assert jacobian_norm(recurrent, X[..., np.newaxis]) > 0
