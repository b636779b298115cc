"""A toy that can be drawn: a cloud of points inside of a ring of others."""

from __future__ import annotations

import numpy as np

from utils.datasets._arguments import check_whole, checked_seed

RADIUS = 1.2  # of the ring
CLOUD, RING = 0.5, 0.3  # standard deviations, so that the two overlap


def sample_rings(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw points of two classes that overlap: float32 (count, 2), and int64 (count,), 0 or 1.

    Class 0 is a cloud around the middle, class 1 a ring around it; they take turns. No line tells
    them apart; nobody is right about all of them.
    """
    check_whole("count", count)
    if count < 2:
        raise ValueError(f"count must be 2 or more, not {count}: there are two classes")
    rng = np.random.default_rng(checked_seed(seed))
    labels = np.arange(count) % 2
    angle = 2 * np.pi * rng.random(count)
    centre = RADIUS * labels[:, np.newaxis] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    deviation = np.where(labels == 1, RING, CLOUD)[:, np.newaxis]
    points = centre + rng.normal(0, 1, (count, 2)) * deviation
    return points.astype(np.float32), labels
