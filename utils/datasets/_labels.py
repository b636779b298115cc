"""Wrong labels on purpose."""

from __future__ import annotations

import numpy as np

from utils.datasets._arguments import checked_labels, checked_seed, checked_share


def flip_labels(
    y, share: float, *, seed: int, classes: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return `(y_noisy, flipped)`: a copy of `y` with a share of wrong labels, and which they are.

    y: integer labels from 0, shape (n,); it is not changed, and `y_noisy` keeps its dtype.
    share: in [0, 1]; exactly `round(share * n)` labels are flipped, spread evenly over the classes
        of `y`, each to one of the other classes, all of them equally likely.
    seed: which ones, and to what.
    classes: how many there are. Leave it out where `y` holds each of them, as every training set
        of this course does.

    Raises TypeError or ValueError naming the argument when it is none of these.
    """
    y, classes = checked_labels(y, classes)
    count = round(checked_share(share) * len(y))
    rng = np.random.default_rng(checked_seed(seed))
    shuffled = rng.permutation(len(y))
    # From labels sorted by class, in random order within each, take evenly spaced ones.
    by_class = shuffled[np.argsort(y[shuffled], kind="stable")]
    chosen = by_class[np.arange(count, dtype=np.int64) * len(y) // max(count, 1)]
    flipped = np.zeros(len(y), bool)
    flipped[chosen] = True
    y_noisy = y.copy()
    # In int64: the sum may be more than a small dtype of `y` holds.
    y_noisy[chosen] = (y[chosen].astype(np.int64) + rng.integers(1, classes, count)) % classes
    return y_noisy, flipped
