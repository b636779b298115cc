"""Decision boundaries: the line lies where the answer changes."""

import numpy as np
import pytest

from utils import plots

POINTS = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
LABELS = np.array([0, 1, 1, 0])


def right_of(x):
    """Two logits: class 1 to the right of x."""
    return lambda points: np.stack([np.full(len(points), x), points[:, 0]], axis=1)


def line_of(ax):
    """Where the boundary runs: its corners, (n, 2)."""
    return np.concatenate([path.vertices for path in ax.collections[1].get_paths()])


def test_the_boundary_is_where_both_logits_are_equal():
    _, ax = plots.panels()
    plots.draw_boundary(ax, right_of(0.25), POINTS, LABELS, "A line")
    np.testing.assert_allclose(line_of(ax)[:, 0], 0.25, atol=1e-6)
    assert ax.get_title(loc="left") == "A line"


def test_one_logit_will_do_and_a_plane_without_a_boundary_too():
    _, ax = plots.panels()
    plots.draw_boundary(ax, lambda points: points[:, 1:] - 0.5, POINTS, LABELS, "A line")
    np.testing.assert_allclose(line_of(ax)[:, 1], 0.5, atol=1e-6)
    plots.draw_boundary(plots.panels()[1], right_of(9.0), POINTS, LABELS, "One answer")


def test_every_point_is_drawn_in_the_look_of_its_class():
    _, ax = plots.panels()
    plots.draw_boundary(ax, right_of(0), POINTS, LABELS, "A line")
    zeros, ones = ax.collections[-2:]
    assert zeros.get_offsets().tolist() == POINTS[LABELS == 0].tolist()
    assert ones.get_offsets().tolist() == POINTS[LABELS == 1].tolist()
    assert zeros.get_paths()[0].vertices.shape != ones.get_paths()[0].vertices.shape


def test_boundaries_have_a_panel_each_on_the_same_axes():
    fig = plots.boundaries([right_of(0), right_of(0.5)], POINTS, LABELS, {"A": True, "B": True})
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["A", "B"]
    assert fig.axes[0].get_xlim() == fig.axes[1].get_xlim()


@pytest.mark.parametrize(
    ("model", "points", "labels", "message"),
    [
        (right_of(0), POINTS[:, :1], LABELS, r"points has shape \(4, 1\)"),
        (right_of(0), POINTS, LABELS[:2], r"labels \(2,\)"),
        (right_of(0), POINTS, LABELS + 1, r"labels has \[1, 2\]; give 0 and 1"),
        (lambda points: np.zeros((len(points), 3)), POINTS, LABELS, "model gives shape"),
    ],
)
def test_what_cannot_be_drawn_is_refused(model, points, labels, message):
    with pytest.raises(ValueError, match=message):
        plots.draw_boundary(plots.panels()[1], model, points, labels, "A line")
