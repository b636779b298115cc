"""What differs between two arms: every line but one is a confound."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from utils._shared.describing import Described
from utils._shared.differing import (
    layer_differences,
    matched,
    place_of,
    setting_differences,
)
from utils.comparisons._connections import connection_differences
from utils.repeats import Runs

ADAPTING = ("Normalization", "Discretization")


def confounds(baseline: Runs, treated: Runs) -> list[str]:
    """What differs between two arms, a line each; where code cannot be read, that it cannot."""
    setup, other = baseline.setup, treated.setup
    return [
        *layer_differences(setup.layers, other.layers),
        *connection_differences(setup, other),
        *model_differences(setup.model, other.model),
        *training_differences(setup.training, other.training),
        *parameter_difference(setup, other),
        *start_differences(setup, other),
        *data_differences("training data", setup.training_data, other.training_data),
        *data_differences("evaluation data", setup.evaluation_data, other.evaluation_data),
        *epoch_difference(baseline, treated),
    ]


def model_differences(model: tuple, other: tuple) -> Iterator[str]:
    """Another class, and what of its code is its own."""
    (name, settings), (other_name, other_settings) = model, other
    if name == other_name:
        words = "the model" if name == "keras.Model" else name
        yield from setting_differences(words, words, settings, other_settings)
        return
    yield f"model: {name} → {other_name}"
    yield from setting_differences(name, name, settings, {})
    yield from setting_differences(other_name, other_name, {}, other_settings)


def training_differences(training: dict, other: dict) -> Iterator[str]:
    """The optimizer, the loss, the epochs, and whatever else decides a training."""
    for name in [*training, *(name for name in other if name not in training)]:
        before, after = training.get(name, "none"), other.get(name, "none")
        if str(before) != str(after):
            yield f"{name}: {before} → {after}"
        elif before != after:
            yield f"cannot look inside the {name} {short_name(after)}: it is its own code"


def short_name(described: Described) -> str:
    return described.text.partition("(")[0]


def parameter_difference(setup, other) -> Iterator[str]:
    if setup.parameters != other.parameters:
        yield f"parameters: {setup.parameters:,} → {other.parameters:,}"


def start_differences(setup, other) -> Iterator[str]:
    """Layers that both arms have, and whose first weights are others under the same seed."""
    places = [
        old
        for old, new in matched(setup.layers, other.layers)
        if starts_differ(setup.start[old], other.start[new])
        and not initializers_differ(setup.layers[old][1], other.layers[new][1])
    ]
    names = {place: place_of(setup.layers, place + 1) for place in places}
    if drawn := [name for place, name in names.items() if setup.layers[place][0] not in ADAPTING]:
        yield f"initial weights of {', '.join(drawn)}"
    for place in places:
        if setup.layers[place][0] in ADAPTING:
            yield f"what {names[place]} has adapted to"


def starts_differ(start: dict, other: dict) -> bool:
    """Whether a weight of one shape begins with other values; other shapes are told elsewhere."""
    both = [(start[name], other[name]) for name in start if name in other]
    return any(shape == new_shape and v != w for (shape, v), (new_shape, w) in both)


def initializers_differ(settings: dict, other: dict) -> bool:
    names = [name for name in settings if name.endswith("initializer")]
    return any(settings[name] != other.get(name) for name in names)


def data_differences(name: str, prints: tuple, others: tuple) -> Iterator[str]:
    """Different examples; or the same, in another precision."""
    pairs = list(zip(prints, others, strict=True))  # one for each seed
    types = [(old.types, new.types) for old, new in pairs if old.types != new.types]
    if any(old.values != new.values for old, new in pairs):
        yield name
    elif types:
        before, after = types[0]
        in_shape = before.replace(" (n, 1)", "") == after.replace(" (n, 1)", "")
        form = "shape" if in_shape else "precision"
        yield f"{name}, equal in another {form}: {before} → {after}"
    elif any(old.exactly != new.exactly for old, new in pairs):
        yield f"{name}, equal but for rounding"


def epoch_difference(baseline: Runs, treated: Runs) -> Iterator[str]:
    """A baseline stopped early differs by that too."""
    kept = [arm.kept_epoch + 1 for arm in (baseline, treated)]
    if not np.array_equal(*kept):
        ranges = [f"{epochs.min()}–{epochs.max()}" for epochs in kept]
        yield f"epochs until the kept weights: {ranges[0]} → {ranges[1]}"
