"""The meters on outputs and networks whose answer is known."""

import gc
import weakref

import keras
import numpy as np
import pytest

from utils._shared.sharing import functions, known
from utils.meters import channel_percentiles, dead_channels, drift, layer_output, net_shift


def outputs(shift=0.0, scale=1.0, channels=2):
    """Two thousand numbers per channel, from 0 to 1, moved and stretched."""
    column = np.linspace(0, 1, 2000).reshape(20, 10, 10, 1)
    return scale * (np.repeat(column, channels, axis=-1) + shift)


def watched(*shifts, scale=1.0):
    return np.stack([channel_percentiles(outputs(shift, scale)) for shift in shifts])


def test_percentiles_are_per_channel_over_batch_and_space():
    image = outputs() + np.array([0.0, 5.0])
    expected = np.array([[0.15, 5.15], [0.5, 5.5], [0.85, 5.85]])
    np.testing.assert_allclose(channel_percentiles(image), expected, atol=1e-3)


def test_outputs_of_a_dense_layer_have_channels_too():
    flat = np.stack([np.arange(101), 10 * np.arange(101)], axis=1)
    np.testing.assert_allclose(channel_percentiles(flat), [[15, 150], [50, 500], [85, 850]])


def test_constant_outputs_do_not_drift():
    assert drift(watched(0.3, 0.3, 0.3)) == 0
    assert net_shift(watched(0.3, 0.3, 0.3)) == 0


def test_a_known_shift_has_its_known_value():
    there_and_back = watched(0.0, 0.7, 0.0)  # the range is 0.7
    assert drift(there_and_back) == pytest.approx(2, abs=1e-3)
    assert net_shift(there_and_back) == pytest.approx(0, abs=1e-3)
    assert net_shift(watched(0.0, 0.7)) == pytest.approx(1, abs=1e-3)


def test_other_units_change_nothing():
    assert drift(watched(0, 1, 3, scale=100)) == pytest.approx(drift(watched(0, 1, 3)))


@pytest.mark.parametrize("shape", [(3, 2), (1, 3, 2), (4, 2, 3), (0, 3, 2)])
def test_wrong_shapes_are_rejected(shape):
    with pytest.raises(ValueError, match="percentiles has shape"):
        drift(np.ones(shape))


def test_numbers_that_are_not_finite_are_rejected():
    broken = watched(0, 1)
    broken[1, 1, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        drift(broken)


def bands(*channels):
    """Percentiles (times, 3, channels) from a list of (median, width) over the times for each."""
    rows = [[(m - w / 2, m, m + w / 2) for m, w in channel] for channel in channels]
    return np.moveaxis(np.array(rows), 0, -1)


def test_each_channel_is_measured_in_its_own_range():
    fast, wide = [(0, 1), (1, 1), (-1, 1)], [(0, 3), (3, 3), (6, 3)]
    assert drift(bands(fast, wide)) == pytest.approx((3 / 1 + 6 / 3) / 2)
    assert net_shift(bands(fast, wide)) == pytest.approx((1 / 1 + 6 / 3) / 2)


def test_the_range_is_the_mean_over_the_times():
    growing = bands([(0, 1), (1, 1), (4, 4)])
    assert drift(growing) == pytest.approx(4 / 2)
    assert net_shift(growing) == pytest.approx(4 / 2)


def test_dead_channels_are_counted_and_left_out():
    alive, dead = [(0, 1), (2, 1)], [(0, 0), (5, 0)]
    assert drift(bands(dead, alive, dead)) == 2
    assert net_shift(bands(dead, alive, dead)) == 2
    assert dead_channels(bands(dead, alive, dead)) == 2
    assert dead_channels(bands(alive)) == 0


def test_a_channel_that_dies_on_the_way_still_counts():
    assert drift(bands([(0, 2), (3, 0)])) == 3
    assert dead_channels(bands([(0, 2), (3, 0)])) == 0


def test_dead_channels_only_are_rejected():
    for measure in (drift, net_shift):
        with pytest.raises(ValueError, match="all 2 channels are dead"):
            measure(bands([(0, 0), (1, 0)], [(1, 0), (1, 0)]))
    assert dead_channels(np.zeros((2, 3, 1))) == 1


@pytest.mark.parametrize("shape", [(5,), (0, 3)])
def test_outputs_without_a_channel_axis_or_values_are_rejected(shape):
    with pytest.raises(ValueError, match="output has shape"):
        channel_percentiles(np.ones(shape))


@pytest.fixture
def network():
    keras.utils.set_random_seed(0)
    layers = [keras.Input((6, 6, 1)), keras.layers.Conv2D(3, 3, name="first")]
    layers += [keras.layers.BatchNormalization(), keras.layers.Conv2D(2, 3, name="late")]
    return keras.Sequential(layers)


@pytest.mark.parametrize("training", [False, True])
def test_probing_leaves_the_network_as_it_was(network, training):
    x = np.random.default_rng(0).normal(size=(8, 6, 6, 1)).astype("float32")
    before = network.get_weights()
    layer_output(network, "late", x, training=training)
    assert all(np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True))


def test_batch_statistics_and_moving_averages_are_told_apart(network):
    x = 5 + np.random.default_rng(0).normal(size=(8, 6, 6, 1)).astype("float32")
    in_training = layer_output(network, "late", x, training=True)
    assert not np.allclose(in_training, layer_output(network, "late", x), atol=0.1)


def test_a_probe_is_compiled_once_per_model_and_mode(network):
    x = np.zeros((2, 6, 6, 1), dtype="float32")
    for training in (False, True, False, True):
        layer_output(network, "late", x, training=training)
    assert len(known[network]) == 2


def test_a_probe_keeps_no_model_alive_but_the_one_that_models_alike_share(network):
    model = keras.models.clone_model(network)
    layer_output(model, "late", np.zeros((2, 6, 6, 1), dtype="float32"))
    alive = weakref.ref(model)
    del model
    functions.clear()
    gc.collect()
    assert alive() is None


def test_a_probe_sees_new_weights_and_newly_frozen_layers(network):
    x = 5 + np.random.default_rng(0).normal(size=(8, 6, 6, 1)).astype("float32")
    before = layer_output(network, "late", x, training=True)
    network.layers[1].trainable = False  # a frozen BatchNormalization is in inference mode
    assert not np.allclose(layer_output(network, "late", x, training=True), before, atol=0.1)
    network.get_layer("late").set_weights([np.zeros((3, 3, 3, 2)), np.array([1.0, 2.0])])
    assert layer_output(network, "late", x)[..., 1] == pytest.approx(2)


def test_probing_leaves_dropout_masks_alone():
    keras.utils.set_random_seed(0)
    stack = [keras.Input((4,)), keras.layers.Dropout(0.5, seed=1), keras.layers.Dense(2, name="d")]
    model, x = keras.Sequential(stack), np.ones((8, 4), dtype="float32")
    before = [variable.numpy() for variable in model.non_trainable_variables]
    layer_output(model, "d", x, training=True)
    after = [variable.numpy() for variable in model.non_trainable_variables]
    assert before
    assert all(map(np.array_equal, before, after))


@pytest.mark.parametrize("normalize", [False, True])
def test_the_outputs_of_frozen_layers_do_not_drift(normalize):
    keras.utils.set_random_seed(0)
    stack = [keras.Input((6, 6, 1)), keras.layers.Conv2D(3, 3)]
    stack += [keras.layers.BatchNormalization()] if normalize else []
    stack += [keras.layers.Conv2D(2, 3, name="late")]
    for layer in stack[1:]:
        layer.trainable = False
    model = keras.Sequential([*stack, keras.layers.Flatten(), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x = np.random.default_rng(0).normal(size=(16, 6, 6, 1)).astype("float32")
    seen = [channel_percentiles(layer_output(model, "late", x, training=True))]
    for _ in range(3):
        model.train_on_batch(x, np.ones((16, 2)))
        seen.append(channel_percentiles(layer_output(model, "late", x, training=True)))
    assert drift(seen) == 0


def test_units_of_a_channel_change_neither_drift_nor_net_shift():
    metres, inches = watched(0, 1, 3), watched(0, 1, 3, scale=39.4) - 7
    assert drift(inches) == pytest.approx(drift(metres))
    assert net_shift(inches) == pytest.approx(net_shift(metres))


def test_an_unknown_layer_is_named(network):
    with pytest.raises(ValueError, match="'nowhere' is not there; this model has 0 first"):
        layer_output(network, "nowhere", np.zeros((1, 6, 6, 1)))
