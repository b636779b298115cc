"""What an arm was: its model, its training and its data, in words that can be compared."""

import hashlib
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from utils._shared.describing import settings, text_of
from utils._shared.layers import layers_of
from utils.repeats._data import as_tensor
from utils.repeats._seeding import seeded

OF_EARLY_STOPPING = ("min_delta", "baseline", "restore_best_weights", "start_from_epoch")


@dataclass(frozen=True)
class Setup:
    """layers: (class, settings) in order. training: name -> text. Data as SHA-256, one per seed."""

    layers: tuple[tuple[str, dict[str, str]], ...]
    parameters: int
    training: dict[str, str]
    training_data: tuple[str, ...]
    evaluation_data: tuple[str, ...]
    input_shape: tuple[int, ...]


def setup_of(plan, seeds):
    """Describe what `plan` trains; an error if its models start alike under two seeds."""
    data = plan.data_for(seeds[0])
    shape = shape_of(data.x_train)
    model = seeded(plan.build_model, seeds[0], shape)
    check_labels(model, data)
    if len(seeds) > 1:
        start = model.get_weights()
        other = seeded(plan.build_model, seeds[1], shape)
        check_difference(model, start, other)
    prints = [fingerprints(plan.data_for(seed)) for seed in seeds]
    return Setup(
        layers=tuple((type(layer).__name__, settings(layer)) for layer in layers_of(model)),
        parameters=model.count_params(),
        training=training_settings(plan, model),
        training_data=tuple(train for train, _ in prints),
        evaluation_data=tuple(evaluation for _, evaluation in prints),
        input_shape=shape,
    )


def shape_of(x):
    """The shape of the examples; of several inputs, or none of floats, a structure of specs."""
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        return tuple(x.shape)
    return tf.nest.map_structure(tf.TensorSpec.from_tensor, tf.nest.map_structure(as_tensor, x))


def check_labels(model, data):
    """Refuse labels that the model's loss cannot take: tried on the lowest and the highest."""
    for part, (x, y) in zip(("train", "val"), data.tensors(), strict=True):
        labels = tf.nest.flatten(y)[0].numpy()
        if labels.dtype.kind not in "biuf":
            raise ValueError(
                f"data.y_{part} is {np.asarray(getattr(data, f'y_{part}')).dtype}; give numbers"
            )
        first = labels.reshape(len(labels), -1)[:, 0]
        tried = [first.argmin(), first.argmax()]
        try:
            model.test_step(
                tf.nest.map_structure(lambda values, at=tried: tf.gather(values, at), (x, y))
            )
        except (TypeError, ValueError, tf.errors.OpError) as error:
            x, y = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
            raise ValueError(
                f"data.x_{part} is {described(x)} and data.y_{part} {described(y)} with values from "
                f"{labels.min()} to {labels.max()}; build_model's network or its loss cannot take "
                f"them. Keras says: {str(error)[-200:].strip()}"
            ) from error


def described(values):
    """An array's type and shape: `float64 (50, 3)`."""
    return ", ".join(f"{part.dtype} {part.shape}" for part in tf.nest.flatten(values))


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


def training_settings(plan, model):
    """How `plan` trains `model`, as name -> text."""
    compiled = model.get_compile_config() or {}
    return {
        "optimizer": text_of(keras.saving.serialize_keras_object(model.optimizer)),
        "loss": text_of(compiled.get("loss")),
        "epochs": str(plan.epochs),
        "batch size": str(plan.batch_size),
        "early stopping": stopping_text(plan.early_stopping) if plan.early_stopping else "none",
    }


def stopping_text(callback):
    """What an `EarlyStopping` does, its defaults left out: `val_loss, patience 5`."""
    usual = keras.callbacks.EarlyStopping(callback.monitor)
    others = [
        f"{name} {getattr(callback, name)}"
        for name in OF_EARLY_STOPPING
        if getattr(callback, name) != getattr(usual, name)
    ]
    return ", ".join([callback.monitor, f"patience {callback.patience}", *others])


def fingerprints(data):
    """SHA-256 of what an arm trains on, and of what it is evaluated on."""
    return tuple(
        hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()
        for parts in ((data.x_train, data.y_train), (data.x_val, data.y_val))
    )
