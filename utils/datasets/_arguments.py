"""Checks of this package's arguments; they need no Keras, as those of `utils._shared` do."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np


def check_whole(name, value):
    """Raise TypeError unless `value` is a whole number."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, not {value!r} ({type(value).__name__})")


def check_train_size(train_size, kept):
    """Raise unless `kept` ships that many training examples, as many of each class."""
    check_whole("train_size", train_size)
    classes, most = len(kept.class_names), kept.sizes["train"]
    if not classes <= train_size <= most or train_size % classes:
        raise ValueError(
            f"train_size must be a multiple of {classes} from {classes} to {most:,} (as many "
            f"{kept.examples} of each class), not {train_size:,}; {kept.for_more}"
        )


def checked_seed(seed):
    """Return `seed` if it is a whole number of at least 0."""
    check_whole("seed", seed)
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, not {seed}")
    return seed


def checked_share(share):
    """Return `share` if it is a number in [0, 1]."""
    if isinstance(share, bool) or not isinstance(share, Real):
        raise TypeError(f"share must be a number, not {share!r} ({type(share).__name__})")
    if not 0 <= share <= 1:
        raise ValueError(f"share must be in [0, 1], not {share}; 0.2 flips 20 % of the labels")
    return share


def checked_labels(y, classes):
    """Return `y` as an array and the number of its classes, which is read off `y` if None."""
    y = np.asarray(y)
    if not np.issubdtype(y.dtype, np.integer):
        raise TypeError(f"y must hold integer labels, not {y.dtype}; try y.astype(int)")
    if y.ndim != 1:
        raise ValueError(f"y must be one-dimensional, one label an image, not of shape {y.shape}")
    if classes is None:
        classes = _classes_of(y)
    check_whole("classes", classes)
    if classes < 2:
        raise ValueError(f"classes must be 2 or more, not {classes}: a flip needs another class")
    if y.size and not 0 <= y.min() <= y.max() < classes:
        raise ValueError(
            f"y must hold labels from 0 to {classes - 1}, not from {y.min()} to {y.max()}"
        )
    return y, classes


def _classes_of(y):
    """Return how many classes labels have in which none is missing; two where there are none."""
    present = np.unique(y)
    if present.size and not np.array_equal(present, np.arange(max(present.size, 2))):
        raise ValueError(
            f"y must hold each label from 0 up, at least 0 and 1, not only {present.size} "
            f"of them from {present[0]} to {present[-1]}; or say how many classes there are, "
            "as classes=10"
        )
    return max(present.size, 2)
