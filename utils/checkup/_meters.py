"""What the check-up measures on each trained network. A new meter is one line in `METERS`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from utils import meters
from utils.checkup._data import Examples
from utils.checkup._kind import Kind, as_classes
from utils.checkup._looks import (
    answers,
    normalizable,
    normalizations,
    smallest_hidden,
    statistics_gaps,
)

SEEN, FEW = 1_000, 300  # training examples for scores and ranks; validation examples for ablation
PROBE = 200  # training examples on which layers are watched
STEP = 0.05  # of the plain gradient step, after which the gradient is looked at again
MOST_LAYERS = 4
UNITS = 12  # of a layer, whose pairs are ablated
SHARES = (0, 0.25, 0.5, 0.75, 1)
NORM = "norm of the kernels"

# Lines of an error that say where inside of TensorFlow or Keras it was.
INSIDE = r'\s*(File "|Detected at|Graph execution error|Exception encountered|\[\[|Stack trace)'

Measure = Callable[[keras.Model, Examples], Any]


def score_of(part: str, most: int) -> Measure:
    return lambda model, data: meters.score(model, *data.some(part, most))


def area(model: keras.Model, data: Examples) -> float:
    curve = meters.ablation_curve(model, "all hidden", *data.some("val", FEW), SHARES, masks=2)
    return meters.ablation_area(curve, SHARES)


def need(model: keras.Model, data: Examples) -> float:
    units = min(UNITS, smallest_hidden(model))
    if units < 2:
        raise ValueError("the model trains no hidden layer with several units")
    return meters.pair_costs(model, "all hidden", *data.some("val", FEW), units).relative_need


def jacobian(model: keras.Model, data: Examples) -> float:
    return meters.jacobian_norm(model, data.some("val", PROBE)[0])


def odd_labels(model: keras.Model, data: Examples) -> float:
    """The share of validation labels that look drawn at random: among the model's last guesses.

    A wrong label drawn at random stands at each rank below the first equally often; an example
    that is only hard has its label near the top. So the last third of the ranks is counted, and
    scaled up. Needs three classes.
    """
    y, outputs = np.asarray(data.y_val), answers(model, data.x_val)
    classes = outputs.shape[-1]
    outputs = outputs.reshape(-1, classes)
    labels = as_classes(y, (len(y), classes)).ravel()
    ranks = (outputs > outputs[np.arange(len(labels)), labels][:, None]).sum(axis=1)
    last = max(1, classes // 3)
    return float(np.mean(ranks >= classes - last) * (classes - 1) / last)


# Scores first; a meter that does not apply to a model raises ValueError, in a sentence.
METERS: dict[str, Measure] = {
    "training score": score_of("train", SEEN),
    "validation score": score_of("val", 10**9),
    NORM: lambda model, data: meters.kernel_norm(model),
    "ablation area": area,
    "need of pairs, relative": need,
    "norm of the Jacobian": jacobian,
}


SCORES = ("training score", "validation score")  # all that a trial of the check-up measures


def measures_for(
    model: keras.Model, kind: Kind | None, notes: dict[str, str]
) -> dict[str, Measure]:
    """name -> function(model, data) for `repeat`; what does not apply gives NaN, and a note.

    kind   None for a model with several outputs
    """
    if kind is None:
        return {NORM: or_nan(NORM, METERS[NORM], notes)}
    found = METERS | {
        f"gradient change, {name}": gradient_change(place)
        for name, place in list(watched_layers(model).items())[1:]  # below the first is none
    }
    measures = {name: or_nan(name, function, notes) for name, function in found.items()}
    if normalizations(model):
        gaps = or_nan("moving averages", statistics_gaps, notes)
        measures["statistics"] = lambda model, data: np.broadcast_to(gaps(model, data), 4)
    return measures


def scores_for(notes: dict[str, str]) -> dict[str, Measure]:
    """The scores alone."""
    return {name: or_nan(name, METERS[name], notes) for name in SCORES}


def gradient_change(place: int) -> Measure:
    def length(model, data):
        return meters.gradient_shift(model, place, *data.some("train", PROBE), rate=STEP).length

    return length


def watches_for(model: keras.Model) -> dict:
    """name -> function(model, data): the percentiles of what each watched layer puts out."""

    def watch(place):
        def percentiles(model, data):
            try:
                output = meters.layer_output(model, place, data.some("train", PROBE)[0])
                return meters.channel_percentiles(output)
            except Exception:  # whatever a foreign layer does, its drift is what is lost
                return np.full((3, 1), np.nan)

        return percentiles

    return {f"drift, {name}": watch(place) for name, place in watched_layers(model).items()}


def watched_layers(model: keras.Model) -> dict[str, int]:
    """Some normalizable layers, from the first to the last: `Conv2D 2` -> its place in the model.

    A fix that adds layers leaves these names as they are.
    """
    leaves, names = meters.leaf_layers(model), {}
    for layer in normalizable(model):
        kind = type(layer).__name__
        number = 1 + sum(name.startswith(f"{kind} ") for name in names)
        names[f"{kind} {number}"] = leaves.index(layer)
    places = np.unique(np.linspace(0, len(names) - 1, MOST_LAYERS).round().astype(int))
    chosen = list(names)
    return {chosen[place]: names[chosen[place]] for place in places} if names else {}


def drift_of(percentiles: np.ndarray) -> float:
    """`meters.drift`; NaN where it has none: nothing watched, or all channels dead."""
    try:
        return meters.drift(percentiles)
    except ValueError:
        return np.nan


def or_nan(name: str, function: Measure, notes: dict[str, str]) -> Measure:
    """`function`, which gives NaN where it raises; `notes` tells why, once."""

    def call(model: keras.Model, data: Examples) -> Any:
        try:
            return function(model, data)
        except Exception as error:  # a meter that does not apply costs its row, nothing else
            notes.setdefault(name, first_sentence(error))
            return np.nan

    return call


def first_sentence(error: Exception) -> str:
    """What went wrong, without the inside of TensorFlow and Keras."""
    text = re.sub(r"\x1b\[\d*m|\{\{.*?\}\}|\[Op:.*?\]", "", str(error))
    text = text.partition("Arguments received by")[0]
    lines = [line for line in text.splitlines() if not re.match(INSIDE, line)]
    text = " ".join(" ".join(lines).split()) or type(error).__name__
    return text if len(text) <= 160 else f"{text[:157]}…"
