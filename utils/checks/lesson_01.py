"""Checks of the exercises on batch normalization."""

import numpy as np

from utils.checks.answers import NotYet, array, choices, close, expect, number, parts, run
from utils.checks.exercises import Exercise
from utils.checks.models import built
from utils.datasets import load_fashion_mnist

MOMENTUM, EPSILON = 0.9, 1e-3


def batch_norm(answer):
    rng = np.random.default_rng(3)
    scale, shift = np.array([0.04, 0.1, 1.0]), np.array([0.5, -1.0, 2.0])
    x = (rng.normal(0, 1, (4, 3, 2, 3)) * scale + shift).astype("float32")
    mean, variance = np.float32([0.4, 0.0, 1.0]), np.float32([0.9, 1.2, 0.7])
    names = "the output, the moving mean and the moving variance"
    y, new_mean, new_variance = parts(run(answer, x, mean, variance, True), 3, names)
    training_output(array(y, x.shape, "The output"), x, mean, variance)
    new_mean = array(new_mean, (3,), "The moving mean")
    new_variance = array(new_variance, (3,), "The moving variance")
    averages = {"mean": (new_mean, mean, x.mean((0, 1, 2)))}
    averages["variance"] = (new_variance, variance, x.var((0, 1, 2)))
    sample = MOMENTUM * variance + (1 - MOMENTUM) * x.var((0, 1, 2), ddof=1)
    if close(new_variance, sample):
        raise NotYet("The moving variance divides by n − 1. This layer divides by n: ddof=0.")
    for name, (value, old, batch) in averages.items():
        moving_average(name, value, old, batch)

    y, same_mean, same_variance = parts(run(answer, x, mean, variance, False), 3, names)
    y = array(y, x.shape, "The output in inference")
    expect(
        y,
        (x - mean) / np.sqrt(variance + EPSILON),
        {
            "In inference it uses the statistics of the batch: take the moving averages there.": (
                (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + EPSILON)
            ),
            "In inference it returns x as it came: normalize with the moving averages.": x,
            "In inference it uses the moving averages after an update: nothing is updated there.": (
                (x - new_mean) / np.sqrt(new_variance + EPSILON)
            ),
        },
        "In training it is right. In inference it does not normalize with the moving averages.",
    )
    same_mean = array(same_mean, (3,), "The moving mean")
    same_variance = array(same_variance, (3,), "The moving variance")
    if not close(same_mean, mean) or not close(same_variance, variance):
        raise NotYet("In inference it changes the moving averages: return them as they came.")


def training_output(y, x, mean, variance):
    def normalized(axes, epsilon=EPSILON, ddof=0):
        centred = x - x.mean(axes, keepdims=True)
        return centred / np.sqrt(x.var(axes, keepdims=True, ddof=ddof) + epsilon)

    spread = x.std((0, 1, 2))
    places = "Its statistics are per place. Per channel: average over images, rows and columns."
    mistakes = {
        places: normalized((0,)),
        "Its statistics are one for all channels. Keep the last axis.": normalized((0, 1, 2, 3)),
        "Its statistics are per image. Average over the images too.": normalized((1, 2)),
        "Its statistics are over the channels. That axis is the one to keep.": normalized((3,)),
        "Its variance divides by n − 1. This layer divides by n: ddof=0.": normalized(
            (0, 1, 2), ddof=1
        ),
        "ε is missing under the root.": normalized((0, 1, 2), epsilon=0),
        "ε belongs under the root, to the variance.": (x - x.mean((0, 1, 2))) / (spread + EPSILON),
        "It divides by the variance. Take its square root.": (x - x.mean((0, 1, 2)))
        / (x.var((0, 1, 2)) + EPSILON),
        "In training it uses the moving averages. Take the statistics of the batch.": (x - mean)
        / np.sqrt(variance + EPSILON),
        "In training it returns x as it came.": x,
    }
    expect(
        y,
        normalized((0, 1, 2)),
        mistakes,
        "In training each channel should have mean 0 and spread 1, and it does not.",
        atol=1e-4,
    )


def moving_average(name, value, old, batch):
    expect(
        value,
        MOMENTUM * old + (1 - MOMENTUM) * batch,
        {
            f"The moving {name} goes nine tenths of the way. The momentum is what stays: "
            "0.9 of the old, 0.1 of the new.": (1 - MOMENTUM) * old + MOMENTUM * batch,
            f"The moving {name} has another momentum: keep 0.9 of the old.": 0.99 * old
            + 0.01 * batch,
            f"The moving {name} is not updated in training.": old,
            f"The moving {name} is that of this batch alone: keep 0.9 of the old.": batch,
            f"The moving {name} adds the batch to all of the old: keep 0.9 of the old.": old
            + (1 - MOMENTUM) * batch,
        },
        f"The moving {name} is not 0.9 of the old and 0.1 of the batch's.",
    )


def lag(answer):
    model = built(answer, (28, 28), 10)
    data = load_fashion_mnist(train_size=1000)
    x = data.x_val[:500]
    if close(model(x, training=True), model(x, training=False), atol=1e-4):
        raise NotYet(
            "The normalization is gone, or it is frozen: both modes give the same outputs. "
            "Keep it, and let its moving averages catch up."
        )
    model.fit(data.x_train, data.y_train, batch_size=64, epochs=3, verbose=0)
    in_training, in_inference = (np.array(model(x, training=mode)) for mode in (True, False))
    if not np.isfinite(in_training).all():
        raise NotYet("The training has diverged: its outputs are no finite numbers any more.")
    if (in_training.argmax(axis=1) == data.y_val[:500]).mean() < 0.4:
        raise NotYet("Now it hardly learns, even with the statistics of the batch.")
    apart = np.linalg.norm(in_inference - in_training) / np.linalg.norm(in_training)
    if not apart < 0.5:
        raise NotYet(
            "For the same images its outputs in inference are still far from those with the "
            "statistics of the batch: its moving averages are near where they began."
        )


def momentum(answer):
    value = number(answer, "MOMENTUM")
    if not 0 < value < 1:
        raise NotYet(f"MOMENTUM is {value:g}; it is the share that stays, between 0 and 1.")
    if value**50 > 0.01 * 1.001:
        raise NotYet(
            "Too slow: after 50 steps more than 1 % of the first statistics is left. "
            "Compute MOMENTUM ** 50."
        )
    if 1 / (1 - value) < 10 * 0.999:
        raise NotYet("Too fast: it averages over fewer than ten batches. Compute 1 / (1 - m).")


def batch_of_one(answer):
    alone = "One image is its own mean: x − μ is 0 for each unit."
    space = "One image still has many places in each channel, and they differ."
    moving = "In inference μ comes from the moving averages, not from this image."
    zero, other = "zeros", "not zeros"
    options = {
        "Dense, training": {zero: "", other: alone},
        "Conv2D, training": {zero: space, other: ""},
        "Dense, inference": {zero: moving, other: ""},
    }
    right = {"Dense, training": zero, "Conv2D, training": other, "Dense, inference": other}
    choices(answer, right, options)


EXERCISES = {
    "batch-norm": Exercise(
        batch_norm,
        (
            "Per channel means: one mean for the last axis, over all the others. And the two "
            "modes differ in where mean and variance come from.",
            "`axes = (0, 1, 2)`; the new moving mean is `0.9 * moving_mean + 0.1 * mean`; "
            "in inference return both averages unchanged.",
        ),
        "Per channel in training, moving averages in inference.",
    ),
    "lag": Exercise(
        lag,
        (
            "In training the layers are fine; in inference they use moving averages. How many "
            "steps have those had, and how far does each step take them?",
            "The default momentum is 0.99: after 48 steps, over 60 % of the first statistics is "
            "left. Set another with `BatchNormalization(momentum=…)`.",
        ),
        "The moving averages have caught up.",
        seconds=120,
    ),
    "momentum": Exercise(
        momentum,
        (
            "What is left of the first statistics after n steps is MOMENTUM ** n.",
            "MOMENTUM ** 50 <= 0.01 gives an upper bound, 1 / (1 - MOMENTUM) >= 10 a lower one.",
        ),
        "Fast enough to forget, slow enough to average.",
    ),
    "batch-of-one": Exercise(
        batch_of_one,
        (
            "What is the mean of one number? And over how many numbers does each layer average?",
            "Behind Dense a unit has one number per image, behind Conv2D a channel has one per "
            "place. In inference nothing is averaged.",
        ),
        "It all depends on what the mean is taken over.",
    ),
}
