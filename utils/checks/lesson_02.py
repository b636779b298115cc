"""Checks of the exercises on dropout."""

from itertools import takewhile

import numpy as np

from utils._shared.layers import layers_of
from utils.checks.answers import NotYet, array, choices, close, expect, kind, number, run
from utils.checks.exercises import Exercise
from utils.checks.models import built, dropout_in_training_only, dropped_share

NOISE = 0.1  # of the sum that the next layer receives


def dropout(answer):
    x = np.random.default_rng(4).uniform(1, 2, (200, 300)).astype("float32")
    for rate in (0.2, 0.5):
        in_inference(
            array(run(answer, x, rate, False), x.shape, "The output in inference"), x, rate
        )
        first = array(run(answer, x, rate, True), x.shape, "The output in training")
        in_training(first, x, rate)
        if np.array_equal(first, array(run(answer, x, rate, True), x.shape)):
            raise NotYet("Two calls drop the same units: draw a new mask in each call.")
    if not close(array(run(answer, x, 0.0, True), x.shape, "The output at a dropout rate of 0"), x):
        raise NotYet("At a dropout rate of 0 it should return x as it came.")


def in_inference(y, x, rate):
    if (y == 0).any():
        raise NotYet("In inference it drops units too: only training does that.")
    paper = (
        "In inference it scales the output down, as the original paper did. "
        "Inverted dropout has scaled in training: return x as it came."
    )
    mistakes = {paper: x * (1 - rate), f"{paper} ": x * rate}
    mistakes["In inference it scales the output up: return x as it came."] = x / (1 - rate)
    expect(y, x, mistakes, "In inference it should return x as it came.")


def in_training(y, x, rate):
    dropped = y == 0
    share = dropped.mean()
    if share == 0:
        raise NotYet("In training it drops nothing.")
    if (dropped.all(axis=0) | ~dropped.any(axis=0)).all():
        raise NotYet("It drops the same units for every image: draw a mask of the shape of x.")
    if (dropped.all(axis=1) | ~dropped.any(axis=1)).all():
        raise NotYet("It drops whole images: draw a mask of the shape of x.")
    if rate != 0.5 and abs(share - (1 - rate)) < 0.03:
        raise NotYet("It drops the share 1 − rate, and keeps the share rate: turn the comparison.")
    if abs(share - rate) > 0.03:
        raise NotYet("The share of dropped units is not the dropout rate.")
    factor = y[~dropped] / x[~dropped]
    expect(
        factor,
        1 / (1 - rate),
        {
            "The kept units are not scaled: divide them by 1 − rate.": 1,
            "The kept units are divided by the dropout rate: divide them by 1 − rate.": 1 / rate,
            "The kept units are scaled down: divide by 1 − rate, do not multiply.": 1 - rate,
        },
        "The kept units should be x / (1 − rate), all of them.",
    )


def misplaced(answer):
    model = built(answer, (28, 28), 10)
    dropout_in_training_only(model, np.random.default_rng(5).random((200, 28, 28), "float32"))
    shares = [share for layer in layers_of(model) if (share := dropped_share(layer)) > 0]
    if not shares:
        raise NotYet("It adds noise, and drops no unit: use layers.Dropout.")
    if any(abs(share - 0.9) < 0.03 for share in shares):
        raise NotYet("It drops 90 % of the units. In Keras the rate is the share that goes.")
    if any(abs(share - 0.1) > 0.03 for share in shares):
        raise NotYet("The share of dropped units is not 10 %.")
    if drops_pixels(model):
        raise NotYet("It drops pixels: let a Dropout follow the hidden layer, not the images.")


def drops_pixels(model):
    """Whether units are dropped in front of the first layer that has weights."""
    if not hasattr(model, "inputs"):  # a class of its own: its layers have no known order
        return False
    before = takewhile(lambda layer: not layer.weights, layers_of(model))
    return any(dropped_share(layer) > 0 for layer in before)


def noise(answer):
    if not isinstance(answer, dict) or set(answer) != {25, 100, 400}:
        raise NotYet(f"It is {kind(answer)}; keep the dict with a rate for 25, 100 and 400 units.")
    for units in (25, 100, 400):
        rate = number(answer[units], f"The rate for {units} units")
        if not 0 <= rate < 1:
            raise NotYet(f"The rate for {units} units is {rate:g}; give a share from 0 to 1.")
        deviation = np.sqrt(rate / (1 - rate) / units)
        if deviation > NOISE * 1.01:
            raise NotYet(
                f"With {units} units this dropout rate is too high: the sum varies by over 10 %."
            )
        if deviation < NOISE * 0.95:
            raise NotYet(f"With {units} units you can go higher: the sum varies by far less.")


def two_accuracies(answer):
    training = "fit looked while half of the units were dropped, and the weights still changed."
    inference = "evaluate works in inference mode: all units are there, nothing is drawn."
    options = {
        "fit's number": {"lower": "", "higher": training, "same": training},
        "evaluate twice": {"same": "", "different": inference},
    }
    choices(answer, {"fit's number": "lower", "evaluate twice": "same"}, options)


EXERCISES = {
    "dropout": Exercise(
        dropout,
        (
            "Three things: a mask of the shape of x, a factor for what is kept, and nothing of "
            "both in inference.",
            "`kept = rng.random(x.shape) >= rate`, then `np.where(kept, x, 0) / (1 - rate)`. "
            "Make rng once, outside of the function.",
        ),
        "Each image has a mask of its own, and the mean stays.",
    ),
    "misplaced": Exercise(
        misplaced,
        (
            "Two layers are wrong. What does the number of a Dropout say? And what is behind the "
            "last Dense?",
            "The dropout rate is the share that is dropped: 0.1 keeps 90 %. And none of the ten "
            "answers may be dropped.",
        ),
        "Hidden units are dropped, answers are not.",
        seconds=60,
    ),
    "noise": Exercise(
        noise,
        (
            "The sum of n equal units has a relative standard deviation of √(r / (1 − r) / n).",
            "Solve r / (1 − r) = 0.01 n for r: that is 0.01 n / (1 + 0.01 n).",
        ),
        "Narrow layers bear less dropout than wide ones.",
    ),
    "two-accuracies": Exercise(
        two_accuracies,
        (
            "In which mode is the network while fit counts, and in which while evaluate counts?",
            "fit counts with dropped units; evaluate uses all of them and draws nothing.",
        ),
        "Compare accuracies only in the same mode.",
    ),
}
