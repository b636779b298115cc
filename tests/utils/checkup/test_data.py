"""Every form of data that people have comes out as four arrays, or as a sentence."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from utils.checkup._data import read

X = np.arange(60, dtype="float32").reshape(20, 3)
Y = np.arange(20) % 2
MODEL = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])


def pipeline(count=20, batch=8):
    return tf.data.Dataset.from_tensor_slices((X[:count], Y[:count])).batch(batch)


class Batches(keras.utils.PyDataset):
    def __init__(self):
        super().__init__(workers=1)

    def __len__(self):
        return 4

    def __getitem__(self, place):
        rows = slice(5 * place, 5 * place + 5)
        return X[rows], Y[rows]


PARTS = {"x_train": X, "y_train": Y, "x_val": X[:4], "y_val": Y[:4]}


@pytest.mark.parametrize(
    "data",
    [
        ((X, Y), (X[:4], Y[:4])),
        (X, Y, X[:4], Y[:4]),
        PARTS,
        type("Data", (), PARTS)(),
        (X.tolist(), Y.tolist(), X[:4].tolist(), Y[:4].tolist()),
        (pipeline(), pipeline(4)),
        (pipeline().unbatch(), pipeline(4).unbatch()),
        (Batches(), pipeline(4)),
    ],
    ids=["pairs", "four", "dict", "object", "lists", "tf.data", "unbatched", "PyDataset"],
)
def test_all_forms_give_the_same_four_arrays(data):
    found = read(data, MODEL)
    for name, values in PARTS.items():
        np.testing.assert_array_equal(getattr(found, name), values)


def test_a_fifth_is_held_out_once_and_said():
    found = read((X, Y), MODEL)
    assert (len(found.x_train), len(found.x_val)) == (16, 4)
    both = np.concatenate([found.x_train, found.x_val])
    np.testing.assert_array_equal(np.sort(both[:, 0]), X[:, 0])
    assert "a fifth" in found.notes[0]


def test_some_examples_are_drawn_from_all_of_them():
    found = read((X, np.sort(Y), X[:4], Y[:4]), MODEL)  # sorted by class
    x, y = found.some("train", 10)
    assert len(x) == 10
    assert set(y) == {0, 1}
    np.testing.assert_array_equal(x, found.some("train", 10)[0])
    np.testing.assert_array_equal(found.some("train", 99)[0], X)


def test_a_pipeline_brings_its_batch_size_and_arrays_that_of_fit():
    assert read((pipeline(batch=8), pipeline(4)), MODEL).batch_size == 8
    assert read((X, Y), MODEL).batch_size == 32


def test_several_inputs_and_texts_keep_their_form():
    texts = np.array(["one", "two"] * 10, dtype=object)
    found = read(({"a": X, "b": texts}, Y, {"a": X[:4], "b": texts[:4]}, Y[:4]), MODEL)
    assert set(found.x_train) == {"a", "b"}
    assert found.x_train["b"].dtype.kind == "U"
    strings = tf.data.Dataset.from_tensor_slices((texts.astype(str), Y)).batch(7)
    assert read((strings, strings), None).x_train.tolist() == texts.tolist()


RAGGED = tf.data.Dataset.from_generator(
    lambda: ((np.ones((2, n), "float32"), np.zeros(2)) for n in (1, 2)),
    output_signature=(tf.TensorSpec((None, None)), tf.TensorSpec((None,))),
)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (None, TypeError, "data is NoneType; give"),
        ({"x_train": X, "y_train": Y}, TypeError, "data has no x_val; give"),
        ((X, Y, X), ValueError, "data has 3 parts; give"),
        ((X, Y[:-1]), ValueError, "data has 20 examples and 19 labels"),
        ((X, np.array(["cat", "dog"] * 10)), TypeError, "text, as '(cat|dog)'.*np.unique"),
        ((pipeline(), pipeline(), pipeline()), ValueError, "data has 3 pipelines"),
        (pipeline().repeat(), ValueError, r"never ends; leave out repeat\(\)"),
        (pipeline().map(lambda x, y: x), ValueError, r"gives 1 arrays a batch; give \(x, y\)"),
        (pipeline().map(lambda x, y: (x, y, y)), ValueError, "3 arrays.*weights are not used"),
        (pipeline().take(0), ValueError, "gives no examples"),
        (RAGGED, ValueError, "different lengths; pad them"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_would_do(data, error, message):
    with pytest.raises(error, match=message):
        read(data, MODEL)
