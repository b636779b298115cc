"""Settings of a search: a dot each over each knob, the lowest loss as a square."""

import pytest

from utils import plots

SETTINGS = [{}, {"lr": 0.001, "l2": 0.5}, {"lr": 0.1, "l2": 0.2}, {"lr": 0.01, "l2": 0.0}]
LOSSES = [0.60, 0.70, 0.50, 0.65]
NAMES = {"lr": "learning rate", "l2": "λ"}


def test_every_setting_stands_over_its_knobs_and_the_lowest_is_larger():
    fig = plots.search_results(SETTINGS, LOSSES, "Which?", NAMES, by_powers=["lr"])
    for ax, knob in zip(fig.axes, NAMES, strict=True):
        drawn = {tuple(dot.get_offsets()[0].tolist()): dot.get_sizes()[0] for dot in ax.collections}
        assert set(drawn) == {
            (setting[knob], loss) for setting, loss in zip(SETTINGS[1:], LOSSES[1:], strict=True)
        }
        assert max(drawn, key=drawn.get)[1] == 0.50
        assert [line.get_ydata()[0] for line in ax.lines] == [0.60]  # the setting without knobs
        assert ax.get_xlabel() == NAMES[knob]
    assert [ax.get_xscale() for ax in fig.axes] == ["log", "linear"]


def test_one_loss_for_each_setting():
    with pytest.raises(ValueError, match=r"shape \(3,\) for 4 settings"):
        plots.search_results(SETTINGS, LOSSES[1:], "Which?", NAMES)
