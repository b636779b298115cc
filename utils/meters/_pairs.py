"""Whether two hidden units need each other: what both cost, against what each costs alone."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from utils._shared.arguments import whole_number
from utils._shared.restoring import calls_replaced, left_as_found
from utils._shared.sharing import compiled_once
from utils.meters._ablation import ALL_HIDDEN, MASK_SEED, Untouched
from utils.meters._calling import answer, as_tensors, finite
from utils.meters._hidden import hidden_layers
from utils.meters._layers import find_layer, find_layers, leaf_layers
from utils.meters._score import as_labels

SAMPLED = 24  # units, which are 276 pairs


class PairCosts(NamedTuple):
    """By how much the loss rises without some of the units of a layer, in inference mode.

    alone   float64 (units,): without each of the sampled units, layer by layer
    both    float64 (pairs,): without both of each pair of one layer
    apart   float64 (pairs,): what the two cost alone, added up
    """

    alone: np.ndarray
    both: np.ndarray
    apart: np.ndarray

    @property
    def need(self) -> np.ndarray:
        """What they cost alone, added up, less what both cost together: float64 (pairs,).

        0: the two do not need each other. Above 0: each is worth something only beside the other,
        as two units that cancel. Below 0: each is a spare copy of the other.
        """
        return self.apart - self.both

    @property
    def mean_need(self) -> float:
        """The mean need of a pair, in units of the loss; spare copies count as 0."""
        return float(np.maximum(self.need, 0).mean())

    @property
    def relative_need(self) -> float:
        """The mean need, as a share of what a unit costs alone (its mean size); NaN if nothing."""
        cost = np.abs(self.alone).mean()
        return self.mean_need / float(cost) if cost > 0 else np.nan


def pair_costs(
    model: keras.Model,
    layer_names: str | int | Iterable[str | int],
    x: Any,
    y: Any,
    units: int = SAMPLED,
) -> PairCosts:
    """What hidden units cost alone, and what each pair of them in one layer costs.

    A unit is ablated by setting its output to 0; nothing is scaled. Which units, is drawn from a
    constant seed: of two networks alike, the same ones.

    model         a compiled Keras model with one output: the costs are of its loss
    layer_names   as in `ablation_curve`
    x, y          examples and labels, as `fit` takes them; all go through the model at once
    units         how many to draw of each layer, at least 2: n units are n (n − 1) / 2 pairs
    Raises ValueError for layers that are not there or have fewer units, for a model that is not
    compiled, and for outputs that are not finite.
    """
    units, x = whole_number("units", units, 2), as_tensors(model, x)
    if not getattr(model, "compiled", False):
        raise ValueError(f"model {model.name!r} is not compiled; compile it with its loss")
    batch, names = (x, tf.convert_to_tensor(as_labels(x, y))), names_of(model, layer_names, x)

    def losses(model, batch):
        return tf.stack([losses_without(model, name, *batch, units) for name in names])

    compiled = compiled_once(losses, model, ("losses without", *names, units))
    with left_as_found(model.non_trainable_variables):
        values = finite(compiled(batch))
    costs = values[:, 1:] - values[:, :1]  # (layers, units and pairs)
    alone, both = costs[:, :units], costs[:, units:]
    apart = alone[:, np.array(list(combinations(range(units), 2)))].sum(axis=-1)
    return PairCosts(alone.ravel(), both.ravel(), apart.ravel())


def names_of(model: keras.Model, layer_names: Any, x: Any) -> list[str | int]:
    """What `layer_names` means, as names or positions that hold for models alike as well."""
    if isinstance(layer_names, str) and layer_names == ALL_HIDDEN:
        return [leaf_layers(model).index(layer) for layer in hidden_layers(model, x)]
    several = isinstance(layer_names, Iterable) and not isinstance(layer_names, str)
    names = list(layer_names) if several else [layer_names]
    find_layers(model, names)
    return names


def losses_without(
    model: keras.Model, layer_name: str | int, x: Any, y: tf.Tensor, units: int
) -> tf.Tensor:
    """The loss of the whole model, without each of the sampled units, and without each pair.

    What comes before the layer is computed once, not once a mask.
    """
    layer, untouched = find_layer(model, layer_name), Untouched(x)
    calls = {leaf: untouched.once(leaf, leaf.call) for leaf in leaf_layers(model)}
    calls.setdefault(layer, layer.call)
    outputs = []

    def call_and_note(*args, **kwargs):
        outputs.append(calls[layer](*args, **kwargs))
        return outputs[-1]

    def loss_of(mask):
        def call_and_mask(*args, **kwargs):
            return calls[layer](*args, **kwargs) * mask

        with calls_replaced(calls | {layer: call_and_mask}):
            loss = model.compute_loss(x=x, y=y, y_pred=answer(model, x), training=False)
            return tf.cast(loss, tf.float64)

    with calls_replaced(calls | {layer: call_and_note}):
        answer(model, x)
    masks = masks_of(layer, outputs, units)
    return tf.map_fn(loss_of, masks, fn_output_signature=tf.float64)


def masks_of(layer: keras.Layer, outputs: list[tf.Tensor], units: int) -> tf.Tensor:
    """0 for the units that are ablated, 1 for all others: none, each sampled unit, each pair."""
    if len(outputs) != 1 or not tf.is_tensor(outputs[0]):
        raise ValueError(
            f"layer {layer.name!r} is called {len(outputs)} times; give a layer that is called "
            "once and puts out one array"
        )
    width = outputs[0].shape[-1]
    if units > width:
        raise ValueError(f"units is {units}; layer {layer.name!r} has {width}: give at most that")
    drawn = np.random.default_rng(MASK_SEED).permutation(width)[:units]
    groups = [[], *([unit] for unit in range(units)), *combinations(range(units), 2)]
    masks = np.ones((len(groups), width))
    for mask, group in zip(masks, groups, strict=True):
        mask[drawn[np.array(group, dtype=int)]] = 0
    return tf.constant(masks, outputs[0].dtype)
