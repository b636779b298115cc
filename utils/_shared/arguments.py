"""Checks of arguments: each error names the argument, what came, and what would do."""

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from numbers import Integral
from typing import Any

import keras

LARGEST_SEED = 2**32 - 1  # NumPy's


def whole_number(name: str, value: Any, least: int = 1) -> int:
    """Return `value` if it is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} is {value!r}; give a whole number of at least {least}")
    if value < least:
        raise ValueError(f"{name} is {value}; give a whole number of at least {least}")
    return int(value)


def one_of(name: str, value: Any, choices: Collection) -> Any:
    """Return `value` if it is one of `choices`."""
    if not any(value is choice or value == choice for choice in choices):
        raise ValueError(f"{name} is {value!r}; give one of {', '.join(map(repr, choices))}")
    return value


def function(name: str, value: Any) -> Callable:
    """Return `value` if it can be called."""
    if not callable(value) or isinstance(value, keras.Model):
        raise TypeError(
            f"{name} is {value!r}; give the function itself, without parentheses: it is called "
            "once per seed"
        )
    return value


def cadence(watch_every: Any, watch: Mapping[str, Callable] | None) -> int | None:
    """Return after how many steps to look, None for after every epoch."""
    if watch_every is None:
        return None
    if not watch:
        raise ValueError(f"watch_every is {watch_every!r}, but there is no `watch` to call")
    return whole_number("watch_every", watch_every)


def distinct_seeds(seeds: Any) -> tuple[int, ...]:
    """Return `seeds` as a tuple of different whole numbers, at least one."""
    if isinstance(seeds, str) or not isinstance(seeds, Iterable):
        raise TypeError(f"seeds is {seeds!r}; give a list of whole numbers, as SEEDS or [0, 1, 2]")
    seeds = tuple(whole_number("each of seeds", seed, least=0) for seed in seeds)
    if not seeds or len(set(seeds)) < len(seeds) or max(seeds) > LARGEST_SEED:
        raise ValueError(
            f"seeds is {seeds}; give at least one seed, each only once, up to {LARGEST_SEED}"
        )
    return seeds


def named_functions(name: str, functions: Any) -> dict[str, Callable]:
    """Return `functions` as a dict from names to functions; None gives an empty one."""
    if functions is None:
        return {}
    if not isinstance(functions, Mapping) or not all(map(callable, functions.values())):
        raise TypeError(
            f"{name} is {functions!r}; give a dict from names to functions of a model, "
            'as {"norm": norm_of}'
        )
    for key, called in functions.items():
        if needed_arguments(called) not in (None, 1, 2):
            raise TypeError(
                f"{name} has {key!r}, {called!r}; let it take a model, or model and data"
            )
    return dict(functions)


def needed_arguments(called: Callable) -> int | None:
    """How many arguments without a default a function takes; None where that cannot be known."""
    try:
        parameters = inspect.signature(called).parameters.values()
    except (TypeError, ValueError):
        return None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    needed = [p for p in parameters if p.kind in positional and p.default is p.empty]
    optional = [p for p in parameters if p.kind in positional and p.default is not p.empty]
    return 1 if not needed and optional else len(needed)
