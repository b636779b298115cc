"""The meters of large weights on networks whose answer is known."""

import keras
import numpy as np
import pytest
from keras import layers

from utils.meters import ablation_curve, kernel_norm, kernels_of, memorized, pruning_curve, zeros


def network(*kernels, bias=7.0):
    """Dense layers with the given kernels, and biases that no meter may count."""
    model = keras.Sequential([keras.Input((len(kernels[0]),))])
    for kernel in kernels:
        layer = layers.Dense(np.shape(kernel)[1])
        model.add(layer)
        layer.set_weights([np.asarray(kernel), np.full(np.shape(kernel)[1], bias)])
    return model


@pytest.fixture
def one_hot():
    """Names the place of the largest of three numbers; the first class has the largest weight."""
    return network(np.diag([3.0, 2.0, 1.0]), bias=0.0)


def test_the_norm_is_that_of_all_kernels_and_no_bias():
    assert kernel_norm(network([[3.0]], [[4.0]])) == pytest.approx(5)
    assert kernel_norm(network(2 * np.ones((4, 4)))) == pytest.approx(8)


def test_kernels_of_convolutions_and_nested_models_count():
    conv = layers.Conv2D(1, 2, kernel_initializer="ones")
    inner = keras.Sequential([keras.Input((2, 2, 1)), conv, layers.Flatten()])
    model = keras.Sequential([keras.Input((2, 2, 1)), inner])
    assert kernel_norm(model) == pytest.approx(2)


def test_exact_zeros_are_told_from_small_weights():
    assert zeros(network([[0.0, 1e-30], [0.0, 2.0]])) == pytest.approx(0.5)
    assert zeros(network(np.ones((2, 2)))) == 0


def test_memorized_is_the_share_of_wrong_labels_that_are_named(one_hot):
    x, named = np.eye(3)[[0, 1, 2, 0]], np.array([0, 1, 2, 0])
    wrong = np.array([True, True, False, True])
    assert memorized(one_hot, x, named, wrong) == 1
    assert memorized(one_hot, x, (named + 1) % 3, wrong) == 0
    two_named = np.array([0, 2, 1, 0])
    assert memorized(one_hot, x, two_named, wrong) == pytest.approx(2 / 3)


def test_right_labels_do_not_count_as_memorized(one_hot):
    x, labels = np.eye(3), np.array([0, 1, 1])
    assert memorized(one_hot, x, labels, np.array([False, False, True])) == 0


def test_an_empty_mask_is_rejected(one_hot):
    with pytest.raises(ValueError, match="wrong marks no label"):
        memorized(one_hot, np.eye(3), np.arange(3), np.zeros(3, dtype=bool))


@pytest.mark.parametrize(
    ("labels", "wrong"), [((2,), (3,)), ((3,), (2,)), ((3, 1), (3, 1)), ((2, 10), (3,))]
)
def test_labels_and_masks_of_other_shapes_are_rejected(one_hot, labels, wrong):
    with pytest.raises(ValueError, match="one label and one True or False per example"):
        memorized(one_hot, np.eye(3), np.zeros(labels, dtype=int), np.ones(wrong, dtype=bool))


def test_labels_of_another_number_of_classes_are_rejected(one_hot):
    with pytest.raises(ValueError, match="give labels of shape"):
        memorized(one_hot, np.eye(3), np.zeros((3, 10)), np.ones(3, dtype=bool))


@pytest.mark.parametrize("form", [lambda y: y[:, None], lambda y: np.eye(3)[y]])
def test_wrong_labels_may_be_a_column_or_one_hot(one_hot, form):
    labels, wrong = np.array([0, 2, 2, 0]), np.array([True, True, True, False])
    x = np.eye(3)[[0, 1, 2, 1]]
    assert memorized(one_hot, x, form(labels), wrong) == pytest.approx(2 / 3)


def test_a_single_output_memorizes_by_its_threshold():
    model = network([[1.0]], bias=0.0)
    model.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True))
    x, wrong = np.array([[-1.0], [2.0], [3.0]]), np.array([True, True, True])
    assert memorized(model, x, np.array([0, 1, 0]), wrong) == pytest.approx(2 / 3)


def test_a_regression_memorizes_no_classes():
    model = network([[1.0]])
    model.compile(loss="mse")
    with pytest.raises(ValueError, match="is a regression"):
        memorized(model, np.ones((3, 1)), np.arange(3), np.ones(3, dtype=bool))


def test_a_mask_of_numbers_is_rejected(one_hot):
    with pytest.raises(TypeError, match="wrong is int64"):
        memorized(one_hot, np.eye(3), np.arange(3), np.array([0, 1, 2]))


def test_pruning_takes_the_smallest_weights_of_all_kernels(one_hot):
    # Six of nine weights are zero anyway; then class 2 loses its weight, then 1, then 0.
    curve = pruning_curve(one_hot, np.eye(3), np.arange(3), [0, 6 / 9, 7 / 9, 8 / 9, 1])
    np.testing.assert_allclose(curve, [1, 1, 2 / 3, 1 / 3, 1 / 3])  # all zero: class 0 it is
    layered = network(np.eye(3), 0.1 * np.eye(3), bias=0.0)
    everything_small = pruning_curve(layered, np.eye(3), np.arange(3), [12 / 18, 15 / 18])
    np.testing.assert_allclose(everything_small, [1, 1 / 3])


def test_pruning_takes_exactly_the_share_asked_for_where_weights_are_equal(one_hot):
    one_hot.layers[0].set_weights([np.eye(3), np.zeros(3)])
    curve = pruning_curve(one_hot, np.eye(3), np.arange(3), [7 / 9, 8 / 9])
    assert curve == pytest.approx([1, 2 / 3])  # the first class is what all zeros name


def test_of_equal_weights_the_first_go_first():
    model = network(np.eye(20), bias=0.0)  # 380 zeros, then 20 weights of 1
    alone = [pruning_curve(model, np.eye(20)[[k]], [k], [390 / 400])[0] for k in range(1, 20)]
    assert alone == [0] * 9 + [1] * 10


def test_a_part_of_a_weight_is_rounded():
    model = network(np.diag([1.0, 2.0]), bias=0.0)
    model.layers[0].set_weights([np.array([[0.0, 1.0], [2.0, 0.0]]), np.zeros(2)])
    shares = [0.6, 0.65, 0.9]  # 2.4, 2.6 and 3.6 of four weights; nothing left predicts class 0
    np.testing.assert_array_equal(pruning_curve(model, np.eye(2), [1, 0], shares), [1, 0.5, 0.5])
    np.testing.assert_array_equal(pruning_curve(model, np.eye(2)[:1], [1], shares), [1, 0, 0])


def test_a_regression_is_pruned_by_what_it_explains():
    model = network([[1.0], [2.0]], bias=0.0)
    model.compile(loss="mse")
    x = np.array([[1.0, 0], [0, 1], [1, 1], [-2, -2]])  # y is 1, 2, 3, -6: mean 0, squares 50
    curve = pruning_curve(model, x, x @ [1, 2], [0, 0.5, 1])
    assert curve == pytest.approx([1, 1 - (1 + 0 + 1 + 4) / 50, 0])


def test_a_single_output_is_pruned_as_evaluate_says():
    keras.utils.set_random_seed(0)
    stack = [keras.Input((6,)), layers.Dense(8, activation="relu", name="hidden")]
    model = keras.Sequential([*stack, layers.Dense(1, activation="sigmoid")])
    loss = "binary_crossentropy"
    model.compile(keras.optimizers.Adam(0.05), loss, metrics=["accuracy"], run_eagerly=True)
    x = np.random.default_rng(0).normal(size=(96, 6)).astype("float32")
    y = (x[:, 0] > 0.5).astype(int)
    model.fit(x, y, epochs=5, verbose=0)
    right = model.evaluate(x, y, verbose=0)[1]
    assert right > 0.7
    assert pruning_curve(model, x, y, [0.0])[0] == pytest.approx(right)
    assert ablation_curve(model, "hidden", x, y, [0.0])[0] == pytest.approx(right)


def test_pruning_leaves_the_network_as_it_was(one_hot):
    before = one_hot.get_weights()
    pruning_curve(one_hot, np.eye(3), np.arange(3), [0.5, 1])
    assert all(np.array_equal(a, b) for a, b in zip(before, one_hot.get_weights(), strict=True))


@pytest.mark.parametrize("shares", [[-0.1], [1.1], [np.nan], [], [[0.5]]])
def test_shares_outside_zero_to_one_are_rejected(one_hot, shares):
    with pytest.raises(ValueError, match="give a list of numbers from 0 to 1"):
        pruning_curve(one_hot, np.eye(3), np.arange(3), shares)


@pytest.mark.parametrize("labels", [2, 0])
def test_labels_that_do_not_belong_to_the_images_are_rejected(one_hot, labels):
    with pytest.raises(ValueError, match="one row per example"):
        pruning_curve(one_hot, np.eye(3), np.arange(labels), [0.5])


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_rejected(one_hot, broken):
    kernel = np.eye(3)
    kernel[0, 0] = broken
    one_hot.layers[0].set_weights([kernel, np.zeros(3)])
    for meter in (kernel_norm, zeros, lambda m: pruning_curve(m, np.eye(3), np.arange(3), [0.5])):
        with pytest.raises(ValueError, match="not finite"):
            meter(one_hot)
    with pytest.raises(ValueError, match="not finite"):
        memorized(one_hot, np.eye(3), np.arange(3), np.ones(3, dtype=bool))


def test_one_kernel_that_is_not_finite_is_enough():
    with pytest.raises(ValueError, match="not finite"):
        kernels_of(network(np.eye(3), np.full((3, 3), np.nan)))


def test_a_model_without_kernels_is_rejected():
    model = keras.Sequential([keras.Input((2, 2)), layers.Flatten()])
    with pytest.raises(ValueError, match="has no kernels"):
        kernel_norm(model)


def test_kernels_of_other_names_count():
    model = keras.Sequential([keras.Input((8, 8, 2)), keras.layers.SeparableConv2D(3, 3)])
    assert [kernel.name for kernel in kernels_of(model)] == ["depthwise_kernel", "pointwise_kernel"]
