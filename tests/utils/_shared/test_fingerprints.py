"""Fingerprints: equal for what is proven equal, and for nothing else."""

import functools
import threading
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from utils._shared.fingerprints import fingerprint, is_own

FACTOR = 1


def closing_over(value):
    return lambda x: x * value


def with_default(value):
    def function(x, factor=value):
        return x * factor

    return function


def holding(value):
    class Holder:
        factor = value

        def __call__(self, x):
            return x * self.factor

    return Holder


def reading_a_global(x):
    return x * FACTOR


def recursive(n):
    return recursive(n - 1) if n else 0


WAYS = {
    "closure": closing_over,
    "default": with_default,
    "class": holding,
    "instance": lambda value: holding(value)(),
    "partial": lambda value: functools.partial(max, value),
    "method": lambda value: holding(value)().__call__,
    "inner function": lambda value: closing_over(closing_over(value)),
    "cached": lambda value: functools.lru_cache(closing_over(value)),
    "compiled": lambda value: tf.function(closing_over(value)),
    "array": lambda value: np.full(2000, value),
    "tensor": lambda value: closing_over(tf.constant(value)),
    "variable": lambda value: closing_over(keras.Variable(float(value))),
    "namespace": lambda value: SimpleNamespace(a=[{"b": value}]),
    "keyword": lambda value: {"a": value},
    "set": lambda value: {"a", "b", str(value)},
    "random numbers": np.random.default_rng,
    "layer": lambda value: layers.Dense(value),
    "objects": lambda value: np.array([None, str(value)], dtype=object),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_differs_has_another_fingerprint_and_equals_have_one(way):
    make = WAYS[way]
    assert fingerprint(make(1)) == fingerprint(make(1))
    assert fingerprint(make(1)) != fingerprint(make(2))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        ("1", 1),
        ([1], (1,)),
        (np.float32(1), np.float64(1)),
        (np.ones((2, 3)), np.ones((3, 2))),
        (lambda x: x + 1, lambda x: x + 2),
        (lambda x: x.real, lambda x: x.imag),
        (lambda x: [y + 1 for y in x], lambda x: [y + 2 for y in x]),
        (np.sum, np.prod),
        (keras.ops.relu, keras.ops.tanh),
        ([].append, [1].append),
    ],
)
def test_things_that_are_nearly_alike_are_told_apart(one, other):
    assert fingerprint(one) != fingerprint(other)


def test_a_global_counts_with_the_value_that_it_has(monkeypatch):
    before = fingerprint(reading_a_global)
    monkeypatch.setattr(f"{__name__}.FACTOR", 2)
    assert fingerprint(reading_a_global) != before


def test_a_function_may_call_itself_and_a_list_hold_itself():
    knot = []
    knot.append(knot)
    assert fingerprint(recursive) == fingerprint(recursive)
    assert fingerprint(knot) == fingerprint(knot)


def counting():
    yield from range(3)


@pytest.mark.parametrize("make", [threading.Lock, counting, object.__new__])
def test_what_cannot_be_read_equals_nothing(make):
    thing = make(Unreadable) if make is object.__new__ else make()
    assert fingerprint(thing) != fingerprint(thing)


class Unreadable:
    @property
    def __dict__(self):
        raise RuntimeError("not for you")


def test_an_object_too_large_to_read_equals_nothing():
    large = [[number] for number in range(30_000)]
    assert fingerprint(large) != fingerprint(large)


def test_values_of_variables_may_be_left_out():
    one, other = keras.Variable(1.0), keras.Variable(2.0)
    assert fingerprint(one) != fingerprint(other)
    assert fingerprint(one, False) == fingerprint(other, False)
    frozen = keras.Variable(1.0, trainable=False)
    assert fingerprint(one, False) != fingerprint(frozen, False)


@pytest.mark.parametrize(
    "thing", [keras.ops.relu, np.sum, layers.Dense(1), 3, keras.Sequential, {}]
)
def test_what_comes_with_a_library_is_not_ones_own(thing):
    assert not is_own(thing)


@pytest.mark.parametrize(
    "thing", [closing_over, holding(1), holding(1)(), [1, closing_over], {"a": (closing_over,)}]
)
def test_ones_own_code_is_found_also_inside_lists(thing):
    assert is_own(thing)
