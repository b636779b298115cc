"""Wrong labels on purpose: exactly as many as asked for, of any number of classes."""

import numpy as np
import pytest

from utils.datasets import flip_labels, load, load_fashion_mnist

LABELS = np.arange(2_000) % 10


@pytest.mark.parametrize("share", [0, 0.001, 0.2, 1 / 3, np.float32(0.5), 1])
def test_flips_exactly_the_share_to_other_classes(share):
    y_noisy, flipped = flip_labels(LABELS, share, seed=0)
    assert flipped.dtype == bool
    assert flipped.sum() == round(share * 2_000)
    assert np.array_equal(y_noisy != LABELS, flipped)
    assert set(y_noisy) <= set(range(10))


@pytest.mark.parametrize("share", [0.2, 0.333])
def test_flips_are_spread_over_the_classes(share):
    _, flipped = flip_labels(LABELS, share, seed=1)
    assert np.ptp(np.bincount(LABELS[flipped])) <= 1


def test_other_classes_are_equally_likely():
    y = np.repeat(np.arange(10), 9_000)
    y_noisy, _ = flip_labels(y, 1, seed=0)
    table = np.zeros((10, 10))
    np.add.at(table, (y, y_noisy), 1)
    assert (table.diagonal() == 0).all()
    off_diagonal = table[~np.eye(10, dtype=bool)]
    assert np.abs(off_diagonal - 1_000).max() < 5 * np.sqrt(1_000)


def test_seed_draws_which_labels_are_flipped_wherever_they_stand():
    first, second = (flip_labels(LABELS, 0.5, seed=seed)[1] for seed in (0, 1))
    assert abs(np.mean(first[:1_000]) - 0.5) < 0.1
    assert abs(np.mean(first == second) - 0.5) < 0.1


def test_flipping_changes_nothing_and_repeats_itself():
    y = load_fashion_mnist(100).y_train
    before = y.copy()
    first, second, other = (flip_labels(y, 0.3, seed=seed)[0] for seed in (5, 5, 6))
    assert np.array_equal(y, before)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.uint64])
def test_flipping_keeps_the_dtype(dtype):
    y_noisy, flipped = flip_labels(LABELS.astype(dtype), 0.2, seed=0)
    assert y_noisy.dtype == dtype
    assert np.array_equal(y_noisy != LABELS, flipped)


def test_the_lessons_flips_stay_as_they_are():
    y_noisy, flipped = flip_labels(np.arange(20) % 10, 0.3, seed=0)
    assert np.flatnonzero(flipped).tolist() == [1, 5, 8, 10, 13, 16]
    assert y_noisy[flipped].tolist() == [2, 0, 2, 5, 6, 0]


def test_no_labels_at_all():
    y_noisy, flipped = flip_labels(np.array([], int), 0.5, seed=0)
    assert (len(y_noisy), len(flipped)) == (0, 0)


@pytest.mark.parametrize(
    ("share", "error"),
    [
        (-0.1, ValueError),
        (1.1, ValueError),
        (20, ValueError),
        (float("nan"), ValueError),
        ("0.2", TypeError),
        (None, TypeError),
        (True, TypeError),
    ],
)
def test_wrong_share(share, error):
    with pytest.raises(error, match="share must be"):
        flip_labels(LABELS, share, seed=0)


@pytest.mark.parametrize(
    ("y", "error"),
    [
        (np.eye(10, dtype=int), ValueError),
        (np.int64(3), ValueError),
        (LABELS + 1, ValueError),
        (LABELS - 1, ValueError),
        (LABELS.astype(float), TypeError),
        (LABELS > 4, TypeError),
        (["a", "b"], TypeError),
    ],
    ids=["one-hot", "scalar", "too large", "negative", "float", "bool", "text"],
)
def test_wrong_labels(y, error):
    with pytest.raises(error, match="y must"):
        flip_labels(y, 0.2, seed=0)


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (None, TypeError), (0.5, TypeError)])
def test_wrong_flipping_seed(seed, error):
    with pytest.raises(error, match="seed must be"):
        flip_labels(LABELS, 0.2, seed=seed)


# Another number of classes than ten


@pytest.mark.parametrize("name", ["digits", "spam", "austen", "emoji"])
def test_flips_within_the_classes_of_the_set(name):
    data = load(name)
    y_noisy, flipped = flip_labels(data.y_train, 0.4, seed=0)
    assert np.array_equal(y_noisy != data.y_train, flipped)
    assert set(y_noisy) == set(range(len(data.class_names)))


def test_two_classes_are_swapped():
    y_noisy, flipped = flip_labels([0, 1, 1, 0], 1, seed=0)
    assert y_noisy.tolist() == [1, 0, 0, 1]
    assert flipped.all()


def test_classes_that_y_does_not_hold_can_be_flipped_to():
    y_noisy, _ = flip_labels(np.zeros(3_000, int), 1, seed=0, classes=4)
    assert set(y_noisy) == {1, 2, 3}
    assert np.abs(np.bincount(y_noisy)[1:] - 1_000).max() < 5 * np.sqrt(1_000)


def test_saying_the_number_of_classes_changes_no_flip():
    said = flip_labels(LABELS, 0.3, seed=4, classes=10)
    assert np.array_equal(said, flip_labels(LABELS, 0.3, seed=4))


def test_more_classes_than_half_of_what_the_dtype_holds():
    y = np.arange(200, dtype=np.uint8)
    y_noisy, flipped = flip_labels(y, 1, seed=0)
    assert flipped.all()
    assert y_noisy.max() < 200


@pytest.mark.parametrize("y", [[0, 0, 0], [1, 1], [0, 2], [0, 1, 3]])
def test_a_class_that_is_missing_must_be_said(y):
    with pytest.raises(ValueError, match=r"y must hold each label .*classes=10"):
        flip_labels(y, 0.5, seed=0)
    assert len(flip_labels(y, 0.5, seed=0, classes=4)[0]) == len(y)


@pytest.mark.parametrize(
    ("classes", "error", "message"),
    [
        (1, ValueError, "classes must be 2 or more, not 1"),
        (0, ValueError, "classes must be 2 or more"),
        (9, ValueError, "y must hold labels from 0 to 8, not from 0 to 9"),
        (10.0, TypeError, "classes must be a whole number"),
        ("10", TypeError, "classes must be a whole number"),
        (True, TypeError, "classes must be a whole number"),
    ],
)
def test_wrong_classes(classes, error, message):
    with pytest.raises(error, match=message):
        flip_labels(LABELS, 0.5, seed=0, classes=classes)
