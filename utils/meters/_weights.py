"""How large a network's weights are, how few carry it, and how many wrong labels it memorized."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils._shared.restoring import left_as_found
from utils.meters._calling import as_tensors, count
from utils.meters._score import ACCURACY, scored


def kernels_of(model: keras.Model) -> list[keras.Variable]:
    """The trainable kernels of `model`, those of nested models and cells included; no biases.

    Raises ValueError for a model without kernels, or with a kernel that is no longer finite.
    """
    kernels = [weight for weight in model.trainable_weights if weight.name.endswith("kernel")]
    if not kernels:
        raise ValueError(f"model {model.name!r} has no kernels; give one with Dense or Conv layers")
    if not all(np.isfinite(kernel.numpy()).all() for kernel in kernels):
        raise ValueError("a kernel has values that are not finite; the training has diverged")
    return kernels


def kernel_norm(model: keras.Model) -> float:
    """The length of all kernels taken as one long list of weights: √Σw²."""
    return float(np.sqrt(sum(np.square(kernel.numpy()).sum() for kernel in kernels_of(model))))


def zeros(model: keras.Model) -> float:
    """The share of kernel weights that are exactly zero, from 0 to 1."""
    return float(np.mean(np.concatenate([k.numpy().ravel() == 0 for k in kernels_of(model)])))


def memorized(model: keras.Model, x: Any, labels: Any, wrong: Any) -> float:
    """The share of the wrong labels that the model predicts all the same, from 0 to 1.

    x        (n, ...): the examples it was trained on, as `fit` takes them
    labels   n classes: the labels it was trained with, as `score` takes them
    wrong    bool (n,): which of them are wrong, at least one
    """
    x, labels, wrong = as_tensors(model, x), np.asarray(labels), np.asarray(wrong)
    if not labels.shape[:1] == wrong.shape == (count(x),):
        raise ValueError(
            f"x has {count(x)} examples, labels has shape {labels.shape} and wrong {wrong.shape}; "
            "give one label and one True or False per example"
        )
    if wrong.dtype != bool:
        raise TypeError(f"wrong is {wrong.dtype}; give True or False for each label")
    if not wrong.any():
        raise ValueError("wrong marks no label; a share of none says nothing")
    x = keras.tree.map_structure(lambda part: tf.boolean_mask(part, wrong), x)
    number, share = scored(model, x, labels[wrong])
    if number != ACCURACY:
        raise ValueError(f"model {model.name!r} is a regression; only classes can be memorized")
    return share


def pruning_curve(model: keras.Model, x: Any, y: Any, shares: Iterable[float]) -> np.ndarray:
    """The score after setting the smallest weights to zero: float64, one for each of `shares`.

    The smallest are those of all kernels together, by magnitude, and the first of equal ones; the
    weights are put back.

    y        n labels to be right about, as `score` takes them
    shares   how large a part of the kernel weights goes, each from 0 to 1
    """
    shares = np.asarray(shares, dtype=float)
    if shares.ndim != 1 or not shares.size or not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"shares is {shares}; give a list of numbers from 0 to 1")
    x = as_tensors(model, x)
    kernels = kernels_of(model)
    flat = np.concatenate([kernel.numpy().ravel() for kernel in kernels])
    smallest_first = np.argsort(np.abs(flat), kind="stable")
    ends = np.cumsum([np.prod(kernel.shape) for kernel in kernels])[:-1]
    scores = []
    with left_as_found(kernels):
        for share in shares:
            pruned = flat.copy()
            pruned[smallest_first[: round(share * len(flat))]] = 0
            for kernel, values in zip(kernels, np.split(pruned, ends), strict=True):
                kernel.assign(values.reshape(kernel.shape))
            scores.append(scored(model, x, y)[1])
    return np.array(scores)
