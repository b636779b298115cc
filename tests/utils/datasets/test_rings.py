"""The toy of two rings: what it holds, and that no line will do."""

import numpy as np
import pytest

from utils.datasets import sample_rings


def test_a_cloud_within_a_ring_half_of_the_points_each():
    points, labels = sample_rings(4_000, seed=0)
    assert (points.shape, points.dtype, labels.shape) == ((4_000, 2), np.float32, (4_000,))
    assert np.bincount(labels).tolist() == [2_000, 2_000]
    cloud, ring = points[labels == 0], points[labels == 1]
    np.testing.assert_allclose(cloud.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(cloud.std(axis=0), 0.5, atol=0.03)
    # E|p|² of the ring: the radius squared, and a variance of 0.3² in both directions
    np.testing.assert_allclose((ring**2).sum(axis=1).mean(), 1.2**2 + 2 * 0.3**2, rtol=0.03)
    assert (cloud[:, 0] > 0).mean() == pytest.approx((ring[:, 0] > 0).mean(), abs=0.05)


def test_a_seed_decides_which_points():
    (a, _), (b, _), (c, _) = sample_rings(10, 3), sample_rings(10, 3), sample_rings(10, 4)
    np.testing.assert_array_equal(a, b)
    assert (a != c).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((1, 0), ValueError, "count must be 2 or more, not 1"),
        ((2.5, 0), TypeError, "count must be a whole number, not 2.5"),
        ((10, -1), ValueError, "seed must be 0 or more, not -1"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        sample_rings(*arguments)
