"""What is left when units are ablated, on networks whose answer is known."""

import keras
import numpy as np
import pytest

from tests.small import dense, small_data
from utils.meters import (
    SHARES,
    ablated_logits,
    ablation_area,
    ablation_curve,
    noisy_accuracy,
)
from utils.meters import _calling as calling
from utils.meters._ablation import add_noise

CLASSES = 2
LABELS = np.tile([0, 1], 200)
SIGNAL = np.where(LABELS == 1, 1.0, -1.0)


def network(kernel):
    """Inputs are the hidden units' activations; their weighted sum decides between two classes."""
    kernel = np.asarray(kernel, dtype="float32")
    hidden = keras.layers.Dense(len(kernel), name="hidden", use_bias=False)
    out = keras.layers.Dense(CLASSES, use_bias=False)
    model = keras.Sequential([keras.Input((len(kernel),)), hidden, out])
    model.set_weights([np.eye(len(kernel), dtype="float32"), np.stack([-kernel, kernel], axis=1)])
    return model


def curve(kernel, x, shares, masks=20):
    return ablation_curve(network(kernel), ["hidden"], x, LABELS, shares, masks)


def test_two_units_that_cancel_collapse_when_one_is_ablated():
    hum = np.random.default_rng(0).normal(0, 50, len(SIGNAL))
    x = np.stack([SIGNAL / 2 + hum, SIGNAL / 2 - hum], axis=1)
    whole, half = curve([1, 1], x, [0, 0.5])
    assert whole == 1
    assert half == pytest.approx(0.5, abs=0.05)


def test_independent_duplicates_degrade_gracefully():
    noise = np.random.default_rng(0).normal(0, 1, (len(SIGNAL), 16))
    left = curve(np.ones(16), SIGNAL[:, None] + noise, [0, 0.25, 0.5, 0.75])
    assert left[0] > 0.99
    assert (np.diff(left) <= 0).all()
    assert left[-1] > 0.95


def test_identical_duplicates_lose_nothing_until_the_last_is_ablated():
    left = curve(np.ones(8), np.repeat(SIGNAL[:, None], 8, axis=1), SHARES)
    np.testing.assert_array_equal(left, [*np.ones(8), 0.5])


def test_remaining_units_are_scaled_to_make_up():
    x = np.repeat(SIGNAL[:, None], 8, axis=1).astype("float32")
    model = network(np.ones(8))
    whole, half = (ablated_logits(model, "hidden", x, share) for share in (0, 0.5))
    np.testing.assert_allclose(half, whole)


def units_in(total, scale):
    """Which of eight units, weighted by powers of two, a sum is made of."""
    return {unit for unit in range(8) if round(total / scale) >> unit & 1}


def drawn(share, draw, place, units=8):
    """The units that remain: those of a permutation from the constant seed."""
    order = np.random.default_rng([2014, draw, place]).permutation(units)
    return {unit for unit in range(units) if order[unit] >= round(share * units)}


@pytest.mark.parametrize("share", [0.25, 0.35, 0.5])  # 2, 2.8 and 4 of 8 units
def test_each_draw_and_each_layer_has_units_of_its_own(share):
    stack = [keras.layers.Dense(8, name=name, use_bias=False) for name in ("a", "b")]
    model = keras.Sequential([keras.Input((8,)), *stack, keras.layers.Dense(2, use_bias=False)])
    kernel = np.stack([np.zeros(8), 2.0 ** np.arange(8)], axis=1)
    model.set_weights([np.eye(8), np.eye(8), kernel])
    scale = (8 / (8 - round(share * 8))) ** 2
    for mask in range(3):
        total = ablated_logits(model, ["a", "b"], np.ones((1, 8)), share, mask)[0, 1]
        assert units_in(total, scale) == drawn(share, mask, 0) & drawn(share, mask, 1)
        swapped = ablated_logits(model, ["b", "a"], np.ones((1, 8)), share, mask)[0, 1]
        assert swapped == total  # the place is that in the list
        alone = ablated_logits(model, ["b"], np.ones((1, 8)), share, mask)[0, 1]
        assert units_in(alone, scale**0.5) == drawn(share, mask, 0)


def test_the_curve_is_the_mean_over_the_masks():
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(len(LABELS), 8)) + SIGNAL[:, None], rng.normal(size=8)
    logits = [ablated_logits(network(kernel), "hidden", x, 0.5, mask) for mask in range(4)]
    accuracies = [(one.argmax(axis=1) == LABELS).mean() for one in logits]
    assert len(set(accuracies)) == 4
    assert curve(kernel, x, [0.5], masks=4)[0] == pytest.approx(np.mean(accuracies), abs=1e-12)
    assert curve(kernel, x, [0.5], masks=1)[0] == accuracies[0]


def test_a_larger_share_ablates_the_same_units_and_more():
    model, x = network(2.0 ** np.arange(8)), np.ones((1, 8), "float32")
    remaining = []
    for share, scale in ((0.25, 8 / 6), (0.5, 8 / 4), (0.75, 8 / 2)):
        total = ablated_logits(model, "hidden", x, share, mask=3)[0, 1] / scale
        remaining.append({unit for unit in range(8) if round(total) >> unit & 1})
    assert remaining[2] < remaining[1] < remaining[0]
    assert [len(units) for units in remaining] == [6, 4, 2]


@pytest.fixture(scope="module")
def trained():
    data = small_data(examples=200)
    keras.utils.set_random_seed(0)
    model = dense(keras.layers.BatchNormalization(name="norm"), keras.layers.Dropout(0.3))
    model.fit(data.x_train, data.y_train, epochs=10, verbose=0)
    model.layers[1].name = "first"
    return model, data.x_val.astype("float32"), data.y_val


def test_nothing_ablated_is_the_plain_accuracy(trained):
    model, x, y = trained
    plain = (model.predict(x, verbose=0).argmax(axis=1) == y).mean()
    assert ablation_curve(model, ["first", "norm"], x, y, [0])[0] == plain
    assert noisy_accuracy(model, ["first", "norm"], x, y, size=0) == plain


def test_everything_ablated_is_one_class(trained):
    model, x, y = trained
    left = ablation_curve(model, ["norm"], x, y, [1])[0]
    assert left in np.bincount(y) / len(y)


def test_much_noise_leaves_chance_and_more_noise_leaves_less():
    x = np.repeat(SIGNAL[:, None], 8, axis=1)
    left = [noisy_accuracy(network(np.ones(8)), "hidden", x, LABELS, size) for size in (1, 3, 1000)]
    assert left[0] > left[1] > left[2]
    assert left[2] == pytest.approx(0.5, abs=0.1)


def test_what_is_left_out_is_said_in_the_signature():
    rng = np.random.default_rng(0)
    x, model = rng.normal(size=(len(LABELS), 8)) + SIGNAL[:, None], network(rng.normal(size=8))
    expected = ablation_curve(model, "hidden", x, LABELS, [n / 8 for n in range(9)], 4)
    np.testing.assert_array_equal(ablation_curve(model, "hidden", x, LABELS), expected)
    expected = noisy_accuracy(model, "hidden", x, LABELS, 1, 4)
    assert noisy_accuracy(model, "hidden", x, LABELS) == expected
    first = ablated_logits(model, "hidden", x, 0.5, 0)
    np.testing.assert_array_equal(ablated_logits(model, "hidden", x, 0.5), first)


def test_noise_is_in_standard_deviations_of_each_unit_and_keeps_its_mean():
    x = np.random.default_rng(0).normal([0, 5, 7], [1, 3, 0], (20_000, 3)).astype("float32")
    added = add_noise(x, 2, [1]) - x
    np.testing.assert_allclose(added.std(axis=0), [2, 6, 0], rtol=0.03)
    np.testing.assert_allclose(added.mean(axis=0), 0, atol=0.15)
    assert abs(np.corrcoef(added[:, 0], x[:, 0])[0, 1]) < 0.03


def test_in_a_convolution_a_unit_is_a_channel():
    x = np.random.default_rng(0).normal([0, 0], [1, 3], (50, 20, 20, 2))
    added = add_noise(x, 1, [1]) - x
    np.testing.assert_allclose(added.std(axis=(0, 1, 2)), [1, 3], rtol=0.03)


def test_noisy_accuracy_is_the_mean_over_the_draws():
    x = (np.repeat(SIGNAL[:, None], 2, axis=1) * [1, 2]).astype("float32")
    one, four = (noisy_accuracy(network([1, 1]), "hidden", x, LABELS, 2, m) for m in (1, 4))
    draws = [add_noise(x, 2, [2014, draw, 0]) for draw in range(4)]
    accuracies = [((noisy.sum(axis=1) > 0) == (LABELS == 1)).mean() for noisy in draws]
    assert one == accuracies[0]
    assert four == pytest.approx(np.mean(accuracies))
    assert four != one


def test_all_images_get_noise_at_once_and_are_ablated_in_parts(monkeypatch):
    x = np.random.default_rng(0).normal(size=(len(LABELS), 8)) + SIGNAL[:, None]
    model = network(np.ones(8))
    measures = [
        lambda: ablation_curve(model, "hidden", x, LABELS, [0.25, 0.75], masks=2),
        lambda: noisy_accuracy(model, "hidden", x, LABELS, masks=2),
        lambda: ablated_logits(model, "hidden", x, 0.5),
    ]
    whole = [measure() for measure in measures]
    monkeypatch.setattr(calling, "BATCH_EXAMPLES", 150)
    for measure, expected in zip(measures, whole, strict=True):
        np.testing.assert_allclose(measure(), expected, rtol=1e-5)


def test_it_repeats_itself_and_leaves_the_model_alone(trained):
    model, x, y = trained
    before = model.get_weights()
    first, second = (ablation_curve(model, ["first"], x, y) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_channels_of_a_convolution_are_units():
    layers = [keras.Input((4, 4, 1)), keras.layers.Conv2D(4, 3, name="conv")]
    model = keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(2)])
    x = np.random.default_rng(0).normal(size=(len(LABELS), 4, 4, 1)).astype("float32")
    assert ablation_curve(model, "conv", x, LABELS)[-1] == 0.5
    assert 0 < noisy_accuracy(model, "conv", x, LABELS) < 1


def test_the_area_is_the_mean_height():
    assert ablation_area(np.full(9, 0.7)) == pytest.approx(0.7)
    assert ablation_area([1, 0], [0, 1]) == pytest.approx(0.5)
    assert ablation_area([[1, 0], [1, 1]], [0, 0.5]) == pytest.approx([0.5, 1])
    assert ablation_area([1, 0, 0], [0, 0.2, 1]) == pytest.approx(0.1)
    assert repr(ablation_area([0.5, 0.5], [0, 1])) == "0.5"  # a plain float, as a lesson prints it


@pytest.mark.parametrize("share", [-0.1, 1.1, 50, float("nan")])
def test_wrong_shares_are_rejected(trained, share):
    model, x, y = trained
    with pytest.raises(ValueError, match="give a number in"):
        ablation_curve(model, "first", x, y, [share])
    with pytest.raises(ValueError, match="share is"):
        ablated_logits(model, "first", x, share)


@pytest.mark.parametrize("shares", ["0.5", 0.5, [True], ["half"]])
def test_shares_that_are_no_numbers_are_rejected(trained, shares):
    model, x, y = trained
    with pytest.raises(TypeError, match="shares"):
        ablation_curve(model, "first", x, y, shares)


@pytest.mark.parametrize(
    ("size", "error"),
    [(-1, ValueError), (float("inf"), ValueError), ("1", TypeError), (True, TypeError)],
)
def test_wrong_sizes_of_the_noise_are_rejected(trained, size, error):
    model, x, y = trained
    with pytest.raises(error, match=r"size is .*; give a number of at least 0"):
        noisy_accuracy(model, "first", x, y, size)


@pytest.mark.parametrize("masks", [0, -1])
def test_no_mask_at_all_is_rejected(trained, masks):
    model, x, y = trained
    with pytest.raises(ValueError, match="masks is"):
        ablation_curve(model, "first", x, y, masks=masks)


def test_labels_that_do_not_fit_are_rejected(trained):
    model, x, y = trained
    for labels in (y[:-1], np.eye(4)[y], y + 0.5):
        with pytest.raises(ValueError, match="y has"):
            ablation_curve(model, "first", x, labels)


def test_labels_may_be_one_hot_or_a_column(trained):
    model, x, y = trained
    plain = ablation_curve(model, "first", x, y)
    model.compile(loss="sparse_categorical_crossentropy")  # without its accuracy
    for labels in (y[:, None], np.eye(3)[y], y.astype(float)):
        np.testing.assert_array_equal(ablation_curve(model, "first", x, labels), plain)


@pytest.mark.parametrize("names", ["third", ["first", "third"], [], ["first", "first"], 5, -6])
def test_a_model_without_the_named_layers_is_rejected(trained, names):
    model, x, y = trained
    with pytest.raises(ValueError, match=r"0 flatten.*, 1 first, 2 norm"):
        ablation_curve(model, names, x, y)


@pytest.mark.parametrize("names", [True, 1.5, [None]])
def test_a_layer_is_a_name_or_a_position(trained, names):
    model, x, y = trained
    with pytest.raises(TypeError, match="give a name or a position"):
        ablation_curve(model, names, x, y)


def test_what_is_no_model_is_rejected(trained):
    _, x, y = trained
    with pytest.raises(TypeError, match="give a Keras model"):
        ablation_curve(lambda x: x, "first", x, y)


@pytest.mark.parametrize(
    ("values", "shares"), [([1, 0], SHARES), ([1], [0]), (0.5, [0, 1]), ([1, 0], [[0, 1]])]
)
def test_curves_of_another_shape_are_rejected(values, shares):
    with pytest.raises(ValueError, match="one accuracy for each share"):
        ablation_area(values, shares)


def test_shares_that_do_not_rise_are_rejected():
    with pytest.raises(ValueError, match="rising"):
        ablation_area([1, 0.5, 0], [0, 1, 0.5])
