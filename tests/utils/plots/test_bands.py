"""The figures of lesson 01: bands over training, and the cubes of three normalizations."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from utils.plots import draw_bands, draw_cubes


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_bands_are_drawn_as_they_are_a_row_an_arm_on_one_scale():
    small = np.array([[[0.0], [5.0], [10.0]], [[10.0], [15.0], [20.0]]])
    fig = draw_bands({"plain": small, "BN": 3 * small}, every=4, title="They move", channels=1)
    upper, lower = fig.axes
    np.testing.assert_allclose(upper.lines[0].get_xydata(), [[0, 5], [4, 15]])
    np.testing.assert_allclose(lower.lines[0].get_ydata(), [15, 45])
    assert upper.get_ylim() == lower.get_ylim()
    assert upper.get_ylim()[0] <= 0
    assert upper.get_ylim()[1] >= 60  # nothing is cut off
    assert (upper.get_ylabel(), lower.get_ylabel()) == ("plain:\noutput", "BN:\noutput")
    assert fig.get_suptitle() == "They move"


@pytest.mark.parametrize("shape", [(3, 2), (5, 2, 4), (5, 3, 3)])
def test_percentiles_of_wrong_shape_are_rejected(shape):
    with pytest.raises(ValueError, match="arms has a shape"):
        draw_bands({"plain": np.ones(shape)}, every=4, title="They move")


def test_a_training_that_diverged_is_not_drawn():
    with pytest.raises(ValueError, match="not finite"):
        draw_bands({"plain": np.full((2, 3, 4), np.nan)}, every=4, title="They move")


def test_cubes_fill_the_cells_that_share_a_mean():
    fig = draw_cubes("Which?")
    filled = []
    for ax in fig.axes:
        faces = [to_rgb(face.get_facecolor()) for face in ax.patches]
        assert len(faces) == 3 * 16
        filled.append(sum(face != (1, 1, 1) for face in faces))
    # batch: a column in front, its top, and the side; layer: the front, a row on top, one beside;
    # group: half of the front, half of that row, one beside
    assert filled == [4 + 4 + 16, 16 + 4 + 4, 8 + 2 + 4]
    assert fig.get_suptitle() == "Which?"
