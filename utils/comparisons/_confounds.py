"""What differs between two arms: every line but one is a confound."""

import numpy as np

from utils._shared.describing import layer_differences


def confounds(baseline, treated):
    """What differs between two arms; a baseline stopped early differs by that too."""
    lines = differences(baseline.setup, treated.setup)
    kept = [arm.kept_epoch + 1 for arm in (baseline, treated)]
    if not np.array_equal(*kept):
        ranges = [f"{epochs.min()}–{epochs.max()}" for epochs in kept]
        lines.append(f"epochs until the kept weights: {ranges[0]} → {ranges[1]}")
    return lines


def differences(setup, other):
    """What differs between two arms, a line each: every line but one is a confound."""
    lines = layer_differences(setup.layers, other.layers)
    for name, value in setup.training.items():
        if other.training[name] != value:
            lines.append(f"{name}: {value} → {other.training[name]}")
    if setup.parameters != other.parameters:
        lines.append(f"parameters: {setup.parameters:,} → {other.parameters:,}")
    if setup.training_data != other.training_data:
        lines.append("training data")
    return lines
