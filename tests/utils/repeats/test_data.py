"""The four parts, out of whatever holds them; nothing is trained."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from utils.repeats._data import examples_of, examples_or_function
from utils.repeats._data_prints import prints_of

X, Y, X_VAL, Y_VAL = np.ones((3, 2)), np.arange(3), np.zeros((2, 2)), np.arange(2)
PARTS = {"x_train": X, "y_train": Y, "x_val": X_VAL, "y_val": Y_VAL}


@pytest.mark.parametrize(
    "data",
    [PARTS, SimpleNamespace(**PARTS), ((X, Y), (X_VAL, Y_VAL)), [[X, Y], [X_VAL, Y_VAL]]],
    ids=["dict", "object", "tuples", "lists"],
)
def test_each_part_is_found(data):
    found = examples_of(data)
    assert found.source is data
    for name, part in PARTS.items():
        assert getattr(found, name) is part


@pytest.mark.parametrize("kind", [list, tuple])
def test_labels_in_a_list_or_a_tuple_are_one_array(kind):
    found = examples_of(PARTS | {"y_train": kind([0, 1, 2])})
    np.testing.assert_array_equal(found.y_train, [0, 1, 2])


def test_several_inputs_stay_several():
    found = examples_of(PARTS | {"x_train": [X, Y], "x_val": (X_VAL, Y_VAL)})
    assert [part.shape for part in found.x_train] == [(3, 2), (3,)]
    assert [part.shape for part in found.x_val] == [(2, 2), (2,)]


def test_a_dataset_is_no_array():
    dataset = tf.data.Dataset.from_tensor_slices(X)
    with pytest.raises(TypeError, match=r"data\.x_train is a .*Dataset; give arrays of examples"):
        examples_of(PARTS | {"x_train": dataset})


def test_a_class_is_no_function_of_the_seed():
    with pytest.raises(TypeError, match="data is the class Mine; give an instance"):
        examples_or_function(type("Mine", (), {}))


@pytest.mark.parametrize("function", [lambda seed: PARTS, lambda *seeds: PARTS])
def test_a_function_of_the_seed_is_called_later(function):
    assert examples_or_function(function) is function


def test_validation_data_of_other_names_are_refused():
    x, x_val = {"a": X, "b": Y}, {"a": X_VAL, "c": Y_VAL}
    with pytest.raises(ValueError, match=r"data\.x_val has other parts than data\.x_train"):
        examples_of(PARTS | {"x_train": x, "x_val": x_val})


@pytest.mark.parametrize("x_val", [np.zeros((2, 2), "int64"), np.zeros((2, 1))])
def test_validation_data_of_another_kind_are_refused(x_val):
    with pytest.raises(ValueError, match="give both the same kind of numbers and shape"):
        examples_of(PARTS | {"x_val": x_val})


def test_tensors_have_the_types_of_fit():
    x, y = examples_of(PARTS).tensors()[0]
    assert (x.dtype, y.dtype) == (tf.float32, tf.int64)


def test_prints_tell_precision_from_shape_and_from_other_numbers():
    train, _ = prints_of(SimpleNamespace(**PARTS))
    assert train.types == "float64, int64"
    column, val = prints_of(SimpleNamespace(**PARTS | {"y_train": Y[:, None]}))
    assert column.types == "float64, int64 (n, 1)"
    assert (column.values, column.exactly) == (train.values, train.exactly)
    assert val.types == "float64, int64"
    halved, _ = prints_of(SimpleNamespace(**PARTS | {"x_train": X / 2}))
    assert halved.values != train.values
