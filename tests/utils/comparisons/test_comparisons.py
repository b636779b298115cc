"""Pairs, their interval, what differs between arms, and which arms cannot be compared."""

from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers, optimizers, regularizers

from tests.small import dense, small_data
from utils.comparisons import Differences, compare, overview, smallest_effect
from utils.comparisons._pairs import T_QUANTILES
from utils.repeats import repeat

DATA = small_data()
OPTIONS = {"epochs": 2, "seeds": [0, 1, 2], "batch_size": 16, "jit_compile": False}


def arm(build_model=dense, data=DATA, **options):
    return repeat(build_model, data, **(OPTIONS | options))


@pytest.fixture(scope="module")
def plain():
    return arm(name="baseline")


def setup_for(setup, seeds):
    """The setup with as many seeds of the same data."""
    data = {name: getattr(setup, name)[:1] * seeds for name in ("training_data", "evaluation_data")}
    return replace(setup, **data)


def measured(runs, values, **changes):
    """The arm as if its `score` had been `values`."""
    values = np.array(values, dtype=float)
    seeds = tuple(range(len(values)))
    row = np.zeros((len(values), 1))
    defaults = {
        "seeds": seeds,
        "measured": {"score": values},
        "kept_epoch": np.zeros(len(values), int),
        "history": {"loss": row},
        "diverged": np.zeros(len(values), bool),
        "setup": setup_for(runs.setup, len(values)),
    }
    return replace(runs, **(defaults | changes))


def test_ten_pairs_have_the_textbooks_interval(plain):
    differences = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, -1])
    result = compare(measured(plain, np.ones(10)), measured(plain, 1 + differences), "score")
    assert np.array_equal(result.differences, differences)
    assert (result.rises, result.falls) == (9, 1)
    error = differences.std(ddof=1) / np.sqrt(10)
    assert result.mean == pytest.approx(4.4)
    assert result.standard_error == pytest.approx(error)
    assert result.interval == pytest.approx((4.4 - 2.262 * error, 4.4 + 2.262 * error))


@pytest.mark.parametrize("degrees", range(1, 31))
def test_each_quantile_leaves_a_fortieth_above_it(degrees):
    """Student's density, up to a constant, over angles: t = √degrees · tan(angle)."""
    angles = (np.arange(400_000) + 0.5) / 400_000 * np.pi - np.pi / 2
    density = np.cos(angles) ** (degrees - 1)
    above = np.sqrt(degrees) * np.tan(angles) > T_QUANTILES[degrees - 1]
    assert density[above].sum() / density.sum() == pytest.approx(0.025, abs=3e-5)


@pytest.mark.parametrize(
    ("seeds", "quantile"),
    [(2, 12.706), (3, 4.303), (10, 2.262), (29, 2.048), (30, 2.045), (31, 2.042), (60, 2.042)],
)
def test_the_interval_takes_students_quantile(plain, seeds, quantile):
    differences = np.arange(seeds, dtype=float)
    result = compare(measured(plain, np.zeros(seeds)), measured(plain, differences), "score")
    error = differences.std(ddof=1) / np.sqrt(seeds)
    assert result.half_width == pytest.approx(quantile * error)


def test_equal_runs_neither_rise_nor_fall(plain):
    result = compare(plain, plain, "val_loss")
    assert (result.rises, result.falls, result.mean) == (0, 0, 0)
    assert "nothing" in str(result)


def test_a_diverged_pair_is_left_out_marked_and_counted(plain):
    lost = np.array([False, True, False])
    broken = measured(plain, [3, np.nan, 5], diverged=lost)
    result = compare(measured(plain, [1, 1, 1]), broken, "score")
    assert result.differences.tolist() == [2, 4]
    assert result.mean == 3
    text = str(result)
    assert "1 diverged and are left out" in text
    assert "nan (diverged)" in text
    assert "higher in 2 of 2 seeds" in text


def test_an_overview_has_a_row_per_metric_and_a_column_per_arm(plain):
    arms = [
        replace(measured(plain, values), name=name)
        for name, values in {
            "baseline": [1, 2, 3],
            "dropout": [2, 3, 4.6],
            "baseline, stopped": [0, 0, 0],
        }.items()
    ]
    head, row = overview(arms, ["score"]).splitlines()
    assert head.split("  ")[0] == "mean of 3 seeds"
    assert head.endswith("   dropout − baseline")
    assert row.split() == ["score", "2.000", "3.200", "0.000", "+1.200", "±", "0.861"]
    places = [head.index(arm.name) + len(arm.name) for arm in arms]
    assert [row[place - 5 : place] for place in places] == ["2.000", "3.200", "0.000"]


def test_an_overview_leaves_out_diverged_runs_and_says_so(plain):
    lost = measured(plain, [2, 99, 4], diverged=np.array([False, True, False]))
    arms = [replace(measured(plain, [1, 2, 3]), name="baseline"), replace(lost, name="high rate")]
    _, row, note = overview(arms, ["score"]).splitlines()
    assert row.split()[:4] == ["score", "2.000", "3.000", "+1.000"]
    assert note == "left out of high rate: 1 of 3 runs, diverged"


def test_an_overview_of_one_arm_has_no_differences(plain):
    for arms in ([measured(plain, [1, 2, 6])], measured(plain, [1, 2, 6])):
        head, row = overview(arms, ["score"]).splitlines()
        assert head.split() == ["mean", "of", "3", "seeds", "baseline"]
        assert row.split() == ["score", "3.000"]


def test_an_overview_of_one_seed_says_that_it_has_no_interval(plain):
    arms = [measured(plain, [1.0]), measured(plain, [3.0], name="fix")]
    head, row = overview(arms, ["score"]).splitlines()
    assert head.startswith("one seed ")
    assert row.split()[:3] == ["score", "1.000", "3.000"]
    assert row.endswith("+2.000 (one seed: no interval)")


def test_an_overview_shows_an_arm_of_which_nothing_is_left(plain):
    lost = measured(plain, [1, 1], diverged=np.array([True, True]), name="lost")
    head, row, note = overview([measured(plain, [1, 1]), lost], ["score"]).splitlines()
    assert head.startswith("mean of 2 seeds  ")
    assert head.endswith("   lost − baseline")
    assert row.split(maxsplit=3) == ["score", "1.000", "–", "none: every pair diverged"]
    assert note == "left out of lost: 2 of 2 runs, diverged"


def test_an_overview_compares_pairs_only(plain):
    with pytest.raises(ValueError, match="repeat both arms with the same `seeds`"):
        overview([plain, measured(plain, [1.0, 2.0])], ["loss"])


def test_an_overview_needs_an_arm():
    with pytest.raises(ValueError, match="arms is empty; give the Runs"):
        overview([], ["score"])


def frozen():
    model = dense()
    model.layers[1].trainable = False
    model.compile("adam", loss=model.loss, metrics=["accuracy"])
    return model


def test_every_run_is_shown(plain):
    text = str(compare(measured(plain, [0.25, 0.5, 0.75]), measured(plain, [1, 1, 1]), "score"))
    for cell in ("0.250", "0.500", "0.750", "1.000", "+0.500 ±"):
        assert cell in text


@pytest.mark.parametrize(
    ("build_model", "options", "lines"),
    [
        (
            lambda: dense(layers.Dropout(0.5)),
            {},
            ["+ Dropout(rate=0.5) after layer 2 (Dense)"],
        ),
        (
            lambda: dense(penalty=regularizers.L2(0.01)),
            {},
            ["layer 2, Dense: kernel_regularizer none → L2(l2=0.01)"],
        ),
        (
            lambda: dense(layers.BatchNormalization()),
            {},
            ["+ BatchNormalization(", "parameters: 163 → 195"],
        ),
        (lambda: dense(optimizer=optimizers.Adam(0.01)), {}, ["optimizer: Adam(", "=0.01"]),
        (dense, {"epochs": 3}, ["epochs: 2 → 3", "epochs until the kept weights: 2–2 → 3–3"]),
        (dense, {"batch_size": 25}, ["batch size: 16 → 25"]),
        (
            dense,
            {"callbacks": keras.callbacks.EarlyStopping("val_loss")},
            ["early stopping: none → val_loss, patience 0"],
        ),
        (frozen, {}, ["layer 2, Dense: trainable none → False"]),
    ],
)
def test_what_differs_is_listed(plain, build_model, options, lines):
    text = str(compare(plain, arm(build_model, **options), "val_loss"))
    differs = text.split("What differs:")[1]
    assert all(line in differs for line in lines)
    assert len(differs.strip().splitlines()) == max(1, len(lines) - ("=0.01" in lines))


def test_how_a_run_stops_is_a_confound():
    settings = {"patience": 50}, {"patience": 60, "restore_best_weights": True}
    arms = [
        arm(callbacks=keras.callbacks.EarlyStopping("val_loss", **options)) for options in settings
    ]
    line = "val_loss, patience 50 → val_loss, patience 60, restore_best_weights True"
    assert f"early stopping: {line}" in compare(*arms, "loss").confounds


def test_other_training_data_is_a_confound(plain):
    fewer = SimpleNamespace(**vars(DATA) | {"x_train": DATA.x_train[::-1]})
    assert compare(plain, arm(data=fewer), "val_loss").confounds == ("training data",)


def test_a_baseline_stopped_early_differs_by_its_epochs():
    runs = arm(epochs=30, keep_best="val_loss")
    confounds = compare(runs, runs.best, "val_loss").confounds
    assert all(line.startswith("epochs until the kept weights: 30–30 → ") for line in confounds)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"treated": "dropout"}, TypeError, "treated is str; give the Runs"),
        ({"metric": "val_acc"}, ValueError, "name is 'val_acc'; this arm has"),
        ({"metric": "kernel"}, ValueError, r"metric 'kernel' has shape \(3, 16, 8\)"),
    ],
)
def test_arms_and_metrics_that_cannot_be_compared(change, error, words):
    runs = arm(measure={"kernel": lambda model: model.layers[1].kernel.numpy()})
    arguments = {"baseline": runs, "treated": runs, "metric": "loss"} | change
    with pytest.raises(error, match=words):
        compare(**arguments)


def test_other_seeds_are_refused(plain):
    with pytest.raises(ValueError, match="repeat both arms with the same `seeds`"):
        compare(plain, arm(seeds=[0, 1, 3]), "loss")


def test_other_evaluation_data_is_refused(plain):
    other = SimpleNamespace(**vars(DATA) | {"y_val": np.roll(DATA.y_val, 1)})
    with pytest.raises(ValueError, match="evaluated on different data"):
        compare(plain, arm(data=other), "loss")


def test_one_pair_has_no_interval(plain):
    lost = measured(plain, [2, 1, 1], diverged=np.array([False, True, True]))
    text = str(compare(measured(plain, [1, 1, 1]), lost, "score"))
    line = "mean difference +1.000 (one seed: no interval) (2 diverged and are left out)"
    assert line in text


def test_one_seed_has_no_interval(plain):
    result = compare(measured(plain, [1.0]), measured(plain, [0.5]), "score")
    assert str(result).splitlines()[4] == (
        "higher in 0 of 1 seeds, lower in 1; mean difference -0.500 (one seed: no interval)"
    )
    assert np.isnan(result.interval).all()


def test_without_a_pair_there_is_nothing_to_compare(plain):
    lost = measured(plain, [1, 1, 1], diverged=np.array([True, True, True]))
    with pytest.raises(ValueError, match="all 3 pairs diverged"):
        compare(measured(plain, [1, 1, 1]), lost, "score")


def test_the_smallest_effect_is_half_an_interval():
    assert smallest_effect(2.0, 4) == pytest.approx(3.182)  # 3.182 · 2 / √4
    np.testing.assert_allclose(smallest_effect([1, 2], 9), [2.306 / 3, 2.306 * 2 / 3])
    assert smallest_effect(1, 100) == pytest.approx(0.2042)  # the quantile of 31 pairs, as said
    pairs = Differences()
    pairs.differences = np.array([1.0, 2.0, 6.0])
    assert smallest_effect(pairs.differences.std(ddof=1), 3) == pytest.approx(pairs.half_width)


@pytest.mark.parametrize(("pairs", "error"), [(1, ValueError), (0, ValueError), (2.5, TypeError)])
def test_one_difference_has_no_smallest_effect(pairs, error):
    with pytest.raises(error, match="pairs is"):
        smallest_effect(1.0, pairs)
