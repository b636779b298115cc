"""The cube of a factorial experiment: each fix has four pairs, and all arms take part in each."""

import numpy as np
import pytest

from utils import plots

FIXES = ["BN", "Dropout", "L2"]


def thick(ax):
    """The ends of the thick edges of a panel, as (2, edges, 2)."""
    edges = [line.get_xydata() for line in ax.lines if line.get_linewidth() > 1]
    return np.stack(edges, axis=1)


def test_each_panel_marks_four_of_twelve_edges_and_they_are_parallel():
    fig = plots.factorial_cubes(FIXES, "Which pairs?")
    directions = []
    for ax in fig.axes:
        assert len(ax.lines) == 12
        starts, ends = thick(ax)
        assert len(starts) == 4
        assert len(np.unique(np.round(np.concatenate([starts, ends]), 6), axis=0)) == 8
        steps = np.round(ends - starts, 6)
        assert (steps == steps[0]).all()
        directions.append(tuple(steps[0]))
    assert len(set(directions)) == 3


def test_squares_have_the_fix_and_corners_their_names():
    for number, ax in enumerate(plots.factorial_cubes(FIXES, "Which pairs?").axes):
        assert ax.get_title(loc="center") == f"the four pairs of {FIXES[number]}"
        places = {text.get_text(): text.xy for text in ax.texts}
        assert list(places) == [*FIXES, "none", "all three"]
        step = np.subtract(places[FIXES[number]], places["none"])
        assert step == pytest.approx(np.diff(thick(ax)[:, 0], axis=0)[0])


@pytest.mark.parametrize("wrong", [["BN", "L2"], ["BN", "BN", "L2"], ["BN", "L2", "L1", "BN"]])
def test_a_cube_needs_three_fixes(wrong):
    with pytest.raises(ValueError, match="give three different names"):
        plots.factorial_cubes(wrong, "Which pairs?")
