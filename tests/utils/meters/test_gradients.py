"""The change of a layer's gradient, on networks for which it is worked out by hand."""

import keras
import numpy as np
import pytest

from utils.meters import gradient_shift


def chain(first, second, extra=()):
    """Two dense layers without biases, whose kernels are these, trained on squared errors."""
    first, second = np.array(first, dtype="float32"), np.array(second, dtype="float32")
    low = keras.layers.Dense(first.shape[1], use_bias=False, name="low")
    high = keras.layers.Dense(second.shape[1], use_bias=False, name="high")
    model = keras.Sequential([keras.Input((first.shape[0],)), low, *extra, high])
    low.set_weights([first])
    high.set_weights([second])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


ONE, ZERO = np.ones((1, 1), "float32"), np.zeros((1, 1), "float32")


def test_one_weight_each_by_hand():
    # y = 6; G = 2y·2 = 24; the lower weight moves by 0.01·2y·3 to 1.64; G′ = 2·4.92·1.64
    shift = gradient_shift(chain([[2]], [[3]]), "high", ONE, ZERO, rate=0.01)
    assert shift.length == pytest.approx((24 - 16.1376) / 24, rel=1e-4)
    assert shift.cosine == pytest.approx(1)


def test_length_and_cosine_by_hand():
    # G = [2, 2]; the lower weights move from [1, 1] to [0.5, 1]; G′ = [0.5, 1]
    shift = gradient_shift(chain([[1, 1]], [[1], [0]]), "high", ONE, ZERO, rate=0.25)
    assert shift.length == pytest.approx(np.sqrt(1.5**2 + 1) / np.sqrt(8), rel=1e-4)
    assert shift.cosine == pytest.approx(3 / np.sqrt(8 * 1.25), rel=1e-4)


def test_layers_above_and_the_layer_itself_stay():
    model = chain([[2]], [[3]])
    assert gradient_shift(model, "low", ONE, ZERO, rate=0.01) == (0, 1)
    model.get_layer("low").trainable = False
    assert gradient_shift(model, "high", ONE, ZERO, rate=0.01) == (0, 1)


def test_a_larger_step_changes_more_and_a_position_will_do():
    model = chain([[2]], [[3]])
    small, large = (gradient_shift(model, 1, ONE, ZERO, rate=rate).length for rate in (0.001, 0.01))
    assert 0 < small < large


def test_without_a_gradient_there_is_no_change_to_measure():
    shift = gradient_shift(chain([[0]], [[3]]), "high", ONE, ZERO, rate=0.01)
    assert np.isnan(shift).all()


def test_the_model_is_left_as_it_was_and_dropout_draws_the_same_mask_twice():
    keras.utils.set_random_seed(0)
    extra = [keras.layers.BatchNormalization(momentum=0.5), keras.layers.Dropout(0.5)]
    model = chain([[1, 2, 3, 4]], [[1], [2], [3], [4]], extra)
    x = np.random.default_rng(0).normal(size=(16, 1)).astype("float32")
    before = [variable.numpy() for variable in model.variables]
    tiny = gradient_shift(model, "high", x, x, rate=1e-7)
    assert tiny.length < 1e-3
    assert all(map(np.array_equal, before, (one.numpy() for one in model.variables)))


@pytest.mark.parametrize(
    ("layer", "rate", "error", "message"),
    [
        ("high", 0, ValueError, "rate is 0; give a number above 0"),
        ("high", float("nan"), ValueError, "rate is nan"),
        ("high", "0.1", TypeError, "rate is '0.1'; give a number"),
        ("high", True, TypeError, "rate is True"),
        ("nowhere", 0.1, ValueError, "'nowhere' is not there"),
        ("relu", 0.1, ValueError, "'relu' has no weights to train"),
    ],
)
def test_wrong_arguments_are_named(layer, rate, error, message):
    model = chain([[2]], [[3]], [keras.layers.ReLU(name="relu")])
    with pytest.raises(error, match=message):
        gradient_shift(model, layer, ONE, ZERO, rate)
