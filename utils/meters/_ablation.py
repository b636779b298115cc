"""What is left of a network when hidden units go silent, or say something wrong.

A unit that only works together with certain others is useless once they are gone. So the meter
takes units away, as many as you say, and looks at the accuracy that is left. Which units, is drawn
from a constant seed: every network loses the same ones.
"""

from collections.abc import Iterable
from functools import partial
from numbers import Real

import keras
import numpy as np

from utils._shared.arguments import whole_number

SHARES = tuple(eighth / 8 for eighth in range(9))
MASKS = 4
MASK_SEED = 2014


def silenced_logits(model, layer_names, x, share, mask=0):
    """What `model` answers with a share of the units of each named layer silent.

    layer_names   of a `keras.Sequential`; a unit is a channel, the last axis of a layer's output
    x             (images, ...), as `model` takes it
    share         of the units in each layer, in [0, 1]; the survivors are scaled up to make up
    mask          which units: 0, 1, 2, …; a larger share of one mask silences more units, and
                  those of the smaller share as well
    Returns a float32 array (images, classes), in inference mode.
    """
    job = share_in_0_1("share", share), whole_number("mask", mask, 0)
    return next(disturbed_logits(model, layer_names, x, silence, [job]))


def ablation_curve(model, layer_names, x, y, shares=SHARES, masks=MASKS):
    """The accuracy that is left for each share of silent units, mean over `masks` masks.

    y        integer labels (images,)
    shares   of the units in each named layer, numbers in [0, 1]
    Returns a float64 array (shares,). At share 0 it is the plain accuracy; at share 1 every image
    gets the same answer, so that it is the share of one class. The rest as `silenced_logits`.
    """
    if isinstance(shares, str) or not isinstance(shares, Iterable):
        raise TypeError(f"shares is {shares!r}; give a list of numbers in [0, 1], as SHARES")
    shares = [share_in_0_1("each of shares", share) for share in shares]
    return accuracies_left(model, layer_names, x, y, silence, shares, masks)


def ablation_area(curve, shares=SHARES):
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


def shuffled_accuracy(model, layer_names, x, y, share=0.5, masks=MASKS):
    """The accuracy that is left when a share of the units speak about other images.

    Each of these units keeps its activations, but shuffled across the images: a disturbance that
    dropout does not train for. Nothing is silent, and nothing is scaled. Mean over `masks` draws.
    """
    shares = [share_in_0_1("share", share)]
    return float(accuracies_left(model, layer_names, x, y, shuffle, shares, masks)[0])


def accuracies_left(model, layer_names, x, y, disturb, shares, masks):
    """For each share of disturbed units the mean accuracy over `masks` draws of which ones."""
    masks, y = whole_number("masks", masks), np.asarray(y)
    if y.shape != (len(x),) or not len(x) or y.dtype.kind not in "iu":
        raise ValueError(
            f"y is {y.dtype} {y.shape} for {len(x)} images; give an integer label for each image"
        )
    jobs = [(share, draw) for share in shares for draw in range(masks)]
    logits = disturbed_logits(model, layer_names, x, disturb, jobs)
    right = np.array([(one.argmax(axis=-1) == y).mean() for one in logits])
    return right.reshape(len(shares), masks).mean(axis=1)


def disturbed_logits(model, layer_names, x, disturb, jobs):
    """The model's answers with `disturb(output, share, rng)` after each named layer.

    jobs   (share, draw): the draw seeds the choice of units
    Yields a float32 array (images, classes) for each job.
    """
    names = checked_names(model, layer_names)
    first = next(place for place, layer in enumerate(model.layers) if layer.name in names) + 1
    before = walk(model.layers[:first], keras.ops.convert_to_tensor(x))  # the same in every job
    for share, draw in jobs:
        changes = {
            name: partial(disturb, share=share, rng=np.random.default_rng([MASK_SEED, draw, place]))
            for place, name in enumerate(names)
        }
        hidden = changes[model.layers[first - 1].name](before)
        yield np.asarray(walk(model.layers[first:], hidden, changes))


def walk(layers, x, changes=None):
    """Send `x` through `layers` in inference mode, changed after each layer named in `changes`."""
    for layer in layers:
        x = layer(x)
        if changes and layer.name in changes:
            x = changes[layer.name](x)
    return x


def silence(output, share, rng):
    """`output` (..., units) with `share` of the units at 0, the others scaled to make up."""
    units = output.shape[-1]
    silent = round(share * units)
    heard = rng.permutation(units) >= silent
    return output * (heard * units / max(units - silent, 1)).astype("float32")


def shuffle(output, share, rng):
    """`output` (images, ..., units) with `share` of the units shuffled across the images."""
    by_unit = np.moveaxis(np.asarray(output), -1, 0).copy()
    for unit in rng.permutation(len(by_unit))[: round(share * len(by_unit))]:
        by_unit[unit] = by_unit[unit][rng.permutation(by_unit.shape[1])]
    return np.moveaxis(by_unit, 0, -1)


def share_in_0_1(name, share):
    """Return `share` if it is a number from 0 to 1."""
    if isinstance(share, bool) or not isinstance(share, Real | np.number):
        raise TypeError(f"{name} is {share!r}; give a number in [0, 1]")
    if not 0 <= share <= 1:
        raise ValueError(f"{name} is {share}; give a number in [0, 1]: 0.5 is half of the units")
    return float(share)


def checked_names(model, layer_names):
    """Return `layer_names` as a list of layers that `model`, a chain of layers, has."""
    if not isinstance(model, keras.Sequential):
        raise TypeError(f"model is {type(model).__name__}; give a keras.Sequential")
    names = [layer_names] if isinstance(layer_names, str) else list(layer_names)
    known = [layer.name for layer in model.layers]
    missing = [name for name in names if name not in known]
    if missing or not names or len(set(names)) < len(names):
        raise ValueError(
            f"layer_names is {layer_names!r}; give names of this model's layers, each once: "
            f"{', '.join(known)}"
        )
    return names
