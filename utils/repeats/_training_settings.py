"""How an arm trains, apart from its layers and its data, in words that can be compared."""

from __future__ import annotations

import keras
import tensorflow as tf

from utils._shared.describing import Described, write
from utils._shared.fingerprints import fingerprint, holds_own_code

OF_EARLY_STOPPING = ("min_delta", "baseline", "restore_best_weights", "start_from_epoch")
OF_COMPILE = ("loss", "loss_weights", "metrics", "weighted_metrics")


def training_settings(plan, model: keras.Model) -> dict[str, str | Described]:
    """How `plan` trains `model`, as name -> text; what is not set has no text."""
    compiled = compile_settings(model)
    stopping = plan.early_stopping
    return {
        "optimizer": describe_object(model.optimizer),
        "loss": compiled.pop("loss", "none"),
        "epochs": str(plan.epochs),
        "batch size": str(plan.batch_size),
        "early stopping": describe_stopping(stopping) if stopping else "none",
        **compiled,
        "jit_compile": str(plan.jit_compile),
        "eagerly": str(bool(model.run_eagerly or tf.config.functions_run_eagerly())),
        "precision": keras.config.dtype_policy().name,
        "floatx": keras.config.floatx(),
        "epsilon": write(keras.config.epsilon()),
        **state_of_optimizer(model.optimizer),
    }


def compile_settings(model: keras.Model) -> dict[str, str | Described]:
    """The loss, the metrics and their weights, as they were given to `compile`."""
    given = getattr(getattr(model, "_compile_config", None), "config", {})
    return {
        name.replace("_", " "): describe_object(given[name])
        for name in OF_COMPILE
        if given.get(name) is not None
    }


def describe_object(value: object) -> str | Described:
    """An optimizer, a loss, metrics: as Keras saves them, and all that it does not save of them."""
    text = write_object(value)
    all_is_saved = isinstance(value, keras.optimizers.Optimizer) and not holds_own_code(value)
    if all_is_saved or isinstance(value, str | int | float):
        return text
    return Described(text, fingerprint(value), own=True)


def write_object(value: object) -> str:
    """What was given to `compile`, as it would be written."""
    if isinstance(value, list | tuple):
        return ", ".join(map(write_object, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {write_object(part)}" for name, part in value.items())
    if isinstance(value, str | int | float) or not hasattr(value, "get_config"):
        return getattr(value, "__name__", None) or write(value)
    dtype = getattr(value, "dtype", None) or keras.config.floatx()
    precision = "" if dtype == keras.config.floatx() else f" in {dtype}"
    try:
        return write(keras.saving.serialize_keras_object(value)) + precision
    except Exception:  # a config of one's own may fail in any way
        return f"{type(value).__name__}(){precision}"


def describe_stopping(callback: keras.callbacks.EarlyStopping) -> str | Described:
    """What an `EarlyStopping` does, its defaults left out: `val_loss, patience 5`."""
    usual = keras.callbacks.EarlyStopping(callback.monitor)
    settings = {name: getattr(callback, name) for name in OF_EARLY_STOPPING}
    settings["min_delta"] = abs(callback.min_delta)  # whose sign Keras turns as it starts
    others = [
        f"{name} {write(value)}"
        for name, value in settings.items()
        if value != getattr(usual, name)
    ]
    if mode := mode_of(callback):
        others.append(f"mode {mode}")
    text = ", ".join([callback.monitor, f"patience {callback.patience}", *others])
    if type(callback) is keras.callbacks.EarlyStopping:
        return text
    name = f"{type(callback).__name__}: {text}"
    return Described(name, fingerprint(type(callback)), own=True)


def mode_of(callback: keras.callbacks.EarlyStopping) -> str:
    """The direction that was asked for; none where it is the one that Keras would find itself."""
    usual = callback.mode == "auto" or (
        callback.mode == "min" and callback.monitor in ("loss", "val_loss")
    )
    return "" if usual else callback.mode


def state_of_optimizer(optimizer: keras.optimizers.Optimizer) -> dict[str, Described]:
    """What the optimizer brings along from an earlier training; nothing for a new one."""
    steps = int(optimizer.iterations)
    if steps == 0:
        return {}
    return {
        "state of the optimizer": Described(
            f"after {steps} steps", fingerprint(optimizer.variables)
        )
    }


def without_decay(model: keras.Model) -> set[int]:
    """The ids of the weights that the optimizer's weight decay leaves out.

    Asked of TensorFlow's variables, as in training: names, by which weights are left out, are
    longer there than Keras's. The optimizer remembers its answers; these it forgets again.
    """
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if not optimizer.weight_decay:
        return set()
    remembered = "_exclude_from_weight_decay_cache" in vars(optimizer)
    left_out = {id(w) for w in model.trainable_weights if not optimizer._use_weight_decay(w._value)}
    if remembered:
        optimizer._exclude_from_weight_decay_cache = {}
    else:
        del optimizer._exclude_from_weight_decay_cache
    return left_out
