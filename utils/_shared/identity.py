"""What decides the program that Keras traces of a model: all that can be reached from it.

Two models share a compiled program only if their identities are equal. An identity is a flat list
of what a walk over the model finds: numbers, texts and arrays by value, the variables by their
place (their values are arguments of the program, no part of it), functions and classes by their
code with the closures, defaults and globals that it reads. What the walk does not know, it never
calls equal.
"""

from __future__ import annotations

import dis
import functools
import math
import re
import sys
import threading
import types
import weakref
from collections.abc import Iterator, Mapping, Set
from enum import Enum

import keras
import numpy as np
import tensorflow as tf

LIBRARIES = ("keras", "tensorflow", "numpy", "ml_dtypes", "optree", "absl")
HARMLESS = (math, functools, types, re)  # modules whose functions depend on their arguments alone
PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis), type(NotImplemented))
LOCKS = (type(threading.Lock()), type(threading.RLock()), threading.local)
BUILTINS = (types.BuiltinFunctionType, types.MethodWrapperType, types.WrapperDescriptorType)
DESCRIPTORS = (types.GetSetDescriptorType, types.MemberDescriptorType, types.MethodDescriptorType)
UNREAD = (
    "__doc__",
    "__dict__",
    "__weakref__",
    "__module__",
    "__firstlineno__",
    "__abstractmethods__",
)
# Looking at these would say less than nothing: values, caches, and what other attributes repeat.
DERIVED = (
    "_value",
    "_nodes",
    "_tracker",
    "_trainable_variables_indices",
    "_exclude_from_weight_decay_cache",
)
DERIVED += (
    "_inbound_nodes",
    "_outbound_nodes",
    "_losses",
    "_loss_ids",
    "_obj_reference_counts_dict",
)
DERIVED += ("train_function", "test_function", "predict_function", "_saved_model_inputs_spec")


class Unknown(Exception):
    """The walk met something that may hold state it cannot see."""


class Same:
    """Equal to itself only; keeps what it stands for alive, so that its place is not given away."""

    def __init__(self, thing: object) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.thing is other.thing

    def __hash__(self) -> int:
        return id(self.thing)


def identity_of(model: keras.Model) -> tuple | None:
    """All that decides what `model`, compiled, computes; None where that cannot be known.

    Needs names that do not depend on what was built before: build under `fresh_names`.
    """
    walk = Walk(model)
    try:
        walk.see(model)
    except Exception:  # Unknown, or an object that fails when looked at: nothing is known of it
        return None
    return (*settings(), *walk.found)


def settings() -> tuple:
    """Keras's and TensorFlow's global settings that a trace depends on."""
    config = keras.config
    return (
        config.floatx(),
        config.epsilon().hex(),
        config.image_data_format(),
        str(keras.dtype_policies.get(config.dtype_policy()).get_config()),
        tf.config.functions_run_eagerly(),
        str(tf.config.optimizer.get_experimental_options()),
        tf.config.experimental.tensor_float_32_execution_enabled(),
    )


class Walk:
    """Finds everything below an object, each object once; references to it are by its number."""

    def __init__(self, model: keras.Model) -> None:
        self.found: list = []
        self.numbers: dict[int, int] = {}
        self.kept: list = []  # alive during the walk, so that no two objects have one id
        optimizer = getattr(model, "optimizer", None)
        variables = [*model.variables, *(optimizer.variables if optimizer else [])]
        variables += model.metrics_variables
        # TensorFlow's names of variables are keys in optimizers: they stand for the variable.
        self.keys = {v._value._unique_id: number for number, v in enumerate(variables)}

    def see(self, thing: object) -> None:
        if isinstance(thing, PLAIN):
            self.see_plain(thing)
        elif id(thing) in self.numbers:
            self.found.append(("again", self.numbers[id(thing)]))
        else:
            self.numbers[id(thing)] = len(self.numbers)
            self.kept.append(thing)
            self.see_new(thing)

    def see_plain(self, value: object) -> None:
        if isinstance(value, str) and value in self.keys:
            self.found.append(("variable", self.keys[value]))
        else:
            written = value.hex() if isinstance(value, float) else value
            self.found.append((type(value), written))

    def see_new(self, thing: object) -> None:
        for kinds, look in LOOKS:
            if isinstance(thing, kinds):
                return look(self, thing)
        return self.see_instance(thing)

    def see_all(self, what: str, things: Iterator) -> None:
        things = list(things)
        self.found.append((what, len(things)))
        for thing in things:
            self.see(thing)

    def see_array(self, array: object) -> None:
        array = np.asarray(array)
        if array.dtype.hasobject and array.dtype.kind == "O":
            self.see_all("objects", array.ravel().tolist())
        else:
            self.found.append((array.dtype.str, array.shape, array.tobytes()))

    def see_tensor(self, tensor: tf.Tensor) -> None:
        if not hasattr(tensor, "numpy"):
            raise Unknown("a tensor of a graph")
        self.see_array(tensor.numpy())

    def see_sequence(self, items: list | tuple) -> None:
        self.see_all(type(items).__name__, items)

    def see_mapping(self, mapping: Mapping) -> None:
        self.see_all("mapping", (part for item in mapping.items() for part in item))

    def see_set(self, items: Set) -> None:
        """In an order of its own where items are plain; any other set has none to compare by."""
        if not all(isinstance(item, PLAIN) for item in items):
            raise Unknown("a set of objects")
        names = [self.keys.get(item, item) for item in items]
        self.found.append(("set", tuple(sorted(map(repr, names)))))

    def see_class(self, kind: type) -> None:
        """A library's by itself and what its attributes are now; another by its code."""
        if is_of_python(kind.__module__):
            self.found.append(Same(kind))
            return
        ours = is_of_library(kind.__module__)
        self.found.append(("class", kind.__module__, kind.__qualname__))
        self.see_all("bases", kind.__bases__)
        for name, value in vars(kind).items():
            if name in UNREAD or name.startswith(("_abc", "_tf_api", "_keras_api", "__static")):
                continue
            self.found.append(("attribute", name))
            if ours:
                self.found.append(Same(value))
            else:
                self.see(value)

    def see_function(self, function: types.FunctionType) -> None:
        self.found.append(("function", function.__name__, Same(function.__code__)))
        self.see_all("closure", (cell.cell_contents for cell in function.__closure__ or ()))
        self.see(function.__defaults__)
        self.see(function.__kwdefaults__)
        if is_of_library(function.__module__) or is_of_python(function.__module__):
            return
        for name in sorted(globals_read(function.__code__)):
            if name in function.__globals__:
                self.found.append(("global", name))
                self.see(function.__globals__[name])

    def see_module(self, module: types.ModuleType) -> None:
        if not (is_of_library(module.__name__) or module in HARMLESS):
            raise Unknown(f"module {module.__name__}")
        self.found.append(Same(module))

    def see_instance(self, thing: object) -> None:
        kind = type(thing)
        if kind.__module__ == "builtins" and kind is not object:
            raise Unknown(f"a {kind.__name__}")  # an iterator, a generator, a file
        self.see(kind)
        for name, value in attributes(thing):
            self.found.append(("attribute", name))
            self.see(value)


LOOKS = (
    ((tf.DType, np.dtype, tf.TensorShape), lambda walk, it: walk.found.append((str(it),))),
    ((tf.Variable,), lambda walk, it: walk.found.append(("tf.Variable", str(it.shape), it.dtype))),
    ((np.ndarray, np.generic), Walk.see_array),
    ((tf.Tensor,), lambda walk, it: walk.see_tensor(it)),
    ((type,), Walk.see_class),
    ((types.FunctionType,), Walk.see_function),
    ((types.MethodType,), lambda walk, it: walk.see_all("method", [it.__func__, it.__self__])),
    ((types.ModuleType,), Walk.see_module),
    ((functools.partial,), lambda walk, it: walk.see_all("of", [it.func, it.args, it.keywords])),
    ((staticmethod, classmethod), lambda walk, it: walk.see_all("static", [it.__func__])),
    ((property,), lambda walk, it: walk.see_all("property", [it.fget, it.fset, it.fdel])),
    ((weakref.ref,), lambda walk, it: walk.see_all("weak", [it()])),
    (LOCKS, lambda walk, it: walk.found.append(type(it))),
    ((re.Pattern,), lambda walk, it: walk.found.append((it.pattern, it.flags))),
    ((Enum,), lambda walk, it: walk.found.append(Same(it))),
    ((slice, range), lambda walk, it: walk.see_all("slice", [it.start, it.stop, it.step])),
    ((*BUILTINS, *DESCRIPTORS), lambda walk, it: walk.found.append(Same(it))),
    ((list, tuple), Walk.see_sequence),
    ((Mapping,), Walk.see_mapping),
    ((Set,), Walk.see_set),
)


def is_of_library(module: str | None) -> bool:
    return str(module).split(".")[0] in LIBRARIES


def is_of_python(module: str | None) -> bool:
    return str(module).split(".")[0] in sys.stdlib_module_names and module != "__main__"


def attributes(thing: object) -> Iterator[tuple[str, object]]:
    """What an instance holds, without what its other attributes repeat."""
    slots = (name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ()))
    held = {name: getattr(thing, name) for name in slots if hasattr(thing, name)}
    held |= getattr(thing, "__dict__", {})
    # TensorFlow's own bookkeeping of what a checkpoint holds; the same objects are attributes.
    skipped = ("_self_", "_checkpoint", "__", "_tracked_")
    if is_of_library(type(thing).__module__):  # its initializers have done their work: values
        skipped += tuple(name for name in held if name.endswith("_initializer"))
    return ((k, v) for k, v in held.items() if k not in DERIVED and not k.startswith(skipped))


def globals_read(code: types.CodeType) -> set[str]:
    """The names that `code`, and functions inside it, may look up among the globals."""
    names = set()
    for instruction in dis.get_instructions(code):
        if instruction.opname.startswith("IMPORT"):
            raise Unknown("an import inside a function")
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            names.add(instruction.argval)
        if instruction.argval in ("random", "environ"):
            raise Unknown("random numbers or settings from outside")
        if isinstance(instruction.argval, types.CodeType):
            names |= globals_read(instruction.argval)
    return names
