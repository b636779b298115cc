"""Keras objects in words that can be compared and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from utils._shared.fingerprints import (
    config_of,
    fingerprint,
    holds_own_code,
    is_method,
    is_of_variable,
    is_own,
    own_members,
    own_state,
    without_names,
)

NOT_SETTINGS = ("name", "dtype", "batch_shape")
SIMPLE = (str, bool, int, float, type(None), np.generic)
OF_VARIABLES = ("_regularizer", "_constraint", "_trainable")
SHOWN = 60  # letters of a list; a longer one is counted, and compared by its fingerprint


@dataclass(frozen=True)
class Described:
    """A setting whose text says less than there is: the fingerprint covers all of it.

    own   whether it is code of one's own, into which no text can look
    """

    text: str
    fingerprint: str
    own: bool = False

    def __str__(self) -> str:
        return self.text


Settings = Mapping[str, "str | Described"]


def settings(layer: keras.Operation) -> dict[str, str | Described]:
    """The settings of one layer that are not None, as name -> text.

    Regularizers and constraints are those of its variables: what a layer says of them after it was
    built is not trained. Code of one's own and long values are `Described`. Settings of a layer
    inside, as the one that `TimeDistributed` wraps, are named after where it is: `layer units`.
    """
    config = config_of(layer)
    found = {
        name: describe(without_names(value), vars(layer).get(name))
        for name, value in config.items()
        if is_setting(name, value) and not is_of_variable(name) and not is_layer(value)
    }
    if not isinstance(layer, keras.Layer):
        return found
    if layer.dtype_policy.name != keras.config.dtype_policy().name:
        found["precision"] = layer.dtype_policy.name
    if hasattr(layer, "get_vocabulary"):
        words = layer.get_vocabulary()
        found["vocabulary"] = Described(counted(words), fingerprint(words))
    found |= of_variables(layer) | own_code(layer)
    wraps = any(map(is_layer, config.values())) or is_own(type(layer))
    return found | of_parts(layer) if wraps else found


def is_layer(config: object) -> bool:
    """Whether it is a serialized layer, or a list of such."""
    if isinstance(config, list | tuple) and config:
        return all(map(is_layer, config))
    if not isinstance(config, dict) or "build_config" not in config:
        return isinstance(config, keras.Layer)
    return True


def of_parts(layer: keras.Layer) -> dict[str, str | Described]:
    """The settings of the layers that `layer` holds, in attributes or in lists."""
    held = {name: v for name, v in vars(layer).items() if name[0] != "_" and is_made_of_layers(v)}
    found = {}
    for name, value in held.items():
        parts = value if isinstance(value, list | tuple) else [value]
        names = [f"{name} {number}" for number in range(len(parts))] if parts is value else [name]
        for label, part in zip(names, parts, strict=True):
            found[label] = type(part).__name__
            inner = {k: v for k, v in settings(part).items() if not k.endswith(OF_VARIABLES)}
            found |= {f"{label} {key}": setting for key, setting in inner.items()}
    return found


def is_setting(name: str, value: object) -> bool:
    """Whether it says something: not a name, not empty, not what every layer is (trainable)."""
    return name not in NOT_SETTINGS and value is not None and (name, value) != ("trainable", True)


def of_variables(layer: keras.Layer) -> dict[str, str | Described]:
    """What was set on the variables of a layer: `kernel_regularizer` -> `L2(l2=0.01)`."""
    never_trained = {
        id(weight) for part in layer._flatten_layers() for weight in part._non_trainable_variables
    }
    found: dict[str, list[object]] = {}
    for weight in layer.weights:
        for kind in ("regularizer", "constraint"):
            if (value := getattr(weight, kind, None)) is not None:
                found.setdefault(f"{weight.name}_{kind}", []).append(value)
        if layer.trainable and not weight.trainable and id(weight) not in never_trained:
            found.setdefault(f"{weight.name}_trainable", []).append(False)
    return {name: describe_all(values) for name, values in found.items()}


def own_code(layer: keras.Layer) -> dict[str, str | Described]:
    """What of a layer or a model Keras did not write: methods, and attributes in their reach."""
    ignored = ("__init__", "get_config", "from_config")
    members = {k: v for k, v in own_members(type(layer)).items() if k not in ignored}
    state = {k: v for k, v in own_state(layer).items() if not is_made_of_layers(v)}
    members |= {name: value for name, value in state.items() if is_method(layer, name)}
    methods = {name: Described(name, fingerprint(v), own=True) for name, v in members.items()}
    return {name: describe(value) for name, value in state.items()} | methods


def is_made_of_layers(value: object) -> bool:
    if isinstance(value, list | tuple) and value:
        return all(map(is_made_of_layers, value))
    return isinstance(value, keras.Layer)


def describe(config: object, value: object = None) -> str | Described:
    """A setting as text: as Keras saves it, and the value itself, which may hold more than that."""
    value = config if value is None else value
    if holds_own_code(value):
        return Described(name_of(value), fingerprint(value), own=True)
    text = write(config)
    if isinstance(config, SIMPLE) or is_serialized(config):
        return text
    if isinstance(config, list | tuple | dict) and are_simple(config) and len(text) <= SHOWN:
        return text
    return Described(counted(config), fingerprint(config, values_of_variables=False))


def is_serialized(config: object) -> bool:
    """Whether it is what Keras writes for an object."""
    return isinstance(config, dict) and "class_name" in config


def are_simple(values: object) -> bool:
    """Whether a text shows all of a list or a dict."""
    return all(isinstance(leaf, SIMPLE) for leaf in keras.tree.flatten(values))


def describe_all(values: Sequence[object]) -> str | Described:
    """What all variables of a name have, as one text where they have the same."""
    if any(map(holds_own_code, values)):
        return Described(name_of(values), fingerprint(values), own=True)
    texts = [write(keras.saving.serialize_keras_object(value)) for value in values]
    return ", ".join(dict.fromkeys(texts))


def counted(values: object) -> str:
    """How many values there are: `3 × 4 values`; of an object its class."""
    shape = getattr(values, "shape", None)
    if shape is None and hasattr(values, "__len__"):
        shape = (len(values),)
    return f"{' × '.join(map(str, shape))} values" if shape else type(values).__name__


def name_of(value: object) -> str:
    """What code of one's own is called: a function's name, or its class's."""
    if isinstance(value, list | tuple):
        return ", ".join(dict.fromkeys(map(name_of, value)))
    return getattr(value, "__name__", type(value).__name__)


def write(config: object) -> str:
    """A serialized Keras object as it would be written: `L2(l2=0.01)`."""
    if isinstance(config, dict) and "class_name" in config:
        inner = config.get("config")
        if not isinstance(inner, dict):
            return str(inner)
        parts = [
            f"{name}={write(value)}" for name, value in inner.items() if is_setting(name, value)
        ]
        return f"{config['class_name']}({', '.join(parts)})"
    value = config.item() if isinstance(config, np.generic) else config
    return write_number(value) if isinstance(value, float) else str(value)


def write_number(number: float) -> str:
    """Six digits, or as many as it takes to be this number: settings are often float32."""
    short = f"{number:.6g}"
    with np.errstate(over="ignore"):
        single = np.float32(number)
    if float(single) == number:
        return short if np.float32(short) == single else str(single)
    return short if float(short) == number else repr(number)


def write_layer(name: str, options: Settings) -> str:
    """A layer as it would be written, its first two settings only: `Dropout(rate=0.5)`."""
    shown = [f"{key}={value}" for key, value in options.items() if not is_own_method(key, value)]
    return f"{name}({', '.join(shown[:2])})"


def is_own_method(key: str, value: object) -> bool:
    """Whether a setting is a method, or a function put in the place of one."""
    return isinstance(value, Described) and value.own and value.text == key
