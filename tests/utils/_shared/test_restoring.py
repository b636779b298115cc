"""What was tried on a model leaves no trace, also where it failed."""

import keras
import pytest

from utils._shared.restoring import left_as_found


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
