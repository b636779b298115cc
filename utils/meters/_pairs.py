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
from utils.meters._drift import layer_output
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
    batch = x, tf.convert_to_tensor(as_labels(x, y))
    costs = [costs_in(model, name, batch, units) for name in names_of(model, layer_names, x)]
    return PairCosts(*map(np.concatenate, zip(*costs, strict=True)))


def names_of(model: keras.Model, layer_names: Any, x: Any) -> list[str | int]:
    """What `layer_names` means, as names or positions that hold for models alike as well."""
    if isinstance(layer_names, str) and layer_names == ALL_HIDDEN:
        return [leaf_layers(model).index(layer) for layer in hidden_layers(model, x)]
    several = isinstance(layer_names, Iterable) and not isinstance(layer_names, str)
    names = list(layer_names) if several else [layer_names]
    find_layers(model, names)
    return names


def costs_in(model: keras.Model, layer_name: str | int, batch: tuple, units: int) -> PairCosts:
    """The costs in one layer, of examples and labels as tensors."""
    width = layer_output(model, layer_name, batch[0]).shape[-1]
    if units > width:
        raise ValueError(
            f"units is {units}; layer {layer_name!r} has {width}, so give at most that"
        )
    drawn = np.random.default_rng(MASK_SEED).permutation(width)[:units]
    pairs = np.array(list(combinations(range(units), 2)))
    groups = [[], *([unit] for unit in range(units)), *pairs]
    masks = np.ones((len(groups), width), model.compute_dtype)
    for mask, group in zip(masks, groups, strict=True):
        mask[drawn[np.array(group, dtype=int)]] = 0
    frozen = tuple(layer.trainable for layer in leaf_layers(model))

    def losses(model, batch):
        return losses_without(model, layer_name, *batch)

    compiled = compiled_once(losses, model, ("losses without", layer_name, frozen))
    with left_as_found(model.non_trainable_variables):
        whole, *costs = finite(compiled((*batch, masks))).astype(float)
    costs = np.array(costs) - whole
    alone, both = costs[:units], costs[units:]
    return PairCosts(alone, both, alone[pairs].sum(axis=1))


def losses_without(
    model: keras.Model, layer_name: str | int, x: Any, y: tf.Tensor, masks: tf.Tensor
) -> tf.Tensor:
    """The loss (masks,) with the layer's output times each of the masks (masks, units).

    What comes before the layer is computed once, not once a mask.
    """
    layer, untouched = find_layer(model, layer_name), Untouched(x)
    calls = {leaf: untouched.once(leaf, leaf.call) for leaf in leaf_layers(model)}

    def loss_of(mask):
        def call_and_mask(*args, **kwargs):
            return calls[layer](*args, **kwargs) * mask

        with calls_replaced(calls | {layer: call_and_mask}):
            return model.compute_loss(x=x, y=y, y_pred=answer(model, x), training=False)

    with calls_replaced(calls):
        answer(model, x)
    return tf.map_fn(loss_of, masks, fn_output_signature=model.compute_dtype)
