"""What was tried on a model leaves no trace, also where it failed."""

import keras
import pytest

from utils._shared.restoring import calls_replaced, left_as_found


def test_values_are_put_back_after_an_error_too():
    changed, other = keras.Variable([1.0, 2.0]), keras.Variable(3.0)

    def fail():
        with left_as_found([changed]):
            changed.assign([5.0, 6.0])
            other.assign(7.0)
            raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        fail()
    assert changed.numpy().tolist() == [1.0, 2.0]
    assert other.numpy() == 7.0


def test_calls_are_put_back_after_an_error_too():
    dense = keras.layers.Dense(1, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((2,)), dense])
    call = dense.call

    def fail():
        with calls_replaced({dense: lambda x: -x}):
            assert model(keras.ops.ones((1, 2))).numpy().tolist() == [[-1, -1]]
            raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        fail()
    assert model(keras.ops.ones((1, 2))).numpy().tolist() == [[2]]
    assert "call" not in vars(dense)
    assert dense.call == call


def test_a_call_that_was_replaced_before_comes_back():
    dense = keras.layers.Dense(1)
    for factor in (2, 3):
        with calls_replaced({dense: lambda x, factor=factor: factor * x}):
            with calls_replaced({dense: lambda x: -x}):
                assert dense.call(1) == -1
            assert dense.call(1) == factor
