"""Each check fails the stub, passes the solution and other right answers, and names mistakes."""

import contextlib
import random
import re
import threading
import time
from dataclasses import replace

import keras
import nbformat
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from keras.regularizers import L1, L1L2, L2
from tensorflow.python.eager import context as tf_context

from utils import checks
from utils.checks import check, hint, progress, solution
from utils.checks.answers import LONGEST
from utils.checks.exercises import NOTEBOOKS

NAMES = [(lesson, name) for lesson, known in checks.LESSONS.items() for name in known]
TAKE_FUNCTIONS = ["leak", "interval", "stop", "batch-norm", "lag", "dropout", "misplaced"]
TAKE_FUNCTIONS += ["elastic-net", "soft-threshold", "free-weights", "strength"]
TAKE_FUNCTIONS += ["effects", "fair-arms", "honest-choice", "dropout-last"]


def cells(lesson):
    (path,) = (NOTEBOOKS / "solutions").glob(f"{lesson}_*.ipynb")
    return {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}


def run_cells(lesson, *ids):
    namespace, known = {}, cells(lesson)
    for name in ("imports", *ids):
        exec(known[name].source, namespace)


@pytest.fixture
def line(capsys):
    """What `check` prints: one line."""

    def of(name, answer):
        capsys.readouterr()
        check(name, answer)
        printed = capsys.readouterr().out
        assert printed.count("\n") == 1, printed
        assert len(printed) <= LONGEST + 1
        return printed.strip()

    return of


@pytest.mark.parametrize(("lesson", "name"), NAMES)
def test_the_stub_fails_and_the_solution_passes(lesson, name, capsys):
    run_cells(lesson, f"{name}-start", f"{name}-check")
    assert capsys.readouterr().out.startswith(f"☐ {name}: not yet. ")
    assert not checks.passed[name]
    run_cells(lesson, f"{name}-solution", f"{name}-check")
    assert capsys.readouterr().out == f"☑ {name}: right. {checks.LESSONS[lesson][name].praise}\n"
    assert checks.passed[name]


# Overfitting


def bars(mean, error):
    return lambda a, b: (mean(b - a), error(b - a, a, b))


def leak_by(same):
    def copies(x_train, x_new):
        return [any(same(image, other) for other in x_train) for image in x_new]

    return copies


def in_loops(baseline, treated):
    pairs = [float(b) - float(a) for a, b in zip(baseline, treated, strict=True)]
    mean = sum(pairs) / len(pairs)
    variance = sum((pair - mean) ** 2 for pair in pairs) / (len(pairs) - 1)
    return [mean, 2.262 * (variance / len(pairs)) ** 0.5]


def epoch_of_stop(val_loss, patience):
    lowest, waited = np.inf, 0
    for epoch, loss in enumerate(val_loss, start=1):
        waited = 0 if loss < lowest else waited + 1
        lowest = min(lowest, loss)
        if waited >= max(patience, 1):
            return epoch
    return len(val_loss)


def by_best_so_far(val_loss, patience):
    """The same with arrays: how long the last best epoch is ago."""
    best = np.maximum.accumulate(
        np.where(
            val_loss < np.minimum.accumulate([np.inf, *val_loss])[:-1], range(len(val_loss)), 0
        )
    )
    late = np.flatnonzero(np.arange(len(val_loss)) - best >= max(patience, 1))
    return ops.array(late[0] + 1 if len(late) else len(val_loss))


def against_the_last(val_loss, patience):
    waited = 0
    for epoch in range(1, len(val_loss)):
        waited = 0 if val_loss[epoch] < val_loss[epoch - 1] else waited + 1
        if waited >= max(patience, 1):
            return epoch + 1
    return len(val_loss)


T = 2.262
RIGHT = {
    "leak": [
        leak_by(np.array_equal),
        lambda x, new: (new[:, None] == x[None]).all(axis=(2, 3)).any(axis=1).astype(int),
        lambda x, new: ops.any(
            ops.all(ops.equal(ops.array(new)[:, None], ops.array(x)[None]), axis=(2, 3)), axis=1
        ),
    ],
    "interval": [
        in_loops,
        lambda a, b: (ops.mean(ops.array(b - a)), T * np.std(b - a, ddof=1) / 10**0.5),
        lambda a, b: np.array(in_loops(a, b)),
        lambda a, b: ops.array(in_loops(a, b)),
    ],
    "stop": [epoch_of_stop, by_best_so_far, lambda v, p: float(epoch_of_stop(list(v), p))],
    "patience": [4, 5, np.int64(7), 6.0],
    "confidence": [
        {"accuracy": "same", "loss": "rises"},
        {"loss": "Rises ", "accuracy": "SAME", "note": "more"},
    ],
}
WRONG = {
    "leak": [
        (lambda x, new: (x[: len(new)] == new).all(axis=(1, 2)), "same place"),
        (leak_by(lambda a, b: np.isclose(a.sum(), b.sum(), atol=1e-3)), "mirrored"),
        (leak_by(lambda a, b: (a == b).mean() > 0.99), "one pixel"),
        (leak_by(lambda a, b: np.allclose(a, b, atol=1e-2)), "a shade lighter"),
        (leak_by(lambda a, b: (a == b).any()), "one pixel"),
        (lambda x, new: [True] * len(new), "every image"),
        (lambda x, new: ~np.array(leak_by(np.array_equal)(x, new)), "wrong way round"),
        (lambda x, new: sum(leak_by(np.array_equal)(x, new)), "one value"),
        (lambda x, new: [0, 3, 5, 8], "positions"),
        (lambda x, new: np.array([0, 3, 5, 8]), "positions"),
        (lambda x, new: np.where(leak_by(np.array_equal)(x, new)), "positions"),
        (lambda x, new: np.zeros(len(x)), r"shape \(40,\); it should be shape \(12,\)"),
    ],
    "interval": [
        (bars(lambda d: -d.mean(), lambda d, a, b: 1), "wrong sign"),
        (bars(np.mean, lambda d, a, b: T * d.std() / 10**0.5), "std\\(ddof=1\\)"),
        (bars(np.mean, lambda d, a, b: 1.96 * d.std(ddof=1) / 10**0.5), "1.96"),
        (bars(np.mean, lambda d, a, b: T * d.std(ddof=1)), "single difference"),
        (bars(np.mean, lambda d, a, b: d.std(ddof=1) / 10**0.5), "standard error"),
        (bars(np.mean, lambda d, a, b: T * d.std(ddof=1) / 10), "divide by √n"),
        (bars(np.mean, lambda d, a, b: 2 * T * d.std(ddof=1) / 10**0.5), "whole width"),
        (
            bars(np.mean, lambda d, a, b: T * ((a.var(ddof=1) + b.var(ddof=1)) / 10) ** 0.5),
            "two separate groups",
        ),
        (bars(np.median, lambda d, a, b: 1), "median"),
        (lambda a, b: (in_loops(a, b)[0] - in_loops(a, b)[1], 1), "two ends"),
        (bars(np.mean, lambda d, a, b: T * d.std(ddof=1) / 3), "√\\(n − 1\\)"),
        (bars(np.mean, lambda d, a, b: T * d.var(ddof=1) / 10**0.5), "the variance"),
        (bars(np.mean, lambda d, a, b: 2.228 * d.std(ddof=1) / 10**0.5), "degrees of freedom"),
        (lambda a, b: (b - a).mean(), "return the mean difference and the half width"),
    ],
    "stop": [
        (lambda v, p: epoch_of_stop(v, p) - 1, "one epoch early"),
        (lambda v, p: epoch_of_stop(v, p + 1), "one epoch too long"),
        (lambda v, p: epoch_of_stop(v, p) + 1, "one epoch too long"),
        (lambda v, p: len(v), "never stops"),
        (lambda v, p: int(np.argmin(v[: epoch_of_stop(v, p)])) + 1, "the best epoch|one epoch"),
        (against_the_last, "new .lowest. loss only|never stops|too long"),
        (lambda v, p: epoch_of_stop(v, p) if p else 1, "With patience 0"),
        (lambda v, p: None, "put in a number"),
        (lambda v, p: 2.5, "a whole number"),
    ],
    "patience": [
        (2, "Too impatient"),
        (12, "Too patient"),
        (5.5, "whole number"),
        (-1, "whole number"),
        (None, "put in a number"),
        (True, "put in a number"),
        ("5", "not numbers"),
    ],
    "confidence": [
        ({"accuracy": "rises", "loss": "rises"}, "order of the ten outputs"),
        ({"accuracy": "same", "loss": "same"}, "surer"),
        ({"accuracy": "same", "loss": "falls"}, "surer"),
        ({"accuracy": "same"}, '"loss": write "falls" or'),
        ("same", "keep the dict"),
    ],
}

# Batch normalization


def norm(
    axes=(0, 1, 2),
    keep=0.9,
    root=True,
    epsilon=1e-3,
    ddof=0,
    sample=0,
    inference="moving",
    update=True,
):
    def batch_norm(x, moving_mean, moving_variance, training):
        mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True, ddof=ddof)
        if not training and inference == "moving":
            mean, variance = moving_mean, moving_variance
        if (training and update) or inference == "updates":
            moving_mean = keep * moving_mean + (1 - keep) * x.mean((0, 1, 2))
            moving_variance = keep * moving_variance + (1 - keep) * x.var((0, 1, 2), ddof=sample)
        divisor = np.sqrt(variance + epsilon) if root else np.sqrt(variance) + 1e-3
        return (x - mean) / divisor, moving_mean, moving_variance

    return batch_norm


def norm_in_ops(x, moving_mean, moving_variance, training):
    x = ops.convert_to_tensor(x, "float32")
    mean, variance = ops.cast(moving_mean, "float32"), ops.cast(moving_variance, "float32")
    if training:
        mean, variance = ops.moments(x, axes=(0, 1, 2))
        moving_mean = moving_mean + 0.1 * (np.array(mean) - moving_mean)
        moving_variance = 0.9 * moving_variance + 0.1 * np.array(variance)
    return [(x - mean) * ops.rsqrt(variance + 1e-3), moving_mean, moving_variance]


def norm_in_loops(x, moving_mean, moving_variance, training):
    y, means, variances = np.empty_like(x), moving_mean.copy(), moving_variance.copy()
    for c in range(x.shape[-1]):
        channel = x[..., c]
        mean, variance = moving_mean[c], moving_variance[c]
        if training:
            mean, variance = channel.mean(), channel.var()
            means[c] = 0.9 * means[c] + 0.1 * mean
            variances[c] = 0.9 * variances[c] + 0.1 * variance
        y[..., c] = (channel - mean) / (variance + 1e-3) ** 0.5
    return y, means, variances


def network(*normalization, compiled=True):
    stack = [keras.Input((28, 28)), layers.Reshape((28, 28, 1))]
    for filters, strides in [(8, 2), (8, 1), (16, 2), (16, 1)]:
        stack.append(layers.Conv2D(filters, 3, strides, padding="same"))
        stack += [make() for make in normalization]
        stack.append(layers.Activation("relu"))
    return compile(keras.Sequential([*stack, layers.Flatten(), layers.Dense(10)]), 0.1, compiled)


def compile(model, rate=0.01, compiled=True):
    if compiled:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(rate), loss=loss, metrics=["accuracy"])
    return model


def with_momentum(momentum, **options):
    return lambda: network(lambda: layers.BatchNormalization(momentum=momentum, **options))


def three(*words):
    return dict(
        zip(["Dense, training", "Conv2D, training", "Dense, inference"], words, strict=True)
    )


RIGHT |= {
    "batch-norm": [norm(), norm_in_ops, norm_in_loops],
    "lag": [with_momentum(0.9), with_momentum(0.8)],
    "momentum": [0.9, 0.905, np.float32(0.91), 0.912],
    "batch-of-one": [
        three("zeros", "not zeros", "not zeros"),
        three("Zeros", "not zeros ", "NOT ZEROS"),
    ],
}
WRONG |= {
    "batch-norm": [
        (norm(axes=(0,)), "per place"),
        (norm(axes=(0, 1, 2, 3)), "one for all channels"),
        (norm(axes=(1, 2)), "per image"),
        (norm(ddof=1), "ddof=0"),
        (norm(root=False), "under the root"),
        (norm(epsilon=0), "ε is missing"),
        (norm(keep=0.1), "momentum is what stays"),
        (norm(update=False), "moving mean is not updated"),
        (norm(keep=0), "of this batch alone"),
        (norm(keep=0.99), "another momentum"),
        (norm(sample=1), "moving variance divides by n − 1"),
        (norm(inference="batch"), "In inference it uses the statistics of the batch"),
        (
            norm(inference="updates"),
            "In inference it (uses the moving averages after|uses the stat)",
        ),
        (lambda x, mean, variance, training: x, "return the output, the moving mean"),
    ],
    "lag": [
        (with_momentum(0.999), "near where they began"),
        (with_momentum(0.99), "near where they began"),
        (network, "gone, or it is frozen"),
        (with_momentum(0.9, trainable=False), "gone, or it is frozen"),
        (lambda: network(compiled=False), "not compiled"),
        (lambda: None, "return model"),
        (lambda: keras.Sequential([layers.Dense(3)]), "not compiled"),
        (lambda: compile(keras.Sequential([layers.Flatten(), layers.Dense(3)])), r"\(2, 10\)"),
        (network(), "give the function itself"),
    ],
    "momentum": [
        (0.95, "Too slow"),
        (0.8, "Too fast"),
        (90, "between 0 and 1"),
        (float("nan"), "NaN"),
        ([0.9], r"shape \(1,\)"),
    ],
    "batch-of-one": [
        (three("not zeros", "not zeros", "not zeros"), "its own mean"),
        (three("zeros", "zeros", "not zeros"), "many places"),
        (three("zeros", "not zeros", "zeros"), "moving averages"),
        (["zeros"], "keep the dict"),
    ],
}

# Dropout


def drop(shape=None, factor=lambda r: 1 / (1 - r), inference=lambda x, r: x, keep=False, seed=None):
    def dropout(x, rate, training):
        if not training:
            return inference(x, rate)
        rng = np.random.default_rng(seed)
        draws = rng.random(shape(x) if shape else x.shape)
        kept = draws < rate if keep else draws >= rate
        return x * kept * factor(rate)

    return dropout


def drop_in_loops(x, rate, training):
    if not training or rate == 0:
        return [list(row) for row in x]
    return [[0 if np.random.rand() < rate else v / (1 - rate) for v in row] for row in x]


def mlp(hidden=lambda: layers.Dropout(0.1), last=None, penalties=(None,) * 3, **options):
    model = keras.Sequential([keras.Input((28, 28)), layers.Flatten()])
    for penalty in penalties[:2]:
        model.add(layers.Dense(32, "relu", kernel_regularizer=penalty, **options))
        if hidden:
            model.add(hidden())
    model.add(layers.Dense(10, kernel_regularizer=penalties[2], **options))
    if last:
        model.add(last())
    return compile(model)


@keras.saving.register_keras_serializable("tests")
class Always(layers.Layer):
    def call(self, x):
        return keras.random.dropout(x, 0.1)


def functional():
    x = inputs = keras.Input((28, 28))
    x = layers.Dense(32, activation="relu")(layers.Flatten()(x))
    return compile(keras.Model(inputs, layers.Dense(10)(layers.Dropout(rate=0.1)(x))))


def on_pixels():
    flat = [keras.Input((28, 28)), layers.Flatten(), layers.Dropout(0.1)]
    return compile(keras.Sequential([*flat, layers.Dense(32, "relu"), layers.Dense(10)]))


class OfOnesOwn(keras.Model):
    def __init__(self, rate=0.1, norms=0, called=3, dropout_first=False):
        super().__init__()
        self.dropout, self.flatten = layers.Dropout(rate), layers.Flatten()
        self.norms = [layers.BatchNormalization() for _ in range(norms)]
        self.hidden, self.last = layers.Dense(32, "relu"), layers.Dense(10)
        self.stack = [self.flatten, self.hidden, *self.norms[:called]]
        self.stack.insert(2 if dropout_first else len(self.stack), self.dropout)

    def call(self, x, training=False):
        for layer in self.stack:
            x = layer(x) if layer in (self.flatten, self.hidden) else layer(x, training=training)
        return self.last(x)


def nested():
    hidden = keras.Sequential([layers.Dense(32, "relu"), layers.Dropout(0.1)])
    flat = [keras.Input((28, 28)), layers.Flatten()]
    return compile(keras.Sequential([*flat, hidden, layers.Dense(10)]))


def two(reported, twice):
    return {"fit's number": reported, "evaluate twice": twice}


RIGHT |= {
    "dropout": [
        drop(),
        drop_in_loops,
        lambda x, rate, training: keras.random.dropout(x, rate) if training else x,
        lambda x, rate, training: layers.Dropout(rate)(x, training=training),
    ],
    "misplaced": [mlp, functional, nested, lambda: compile(OfOnesOwn())],
    "noise": [{25: 0.2, 100: 0.5, 400: 0.8}, {400: 0.799, 25: np.float32(0.2), 100: 0.499}],
    "two-accuracies": [two("lower", "same"), two("Lower", " same")],
}
WRONG |= {
    "dropout": [
        (drop(factor=lambda r: 1), "not scaled"),
        (drop(factor=lambda r: 1 / r), "divided by the dropout rate"),
        (drop(factor=lambda r: 1 - r), "scaled down"),
        (drop(keep=True), "keeps the share rate"),
        (drop(shape=lambda x: x.shape[1]), "same units for every image"),
        (drop(shape=lambda x: (len(x), 1)), "whole images"),
        (drop(seed=0), "Two calls drop the same units"),
        (drop(inference=lambda x, r: x * (1 - r)), "original paper"),
        (drop(inference=lambda x, r: x / (1 - r)), "scales the output up"),
        (lambda x, rate, training: drop()(x, rate, True), "In inference it drops"),
        (lambda x, rate, training: x, "drops nothing"),
    ],
    "misplaced": [
        (lambda: mlp(hidden=lambda: layers.Dropout(0.9)), "drops 90 %"),
        (lambda: mlp(last=lambda: layers.Dropout(0.5)), "the answers themselves"),
        (lambda: mlp(hidden=None), "No dropout is left"),
        (lambda: mlp(hidden=lambda: layers.Dropout(0.5)), "not 10 %"),
        (lambda: mlp(hidden=Always), "dropped in inference"),
        (lambda: mlp(hidden=lambda: layers.GaussianDropout(0.1)), "drops no unit"),
        (lambda: on_pixels(), "drops pixels"),
    ],
    "noise": [
        ({25: 0.5, 100: 0.5, 400: 0.8}, "25 units this dropout rate is too high"),
        ({25: 0.2, 100: 0.5, 400: 0.5}, "400 units you can go higher"),
        ({25: 20, 100: 0.5, 400: 0.5}, "give a share"),
        ({25: 0.2}, "keep the dict"),
        ({25: None, 100: 0.5, 400: 0.8}, "put in a number"),
    ],
    "two-accuracies": [
        (two("higher", "same"), "half of the units were dropped"),
        (two("same", "same"), "half of the units were dropped"),
        (two("lower", "different"), "inference mode"),
        (two("", "same"), 'write "lower" or'),
    ],
}

# Penalties


def net(l1=lambda s, r: s * r, l2=lambda s, r: s * (1 - r) / 2):
    return lambda s, r: L1L2(l1(s, r), l2(s, r))


class ElasticNet(keras.Regularizer):
    def __init__(self, strength, ratio):
        self.strength, self.ratio = strength, ratio

    def __call__(self, w):
        square = ops.sum(ops.square(w)) * (1 - self.ratio) / 2
        return self.strength * (self.ratio * ops.sum(ops.abs(w)) + square)


def shrink(w, amount):
    return [0.0 if abs(v) <= amount else v - amount * np.sign(v) for v in w]


def charged(*penalties, **options):
    return lambda: mlp(None, penalties=penalties, **options)


def choose(allowed=1.0, pick=max, index=False, ddof=1):
    def of(strengths, losses):
        means = losses.mean(axis=1)
        best = means.argmin()
        error = losses[best].std(ddof=ddof) / losses.shape[1] ** 0.5
        fit = [n for n in range(len(means)) if means[n] <= means[best] + allowed * error]
        return pick(fit) if index else strengths[pick(fit)]

    return of


def choose_in_loops(strengths, losses):
    means = [float(np.mean(row)) for row in losses]
    spread = np.std(losses[int(np.argmin(means))], ddof=1)
    chosen = None
    for value, mean in zip(strengths, means, strict=True):
        if mean <= min(means) + spread / np.sqrt(len(losses[0])):
            chosen = value
    return chosen


def own_errors(strengths, losses):
    means, errors = losses.mean(axis=1), losses.std(axis=1, ddof=1) / 2
    return strengths[np.flatnonzero(means - errors <= means.min()).max()]


def medians(strengths, losses):
    middle = np.median(losses, axis=1)
    error = losses[middle.argmin()].std(ddof=1) / 2
    return strengths[np.flatnonzero(middle <= middle.min() + error).max()]


def decays(*words):
    return dict(zip(["SGD", "SGD, momentum", "Adam"], words, strict=True))


three_l2 = [L2(0.01)] * 3
RIGHT |= {
    "elastic-net": [net(), ElasticNet, lambda s, r: lambda w: float(ElasticNet(s, r)(w))],
    "soft-threshold": [
        shrink,
        lambda w, a: w - np.clip(w, -a, a),
        lambda w, a: ops.soft_shrink(ops.array(w), a),
        lambda w, a: np.where(np.abs(w) > a, w - a * np.sign(w), 0),
    ],
    "free-weights": [charged(*three_l2), charged(*[L1L2(0, 0.01)] * 3)],
    "strength": [choose(), choose_in_loops],
    "weight-decay": [
        decays("same", "different", "different"),
        decays("Same", "different", "Different"),
    ],
}
WRONG |= {
    "elastic-net": [
        (net(l2=lambda s, r: s * (1 - r)), "½ is missing"),
        (lambda s, r: net()(s, 1 - r), "wrong way round"),
        (net(l1=lambda s, r: s * r / 2), "to the square only"),
        (lambda s, r: net()(1, r), "strength is missing"),
        (lambda s, r: keras.regularizers.get("l1l2"), "charges nothing"),
        (net(l2=lambda s, r: 2 * s * (1 - r)), "half of strength"),
        (lambda s, r: "l1l2", "return a regularizer"),
        (lambda s, r: None, "`return`"),
    ],
    "soft-threshold": [
        (lambda w, a: np.where(np.abs(w) > a, w, 0), "not made smaller"),
        (lambda w, a: np.maximum(np.abs(w) - a, 0), "lost their sign"),
        (lambda w, a: np.clip(w, -a, a), "cuts large weights off"),
        (lambda w, a: np.maximum(w - a, 0), "all set to 0"),
        (lambda w, a: w - a, "towards zero"),
        (lambda w, a: w * (1 - a), "which is L2"),
        (lambda w, a: w - a * np.sign(w), "jump over zero"),
        (lambda w, a: np.where(np.abs(w) > a, w - a * np.sign(w), w), "stay as they are"),
        (lambda w, a: w[1:], r"shape \(7,\)"),
    ],
    "free-weights": [
        (charged(L2(0.01), None, L2(0.01)), "Only 2 of 3 kernels"),
        (charged("l1l2", "l1l2", "l1l2"), "No weight is charged"),
        (charged(*three_l2, bias_regularizer=L2(0.01)), "biases are charged too"),
        (charged(None, None, None, bias_regularizer=L2(0.01)), "Only biases"),
        (charged(None, *[L2(0.01)] * 2, bias_regularizer=L2(0.01)), "2 of 3 kernels .* and a bias"),
        (charged(*[L1L2(0.01, 0.01)] * 3), "L1 and L2 together"),
        (charged(*[L2(0.02)] * 3), "charged twice"),
        (charged(*[L1(0.01)] * 3), "That is L1"),
        (charged(*[L2(0.005)] * 3), "no ½"),
        (charged(*three_l2, activity_regularizer=L2(0.01)), "Outputs are charged"),
        (functional, "A layer is gone"),
    ],
    "strength": [
        (choose(allowed=0), "lowest mean"),
        (lambda s, losses: s[losses.min(axis=1).argmin()], "luckiest run"),
        (choose(allowed=2), "deviation over seeds / √n"),
        (choose(pick=min), "take the largest"),
        (choose(ddof=0), "std\\(ddof=1\\)"),
        (own_errors, "each one's own error"),
        (medians, "It takes medians"),
        (choose(index=True), "a place in the list"),
        (lambda s, losses: losses.mean(), "not among the strengths"),
    ],
    "weight-decay": [
        (decays("different", "different", "different"), "either way"),
        (decays("same", "same", "different"), "velocity"),
        (decays("same", "different", "same"), "Adam divides"),
        (decays("yes", "no", "no"), '"SGD": write "same" or "different"'),
    ],
}  # fmt: skip

# Combinations


def main_effects(losses, pairs=np.mean, sign=1):
    return [sign * pairs(np.diff(losses, axis=fix)) for fix in range(3)]


def interactions(losses, third=np.mean, factor=0.5):
    twice = [np.diff(np.diff(losses, axis=a), axis=b) for a, b in ((0, 1), (0, 2), (1, 2))]
    return [factor * third(values) for values in twice]


def effects_by(main=main_effects, both=interactions):
    return lambda losses: (main(losses), both(losses))


def effects_in_loops(losses):
    main, both = [0, 0, 0], [0, 0, 0]
    for place in np.ndindex(2, 2, 2):
        sides = [1 if on else -1 for on in place]
        for fix in range(3):
            main[fix] += sides[fix] * losses[place] / 4
        for row, (fix, other) in enumerate(((0, 1), (0, 2), (1, 2))):
            both[row] += sides[fix] * sides[other] * losses[place] / 4
    return main, both


def effects_in_ops(losses):
    y = ops.array(losses)
    main = [ops.mean(ops.take(y, 1, f)) - ops.mean(ops.take(y, 0, f)) for f in range(3)]
    bd, bl, dl = (ops.mean(y, axis=axis) for axis in (2, 1, 0))
    return np.array([main, [(m[1, 1] - m[0, 1] - m[1, 0] + m[0, 0]) / 2 for m in (bd, bl, dl)]])


def alone(losses):
    return [losses[1, 0, 0], losses[0, 1, 0], losses[0, 0, 1]] - losses[0, 0, 0]


def together(losses):
    means = [losses.mean(axis=axis) for axis in (2, 1, 0)]
    return [mean[1, 1] - mean[0, 0] for mean in means]


def with_other_on(losses):
    means = [losses.mean(axis=axis) for axis in (2, 1, 0)]
    return [mean[1, 1] - mean[0, 1] for mean in means]


def products(losses):
    b, d, p = main_effects(losses)
    return [b * d, b * p, d * p]


STRONG = L2(0.03)


def arm(units=64, penalty=STRONG, rate=0.3, before=False, last=False, dropout=True, adam=0.003):
    hidden = [layers.Dense(units, "relu", kernel_regularizer=penalty)]
    if dropout:
        hidden.insert(0 if before else 1, layers.Dropout(rate))
    stack = [keras.Input((28, 28)), layers.Flatten(), *hidden]
    stack.append(layers.Dense(10, kernel_regularizer=penalty))
    model = compile(keras.Sequential(stack + [layers.Dropout(rate)] * last))
    model.compile(keras.optimizers.Adam(adam), loss=model.loss, metrics=["accuracy"])
    return model


def functional_arm():
    x = inputs = keras.Input((28, 28))
    for layer in arm().layers:
        x = layer(x)
    model = keras.Model(inputs, x)
    model.compile(keras.optimizers.Adam(0.003), loss=arm().loss, metrics=["accuracy"])
    return model


def chosen(by=lambda choosing, judging: choosing.mean(axis=1), report=None, allowed=np.less_equal):
    def choose(choosing, judging, cost, budget):
        values = np.where(allowed(cost, budget), by(choosing, judging), np.inf)
        place = values.argmin()
        return place, report(choosing[place], judging[place]) if report else judging[place].mean()

    return choose


def chosen_in_loops(choosing, judging, cost, budget):
    best = None
    for place in range(len(cost)):
        if cost[place] <= budget and (best is None or sum(choosing[place]) < sum(choosing[best])):
            best = place
    return [best, sum(judging[best]) / len(judging[best])]


def chosen_by_sorting(choosing, judging, cost, budget):
    places = [place for place in np.argsort(choosing.mean(axis=1)) if cost[place] <= budget]
    return np.array([places[0], np.mean(judging, axis=1)[places[0]]])


def chosen_among_the_affordable(choosing, judging, cost, budget):
    place = choosing[cost <= budget].mean(axis=1).argmin()
    return place, judging[cost <= budget][place].mean()


def anything(cost, budget):
    return cost < np.inf


def normalized(*dropout_after, rate=0.5, norms=3, last=False):
    """Three blocks with batch normalization, dropout behind those that are named."""
    stack = [keras.Input((28, 28)), layers.Reshape((28, 28, 1))]
    blocks = [layers.Conv2D(4, 3, 2), layers.Conv2D(4, 3, 2), layers.Dense(16)]
    for number, block in enumerate(blocks, 1):
        stack += [layers.Flatten()] if number == 3 else []
        stack += [block, *[layers.BatchNormalization()] * (number <= norms), layers.ReLU()]
        stack += [layers.Dropout(rate) for after in dropout_after if after == number]
    stack += [layers.Dense(10), *[layers.Dropout(rate)] * last]
    return compile(keras.Sequential(stack))


def normalized_functional():
    x = inputs = keras.Input((28, 28))
    for layer in normalized(3).layers:
        x = layer(x)
    return compile(keras.Model(inputs, x))


def three_in_a_row():
    stack = [keras.Input((28, 28)), layers.Flatten(), layers.Dense(16)]
    stack += [*(layers.BatchNormalization() for _ in range(3)), layers.Dropout(0.5)]
    return compile(keras.Sequential([*stack, layers.Dense(10)]))


def scaled(*words):
    return dict(zip(["kernel norm", "loss with BN", "loss without BN"], words, strict=True))


RIGHT |= {
    "effects": [effects_by(), effects_in_loops, effects_in_ops],
    "fair-arms": [arm, functional_arm],
    "honest-choice": [chosen(), chosen_in_loops, chosen_by_sorting],
    "dropout-last": [
        lambda: normalized(3),
        normalized_functional,
        lambda: compile(keras.Sequential([normalized(3)])),
        lambda: compile(OfOnesOwn(0.5, norms=3)),
    ],
    "rescaled": [scaled("grows", "same", "changes"), scaled("Grows", " same", "CHANGES")],
}
WRONG |= {
    "effects": [
        (effects_by(alone), "each fix does alone"),
        (effects_by(lambda y: -alone(y[::-1, ::-1, ::-1])), "beside both others"),
        (effects_by(lambda y: [np.take(y, 1, fix).mean() for fix in range(3)]), "subtract the"),
        (effects_by(lambda y: main_effects(y, sign=-1)), "on minus off"),
        (effects_by(lambda y: main_effects(y, np.sum)), "four times too large"),
        (effects_by(lambda y: main_effects(y, sign=0.5)), "half of what they should be: eight"),
        (effects_by(lambda y: main_effects(y)[::-1]), "the first axis is BN"),
        (effects_by(lambda y: [0, 0, 0]), "not the mean of on minus off"),
        (effects_by(both=lambda y: interactions(y, factor=1)), "take half of the difference"),
        (effects_by(both=lambda y: interactions(y, factor=0.25)), "halve the difference once"),
        (effects_by(both=lambda y: interactions(y, np.sum)), "twice too large"),
        (
            effects_by(both=lambda y: interactions(y, factor=-0.5)),
            "interactions have the wrong sign",
        ),
        (effects_by(both=lambda y: interactions(y, lambda v: v.ravel()[0])), "third fix off"),
        (effects_by(both=lambda y: interactions(y, lambda v: v.ravel()[1])), "third fix on"),
        (effects_by(both=together), "what both do together"),
        (effects_by(both=with_other_on), "the first does with the other on"),
        (effects_by(both=products), "no product"),
        (effects_by(both=lambda y: interactions(y)[::-1]), "order is another"),
        (effects_by(both=lambda y: [0, 0, 0]), "simply added up"),
        (effects_by(both=lambda y: [1, 2, 3]), "The main effects are right"),
        (lambda y: main_effects(y), "return the three main effects and the three"),
        (effects_by(both=lambda y: 1.0), r"interactions has shape \(\); it should be shape \(3,\)"),
        (effects_by(lambda y: [np.nan] * 3), "main effects holds NaN"),
    ],
    "fair-arms": [
        (lambda: arm(units=128), "units 64 → 128"),
        (lambda: arm(penalty=L2(0.001)), r"L2\(l2=0.03\) → L2\(l2=0.001\)"),
        (lambda: arm(penalty=None), "kernel_regularizer L2.* → none"),
        (lambda: arm(adam=0.01), "optimizer: Adam"),
        (lambda: arm(dropout=False), "No dropout is left"),
        (lambda: arm(rate=0.5), "Keep the one Dropout"),
        (lambda: arm(before=True), "drops pixels"),
        (lambda: arm(last=True), "the answers themselves"),
        (lambda: None, "return model"),
        (arm(), "give the function itself"),
    ],
    "honest-choice": [
        (chosen(report=lambda c, j: c.mean()), "flatters the winner"),
        (chosen(report=lambda c, j: np.mean([c, j])), "mean of both halves"),
        (chosen(report=lambda c, j: j.min()), "luckiest run: report"),
        (chosen(report=lambda c, j: 0.5), "The recipe is right"),
        (chosen(allowed=anything), "more than the budget"),
        (chosen(by=lambda c, j: j.mean(axis=1)), "chooses on the evaluation half: those"),
        (chosen(by=lambda c, j: j.mean(axis=1), allowed=anything), "and over the budget"),
        (chosen(by=lambda c, j: (c + j).mean(axis=1)), "chooses on both halves"),
        (chosen(by=lambda c, j: c.min(axis=1)), "trusts the one luckiest run"),
        (chosen(allowed=np.less), "at most, not less"),
        (chosen(by=lambda c, j: -c.mean(axis=1)), "highest loss"),
        (lambda c, j, cost, budget: (cost.argmin(), 1), "cheapest recipe"),
        (chosen_among_the_affordable, "place among the affordable"),
        (lambda c, j, cost, budget: (0.55, 1), "return its place"),
        (lambda c, j, cost, budget: (99, 1), "return its place"),
        (lambda c, j, cost, budget: 2, "return|the place of the recipe and the loss"),
        (lambda c, j, cost, budget: (2, j[2]), "loss that you report has shape"),
    ],
    "dropout-last": [
        (lambda: normalized(1, 2, 3), "number 2 receives"),
        (lambda: normalized(2, 3), "number 3 receives"),
        (normalized, "No dropout is left"),
        (lambda: normalized(3, norms=2), "keep all three"),
        (lambda: normalized(3, last=True), "the answers themselves"),
        (lambda: normalized(3, rate=0.1), "not one half"),
        (lambda: normalized(3, 3, 3), "3 Dropouts in a row"),
        (three_in_a_row, "Two normalizations follow each other"),
        (lambda: compile(OfOnesOwn(norms=3)), "not one half"),
        (lambda: compile(OfOnesOwn(0.5, norms=3, dropout_first=True)), "number 1 receives"),
        (lambda: compile(OfOnesOwn(0.5, norms=3, called=2)), "made, and never called"),
    ],
    "rescaled": [
        (scaled("same", "same", "changes"), "so the norm grows"),
        (scaled("grows", "changes", "changes"), "divides by the standard deviation"),
        (scaled("grows", "same", "same"), "Nothing divides"),
        (scaled("grows", "?", "changes"), 'write "same" or "changes"'),
    ],
}


def cases(table):
    return [(name, n) for name, answers in table.items() for n in range(len(answers))]


@pytest.mark.parametrize(("name", "number"), cases(RIGHT))
def test_right_answers_pass(name, number, line):
    assert line(name, RIGHT[name][number]).startswith(f"☑ {name}: right.")


@pytest.mark.parametrize(("name", "number"), cases(WRONG))
def test_wrong_answers_fail_for_their_reason(name, number, line):
    answer, message = WRONG[name][number]
    found = line(name, answer)
    assert found.startswith(f"☐ {name}: not yet. ")
    assert re.search(message, found), found


def test_every_check_is_tried():
    for _, name in NAMES:
        assert len(RIGHT[name]) >= 2
        assert len({message for _, message in WRONG[name]}) >= 3


# Answers that are none


class Hostile:
    """Fails whatever is done with it."""

    def __array__(self, *args, **kwargs):
        raise RuntimeError("no array")

    def __str__(self):
        raise RuntimeError("no text")


def failing(*arguments):
    raise ValueError("first line\nsecond line")


def leaving(*arguments):
    raise SystemExit(3)


def too_deep(*arguments):
    return too_deep(*arguments)


def printing(*arguments):
    print("inside of the answer")
    return np.log(-np.ones(3))


NO_RESULTS = [None, "text", 1j, [[1], [1, 2]], float("nan"), Hostile(), (), (None, None), {}, ...]


@pytest.mark.parametrize("name", TAKE_FUNCTIONS)
def test_functions_that_return_nonsense_get_a_line(name, line):
    for result in NO_RESULTS:
        assert line(name, lambda *_, result=result: result).startswith(f"☐ {name}: not yet. ")


@pytest.mark.parametrize("name", [name for _, name in NAMES])
@pytest.mark.parametrize(
    "answer", [None, "text", ..., [], {}, Hostile(), np.nan, failing, leaving, printing, too_deep]
)
def test_whatever_comes_gets_a_line(name, answer, line):
    assert line(name, answer).startswith(f"☐ {name}: not yet. ")


def test_an_error_is_named_with_its_line(line):
    def answer(baseline, treated):
        nothing = None
        return nothing.mean()

    assert "raises AttributeError" in (found := line("interval", answer))
    assert "in line 3 of your function" in found
    assert "ValueError: first line second line" in line("interval", failing)
    assert "raises SystemExit" in line("interval", leaving)
    assert "RecursionError" in line("interval", too_deep)


def test_a_result_that_is_not_finite_is_named(line):
    assert "NaN" in line("interval", lambda a, b: (np.nan, 1))
    assert "not numbers" in line("interval", lambda a, b: ("much", 1))
    assert "`return`" in line("soft-threshold", lambda w, a: None)


def test_an_argument_must_stay_as_it_was(line):
    def in_place(w, amount):
        w -= np.clip(w, -amount, amount)
        return w

    assert "changes the array" in line("soft-threshold", in_place)


def swallowing(*arguments):
    while True:
        with contextlib.suppress(Exception):
            time.sleep(0.001)


def looping(*arguments):
    while True:
        pass


@pytest.mark.parametrize("answer", [looping, swallowing])
@pytest.mark.parametrize("in_a_thread", [False, True])
def test_an_endless_loop_is_stopped(answer, in_a_thread, line, monkeypatch):
    short = replace(checks.LESSONS["00"]["interval"], seconds=0.3)
    monkeypatch.setitem(checks.LESSONS["00"], "interval", short)
    before, found = threading.active_count(), []

    def work():
        found.append(line("interval", answer))

    if in_a_thread:  # as in an environment that does not run cells in the main thread
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    else:
        work()
    assert "loop that never ends" in found[0]
    assert threading.active_count() == before


def test_the_same_answer_gets_the_same_line(line):
    assert line("dropout", drop_in_loops) == line("dropout", drop_in_loops)
    assert line("lag", with_momentum(0.999)) == line("lag", with_momentum(0.999))


# hint, solution, progress


@pytest.mark.parametrize(("lesson", "name"), NAMES)
def test_hints_and_solution_are_shown(lesson, name, capsys):
    hint(name)
    hint(name, 2)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"Hint 1 for {name}: ")
    assert second.startswith(f"Hint 2 for {name}: ")
    solution(name)
    assert capsys.readouterr().out == cells(lesson)[f"{name}-solution"].source + "\n"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check("gpa", 1), "no exercise 'gpa'; there are leak, "),
        (lambda: check([], 1), r"no exercise \[\]"),
        (lambda: hint("nothing"), "no exercise 'nothing'"),
        (lambda: hint("leak", 3), r"two hints: hint\('leak'\)"),
        (lambda: solution(None), "no exercise None"),
        (lambda: progress("07"), "no exercises for '07'"),
        (lambda: progress(0), "no exercises for 0"),
    ],
)
def test_a_wrong_name_is_told(call, message, capsys):
    call()
    assert re.search(message, capsys.readouterr().out)


def test_progress_counts_what_passed_last(line, capsys, monkeypatch):
    monkeypatch.setattr(checks, "passed", {})
    line("patience", 5)
    line("confidence", RIGHT["confidence"][0])
    line("confidence", {})
    progress("00")
    marks = "☐ leak · ☐ interval · ☐ stop · ☑ patience · ☐ confidence"
    assert capsys.readouterr().out == f"1 of 5 checks passed: {marks}\n"


def drawn():
    """The next random numbers of every kind that a page may use."""
    return (
        random.random(),
        np.random.rand(),
        float(keras.random.uniform(())),
        float(tf.random.uniform(())),
    )


@pytest.mark.parametrize("answer", [lambda r, s: r, lambda *a: keras.utils.set_random_seed(5)])
def test_a_check_leaves_the_next_random_numbers_alone(answer, line):
    def ahead(between):
        keras.utils.set_random_seed(3)
        first = drawn()
        between()
        return first, drawn()

    assert ahead(lambda: line("free-weights", answer)) == ahead(lambda: None)


def test_a_check_draws_no_seed_where_none_was_set(line):
    """Without a seed TensorFlow's numbers are new each time, also after a check."""
    before = tf_context.global_seed()
    line("interval", lambda a, b: (0, 0))
    assert tf_context.global_seed() == before
