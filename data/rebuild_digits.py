"""Rebuild data/digits.npz from the digits that scikit-learn ships.

    python -m data.rebuild_digits [--check]

Needs scikit-learn (built from 1.9.1); the same package always gives the same arrays.
"""

import sys
from pathlib import Path

import numpy as np

from data.rebuild import choose, command_line, occurring_once, splits

OUTPUT = Path(__file__).resolve().parent / "digits.npz"
SEED = 1998
SIZES = {"train": 1_000, "val": 340, "test": 400}  # 174 of each digit: as many as the rarest has


def read():
    """Return scikit-learn's digits: uint8 images of shape (1797, 8, 8) in 0..16, and labels."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return digits.images.astype(np.uint8), digits.target.astype(np.uint8)


def build(images, labels):
    """Return the shipped arrays by name."""
    rng = np.random.default_rng(SEED)
    chosen = choose(labels, occurring_once(images), sum(SIZES.values()), rng)
    return splits(images, labels, chosen, SIZES)


if __name__ == "__main__":
    sys.exit(command_line(OUTPUT, lambda folder: build(*read())))
