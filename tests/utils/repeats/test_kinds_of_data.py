"""Data as people have them: as `fit` takes them, or refused by the name of what is wrong."""

import inspect
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, losses

import utils.repeats._repeat as documented
from tests.utils.repeats.models import pairs, two_inputs, two_inputs_in_order
from tests.utils.repeats.reference import (
    assert_as_fit,
    assert_as_fit_or_refused,
    assert_own_words,
    assert_refused,
    double_precision,
)
from utils.repeats import repeat

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 6))
Y = (X @ rng.normal(size=(6, 3))).argmax(axis=1)
DATA = SimpleNamespace(x_train=X[:40], y_train=Y[:40], x_val=X[40:], y_val=Y[40:])
TWO = SimpleNamespace(**vars(DATA) | {"y_train": Y[:40] % 2, "y_val": Y[40:] % 2})


@pytest.fixture(autouse=True)
def in_float64():
    with double_precision():
        yield


def network():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu"), layers.Dense(3)])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss=loss, metrics=["accuracy"], jit_compile=False)
    return model


def binary():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model


def run(data, build=network, **options):
    defaults = {"epochs": 2, "seeds": [0, 1], "batch_size": 16, "jit_compile": False}
    return repeat(build, data, **(defaults | options))


def each(form, data=DATA):
    return SimpleNamespace(**{name: form(part) for name, part in vars(data).items()})


def columns(x):
    """A table of pandas; skipped where it is not installed."""
    pandas = pytest.importorskip("pandas")
    if x.ndim == 1:
        return pandas.Series(x, index=np.arange(len(x))[::-1])  # an index that is no position
    return pandas.DataFrame(x, columns=list("abcdef"), index=np.arange(len(x))[::-1])


FORMS = {
    "lists": lambda: each(np.ndarray.tolist),
    "tuples": lambda: each(lambda part: tuple(part.tolist())),
    "tensors": lambda: each(tf.constant),
    "variables": lambda: each(tf.Variable),
    "Keras's variables": lambda: each(keras.Variable),
    "a table": lambda: each(columns),
    "lists of arrays": lambda: each(list),
    "views in reverse": lambda: each(lambda part: part[::-1].copy()[::-1]),
    "arrays of Fortran's order": lambda: each(np.asfortranarray),
    "read-only arrays": lambda: each(
        lambda part: (
            np.frombuffer(part.tobytes()).reshape(part.shape) if part.dtype == float else part
        )
    ),
    "labels only as a list": lambda: SimpleNamespace(
        **vars(DATA) | {"y_train": Y[:40].tolist(), "y_val": Y[40:].tolist()}
    ),
    "a dict": lambda: dict(vars(DATA)),
    "a tuple of four": lambda: (DATA.x_train, DATA.y_train, DATA.x_val, DATA.y_val),
    "a tuple of pairs": lambda: ((DATA.x_train, DATA.y_train), (DATA.x_val, DATA.y_val)),
    "a list of pairs": lambda: [(DATA.x_train, DATA.y_train), (DATA.x_val, DATA.y_val)],
    "a class": lambda: type("Mine", (), vars(DATA)),
    "an instance of a class": lambda: type("Mine", (), vars(DATA))(),
    "an instance that can be called": lambda: type(
        "Mine", (), vars(DATA) | {"__call__": lambda self: None}
    )(),
    "a function of the seed": lambda: lambda seed: DATA,
    "a function of the seed that gives a dict": lambda: lambda seed: dict(vars(DATA)),
    "with more than is needed": lambda: SimpleNamespace(**vars(DATA), mask=Y[:40] > 0, note="x"),
}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_as_arrays_or_refused(form):
    assert_as_fit_or_refused(network, DATA, "^data", given=FORMS[form]())


@pytest.mark.parametrize("form", ["lists", "tensors", "a dict", "labels only as a list", "a class"])
def test_these_forms_work(form):
    assert_as_fit(network, DATA, given=FORMS[form](), seeds=(0,))


def shaped(form):
    return SimpleNamespace(**vars(DATA) | {name: form(vars(DATA)[name]) for name in LABELS})


LABELS = ("y_train", "y_val")


@pytest.mark.slow
@pytest.mark.parametrize(
    "form",
    [
        lambda y: y[:, None],
        lambda y: y.astype("float64"),
        lambda y: y.astype("float32"),
        lambda y: y.astype("uint8"),
        lambda y: y.astype("int8"),
        lambda y: y[:, None].astype("float64"),
    ],
    ids=["(n, 1)", "float64", "float32", "uint8", "int8", "(n, 1) float64"],
)
def test_labels_of_classes(form):
    data = shaped(form)
    assert_as_fit_or_refused(network, data, "data.y_train", rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "form",
    [
        lambda y: y,
        lambda y: y[:, None],
        lambda y: y.astype(bool),
        lambda y: y[:, None].astype(bool),
        lambda y: y.astype("float32"),
    ],
    ids=["int", "(n, 1)", "bool", "(n, 1) bool", "float32"],
)
def test_labels_of_two_classes(form):
    data = SimpleNamespace(**vars(TWO) | {name: form(vars(TWO)[name]) for name in LABELS})
    assert_as_fit_or_refused(binary, data, "data.y_train", rtol=1e-6)


@pytest.mark.slow
def test_labels_of_another_shape_in_the_evaluation():
    data = SimpleNamespace(**vars(DATA) | {"y_val": DATA.y_val[:, None]})
    assert_as_fit_or_refused(network, data, "data.y_val")


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool", "float16", "float32"])
def test_inputs_of_any_number(dtype):
    data = SimpleNamespace(
        **vars(DATA)
        | {"x_train": (9 * DATA.x_train).astype(dtype), "x_val": (9 * DATA.x_val).astype(dtype)}
    )
    assert_as_fit_or_refused(network, data, "data.x_train", rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "form",
    [
        lambda y: y.astype(complex),
        lambda y: y.astype("datetime64[s]"),
        lambda y: y.astype(object),
        lambda y: np.where(y == 0, np.nan, y.astype(float)),
    ],
    ids=["complex", "dates", "objects", "NaN"],
)
def test_labels_that_are_no_numbers(form):
    data = shaped(form)
    try:
        assert_as_fit(network, data)
    except (TypeError, ValueError) as error:
        assert_own_words(error, "data.y_train")


# --- several inputs, weights per example ---


@pytest.mark.parametrize("form", [dict, tuple])
def test_several_inputs(form):
    build = two_inputs if form is dict else two_inputs_in_order
    assert_as_fit(build, pairs(form))


def test_several_inputs_in_a_list():
    data = pairs(tuple)
    given = SimpleNamespace(**vars(data) | {"x_train": [*data.x_train], "x_val": [*data.x_val]})
    assert_as_fit_or_refused(two_inputs_in_order, data, "data.x_train", given=given)


def test_several_inputs_of_different_lengths_are_refused():
    data = pairs(dict)
    data.x_train["left"] = data.x_train["left"][:-1]
    assert_refused(lambda: run(data, two_inputs), naming="data.x_train|data.y_train")


def test_an_input_that_the_model_has_and_the_data_have_not():
    data = pairs(dict)
    for x in (data.x_train, data.x_val):
        del x["left"]
    assert_refused(lambda: run(data, two_inputs), naming="data.x_train")


WEIGHT = rng.uniform(0.1, 3, size=40)


@pytest.mark.parametrize(
    "name", ["sample_weight", "sample_weights", "sample_weight_train", "class_weight", "w_train"]
)
def test_weights_per_example_are_used_or_refused_never_ignored(name):
    weight = {0: 0.1, 1: 3.0, 2: 1.0} if name == "class_weight" else WEIGHT
    given = SimpleNamespace(**vars(DATA), **{name: weight})
    each_one = (
        np.array([weight[label] for label in DATA.y_train]) if name == "class_weight" else WEIGHT
    )
    assert_as_fit_or_refused(network, DATA, name, given=given, weight=each_one, seeds=(0,))


@pytest.mark.parametrize("in_dict", [False, True])
def test_weights_beside_the_labels(in_dict):
    """(x, y, weights), as `validation_data` takes them."""
    pairs_and_weights = ((DATA.x_train, DATA.y_train, WEIGHT), (DATA.x_val, DATA.y_val))
    given = {"train": pairs_and_weights[0], "val": pairs_and_weights[1]}
    assert_refused(lambda: run(given if in_dict else pairs_and_weights), naming="^data")


# --- what cannot be taken ---


def dataset():
    return tf.data.Dataset.from_tensor_slices((DATA.x_train, DATA.y_train)).batch(16)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return DATA.x_train[:16], DATA.y_train[:16]


@pytest.mark.parametrize(
    "data",
    [
        lambda: dataset(),
        lambda: (dataset(), dataset()),
        lambda: SimpleNamespace(x_train=dataset(), y_train=None, x_val=dataset(), y_val=None),
        lambda: SimpleNamespace(**vars(DATA) | {"x_train": dataset()}),
        lambda: Batches(),
        lambda: (pair for pair in [(DATA.x_train, DATA.y_train)]),
        lambda: None,
        lambda: DATA.x_train,
        lambda: "mnist",
        lambda: {},
        lambda: {"x_train": DATA.x_train, "y_train": DATA.y_train},
        lambda: lambda: DATA,
        lambda: lambda seed: None,
        lambda: lambda seed: seed,
        lambda: SimpleNamespace(**vars(DATA) | {"y_train": None}),
        lambda: SimpleNamespace(**vars(DATA) | {"x_train": [[1.0, 2.0], [3.0]] * 20}),
        lambda: SimpleNamespace(**vars(DATA) | {"x_train": tf.ragged.constant([[1.0], []] * 20)}),
        lambda: SimpleNamespace(**vars(DATA) | {"x_train": tf.sparse.from_dense(DATA.x_train)}),
        lambda: SimpleNamespace(**vars(DATA) | {"x_train": DATA.x_train[0, 0]}),
    ],
    ids=[
        "tf.data", "two of tf.data", "tf.data as x_train", "tf.data beside labels", "PyDataset",
        "generator", "None", "array", "text", "empty dict", "no evaluation", "no argument",
        "a function that gives None", "a function that gives a number", "no labels", "ragged lists",
        "ragged tensor", "sparse tensor", "one number",
    ],
)  # fmt: skip
def test_refused_by_name(data):
    given = data()
    assert_refused(lambda: run(given), naming="data")


def test_data_of_a_later_seed_are_checked_before_anything_is_trained():
    looked = []

    def data_for(seed):
        return DATA if seed == 0 else SimpleNamespace(**vars(DATA) | {"y_train": Y[:39]})

    measure = {"look": lambda model: looked.append(1) or 0}
    assert_refused(lambda: run(data_for, measure=measure), naming="data.y_train")
    assert not looked


# --- what the docstring says ---


def test_the_batch_size_is_that_of_the_loop_in_the_docstring():
    size = inspect.signature(repeat).parameters["batch_size"].default
    loop = documented.__doc__
    said = "batch_size=batch_size" in loop or f"batch_size={size}" in loop
    assert size == 32 if not said else True
    assert said or "batch_size" not in loop


def test_without_a_batch_size_and_epochs_as_given():
    size = inspect.signature(repeat).parameters["batch_size"].default
    ours = repeat(network, DATA, epochs=np.int64(2), seeds=[0], jit_compile=False)
    given = repeat(network, DATA, epochs=2, seeds=[0], batch_size=size, jit_compile=False)
    np.testing.assert_array_equal(ours.history["loss"], given.history["loss"])
