"""Meters: each puts a number on one problem, and leaves the model as it was found."""

from utils.meters._ablation import (
    SHARES,
    ablated_logits,
    ablation_area,
    ablation_curve,
    noisy_accuracy,
)
from utils.meters._drift import channel_percentiles, dead_channels, drift, layer_output, net_shift
from utils.meters._gradients import GradientShift, gradient_shift
from utils.meters._jacobian import jacobian_norm
from utils.meters._layers import leaf_layers
from utils.meters._pairs import PairCosts, pair_costs
from utils.meters._score import score
from utils.meters._weights import kernel_norm, kernels_of, memorized, pruning_curve, zeros

__all__ = [
    "SHARES",
    "GradientShift",
    "PairCosts",
    "ablated_logits",
    "ablation_area",
    "ablation_curve",
    "channel_percentiles",
    "dead_channels",
    "drift",
    "gradient_shift",
    "jacobian_norm",
    "kernel_norm",
    "kernels_of",
    "layer_output",
    "leaf_layers",
    "memorized",
    "net_shift",
    "noisy_accuracy",
    "pair_costs",
    "pruning_curve",
    "score",
    "zeros",
]
