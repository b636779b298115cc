"""Whether two functions, classes or objects do the same: code and all that it holds, compared.

Keras writes only part of an object into its config: not what a function closes over, not a class's
methods. A fingerprint covers these. Two that are equal prove that both do the same; what cannot be
read (a lock, a generator that runs) gets a fingerprint that equals no other.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import inspect
import sys
import sysconfig
import types
import warnings
from collections.abc import Callable, Iterator
from itertools import count

import keras
import numpy as np

LARGEST = 20_000  # parts of one object; beyond that it counts as unreadable
NUMBERS_AND_TEXTS = (type(None), type(...), bool, int, float, complex, str, bytes, np.dtype)
STANDARD_LIBRARY = sysconfig.get_path("stdlib")
GLOBALS = ("LOAD_GLOBAL", "LOAD_NAME")
NOT_BEHAVIOUR = (
    *("__dict__", "__weakref__", "__module__", "__doc__", "__firstlineno__", "__annotations__"),
    *("__static_attributes__", "__slots__", "_abc_impl"),
)
BOOKKEEPING = ("name", "_name", "_tracker", "_auto_config", "_lock", "_dtype", "_dtype_policy")
unreadable = count()


def fingerprint(value: object, values_of_variables: bool = True) -> str:
    """A text that is equal for two values only if they are the same in all that code can read.

    values_of_variables   False: of a Keras variable or layer only its kind, not the numbers
    """
    text = repr(Reader(values_of_variables).read(value))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def is_own(value: object) -> bool:
    """Whether `value` is, holds, or is an object of, code that no installed library defines."""
    if isinstance(value, list | tuple | set):
        return any(map(is_own, value))
    if isinstance(value, dict):
        return any(map(is_own, value.values()))
    if isinstance(value, functools.partial):
        return is_own(value.func)
    if isinstance(value, types.MethodType | classmethod | staticmethod):
        return is_own(value.__func__)
    if isinstance(value, types.FunctionType):
        return not is_installed(value.__code__.co_filename)
    return not of_library(value if isinstance(value, type) else type(value))


def holds_own_code(value: object) -> bool:
    """Whether `value` is code of one's own or, as a loss around a function, has it inside."""
    return is_own(value) or any(map(is_own, getattr(value, "__dict__", {}).values()))


def of_library(kind: type) -> bool:
    """Whether a class comes with Python or with an installed package."""
    module = sys.modules.get(kind.__module__)
    if module is None or kind.__module__ == "__main__":
        return False
    path = getattr(module, "__file__", None)
    return path is None or is_installed(path)


def is_installed(path: str) -> bool:
    """Whether a file of code belongs to Python or to an installed package."""
    where = ("site-packages", "dist-packages")
    return path.startswith((STANDARD_LIBRARY, "<frozen")) or any(name in path for name in where)


def own_members(kind: type) -> dict[str, object]:
    """What the classes in front of Keras's own define: name -> function or value."""
    members = {}
    for part in reversed(kind.__mro__):
        if not of_library(part):
            members |= {n: value for n, value in vars(part).items() if n not in NOT_BEHAVIOUR}
    return members


class Reader:
    """Turns a value into nested tuples of texts; a value inside itself becomes its number."""

    def __init__(self, values_of_variables: bool = True):
        self.values_of_variables = values_of_variables
        self.open: dict[int, int] = {}
        self.parts = 0

    def read(self, value: object) -> object:
        """The value as nested tuples of texts."""
        if isinstance(value, NUMBERS_AND_TEXTS):
            return type(value).__name__, repr(value)
        if id(value) in self.open:
            return "again", self.open[id(value)]
        self.parts += 1
        if self.parts > LARGEST:
            return "unreadable", next(unreadable)
        self.open[id(value)] = len(self.open)
        try:
            return self.way_to_read(value)(value)
        except Exception:  # foreign objects may fail in any way when they are read
            return "unreadable", next(unreadable)
        finally:
            del self.open[id(value)]

    def way_to_read(self, value: object) -> Callable:
        """The first way that suits `value`."""
        ways = {
            list | tuple: self.read_items,
            set | frozenset: lambda items: ("set", sorted(map(repr, self.read_items(items)[1]))),
            dict | types.MappingProxyType: self.read_dict,
            types.ModuleType: lambda module: ("module", module.__name__),
            types.FunctionType: self.read_function,
            types.CodeType: self.read_code,
            types.MethodType: lambda method: self.read((method.__func__, method.__self__)),
            types.BuiltinFunctionType: self.read_builtin,
            functools.partial: lambda p: ("partial", self.read((p.func, p.args, p.keywords))),
            classmethod | staticmethod: lambda method: self.read(method.__func__),
            property: lambda method: self.read((method.fget, method.fset)),
            type: self.read_class,
            keras.Variable: self.read_variable,
            keras.Layer: self.read_layer,
            keras.metrics.Metric: self.read_metric,
            keras.optimizers.Optimizer | keras.Initializer: self.read_config,
        }
        for kinds, way in ways.items():
            if isinstance(value, kinds):
                return way
        if hasattr(value, "__array__"):
            return self.read_array
        wrapped = getattr(value, "python_function", getattr(value, "__wrapped__", None))
        return self.read_object if wrapped is None else lambda _: ("wrapped", self.read(wrapped))

    def read_items(self, items) -> tuple:
        return type(items).__name__, [self.read(item) for item in items]

    def read_dict(self, items) -> tuple:
        return "dict", [(self.read(key), self.read(value)) for key, value in items.items()]

    def read_array(self, value) -> tuple:
        array = np.asarray(value)
        if array.dtype.hasobject:
            return "array", array.shape, [self.read(item) for item in array.ravel()]
        return "array", str(array.dtype), array.shape, digest(array)

    def read_variable(self, variable) -> tuple:
        kind = (tuple(variable.shape), str(variable.dtype), variable.trainable)
        hooks = self.read([getattr(variable, name, None) for name in ("regularizer", "constraint")])
        values = self.read_array(variable) if self.values_of_variables else ()
        return "variable", kind, hooks, values

    def read_builtin(self, function) -> tuple:
        owner = function.__self__
        return (
            "builtin",
            function.__qualname__,
            getattr(owner, "__name__", None) or self.read(owner),
        )

    def read_function(self, function) -> tuple:
        """By name if a library defines it; else its code, its defaults, and all that it reads."""
        if not is_own(function) and not function.__closure__:
            return "function", function.__module__, function.__qualname__
        code = function.__code__
        cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
        held = {name: cell.cell_contents for name, cell in cells.items() if name != "__class__"}
        steps = (step for part in codes_in(code) for step in dis.get_instructions(part))
        names = {step.argval for step in steps if step.opname in GLOBALS}
        used = {n: function.__globals__[n] for n in sorted(names) if n in function.__globals__}
        defaults = function.__defaults__, function.__kwdefaults__
        return "function", self.read_code(code), self.read([defaults, held, used])

    def read_code(self, code) -> tuple:
        names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
        arguments = code.co_argcount, code.co_kwonlyargcount, code.co_posonlyargcount, code.co_flags
        return (
            "code",
            code.co_code,
            code.co_exceptiontable,
            names,
            arguments,
            self.read(code.co_consts),
        )

    def read_class(self, kind) -> tuple:
        if of_library(kind):
            return "class", kind.__module__, kind.__qualname__
        bases = [base.__qualname__ for base in kind.__mro__]
        return "class", bases, self.read_dict(own_members(kind))

    def read_layer(self, layer) -> tuple:
        weights = [self.read(weight) for weight in layer.weights]
        return *self.read_config(layer), self.read(own_state(layer)), weights

    def read_metric(self, metric) -> tuple:
        state = {k: v for k, v in attributes(metric).items() if not is_tracked(v)}
        return self.read(type(metric)), self.read(state)

    def read_config(self, thing) -> tuple:
        """Of an object of Keras: its config, and what of its attributes is code of one's own."""
        own_class = is_own(type(thing)) and not isinstance(thing, keras.Layer)
        usual = vars(keras.optimizers.Optimizer(0.1, name="optimizer"))
        state = {
            name: value
            for name, value in attributes(thing).items()
            if is_own(value) or (own_class and name not in usual)
        }
        return self.read(type(thing)), self.read(without_names(config_of(thing))), self.read(state)

    def read_object(self, value) -> tuple:
        """By its attributes; without any, by what pickle would write."""
        state = attributes(value)
        if not state and of_library(type(value)):
            state = value.__reduce_ex__(4)[1:3]
        return self.read(type(value)), self.read(state)


def config_of(thing: object) -> dict[str, object]:
    """What Keras would save of `thing`, its name apart; its attributes where Keras cannot."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras warns of each lambda
            config = thing.get_config()
            return {name: value for name, value in config.items() if name != "name"}
    except Exception:  # a part without a config, or whose config fails, in any way
        given = inspect.signature(type(thing).__init__).parameters
        held = {name: vars(thing)[name] for name in given if name in vars(thing) and name != "name"}
        return {name: serialized(value) for name, value in held.items()}


def serialized(value: object) -> object:
    """What Keras would save of one argument; the argument itself where it cannot."""
    try:
        return keras.saving.serialize_keras_object(value)
    except Exception:
        return value


def without_names(config: object) -> object:
    """A config without names, and without what only variables carry once they are made."""
    if isinstance(config, list | tuple):
        return [without_names(part) for part in config]
    if not isinstance(config, dict):
        return config
    kept = (name for name in config if name != "name" and not is_of_variable(name))
    return {name: without_names(config[name]) for name in kept}


def is_of_variable(name: str) -> bool:
    """Whether a setting says only what a layer's variables were to get when they were made."""
    return name.endswith(("_regularizer", "_constraint")) and name != "activity_regularizer"


def codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    """`code`, and the code of the functions and comprehensions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes_in(constant)


def attributes(value: object) -> dict[str, object]:
    """Attributes of an object, slots included, but names and what Keras keeps for itself."""
    slots = [name for part in type(value).__mro__ for name in getattr(part, "__slots__", ())]
    found = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    found |= getattr(value, "__dict__", {})
    drawn = {"seed"} if found.get("_init_seed", ...) is None else set()  # anew for every object
    return {k: v for k, v in found.items() if k not in BOOKKEEPING and k not in drawn}


@functools.cache
def names_of_keras() -> frozenset[str]:
    """The attributes that any layer or any compiled model has."""
    # With names and constants of its own, this takes none of Keras's numbers and random numbers.
    image = keras.Input((1,), name="image")
    output = keras.layers.Dense(1, kernel_initializer="zeros", name="output")
    model = keras.Model(image, output(image), name="model")
    model.compile(keras.optimizers.SGD(name="sgd"), "mse")
    others = keras.Sequential(name="sequential"), keras.layers.Layer(name="layer")
    return frozenset(name for known in (model, *others) for name in vars(known))


def own_state(layer: keras.Layer) -> dict[str, object]:
    """What a layer or a model of one's own holds beside weights, and functions put on any."""
    own_class, known = is_own(type(layer)), names_of_keras()
    return {
        name: value
        for name, value in vars(layer).items()
        if (own_class and name not in known and not is_tracked(value))
        or (is_own_function(value) and name not in known)
    }


def is_method(thing: object, name: str) -> bool:
    return callable(getattr(type(thing), name, None))


def is_own_function(value: object) -> bool:
    return isinstance(value, types.FunctionType | types.MethodType) and is_own(value)


def is_tracked(value: object) -> bool:
    """Whether an attribute is a weight, a metric, a stream of random numbers, or a list of such."""
    if isinstance(value, list | tuple) and value:
        return all(map(is_tracked, value))
    return isinstance(value, keras.Variable | keras.metrics.Metric | keras.random.SeedGenerator)


def digest(array: np.ndarray) -> str:
    """SHA-256 of the numbers in an array."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
