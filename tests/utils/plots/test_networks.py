"""Small networks, drawn: what is dropped passes nothing on."""

import pytest

from utils import plots

CAPTIONS = ["full", "thinned", "thinned again"]


def crosses(ax):
    """Where the dropped units of a panel are."""
    return {
        tuple(place)
        for marks in ax.collections
        for place in marks.get_offsets().tolist()
        if len(marks.get_facecolor()) and marks.get_zorder() == 3
    }


def test_the_first_is_full_and_each_other_drops_units_of_its_own():
    fig = plots.thinned_networks(CAPTIONS, "Which?", rate=0.4)
    full, one, two = map(crosses, fig.axes)
    assert not full
    assert len(one) == len(two) == 4  # 2 of 5 in each of two hidden layers
    assert one != two
    assert {x for x, _ in one | two} == {1, 2}


def test_connections_join_units_that_are_kept():
    fig = plots.thinned_networks(CAPTIONS, "Which?", rate=0.4)
    assert [len(ax.lines) for ax in fig.axes] == [15 + 25 + 10, *2 * [9 + 9 + 6]]
    for ax in fig.axes[1:]:
        ends = {end for line in ax.lines for end in zip(*line.get_data(), strict=True)}
        assert not ends & crosses(ax)


@pytest.mark.parametrize("rate", [-0.1, 1, 40])
def test_a_rate_that_is_no_share_is_refused(rate):
    with pytest.raises(ValueError, match="give a share in"):
        plots.thinned_networks(CAPTIONS, "Which?", rate)
