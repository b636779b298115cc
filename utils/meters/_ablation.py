"""What is left of a network when hidden units are ablated, or disturbed by noise.

A unit that only works together with certain others is useless once they are gone. So the meter
takes units away, as many as you say, and looks at the accuracy that is left. Which units, is drawn
from a constant seed: every network loses the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils._shared.arguments import whole_number
from utils._shared.restoring import calls_replaced, left_as_found
from utils.meters._calling import (
    answer,
    as_tensors,
    batches,
    count,
    finite,
    take,
    tensors_in,
)
from utils.meters._hidden import hidden_layers
from utils.meters._layers import find_layers, leaf_layers
from utils.meters._score import rule_for

SHARES = tuple(eighth / 8 for eighth in range(9))
MASKS = 4
MASK_SEED = 2014
ALL_HIDDEN = "all hidden"

Job = tuple[float, int]  # how much (a share of the units, or a size), and which draw
Disturb = Callable[[tf.Tensor, float, list[int]], Any]  # (output, how much, seed) -> output


def ablated_logits(
    model: keras.Model,
    layer_names: str | int | Iterable[str | int],
    x: Any,
    share: float,
    mask: int = 0,
) -> np.ndarray:
    """What `model` answers with a share of the units of each of these layers at 0.

    model         any Keras model with one output
    layer_names   one or a list: names of layers, wherever they are nested, or their positions
                  among all layers that hold no others (inputs do not count, -1 is the last).
                  Or "all hidden": every layer with units (Dense, convolutional, recurrent) that
                  another one follows, taken behind a BatchNormalization or activation right after.
                  A unit is a channel, the last axis of a layer's output.
    x             (images, ...), as `fit` takes it; for several inputs a dict or a list of such
    share         of the units in each layer, in [0, 1]; the remaining are scaled up to make up
    mask          which units: 0, 1, 2, …; a larger share of one mask ablates more units, and
                  those of the smaller share as well
    Returns a float32 array (images, classes), in inference mode. Raises ValueError or TypeError
    for layers that are not there or cannot be changed, and for outputs that are not finite.
    """
    job = share_in_0_1("share", share), whole_number("mask", mask, 0)
    parts = []

    def note(number, rows, outputs):
        parts.append(outputs)

    disturbed_answers(model, layer_names, as_tensors(model, x), ablate, [job], note)
    return np.concatenate(parts).astype("float32")


def ablation_curve(
    model: keras.Model,
    layer_names: str | int | Iterable[str | int],
    x: Any,
    y: Any,
    shares: Iterable[float] = SHARES,
    masks: int = MASKS,
) -> np.ndarray:
    """The accuracy that is left for each share of ablated units, mean over `masks` masks.

    y        labels, as `score` takes them; of a regression R² is left
    shares   of the units in each layer, numbers in [0, 1]
    Returns a float64 array (shares,). At share 0 it is `score`; at share 1 every image gets the
    same answer, so that it is the share of one class. The rest as `ablated_logits`.
    """
    if isinstance(shares, str) or not isinstance(shares, Iterable):
        raise TypeError(f"shares is {shares!r}; give a list of numbers in [0, 1], as SHARES")
    shares = [share_in_0_1("each of shares", share) for share in shares]
    return scores_left(model, layer_names, x, y, ablate, shares, masks)


def ablation_area(curve: Any, shares: Iterable[float] = SHARES) -> float | np.ndarray:
    """The area under ablation curves: the accuracy that is left, mean over the share.

    curve    (..., shares), as `ablation_curve` returns it for one network, or several stacked
    shares   rising numbers in [0, 1]; the curve is taken as straight between them
    Returns one number for each curve: a float, or an array (...).
    """
    curve, shares = np.asarray(curve, dtype=float), np.asarray(shares, dtype=float)
    if shares.ndim != 1 or len(shares) < 2 or curve.shape[-1:] != shares.shape:
        raise ValueError(
            f"curve has shape {curve.shape} and shares {shares.shape}; "
            "give one accuracy for each share, at least two"
        )
    if not (np.diff(shares) > 0).all():
        raise ValueError(f"shares is {shares}; give rising numbers")
    between = (curve[..., 1:] + curve[..., :-1]) / 2
    area = np.average(between, weights=np.diff(shares), axis=-1)
    return float(area) if area.ndim == 0 else area


def noisy_accuracy(
    model: keras.Model,
    layer_names: str | int | Iterable[str | int],
    x: Any,
    y: Any,
    size: float = 1.0,
    masks: int = MASKS,
) -> float:
    """The accuracy that is left when noise is added to every unit.

    Dropout does not train for it: no unit is at 0, and what it says is still in its output.

    size    of the noise, which is normal: its standard deviation, in units of the unit's own over
            the examples; 0 or more
    masks   how many draws of the noise; the accuracy is their mean
    All examples go through the model at once. The rest as in `ablation_curve`.
    """
    sizes = [not_negative("size", size)]
    return float(scores_left(model, layer_names, x, y, add_noise, sizes, masks)[0])


def scores_left(
    model: keras.Model,
    layer_names: str | int | Iterable[str | int],
    x: Any,
    y: Any,
    disturb: Disturb,
    shares: list[float],
    masks: int,
) -> np.ndarray:
    """For each share of disturbed units the mean score over `masks` draws of which ones."""
    masks, x = whole_number("masks", masks), as_tensors(model, x)
    rule = rule_for(model, x, y, answer(model, take(x, slice(1))).shape)
    jobs = [(share, draw) for share in shares for draw in range(masks)]
    points = np.empty((len(jobs), count(x)))

    def note(number, rows, outputs):
        points[number, rows] = rule.points(outputs, rows)

    disturbed_answers(model, layer_names, x, disturb, jobs, note)
    return points.mean(axis=1).reshape(len(shares), masks).mean(axis=1)


def disturbed_answers(
    model: keras.Model,
    layer_names: str | int | Iterable[str | int],
    x: Any,
    disturb: Disturb,
    jobs: list[Job],
    note: Callable[[int, slice, np.ndarray], None],
) -> None:
    """Call `note(number of the job, rows, outputs)` with the model's answers in each job.

    In a job `disturb(output, share, seed)` changes what each of the layers puts out.
    """
    if isinstance(layer_names, str) and layer_names == ALL_HIDDEN:
        layers = hidden_layers(model, x)
    else:
        layers = find_layers(model, layer_names)
    for rows in [slice(0, count(x))] if disturb is add_noise else batches(x):
        part, changes = take(x, rows), Changes(layers, disturb)
        untouched = Untouched(part)
        calls = {layer: untouched.once(layer, layer.call) for layer in leaf_layers(model)}
        calls |= {layer: changes.after(layer, calls.get(layer, layer.call)) for layer in layers}
        with left_as_found(model.non_trainable_variables), calls_replaced(calls):
            for number, job in enumerate(jobs):
                note(number, rows, changes.answer_in(job, model, part))


class Changes:
    """`disturb` at work on the outputs of `layers`, with another share and draw in each job."""

    def __init__(self, layers: list[keras.Layer], disturb: Disturb):
        self.places = {layer: place for place, layer in enumerate(layers)}
        self.disturb = disturb

    def answer_in(self, job: Job, model: keras.Model, x: Any) -> np.ndarray:
        """What `model`, whose layers' calls are those from here, answers for the tensors `x`."""
        self.job = job
        self.faults = dict.fromkeys(self.places, "is not called, or only inside a tf.function")
        outputs = answer(model, x)
        for layer, fault in self.faults.items():
            raise ValueError(f"layer {layer.name!r} {fault}; give another layer")
        return finite(outputs)

    def after(self, layer: keras.Layer, call: Callable) -> Callable:
        """`call` of `layer`, with a change of what comes out."""

        def call_and_change(*args, **kwargs):
            output = call(*args, **kwargs)
            if not tf.executing_eagerly():
                return output  # leaves no trace in a function that others will call again
            if not tf.is_tensor(output) or len(output.shape) < 2 or not output.dtype.is_floating:
                self.faults[layer] = "does not put out one array of numbers (images, ..., units)"
                return output
            self.faults.pop(layer, None)
            share, draw = self.job
            changed = self.disturb(output, share, [MASK_SEED, draw, self.places[layer]])
            return keras.ops.convert_to_tensor(changed, dtype=output.dtype)

        return call_and_change


class Untouched:
    """Tensors that no change has reached, and the calls of layers on them: made only once.

    All jobs share what comes before the first changed layer, and branches beside it.
    """

    def __init__(self, x: Any):
        self.tensors = {id(tensor): tensor for tensor in keras.tree.flatten(x)}
        self.outputs = {}

    def once(self, layer: keras.Layer, call: Callable) -> Callable:
        """`call`, which gives its first output again where its inputs are the same tensors."""

        def call_once(*args, **kwargs):
            arguments = keras.tree.flatten((args, kwargs))
            if not self.knows(arguments):
                return call(*args, **kwargs)
            key = layer, *(id(one) if tf.is_tensor(one) else repr(one) for one in arguments)
            if key not in self.outputs:
                self.outputs[key] = output = call(*args, **kwargs)
                self.tensors |= {id(tensor): tensor for tensor in tensors_in(output)}
            return self.outputs[key]

        return call_once

    def knows(self, arguments: list) -> bool:
        """Whether these are tensors from here, their masks, or plain settings."""
        masks = [id(getattr(one, "_keras_mask", None)) for one in arguments if tf.is_tensor(one)]
        return all(
            id(one) in self.tensors or id(one) in masks
            if tf.is_tensor(one)
            else one is None or isinstance(one, bool | int | float | str)
            for one in arguments
        )


def ablate(output: tf.Tensor, share: float, seed: list[int]) -> tf.Tensor:
    """`output` (..., units) with `share` of the units at 0, the remaining scaled to make up."""
    units = output.shape[-1]
    ablated = round(share * units)
    remain = np.random.default_rng(seed).permutation(units) >= ablated
    return output * keras.ops.cast(remain * units / max(units - ablated, 1), output.dtype)


def add_noise(output: tf.Tensor, size: float, seed: list[int]) -> np.ndarray:
    """`output` (examples, ..., units) and normal noise, `size` standard deviations of each unit."""
    values = np.asarray(output)
    deviations = values.std(axis=tuple(range(values.ndim - 1)))
    return values + size * deviations * np.random.default_rng(seed).standard_normal(values.shape)


def share_in_0_1(name: str, share: float) -> float:
    """Return `share` if it is a number from 0 to 1."""
    if isinstance(share, bool) or not isinstance(share, Real | np.number):
        raise TypeError(f"{name} is {share!r}; give a number in [0, 1]")
    if not 0 <= share <= 1:
        raise ValueError(f"{name} is {share}; give a number in [0, 1]: 0.5 is half of the units")
    return float(share)


def not_negative(name: str, size: float) -> float:
    """Return `size` if it is a number of at least 0."""
    if isinstance(size, bool) or not isinstance(size, Real | np.number):
        raise TypeError(f"{name} is {size!r}; give a number of at least 0")
    if not 0 <= size < np.inf:
        raise ValueError(f"{name} is {size}; give a number of at least 0, as 1")
    return float(size)
