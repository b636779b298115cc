"""How large a network's weights are, how few carry it, and how many wrong labels it learnt."""

import numpy as np

from utils._shared.restoring import left_as_found


def kernels_of(model):
    """The trainable kernels of `model`, those of nested models and cells included; no biases.

    Raises ValueError for a model without kernels, or with a kernel that is no longer finite.
    """
    kernels = [weight for weight in model.trainable_weights if weight.name.endswith("kernel")]
    if not kernels:
        raise ValueError(f"model {model.name!r} has no kernels; give one with Dense or Conv layers")
    if not all(np.isfinite(kernel.numpy()).all() for kernel in kernels):
        raise ValueError("a kernel has values that are not finite; the training has diverged")
    return kernels


def kernel_norm(model):
    """The length of all kernels taken as one long list of weights: √Σw², a float."""
    return float(np.sqrt(sum(np.square(kernel.numpy()).sum() for kernel in kernels_of(model))))


def zeros(model):
    """The share of kernel weights that are exactly zero, from 0 to 1."""
    return float(np.mean(np.concatenate([k.numpy().ravel() == 0 for k in kernels_of(model)])))


def memorized(model, x, labels, wrong):
    """The share of the wrong labels that the model names all the same, from 0 to 1.

    x        (n, ...): the images it was trained on
    labels   integers (n,): the labels it was trained with
    wrong    bool (n,): which of them are wrong, at least one
    """
    labels, wrong = np.asarray(labels), np.asarray(wrong)
    if labels.ndim != 1 or not labels.shape == wrong.shape == np.shape(x)[:1]:
        raise ValueError(
            f"x has shape {np.shape(x)}, labels {labels.shape} and wrong {wrong.shape}; "
            "give one label and one True or False per example"
        )
    if wrong.dtype != bool:
        raise TypeError(f"wrong is {wrong.dtype}; give True or False for each label")
    if not wrong.any():
        raise ValueError("wrong marks no label; a share of none says nothing")
    return float((named(model, x[wrong]) == labels[wrong]).mean())


def named(model, x):
    """The class that the model names for each example: int (n,)."""
    outputs = model.predict_on_batch(x)
    if not np.isfinite(outputs).all():
        raise ValueError("model gives outputs that are not finite; the training has diverged")
    return outputs.argmax(axis=1)


def pruning_curve(model, x, y, shares):
    """Accuracy after setting the smallest weights to zero: float64, one for each of `shares`.

    The smallest are those of all kernels together, by magnitude; the weights are put back.

    y        (n,): the labels to be right about
    shares   how large a part of the kernel weights goes, each from 0 to 1
    """
    shares, y = np.asarray(shares, dtype=float), np.asarray(y)
    if shares.ndim != 1 or not shares.size or not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"shares is {shares}; give a list of numbers from 0 to 1")
    if y.shape != np.shape(x)[:1] or not y.size:
        raise ValueError(f"x has shape {np.shape(x)} and y {y.shape}; give one label per example")
    kernels = kernels_of(model)
    flat = np.concatenate([kernel.numpy().ravel() for kernel in kernels])
    smallest_first = np.argsort(np.abs(flat), kind="stable")
    ends = np.cumsum([np.prod(kernel.shape) for kernel in kernels])[:-1]
    accuracies = []
    with left_as_found(kernels):
        for share in shares:
            pruned = flat.copy()
            pruned[smallest_first[: round(share * len(flat))]] = 0
            for kernel, values in zip(kernels, np.split(pruned, ends), strict=True):
                kernel.assign(values.reshape(kernel.shape))
            accuracies.append((named(model, x) == y).mean())
    return np.array(accuracies)
