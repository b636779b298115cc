"""What pairs of units cost against what each costs alone, on networks worked out by hand."""

import keras
import numpy as np
import pytest

from utils.meters import pair_costs

LABELS = np.tile([-1.0, 1.0], 200)
HUM = np.repeat([3.0, -3.0, 1.0, -1.0], 100)  # has nothing to do with the labels


def adder(*activations):
    """Hidden units that say these, and an output that adds them up; trained on squared errors."""
    x = np.stack(activations, axis=1).astype("float32")
    width = x.shape[1]
    hidden = keras.layers.Dense(width, use_bias=False, name="hidden")
    model = keras.Sequential([keras.Input((width,)), hidden, keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.eye(width), np.ones((width, 1))])
    model.compile("sgd", "mse")
    return model, x


def test_units_that_cancel_need_each_other():
    # The sum is the label. Without one, the error is ½ label ± hum; without both, the label.
    model, x = adder(LABELS / 2 + HUM, LABELS / 2 - HUM)
    costs = pair_costs(model, "hidden", x, LABELS, units=2)
    np.testing.assert_allclose(costs.alone, [0.25 + 5, 0.25 + 5])
    np.testing.assert_allclose(costs.apart, [10.5])
    np.testing.assert_allclose(costs.both, [1])
    np.testing.assert_allclose(costs.need, [9.5])
    assert costs.mean_need == pytest.approx(9.5)
    assert costs.relative_need == pytest.approx(9.5 / 5.25)


def test_units_that_know_different_things_do_not_need_each_other():
    model, x = adder(LABELS, HUM)
    costs = pair_costs(model, "hidden", x, LABELS + HUM, units=2)
    np.testing.assert_allclose(sorted(costs.alone), [1, 5])
    np.testing.assert_allclose(costs.need, [0], atol=1e-5)
    assert costs.mean_need == pytest.approx(0, abs=1e-5)


def test_duplicates_are_spare_copies():
    model, x = adder(LABELS / 2, LABELS / 2)
    costs = pair_costs(model, "hidden", x, LABELS, units=2)
    np.testing.assert_allclose(costs.alone, [0.25, 0.25])
    np.testing.assert_allclose(costs.need, [0.5 - 1])
    assert costs.mean_need == costs.relative_need == 0


def test_the_pairs_are_all_pairs_of_the_sampled_units_in_order():
    model, x = adder(*np.diag(2.0 ** np.arange(6)))  # unit k costs 4^k / 6, and no two interact
    costs = pair_costs(model, "hidden", x, x.sum(axis=1), units=3)
    drawn = np.random.default_rng(2014).permutation(6)[:3]
    np.testing.assert_allclose(costs.alone, 4.0**drawn / 6, rtol=1e-5)
    a, b, c = costs.alone
    np.testing.assert_allclose(costs.both, [a + b, a + c, b + c], rtol=1e-5)


def classifier(*extra):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,))
    value = keras.layers.Dense(8, activation="relu", name="hidden")(inputs)
    for layer in extra:
        value = layer(value)
    value = keras.layers.Concatenate()([value, keras.layers.Dense(3)(inputs)])
    model = keras.Model(inputs, keras.layers.Dense(4)(value))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    x = np.random.default_rng(0).normal(size=(60, 5)).astype("float32")
    return model, x, np.arange(60) % 4


def test_it_is_the_loss_of_the_model_with_those_units_at_0_also_beside_a_branch():
    model, x, y = classifier(keras.layers.Dropout(0.5), keras.layers.BatchNormalization())
    costs = pair_costs(model, "hidden", x, y, units=4)
    drawn = np.random.default_rng(2014).permutation(8)[:4]
    kernel, bias = model.get_layer("hidden").get_weights()
    whole = model.evaluate(x, y, verbose=0)

    def cost(*units):
        kept = ~np.isin(np.arange(8), drawn[list(units)])
        model.get_layer("hidden").set_weights([kernel * kept, bias * kept])
        return model.evaluate(x, y, verbose=0) - whole

    np.testing.assert_allclose(costs.alone, [cost(unit) for unit in range(4)], atol=2e-6)
    np.testing.assert_allclose(costs.both[[0, 5]], [cost(0, 1), cost(2, 3)], atol=2e-6)


def test_the_model_is_left_as_it_was_and_later_weights_count():
    model, x, y = classifier(keras.layers.Dropout(0.5), keras.layers.BatchNormalization())
    before = [variable.numpy() for variable in model.variables]
    first = pair_costs(model, "hidden", x, y, units=4)
    assert all(map(np.array_equal, before, (one.numpy() for one in model.variables)))
    again = pair_costs(model, "hidden", x, y, units=4)
    np.testing.assert_array_equal(first.both, again.both)
    model.set_weights([0 * weight for weight in model.get_weights()])
    idle = pair_costs(model, "hidden", x, y, units=4)
    assert not idle.alone.any()
    assert np.isnan(idle.relative_need)


def test_several_layers_come_one_behind_the_other_and_all_hidden_are_found():
    keras.utils.set_random_seed(0)
    dense = [keras.layers.Dense(6, activation="relu", name=name) for name in ("a", "b")]
    model = keras.Sequential([keras.Input((5,)), *dense, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(30, 5)).astype("float32")
    first, second = (pair_costs(model, name, x, x[:, 0], units=3) for name in ("a", "b"))
    assert not np.array_equal(first.both, second.both)
    for names in (["a", "b"], "all hidden", [0, 1]):
        both = pair_costs(model, names, x, x[:, 0], units=3)
        for column, *parts in zip(both, first, second, strict=True):
            np.testing.assert_allclose(column, np.concatenate(parts), atol=1e-6)


def test_a_model_in_mixed_precision_will_do():
    layer = keras.layers.Dense(4, activation="relu", dtype="mixed_float16", name="hidden")
    model = keras.Sequential([keras.Input((5,)), layer, keras.layers.Dense(1, dtype="float32")])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(30, 5)).astype("float32")
    costs = pair_costs(model, "hidden", x, x[:, 0], units=3)
    assert costs.both.any()
    assert all(column.dtype == "float64" for column in costs)


@pytest.mark.parametrize(
    ("layer", "units", "error", "message"),
    [
        ("hidden", 1, ValueError, "units is 1; give a whole number of at least 2"),
        ("hidden", 9, ValueError, "units is 9; layer 'hidden' has 8"),
        ("hidden", 2.0, TypeError, "units is 2.0"),
        ("nowhere", 4, ValueError, "'nowhere' is not there"),
        ([], 4, ValueError, "give at least one layer"),
    ],
)
def test_wrong_arguments_are_named(layer, units, error, message):
    model, x, y = classifier()
    with pytest.raises(error, match=message):
        pair_costs(model, layer, x, y, units)


def test_a_model_without_a_loss_or_that_has_diverged_is_refused():
    model, x, y = classifier()
    model.set_weights([np.nan * weight for weight in model.get_weights()])
    with pytest.raises(ValueError, match="not finite"):
        pair_costs(model, "hidden", x, y, units=4)
    with pytest.raises(ValueError, match="is not compiled"):
        pair_costs(keras.Sequential([keras.layers.Dense(8)]), 0, x, y)
