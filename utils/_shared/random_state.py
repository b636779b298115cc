"""Draw random numbers, and leave those that come next as they would have come."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from tensorflow.python.eager import context


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Put the random numbers of Python, NumPy and TensorFlow back where they were.

    Keras keeps its own per thread. TensorFlow has no public way to ask for its state.
    """
    tensorflow = context.context()
    draws = getattr(tensorflow, "_rng", None)  # there is none before a seed is set
    before = random.getstate(), np.random.get_state(), tensorflow._seed
    drawn = draws.getstate() if draws else None
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        tensorflow._seed, tensorflow._rng = before[2], draws
        if draws:
            draws.setstate(drawn)
