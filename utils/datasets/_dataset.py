"""The record that a lesson or a reader gets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Examples and labels in three splits; neither the record nor its arrays can be changed.

    x_…: float32, or int32 word ids for a text; the first axis counts the examples.
        Images have shape (n, height, width) in [0, 1], or (n, height, width, 3) in colour.
    y_…: labels, int64 of shape (n,), from 0 to one less than there are `class_names`.
    words: for a text, the word that each id stands for; empty for anything else.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def __post_init__(self):
        for name, value in list(vars(self).items()):
            if isinstance(value, np.ndarray) and value.flags.writeable:
                value = value.copy()
                value.setflags(write=False)
                object.__setattr__(self, name, value)
        for split in ("train", "val", "test"):
            examples, labels = len(getattr(self, f"x_{split}")), len(getattr(self, f"y_{split}"))
            if examples != labels:
                raise ValueError(
                    f"y_{split} has {labels} labels, x_{split} {examples} {self._examples}"
                )

    def __repr__(self):
        sizes = (len(self.y_train), len(self.y_val), len(self.y_test))
        return "Dataset({:,} training, {:,} validation, {:,} test {})".format(
            *sizes, self._examples
        )

    @property
    def _examples(self):
        return "images" if np.ndim(self.x_train) >= 3 else "examples"
