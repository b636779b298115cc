"""The yardstick itself: it notices what it is there to notice."""

from types import SimpleNamespace

import numpy as np
import pytest

from tests.small import dense, small_data
from tests.utils.repeats import reference
from tests.utils.repeats.reference import (
    assert_as_fit,
    assert_equal,
    assert_refused,
    fitted,
    taken,
    without_number,
)
from utils.repeats import repeat

DATA = small_data(20)
ONCE = {"epochs": 2, "batch_size": 8}


def test_one_fit_over_all_epochs_is_one_per_epoch():
    each, model = fitted(dense, DATA, 4, **ONCE)
    once, other = fitted(dense, DATA, 4, callbacks=[], **ONCE)
    for name, values in each.items():
        np.testing.assert_allclose(once[name], values, rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(model.get_weights()[0], other.get_weights()[0], rtol=1e-4)


def test_another_seed_another_weight_and_another_length_are_noticed():
    runs = repeat(dense, DATA, seeds=[4], jit_compile=False, **ONCE)
    history, model = fitted(dense, DATA, 4, **ONCE)
    assert_equal(runs, 0, history, model, rtol=1e-3, atol=1e-4)
    with pytest.raises(AssertionError):
        assert_equal(runs, 0, *fitted(dense, DATA, 5, **ONCE), rtol=1e-3, atol=1e-4)
    shorter = {name: values[:1] for name, values in history.items()}
    with pytest.raises(AssertionError):
        assert_equal(runs, 0, shorter, model, rtol=1e-3, atol=1e-4)
    model.weights[0].assign(model.weights[0] + 1)
    with pytest.raises(AssertionError, match="kernel"):
        assert_equal(runs, 0, history, model, rtol=1e-3, atol=1e-4)


def test_ignored_weights_of_examples_are_noticed():
    with pytest.raises(AssertionError):
        assert_as_fit(dense, DATA, weight=np.linspace(0, 3, 20), rtol=1e-3, atol=1e-4)


def test_an_error_from_inside_or_without_the_name_is_no_refusal():
    def run(**options):
        return lambda: repeat(dense, DATA, **({"epochs": 1} | options))

    assert_refused(run(epochs=0), naming="epochs")
    with pytest.raises(AssertionError, match="is not in"):
        assert_refused(run(epochs=0), naming="seeds")
    with pytest.raises(AssertionError, match="from inside"):
        assert_refused(lambda: np.zeros(3).reshape(2, 2), naming="reshape")


def test_examples_are_taken_from_each_input():
    x = {"a": np.arange(3), "b": (np.arange(3) * 2, np.arange(3) * 3)}
    index = [2, 0]
    assert taken(x, index)["b"][1].tolist() == [6, 0]
    assert reference.size_of(x) == 3
    batches = reference.batches(SimpleNamespace(x_train=x, y_train=np.arange(3)), 0, 2)
    sizes = [len(y) for _, y in (next(batches) for _ in range(4))]
    assert sizes == [2, 1, 2, 1]


def test_numbers_that_keras_counts_are_left_out_of_names():
    assert [without_number(name) for name in ("auc_12", "val_auc", "f1_score_1")] == [
        "auc",
        "val_auc",
        "f1_score",
    ]
