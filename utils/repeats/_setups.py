"""What an arm was: its model, its training and its data, in words that can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from utils._shared.describing import Settings, describe, own_code, settings
from utils._shared.fingerprints import digest, is_own
from utils._shared.graphs import Source, Step, steps_of
from utils.repeats._data_prints import DataPrint, prints_of
from utils.repeats._seeding import seeded
from utils.repeats._training_settings import training_settings, without_decay


@dataclass(frozen=True)
class Setup:
    """What an arm trained, for `compare`.

    layers       (class, settings) in order: layers, and operations such as `keras.ops.tanh`
    connections  per layer, per call, (argument, where its tensor comes from); None if not known
    outputs      where the model's outputs come from
    start        per layer, name of a weight -> its shape and first values, under the first seed
    model        the model's class, and what of its code Keras did not write
    training     name -> text
    ..._data     one `DataPrint` per seed
    """

    layers: tuple[tuple[str, Settings], ...]
    connections: tuple[tuple[tuple[str, Source], ...], ...] | None
    outputs: tuple[Source, ...]
    start: tuple[dict[str, tuple], ...]
    model: tuple[str, Settings]
    parameters: int
    training: Settings
    training_data: tuple[DataPrint, ...]
    evaluation_data: tuple[DataPrint, ...]
    input_shape: tuple[int, ...]


def setup_of(plan, seeds: tuple[int, ...]) -> Setup:
    """Describe what `plan` trains; an error if its models start alike under two seeds."""
    data = plan.data_for(seeds[0])
    check_examples(data)
    model = seeded(plan.build_model, seeds[0], data.x_train.shape)
    described = describe_model(model)
    check_labels(model, data)
    if len(seeds) > 1:
        start = model.get_weights()
        other = seeded(plan.build_model, seeds[1], data.x_train.shape)
        check_difference(model, start, other)
    prints = [prints_of(plan.data_for(seed)) for seed in seeds]
    return Setup(
        **described,
        training=training_settings(plan, model),
        training_data=tuple(train for train, _ in prints),
        evaluation_data=tuple(evaluation for _, evaluation in prints),
        input_shape=tuple(data.x_train.shape),
    )


def describe_model(model: keras.Model) -> dict[str, object]:
    """What a `Setup` says of a new model."""
    steps, outputs = steps_of(model)
    left_out = without_decay(model)
    # Any class of Keras's own trains alike: the layers say what it does.
    name = type(model).__name__ if is_own(type(model)) else "keras.Model"
    return {
        "layers": tuple((type(s.operation).__name__, settings_of(s, left_out)) for s in steps),
        "connections": tuple(sum(s.sources, ()) for s in steps) if outputs else None,
        "outputs": tuple(outputs),
        "start": tuple(start_of(step.operation) for step in steps),
        "model": (name, own_code(model)),
        "parameters": model.count_params(),
    }


def settings_of(step: Step, left_out: set[int]) -> dict:
    """The settings of a layer or an operation, with those of its calls and of the optimizer."""
    found = settings(step.operation)
    for name, value in called_with(step).items():
        found.setdefault(name, value)
    for weight in getattr(step.operation, "weights", ()):
        if id(weight) in left_out:
            found[f"{weight.name}_weight_decay"] = "off"
    return found


def called_with(step: Step) -> dict:
    """Arguments that are no tensors: the 3 of `h * 3`, the True of `training=True`."""
    calls = [call for call in step.arguments if call]
    if len(calls) == 1:
        return {name: describe(value) for name, value in calls[0].items()}
    return {"calls": describe(step.arguments)} if calls else {}


def start_of(operation: keras.Operation) -> dict[str, tuple]:
    """The first values of a layer's weights: place and name -> (shape, fingerprint)."""
    values = [(weight.name, np.asarray(weight)) for weight in getattr(operation, "weights", ())]
    return {
        f"{place} {name}": (value.shape, digest(value))
        for place, (name, value) in enumerate(values)
    }


def check_examples(data):
    """Refuse data whose images and labels do not belong together."""
    for part in ("train", "val"):
        missing = [name for name in (f"x_{part}", f"y_{part}") if not hasattr(data, name)]
        if missing:
            raise TypeError(f"data has no {missing[0]}; give x_train, y_train, x_val and y_val")
        x, y = np.shape(getattr(data, f"x_{part}")), np.shape(getattr(data, f"y_{part}"))
        if not x or not y or x[0] != y[0] or x[0] == 0:
            raise ValueError(
                f"data.y_{part} has shape {y} and data.x_{part} {x}; give one label per example"
            )
    for name in "xy":
        train, val = (np.asarray(getattr(data, f"{name}_{part}")) for part in ("train", "val"))
        if train.shape[1:] != val.shape[1:] or train.dtype.kind != val.dtype.kind:
            raise ValueError(
                f"data.{name}_val is {val.dtype} {val.shape} and data.{name}_train {train.dtype} "
                f"{train.shape}; give both the same kind of numbers and shape per example"
            )


def check_labels(model, data):
    """Refuse labels that the model's loss cannot take: tried on the lowest and the highest."""
    for part in ("train", "val"):
        x, y = np.asarray(getattr(data, f"x_{part}")), np.asarray(getattr(data, f"y_{part}"))
        if y.dtype.kind not in "biuf":
            raise ValueError(f"data.y_{part} is {y.dtype}; give numbers")
        labels = y.reshape(len(y), -1)[:, 0]
        tried = [labels.argmin(), labels.argmax()]
        try:
            model.test_step((tf.convert_to_tensor(x[tried]), tf.convert_to_tensor(y[tried])))
        except (TypeError, ValueError, tf.errors.OpError) as error:
            raise ValueError(
                f"data.x_{part} is {x.dtype} {x.shape} and data.y_{part} {y.dtype} {y.shape} with "
                f"values from {y.min()} to {y.max()}; build_model's network or its loss cannot "
                f"take them. Keras says: {str(error)[-200:].strip()}"
            ) from error


def check_difference(model, start, other):
    """Refuse a build function that gives no new model, or the same start, under another seed."""
    if other is model:
        raise ValueError("build_model returned the same model twice; build a new one inside it")
    if other.optimizer is model.optimizer:
        raise ValueError("build_model used one optimizer twice; make a new one inside it")
    if model.count_params() != other.count_params():
        raise ValueError(
            f"build_model returned {model.count_params():,} parameters under one seed and "
            f"{other.count_params():,} under another; build the same layers every time"
        )
    if all(np.array_equal(a, b) for a, b in zip(start, other.get_weights(), strict=False)):
        raise ValueError(
            "build_model returned the same initial weights under two seeds; "
            "give its initializers no seed"
        )
