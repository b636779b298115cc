"""The yardstick: Keras's own `fit`, and what it means that `repeat` equals it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from utils.repeats import Runs, batch_order, repeat, seeded

WHOLE = 500  # of evaluation batches: as large as those of `repeat`


@contextmanager
def double_precision() -> Iterator[None]:
    """Train in float64, where rounding cannot hide a difference."""
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])


def taken(values, index):
    """The examples `index` of an array, or of each array in a dict or tuple."""
    return keras.tree.map_structure(lambda part: part[index], values)


def size_of(values) -> int:
    return len(keras.tree.flatten(values)[0])


def batches(data, seed, batch_size):
    """The batches of one epoch after the other as `seed` orders them, without end."""
    for epoch in count():
        order = batch_order(seed, epoch, size_of(data.x_train))
        for start in range(0, len(order), batch_size):
            yield taken((data.x_train, data.y_train), order[start : start + batch_size])


def fitted(build_model, data, seed, *, epochs, batch_size, callbacks=None, weight=None, eager=True):
    """`fit` with the orders of `seed`: its history, and the trained model.

    callbacks   one call of `fit` for all epochs, with these; else the loop of `repeat`'s docstring
    weight      a weight per training example
    eager       without compiling, which for a few steps is faster and computes the same
    """
    model = seeded(build_model, seed, None if model_is_built(data) else data.x_train.shape)
    model.run_eagerly = eager
    options = {"validation_data": (data.x_val, data.y_val), "verbose": 0}
    options |= {"validation_batch_size": WHOLE, "shuffle": False}
    if callbacks is not None:
        steps = -(-size_of(data.x_train) // batch_size)
        options |= {"epochs": epochs, "steps_per_epoch": steps, "callbacks": callbacks}
        return model.fit(batches(data, seed, batch_size), **options).history, model
    history = {}
    for epoch in range(epochs):
        order = batch_order(seed, epoch, size_of(data.x_train))
        x, y = taken((data.x_train, data.y_train), order)
        weights = None if weight is None else weight[order]
        logs = model.fit(x, y, batch_size=batch_size, sample_weight=weights, **options).history
        for name, values in logs.items():
            history.setdefault(name, []).extend(values)
    return history, model


def model_is_built(data) -> bool:
    """Whether the data have several inputs, which only a model with `Input`s takes here."""
    return isinstance(data.x_train, dict | tuple)


def without_number(name: str) -> str:
    """`auc_3` as `auc`: what Keras counts in a process says nothing about the model."""
    return re.sub(r"_\d+$", "", name)


def assert_equal(runs: Runs, row: int, history: dict, model, rtol: float, atol: float) -> None:
    """Row `row` has the columns of `history` and the weights of `model`."""
    ours = {without_number(name): values[row] for name, values in runs.history.items()}
    for name, values in history.items():
        if np.ndim(values[0]):
            columns = [key for key in ours if key.startswith(without_number(name))]
            assert len(columns) == len(values[0]), f"{name}: one column per class in {list(ours)}"
            trained = np.stack([ours[key] for key in columns], axis=-1)
        else:
            trained = ours[without_number(name)]
        assert np.isnan(trained[len(values) :]).all(), name
        np.testing.assert_allclose(
            trained[: len(values)], values, rtol=rtol, atol=atol, err_msg=name
        )
    for weight, variable in zip(runs.weights[row], model.weights, strict=True):
        np.testing.assert_allclose(
            weight, np.asarray(variable), rtol=rtol, atol=atol, err_msg=variable.path
        )


def assert_as_fit(
    build_model: Callable,
    data: SimpleNamespace,
    *,
    given: object = None,
    stop: Callable | None = None,
    at_once: bool = False,
    seeds: tuple[int, ...] = (0, 1),
    epochs: int = 2,
    batch_size: int = 16,
    rtol: float = 1e-6,
    atol: float = 1e-8,
    weight: np.ndarray | None = None,
    eager: bool = True,
) -> Runs:
    """Every column and weight of `repeat` is that of `fit`, seed for seed.

    given     the data as `repeat` gets them, where that is another form than `data`
    stop      makes the callback
    at_once   compare with one call of `fit` for all epochs
    """
    options = {"epochs": epochs, "batch_size": batch_size}
    runs = repeat(
        build_model,
        data if given is None else given,
        seeds=seeds,
        callbacks=[stop()] if stop else (),
        jit_compile=False,
        **options,
    )
    assert runs.seeds == tuple(seeds)
    for row, seed in enumerate(seeds):
        callbacks = ([stop()] if stop else []) if stop or at_once else None
        history, model = fitted(
            build_model, data, seed, callbacks=callbacks, weight=weight, eager=eager, **options
        )
        assert_equal(runs, row, history, model, rtol, atol)
    return runs


def assert_refused(call: Callable, naming: str) -> None:
    """`call` raises a TypeError or ValueError of this project's own, with `naming` in its text."""
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert_own_words(caught.value, naming)


def assert_own_words(error: Exception, naming: str) -> None:
    """`error` comes from `utils`, not from inside Keras or NumPy, and names what is wrong."""
    end = error.__traceback__
    while end.tb_next:
        end = end.tb_next
    module = end.tb_frame.f_globals["__name__"]
    assert module.startswith("utils."), f"from inside {module}: {error!r}"
    assert re.search(naming, str(error)), f"{naming!r} is not in: {error}"


def assert_as_fit_or_refused(build_model, data, naming: str, **options) -> None:
    """Trained as `fit` would, or refused in a sentence that has `naming`."""
    try:
        assert_as_fit(build_model, data, **options)
    except (TypeError, ValueError) as error:
        assert_own_words(error, naming)
