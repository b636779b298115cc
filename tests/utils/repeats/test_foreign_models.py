"""Networks that the lessons do not have: `repeat` is `fit` on them too, behind others as well."""

import keras
import numpy as np
import pytest

from tests.utils.repeats.models import FOREIGN, images, transfer
from tests.utils.repeats.reference import assert_as_fit, double_precision, fitted
from utils.repeats import repeat, seeded

SMOKE = ("regression", "transfer")  # the rest take a minute or two: slow
EPOCHS = 3


@pytest.fixture(autouse=True)
def in_float64():
    with double_precision():
        yield


def each_model():
    for name in FOREIGN:
        yield pytest.param(name, marks=[] if name in SMOKE else pytest.mark.slow)


@pytest.mark.parametrize("name", each_model())
def test_as_fit_also_behind_its_sibling(name):
    foreign, seeds = FOREIGN[name], (5, 6)
    options = {"at_once": foreign.at_once, "epochs": EPOCHS, "seeds": seeds, "eager": False}
    assert_as_fit(foreign.build, foreign.data(), **options)
    assert_as_fit(foreign.sibling, foreign.data(), **options)
    assert_as_fit(foreign.build, foreign.data(), **options)


@pytest.mark.parametrize("name", each_model())
def test_its_sibling_is_another_network(name):
    """Else the test above would prove less than it seems to."""
    foreign = FOREIGN[name]
    first, other = (
        fitted(build, foreign.data(), 5, epochs=1, batch_size=16)[0]
        for build in (foreign.build, foreign.sibling)
    )
    assert not np.allclose(first["val_loss"], other["val_loss"], rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("restore", [True, False])
@pytest.mark.parametrize(
    "name", ["overfit and underfit, combined", "averaged weights", "separable", "regression"]
)
def test_stopped_early_as_fit_is(name, restore):
    def stop():
        return keras.callbacks.EarlyStopping(
            "val_loss", patience=0, min_delta=0.02, restore_best_weights=restore
        )

    foreign = FOREIGN[name]
    runs = assert_as_fit(foreign.build, foreign.data(), stop=stop, epochs=12, seeds=(0, 1, 2))
    lengths = np.isfinite(runs.history["loss"]).sum(axis=1)
    assert lengths.min() < 12


@pytest.mark.slow
def test_with_xla():
    foreign = FOREIGN["overfit and underfit, L2"]
    options = {"epochs": 2, "seeds": [0, 1], "batch_size": 16}
    plain, xla = (
        repeat(foreign.build, foreign.data(), jit_compile=jit, **options) for jit in (False, True)
    )
    for column, values in plain.history.items():
        np.testing.assert_allclose(xla.history[column], values, rtol=1e-6, err_msg=column)


@pytest.mark.slow
def test_with_xla_dropout_draws_other_masks_but_the_same_ones_every_time():
    """Without XLA they are those of `fit`, see above."""
    foreign = FOREIGN["overfit and underfit, dropout"]
    options = {"epochs": 2, "seeds": [0, 1], "batch_size": 16, "jit_compile": True}
    first, again = (repeat(foreign.build, foreign.data(), **options) for _ in range(2))
    for column, values in first.history.items():
        np.testing.assert_array_equal(again.history[column], values, err_msg=column)


def test_a_trained_base_is_paired_over_arms_with_its_new_head():
    for seed in (0, 1):
        bare, dropped = (seeded(lambda d=d: transfer(dropout=d), seed) for d in (0.0, 0.5))
        for ours, theirs in zip(bare.get_weights(), dropped.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    heads = [seeded(transfer, seed).layers[-1].kernel for seed in (0, 1)]
    assert not np.array_equal(*map(np.asarray, heads))


def test_a_frozen_base_ends_as_it_came():
    runs = repeat(transfer, images(), epochs=1, seeds=[0, 1], batch_size=16, jit_compile=False)
    came = [np.asarray(weight) for weight in transfer().layers[1].weights]
    for weights in runs.weights:
        for ended, start in zip(weights[: len(came)], came, strict=True):
            np.testing.assert_array_equal(ended, start)
