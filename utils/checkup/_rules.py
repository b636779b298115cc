"""The diagnosis: a table of signs, what they are seen by, which fix to try, and the lesson on it.

In the order in which they are told: what is a mistake for certain; what spoils the numbers; what
keeps the network from learning; what it learns too well. A sign's `evidence` is a function of the
`Findings` that gives a sentence with numbers, or "" where there is no sign of it.

The thresholds were set on Fashion-MNIST and on passages of Jane Austen, healthy and spoilt on
purpose; the tests hold them to other data and networks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from utils.checkup._findings import FAR_SLOWER, FASTER, HALF, PLAIN, SLOWER, Findings

LEAKED = 0.02  # of the validation examples, beyond those that repeat anyway
FEW = 50  # validation examples
INPUTS = 10.0  # the largest size of an input that is still called scaled
LAG = 0.25  # mean |log| of a moving variance over the batch's own
SHIFT = 0.25  # mean |log| of the variance with dropout over that without
HARM = 0.05  # of the guessing loss, that the moving averages cost
NOTHING = 0.1  # of the guessing loss: less than that was learnt
PART = 0.5  # of what a plain network is ahead, that another learning rate must gain
ODD = 0.04  # of the labels look drawn at random
ABLE = 0.75  # of the guessing loss: with more, half of the data tells too little about labels
RISE = 0.1  # of the lowest validation loss, by which it has risen at the end


class Rule(NamedTuple):
    """A sign; the evidence for it, if any; the fix to try; the lesson that explains it."""

    sign: str
    evidence: Callable[[Findings], str]
    fix: str
    lesson: str


class Diagnosis(NamedTuple):
    """A sign that was found: the evidence, a fix to try, and the lesson (a path, or "")."""

    sign: str
    evidence: str
    fix: str
    lesson: str

    def __str__(self) -> str:
        lesson = f" ({self.lesson})" if self.lesson else ""
        return f"{self.sign}: {self.evidence}.\n   Try: {self.fix}{lesson}"


def values_not_finite(f: Findings) -> str:
    return "; ".join(f.bad_values)


def one_answer(f: Findings) -> str:
    return "" if f.answers > 1 else "all training labels are the same"


def wrong_logits(f: Findings) -> str:
    return f.logits


def penalty_without_effect(f: Findings) -> str:
    shown = ", ".join(f.dead_penalties[:3])
    more = len(f.dead_penalties) - 3
    return f"{shown} and {more} more" if more > 0 else shown


def leak(f: Findings) -> str:
    if f.leaked < LEAKED + 2 * f.repeated:
        return ""
    return f"{f.leaked:.0%} of the validation examples are training examples, or nearly"


def few_examples(f: Findings) -> str:
    n = f.validation_examples
    return "" if n >= FEW else f"{n} validation examples: one of them is {1 / n:.0%} of the score"


def diverged(f: Findings) -> str:
    if not f.diverged or f.bad_values:
        return ""
    died = f"in {f.yours.diverged.sum()} of {len(f.yours.seeds)} seeds the loss is no number"
    large = f"; inputs are as large as {f.largest_input:,.0f}" if f.largest_input > INPUTS else ""
    lives = [n for n, arm in f.trials.items() if "rate" in n and not arm.diverged.any()]
    return died + large + (f"; with the {lives[0]} it is one" if lives else "")


def rate_too_high(f: Findings) -> str:
    return other_rate(f, SLOWER) or other_rate(f, FAR_SLOWER)


def rate_too_low(f: Findings) -> str:
    return other_rate(f, FASTER)


def other_rate(f: Findings, name: str) -> str:
    """Where another learning rate gains more than half of what a plain network is ahead."""
    row = "validation score"
    score, better, plain = f.at_best(row), f.trial(name, row), f.trial(PLAIN, row)
    if f.diverged or not better - score > f.margin or better - score < PART * (plain - score):
        return ""
    return (
        f"with the {name} one seed reaches a validation {name_of(f)} of {better:.2f}, "
        f"yours {score:.2f}"
    )


def averages_lag(f: Findings) -> str:
    cost, lag, shift = moving_averages(f)
    if not (cost > HARM and lag > LAG and lag > shift):
        return ""
    left = f.first_statistics_left
    still = f", and hold {left:.0%} of their first values" if left >= 0.01 else ""
    return f"{harm(f)}; variances are off by a factor of {np.exp(lag):.1f}{still}"


def dropout_before_normalization(f: Findings) -> str:
    cost, lag, shift = moving_averages(f)
    if not (f.dropout_before and shift > SHIFT and shift >= lag):
        return ""
    cause = (
        f"dropout makes variances {np.exp(shift):.1f} times as large in training as in inference"
    )
    return f"{cause}; {harm(f)}" if cost > 0 else cause


def moving_averages(f: Findings) -> tuple[float, float, float]:
    """What they cost, as a share of the guessing loss; their lag, and dropout's shift."""
    if not f.trained or f.kind is None or "statistics" not in f.yours.parts[0].measured:
        return np.nan, np.nan, np.nan
    plain, own, lag, shift = np.mean(f.yours.values("statistics"), axis=0)
    return (plain - own) / f.kind.guess, lag, shift


def harm(f: Findings) -> str:
    plain, own, *_ = np.mean(f.yours.values("statistics"), axis=0)
    return (
        f"the loss of training examples is {plain:.2f} with the moving averages, "
        f"{own:.2f} with the examples' own statistics"
    )


def learns_nothing(f: Findings) -> str:
    if f.diverged or not f.trained or f.kind is None:
        return ""
    score, majority = f.at_best("validation score"), f.kind.majority
    if not (score < majority + 0.01 or (f.learnt < NOTHING and score < majority + f.margin)):
        return ""
    if averages_lag(f) or rate_too_high(f) or rate_too_low(f) or too_small(f):
        return ""  # that explains it
    large = f"; inputs are as large as {f.largest_input:,.0f}" if f.largest_input > INPUTS else ""
    return (
        f"the training loss ends at {f.at_end('training loss'):.2f}, guessing has "
        f"{f.kind.guess:.2f}; validation {name_of(f)} {score:.2f}, guessing "
        f"{f.kind.majority:.2f}{large}"
    )


def too_small(f: Findings) -> str:
    """It does not fit its training data as well as a plain network does new data."""
    plain, mine = f.trial(PLAIN, "validation score"), f.at_best("training score")
    if f.diverged or not f.is_behind:
        return ""
    if averages_lag(f) or rate_too_high(f) or rate_too_low(f):
        return ""  # that explains it
    return (
        f"on training data your {name_of(f)} is {mine:.2f}; two dense layers of 256 reach "
        f"{plain:.2f} on validation data"
    )


def wrong_labels(f: Findings) -> str:
    if averages_lag(f) or dropout_before_normalization(f):
        return ""  # in inference mode it ranks the classes wrongly itself
    odd, loss = f.trial(HALF, "odd labels"), f.trial(HALF, "validation loss")
    own, elsewhere = f.trial(HALF, "validation score"), f.trial(HALF, "score elsewhere")
    if odd > ODD and loss < ABLE * f.kind.guess:
        return f"about {odd:.0%} of the training labels look drawn at random"
    if elsewhere - own > f.margin:
        return (
            f"trained on one half, it agrees with {own:.0%} of the other half's labels, "
            f"and with {elsewhere:.0%} of the validation labels"
        )
    return ""


def overfits(f: Findings) -> str:
    """The validation loss turns, in every seed, and leaves the training loss behind."""
    if not f.trained or f.diverged:
        return ""
    (end, best), (seen, seen_best) = (
        [f.yours.values(row, at_best) for at_best in (False, True)]
        for row in ("validation loss", "training loss")
    )
    rises = end / best - 1
    if not (np.minimum(rises, ((end - seen) - (best - seen_best)) / best) > RISE).all():
        return ""
    return (
        f"the validation loss is lowest after epoch {epochs_of(f)}, and {rises.mean():.0%} higher "
        f"at the end; the gap in {name_of(f)} grows from {f.at_best('gap'):+.2f} to "
        f"{f.at_end('gap'):+.2f}"
    )


def epochs_of(f: Findings) -> str:
    low, high = f.yours.best_epoch.min(), f.yours.best_epoch.max()
    return str(low) if low == high else f"{low}–{high}"


def name_of(f: Findings) -> str:
    return f.kind.score if f.kind else "score"


RULES = (
    Rule(
        "data that are no numbers",
        values_not_finite,
        "Leave these examples out, or fill them in: one NaN makes every weight NaN.",
        "",
    ),
    Rule("one class only", one_answer, "Give examples of each class.", ""),
    Rule(
        "outputs that are not what the loss expects",
        wrong_logits,
        "Softmax or sigmoid with from_logits=False; or no activation with from_logits=True.",
        "00",
    ),
    Rule(
        "a penalty without effect",
        penalty_without_effect,
        "Give the regularizer when the layer is made; to a built model, through "
        "clone_model(model, clone_function=…) and set_weights.",
        "03",
    ),
    Rule(
        "validation data that leak from the training data",
        leak,
        "Split before anything is copied or augmented; no validation number can be trusted now.",
        "00",
    ),
    Rule(
        "a training that diverges",
        diverged,
        "A learning rate ten times lower; inputs scaled to about −1 to 1.",
        "01",
    ),
    Rule(
        "moving averages that lag",
        averages_lag,
        "BatchNormalization(momentum=0.9), or more steps.",
        "01",
    ),
    Rule(
        "dropout before batch normalization",
        dropout_before_normalization,
        "Dropout behind the last BatchNormalization only.",
        "02",
    ),
    Rule(
        "a learning rate that is too high",
        rate_too_high,
        "That learning rate; or BatchNormalization, which bears a higher one.",
        "01",
    ),
    Rule(
        "a learning rate that is too low",
        rate_too_low,
        "That learning rate, or more epochs.",
        "01",
    ),
    Rule(
        "a network that is too small, or held back too much",
        too_small,
        "More units; less dropout, a weaker penalty.",
        "00",
    ),
    Rule(
        "a network that learns nothing",
        learns_nothing,
        "Look at the inputs, their scale and the labels; try to fit ten examples first.",
        "00",
    ),
    Rule(
        "wrong labels in the training data",
        wrong_labels,
        "Look at the examples that it gets wrong; L2 or early stopping keeps it from memorizing.",
        "03",
    ),
    Rule(
        "overfitting",
        overfits,
        "EarlyStopping(restore_best_weights=True) first; then Dropout or a penalty, compared "
        "with the best epoch.",
        "00",
    ),
    Rule(
        "too few validation examples",
        few_examples,
        "Hold more examples out, or average over several splits.",
        "00",
    ),
)
