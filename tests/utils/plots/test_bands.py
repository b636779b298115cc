"""The figures of lesson 01: bands over training, and histograms side by side."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from utils.plots import draw_bands, histograms


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_bands_are_drawn_from_the_first_median_in_spreads():
    percentiles = np.array([[[0.0], [5.0], [10.0]], [[10.0], [15.0], [20.0]]])
    fig = draw_bands(percentiles, every=4, title="They move", channels=1)
    line = fig.axes[0].lines[0]
    np.testing.assert_allclose(line.get_xdata(), [0, 4])
    np.testing.assert_allclose(line.get_ydata(), [0, 1])


@pytest.mark.parametrize("shape", [(3, 2), (5, 2, 4), (5, 3, 3)])
def test_percentiles_of_wrong_shape_are_rejected(shape):
    with pytest.raises(ValueError, match="percentiles has shape"):
        draw_bands(np.ones(shape), every=4, title="They move")


def test_histograms_share_their_bins_and_sum_to_all_outputs():
    sets = [np.linspace(0, 1, 100), np.linspace(0, 2, 50)]
    fig = histograms([sets], ["Two sets"], ["one", "other"], "output")
    one, other = fig.axes[0].containers
    assert [bar.get_x() for bar in one] == [bar.get_x() for bar in other]
    assert sum(bar.get_height() for bar in one) == pytest.approx(1, abs=0.05)
