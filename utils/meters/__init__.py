"""Meters: each puts a number on one problem, and leaves the model as it was found."""

from utils.meters._ablation import (
    SHARES,
    ablation_area,
    ablation_curve,
    shuffled_accuracy,
    silenced_logits,
)
from utils.meters._drift import channel_percentiles, dead_channels, drift, layer_output, net_shift
from utils.meters._gradients import GradientShift, gradient_shift
from utils.meters._score import score
from utils.meters._weights import kernel_norm, kernels_of, memorized, pruning_curve, zeros

__all__ = [
    "SHARES",
    "GradientShift",
    "ablation_area",
    "ablation_curve",
    "channel_percentiles",
    "dead_channels",
    "drift",
    "gradient_shift",
    "kernel_norm",
    "kernels_of",
    "layer_output",
    "memorized",
    "net_shift",
    "pruning_curve",
    "score",
    "shuffled_accuracy",
    "silenced_logits",
    "zeros",
]
