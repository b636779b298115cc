"""The circle and the diamond: the points drawn are where the loss is lowest inside."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from utils.plots import circle_and_diamond
from utils.plots._penalties import BEST, REACH, loss_at, lowest_within, same_penalty


def test_the_loss_by_hand():
    assert loss_at(BEST) == 0
    # one step along weight 1 costs 1, one along both costs 1 − ¼ − ¼ + 1
    assert loss_at(np.add(BEST, [1, 0])) == pytest.approx(1)
    np.testing.assert_allclose(loss_at(np.add(BEST, [[1, 1], [0, 2]]).T), [1.5, 4])


@pytest.mark.parametrize("kind", [1, 2])
def test_the_edge_has_one_penalty_everywhere(kind):
    np.testing.assert_allclose((np.abs(same_penalty(kind)) ** kind).sum(axis=0), REACH)


@pytest.mark.parametrize("kind", [1, 2])
def test_nothing_inside_is_lower(kind):
    points = np.random.default_rng(0).uniform(-1, 1, (2, 20_000))
    inside = points[:, (np.abs(points) ** kind).sum(axis=0) < REACH]
    assert loss_at(inside).min() >= loss_at(lowest_within(kind))


def test_only_the_diamond_makes_a_zero():
    assert lowest_within(1).tolist() == [0, 1]
    assert lowest_within(2).min() > 0.1


def test_two_panels_with_these_titles():
    fig = circle_and_diamond(["circle", "diamond"])
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["circle", "diamond"]
    plt.close(fig)
    with pytest.raises(ValueError, match="zip"):
        circle_and_diamond(["one title"])
    plt.close("all")
