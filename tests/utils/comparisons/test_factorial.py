"""Effects of a factorial experiment, on numbers whose effects are known."""

from types import SimpleNamespace

import numpy as np
import pytest

from utils.comparisons import all_combinations, interaction, main_effect

FIXES = ("BN", "Dropout", "L2")
NOISE = np.array([0.0, 0.3, -0.2, 0.1])


def arm(values, seeds=(0, 1, 2, 3), lost=()):
    """An arm with these values; the runs at the positions `lost` diverged."""
    values, diverged = np.array(values, dtype=float), np.zeros(len(values), bool)
    for position in lost:
        values[position], diverged[position] = np.nan, True
    return SimpleNamespace(
        seeds=seeds, diverged=diverged, final=lambda metric: {"loss": values}[metric]
    )


def arms(score):
    """One arm per combination; `score` of the fixes that are on, and a luck that seeds share."""
    return {on: arm(score(on) + NOISE) for on in all_combinations(FIXES)}


def additive(on):
    return 5.0 + 2 * ("BN" in on) - 1 * ("L2" in on)


def joined(on):
    return additive(on) + 3 * ("BN" in on and "L2" in on)


def test_every_combination_once():
    found = all_combinations(FIXES)
    assert found[0] == ()
    assert found[-1] == FIXES
    assert len(set(found)) == 8
    assert len(all_combinations(["BN"])) == 2


def test_main_effects_of_a_sum_are_its_terms_and_the_luck_of_a_seed_cancels():
    for fix, expected in (("BN", 2), ("Dropout", 0), ("L2", -1)):
        np.testing.assert_allclose(main_effect(arms(additive), fix, "loss").differences, expected)


def test_an_interaction_is_half_of_what_a_fix_adds_more_when_the_other_is_on():
    assert interaction(arms(additive), "BN", "L2", "loss").mean == pytest.approx(0)
    assert interaction(arms(joined), "BN", "L2", "loss").mean == pytest.approx(3 / 2)
    assert interaction(arms(joined), "L2", "BN", "loss").mean == pytest.approx(3 / 2)
    assert interaction(arms(joined), "BN", "Dropout", "loss").mean == pytest.approx(0)
    assert main_effect(arms(joined), "BN", "loss").mean == pytest.approx(2 + 3 / 2)


def test_four_losses_by_hand():
    """BN adds 0.10 alone and 0.02 beside dropout: mean 0.06, and half of the difference −0.04."""
    losses = {(): 0.60, ("BN",): 0.70, ("Dropout",): 0.55, ("BN", "Dropout"): 0.57}
    runs = {on: arm(loss + NOISE) for on, loss in losses.items()}
    assert main_effect(runs, "BN", "loss").mean == pytest.approx(0.06)
    assert main_effect(runs, "Dropout", "loss").mean == pytest.approx(-0.09)
    assert interaction(runs, "BN", "Dropout", "loss").mean == pytest.approx(-0.04)


def test_halves_of_all_effects_add_up_to_an_arm():
    runs = arms(joined)
    found = [main_effect(runs, fix, "loss").mean for fix in FIXES]
    both = interaction(runs, "BN", "L2", "loss").mean
    level = np.mean([joined(on) for on in runs])
    for on in runs:
        sides = np.array([1 if fix in on else -1 for fix in FIXES])
        assert level + sides @ found / 2 + sides[0] * sides[2] * both / 2 == pytest.approx(
            joined(on)
        )


def test_the_interval_is_over_seeds_and_not_over_pairs():
    runs = arms(additive)
    lucky = np.array([1.0, 2.0, 3.0, 4.0])
    for on in runs:
        if "Dropout" in on:
            runs[on] = arm(additive(on) + NOISE + lucky)
    effect = main_effect(runs, "Dropout", "loss")
    np.testing.assert_allclose(effect.differences, lucky)
    assert effect.half_width == pytest.approx(3.182 * lucky.std(ddof=1) / 2)
    assert str(effect).startswith("Dropout       +2.500 ±")


def test_a_missing_combination_is_refused():
    for gone in (("BN", "L2"), ()):
        some = {on: runs for on, runs in arms(additive).items() if on != gone}
        with pytest.raises(ValueError, match="not complete: 7"):
            main_effect(some, "BN", "loss")


def test_different_seeds_are_refused():
    with pytest.raises(ValueError, match="different seeds"):
        main_effect(arms(additive) | {(): arm(NOISE, seeds=(5, 6, 7, 8))}, "BN", "loss")


def test_an_unknown_fix_is_named():
    with pytest.raises(ValueError, match="fix is 'dropout'; these arms have BN, Dropout, L2"):
        main_effect(arms(additive), "dropout", "loss")
    with pytest.raises(ValueError, match="fix is 'l1'"):
        interaction(arms(additive), "BN", "l1", "loss")


def test_a_fix_has_no_interaction_with_itself():
    with pytest.raises(ValueError, match="both 'BN'; give two different fixes"):
        interaction(arms(additive), "BN", "BN", "loss")


def test_a_diverged_run_costs_its_pair_and_is_counted():
    runs = {(): arm([1, 2, 3, 4]), ("BN",): arm([2, 9, 5, 7], lost=[1])}
    effect = main_effect(runs, "BN", "loss")
    assert effect.differences.tolist() == [1, 2, 3]
    assert effect.left_out == 1
    assert str(effect) == "BN            +2.000 ± 2.484 (diverged and left out: 1 pairs)"


def test_a_seed_keeps_the_pairs_that_are_left():
    runs = {on: arm([10 * len(on)] * 4) for on in all_combinations(["BN", "L2"])}
    runs["BN", "L2"] = arm([100, 20, 20, 20], lost=[0])
    effect = main_effect(runs, "BN", "loss")
    assert effect.differences.tolist() == [10, 10, 10, 10]
    assert effect.left_out == 1


def test_an_interaction_needs_both_sides_of_a_seed():
    runs = {on: arm(10 * len(on) + NOISE) for on in all_combinations(["BN", "L2"])}
    runs["BN", "L2"] = arm(25 + NOISE, lost=[0, 3])
    effect = interaction(runs, "BN", "L2", "loss")
    np.testing.assert_allclose(effect.differences, [5 / 2, 5 / 2])
    assert effect.left_out == 2
    runs["BN",] = arm(10 + NOISE, lost=[1])  # without L2
    effect = interaction(runs, "BN", "L2", "loss")
    np.testing.assert_allclose(effect.differences, [5 / 2])
    assert effect.left_out == 3


def test_an_effect_without_a_pair_says_so():
    effect = main_effect({(): arm([1, 2]), ("BN",): arm([1, 2], lost=[0, 1])}, "BN", "loss")
    assert str(effect) == "BN            none: every pair diverged (diverged and left out: 2 pairs)"


def test_an_effect_of_one_seed_has_no_interval():
    effect = main_effect({(): arm([1], seeds=(0,)), ("BN",): arm([3], seeds=(0,))}, "BN", "loss")
    assert str(effect) == "BN            +2.000 (one seed: no interval)"
    assert np.isnan(effect.half_width)


def test_a_metric_with_more_than_one_number_per_seed_is_refused():
    with pytest.raises(ValueError, match=r"metric 'loss' has shape \(4, 2\)"):
        main_effect({(): arm(np.ones((4, 2))), ("BN",): arm(np.ones((4, 2)))}, "BN", "loss")


def test_as_many_combinations_but_not_all_of_them_are_refused():
    wrong = {
        (): arm(NOISE),
        ("L2",): arm(NOISE),
        ("BN",): arm(NOISE),
        ("BN", "Dropout"): arm(NOISE),
    }
    with pytest.raises(ValueError, match="not complete: 4"):
        main_effect(wrong, "BN", "loss")
