"""Rebuild data/spam.npz from the R package kernlab's copy of UCI's Spambase.

    python -m data.rebuild_spam [FOLDER] [--check]

FOLDER holds kernlab as R installs it; without it, Debian's package `r-cran-kernlab` is read
(built from 0.9-32). Needs the package `rdata`; the same file always gives the same arrays.
"""

import sys
import warnings
from pathlib import Path

import numpy as np

from data.rebuild import choose, command_line, occurring_once, splits

KERNLAB = Path("/usr/lib/R/site-library/kernlab")
OUTPUT = Path(__file__).resolve().parent / "spam.npz"
SEED = 1999
SIZES = {"train": 1_600, "val": 700, "test": 800}  # 1,550 of each: spam has 1,570


def read(folder):
    """Return Spambase: float32 measurements of shape (4601, 57), and labels, 1 for spam."""
    import rdata

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on R's attributes that no Python type has
        table = rdata.read_rda(folder / "data" / "spam.rda")["spam"]
    labels = (table["type"] == "spam").to_numpy(np.uint8)
    return table.drop(columns="type").to_numpy(np.float32), labels


def build(measurements, labels):
    """Return the shipped arrays by name."""
    rng = np.random.default_rng(SEED)
    chosen = choose(labels, occurring_once(measurements), sum(SIZES.values()), rng)
    return splits(measurements, labels, chosen, SIZES)


if __name__ == "__main__":
    sys.exit(command_line(OUTPUT, lambda folder: build(*read(folder or KERNLAB))))
