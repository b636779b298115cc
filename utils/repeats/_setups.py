"""What an arm was: its model, its training and its data, in words that can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np

from utils._shared.describing import Settings, describe, own_code, settings
from utils._shared.fingerprints import digest, is_own
from utils._shared.graphs import Source, Step, steps_of
from utils.repeats._checks import checked_models, shape_of
from utils.repeats._data_prints import DataPrint
from utils.repeats._training import Plan
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
    ..._data     one `DataPrint` per seed that finished: each run brings its own
    input_shape  of the examples, as `seeded` takes it
    """

    layers: tuple[tuple[str, Settings], ...]
    connections: tuple[tuple[tuple[str, Source], ...], ...] | None
    outputs: tuple[Source, ...]
    start: tuple[dict[str, tuple], ...]
    model: tuple[str, Settings]
    parameters: int
    training: Settings
    input_shape: tuple[int, ...]
    training_data: tuple[DataPrint, ...] = ()
    evaluation_data: tuple[DataPrint, ...] = ()


def setup_of(plan: Plan) -> tuple[Setup, list[keras.Model]]:
    """Describe what `plan` trains; with it the new models of the first seeds, ready to train.

    An error if the models cannot take the data, or start alike under two seeds.
    """
    for seed in reversed(plan.seeds):  # an error in any comes before the training
        data = plan.data_for(seed)
    shape = shape_of(data.x_train)
    models = checked_models(plan.build_model, plan.seeds, shape, data)
    setup = Setup(
        **describe_model(models[0]),
        training=training_settings(plan, models[0]),
        input_shape=shape,
    )
    return setup, models


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
