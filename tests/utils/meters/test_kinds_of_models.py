"""The meters that look inside a model, on chains, graphs, nested models and subclasses."""

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from utils.meters import ablated_logits, ablation_curve, layer_output, noisy_accuracy, score
from utils.meters._hidden import hidden_layers
from utils.meters._layers import find_layer, leaf_layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5)).astype("float32")
Y = np.abs(X[:, :3]).argmax(axis=1)


class Block(layers.Layer):
    """A layer of one's own, with others in a list."""

    def __init__(self, *parts):
        super().__init__()
        self.parts = list(parts)

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x


class Subclass(keras.Model):
    def __init__(self, *parts):
        super().__init__()
        self.parts = list(parts)

    def call(self, x):  # takes no `training`
        for part in self.parts:
            x = part(x)
        return x


def graph(*parts):
    inputs = x = keras.Input((5,))
    for part in parts:
        x = part(x)
    return keras.Model(inputs, x)


def chain(*parts):
    return keras.Sequential([keras.Input((5,)), *parts])


FORMS = {
    "functional": graph,
    "nested": lambda a, b, out: chain(chain(a, keras.Sequential([b])), out),
    "nested in a graph": lambda a, b, out: graph(graph(a, b), out),
    "subclass": Subclass,
    "subclass of subclasses": lambda a, b, out: Subclass(Subclass(a), Subclass(b, out)),
    "own layer": lambda a, b, out: chain(Block(a, b), out),
    "own layer in a subclass": lambda a, b, out: Subclass(Block(a, Block(b)), out),
}


@pytest.fixture(scope="module")
def parts():
    keras.utils.set_random_seed(0)
    stack = [layers.Dense(8, activation="relu", name=name) for name in ("a", "b")]
    stack.append(layers.Dense(3, name="out"))
    chain(*stack)
    return stack


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("which", [["a", "b"], [0, 1], [-3, -2], "all hidden"])
def test_the_same_layers_in_another_form_lose_the_same(parts, form, which):
    model = FORMS[form](*parts)
    plain, names = chain(*parts), ["a", "b"]
    np.testing.assert_allclose(
        ablated_logits(model, which, X, 0.5), ablated_logits(plain, names, X, 0.5), rtol=1e-5
    )
    for measure in (ablation_curve, noisy_accuracy):
        settings = {"shares": [0.5]} if measure is ablation_curve else {}
        left = [
            measure(*one, X, Y, masks=2, **settings) for one in ((model, which), (plain, names))
        ]
        assert left[0] == left[1]


@pytest.mark.parametrize("form", FORMS)
def test_what_a_layer_puts_out_is_found_in_every_form(parts, form):
    model, expected = FORMS[form](*parts), parts[1](parts[0](X))
    for layer in ("b", 1):
        np.testing.assert_allclose(layer_output(model, layer, X), expected, rtol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_the_model_answers_as_before(parts, form):
    model = FORMS[form](*parts)
    before = model.predict_on_batch(X)
    ablated_logits(model, ["a", "b"], X, 0.5)
    layer_output(model, "b", X)
    np.testing.assert_array_equal(model.predict_on_batch(X), before)
    assert not any("call" in vars(part) for part in parts)


def test_it_answers_in_inference_mode_whatever_a_model_does_by_default():
    class Training(Subclass):
        def call(self, x, training=True):
            return -super().call(x) if training else super().call(x)

    one = layers.Dense(3, kernel_initializer="identity", name="one")
    model = Training(one)
    model.compile(loss="sparse_categorical_crossentropy")
    x = np.eye(3)
    np.testing.assert_array_equal(ablated_logits(model, "one", x, 0), x)
    assert score(model, x, [0, 1, 2]) == 1


def test_it_answers_as_before_after_an_error_too(parts):
    model = chain(*parts)
    weights = parts[2].get_weights()
    parts[2].set_weights([np.full_like(weights[0], np.nan), weights[1]])
    with pytest.raises(ValueError, match="diverged"):
        ablated_logits(model, "a", X, 0.5)
    parts[2].set_weights(weights)
    assert not any("call" in vars(part) for part in parts)


def test_a_nested_model_is_ablated_by_its_name(parts):
    inner = keras.Sequential(parts[:2], name="inner")
    ablated = ablated_logits(chain(inner, parts[2]), "inner", X, 0.5)
    np.testing.assert_allclose(ablated, ablated_logits(chain(*parts), "b", X, 0.5), rtol=1e-5)


def test_branches_lose_what_is_ablated_in_them_only():
    inputs = keras.Input((4,))
    left = layers.Dense(4, name="left", use_bias=False)(inputs)
    right = layers.Dense(4, name="right", use_bias=False)(inputs)
    model = keras.Model(inputs, layers.Concatenate()([left, right]))
    model.set_weights([np.eye(4), 2 * np.eye(4)])
    ablated = ablated_logits(model, "right", np.ones((1, 4)), 0.5)[0]
    np.testing.assert_array_equal(ablated[:4], 1)
    assert sorted(ablated[4:]) == [0, 0, 4, 4]


def test_a_layer_that_is_called_twice_loses_the_same_units_twice():
    shared = layers.Dense(8, name="shared", use_bias=False)
    inputs = keras.Input((8,))
    model = keras.Model(inputs, layers.Concatenate()([shared(inputs), shared(-inputs)]))
    shared.set_weights([np.eye(8)])
    ablated = ablated_logits(model, "shared", np.ones((1, 8)), 0.5)[0]
    np.testing.assert_array_equal(ablated[:8], -ablated[8:])
    with pytest.raises(ValueError, match="called 2 times"):
        layer_output(model, "shared", np.ones((1, 8)))


def recurrent(units=6):
    keras.utils.set_random_seed(0)
    words = layers.Embedding(20, 5, mask_zero=True, name="words")
    lstm = layers.LSTM(units, name="lstm")
    return keras.Sequential([keras.Input((None,), dtype="int32"), words, lstm, layers.Dense(2)])


@pytest.mark.parametrize("which", ["words", "lstm", "all hidden"])
def test_masks_are_kept(which):
    model, texts = recurrent(), np.array([[3, 5, 7], [2, 4, 9]])
    padded = np.pad(texts, [(0, 0), (0, 2)])
    np.testing.assert_allclose(
        ablated_logits(model, which, padded, 0.5),
        ablated_logits(model, which, texts, 0.5),
        rtol=1e-5,
    )
    whole = ablated_logits(model, which, padded, 0)
    np.testing.assert_allclose(whole, model.predict_on_batch(padded), rtol=1e-4)
    assert not np.allclose(ablated_logits(model, which, padded, 0.5), whole)
    np.testing.assert_allclose(
        layer_output(model, "lstm", padded), layer_output(model, "lstm", texts), rtol=1e-5
    )


def names_of_hidden(model, x=X):
    return [layer.name for layer in hidden_layers(model, tf.constant(x))]


def test_hidden_units_are_taken_behind_their_activation():
    stack = [layers.Dense(8, name="one"), layers.BatchNormalization(), layers.ReLU(name="relu")]
    stack += [layers.Dropout(0.5), layers.Dense(8, name="two"), layers.Dropout(0.5)]
    stack += [layers.Activation("tanh", name="tanh"), layers.Dense(3), layers.Softmax()]
    assert names_of_hidden(chain(*stack)) == ["relu", "tanh"]


def test_an_output_that_two_layers_add_up_to_is_not_hidden():
    inputs = keras.Input((5,))
    deep = layers.Dense(3, name="top")(layers.Dense(8, name="deep")(inputs))
    wide = layers.Dense(3, name="wide")(inputs)
    assert names_of_hidden(keras.Model(inputs, layers.Add()([deep, wide]))) == ["deep"]


def test_a_layer_whose_output_goes_two_ways_is_taken_itself():
    inputs = keras.Input((5,))
    one = layers.Dense(5, name="one")(inputs)
    both = layers.Add()([one, layers.Activation("relu")(one)])
    assert names_of_hidden(keras.Model(inputs, layers.Dense(3)(both))) == ["one"]


def test_hidden_layers_are_found_through_plain_operations():
    class Net(Subclass):
        def call(self, x):
            one, out = self.parts
            return tf.nn.softmax(out(tf.tanh(one(x))))

    assert names_of_hidden(Net(layers.Dense(8, name="one"), layers.Dense(3))) == ["one"]


def test_convolutions_and_recurrent_layers_are_hidden_embeddings_are_not():
    keras.utils.set_random_seed(0)
    wrapped = layers.Bidirectional(layers.GRU(3, return_sequences=True), name="both")
    stack = [layers.Embedding(9, 4), layers.Conv1D(4, 2, name="conv"), wrapped]
    stack += [layers.GlobalAveragePooling1D(), layers.Dense(2)]
    model = keras.Sequential([keras.Input((6,), dtype="int32"), *stack])
    assert names_of_hidden(model, np.ones((2, 6), "int32")) == ["conv", "both"]
    assert [type(layer) for layer in leaf_layers(model)] == [type(layer) for layer in stack]


def test_frozen_layers_are_hidden_too(parts):
    model = chain(*parts)
    model.trainable = False
    assert names_of_hidden(model) == ["a", "b"]
    model.trainable = True


def test_a_matrix_that_is_never_trained_has_units():
    class Projection(layers.Layer):
        def build(self, shape):
            self.matrix = self.add_weight(shape=(shape[-1], 4), trainable=False)

        def call(self, x):
            return x @ self.matrix

    one = Projection(name="one")
    assert names_of_hidden(chain(one, layers.Rescaling(2.0), layers.Dense(3))) == ["one"]


@pytest.mark.parametrize("kind", ["BatchNormalization", "ELU", "LeakyReLU", "PReLU", "ReLU"])
def test_what_changes_each_unit_alone_is_taken_in_place_of_its_layer(kind):
    last = getattr(layers, kind)(name="last")
    assert names_of_hidden(chain(layers.Dense(8), last, layers.Dense(3))) == ["last"]


def test_matrices_that_mix_no_units_do_not_count():
    stack = [layers.Normalization(axis=(1, 2, 3)), layers.Conv2D(3, 2, name="conv")]
    stack += [layers.LayerNormalization(), layers.MaxPooling2D(1), layers.PReLU()]
    stack += [layers.Conv2D(2, 2), layers.PReLU()]  # the model's output, and so not hidden
    model = keras.Sequential([keras.Input((4, 4, 1)), *stack])
    assert names_of_hidden(model, np.ones((2, 4, 4, 1), "float32")) == ["conv"]


def test_a_model_without_hidden_layers_is_refused():
    with pytest.raises(ValueError, match="has no hidden layer"):
        ablated_logits(chain(layers.Dense(3)), "all hidden", X, 0.5)


def test_names_that_two_layers_have_are_refused():
    twins = [chain(layers.Dense(5, name="twin")) for _ in range(2)]
    model = chain(*twins)
    with pytest.raises(ValueError, match="2 layers have the name 'twin'; give a position: 0 twin"):
        find_layer(model, "twin")
    assert find_layer(model, 1) is twins[1].layers[0]


def test_several_outputs_are_refused():
    inputs = keras.Input((5,))
    model = keras.Model(inputs, [layers.Dense(3, name="one")(inputs), layers.Dense(3)(inputs)])
    for meter in (ablated_logits, noisy_accuracy):
        with pytest.raises(ValueError, match="2 outputs; give a model with one"):
            meter(model, "one", X, 0.5 if meter is ablated_logits else Y)
    assert layer_output(model, "one", X).shape == (60, 3)


def test_a_layer_with_several_arrays_or_no_channels_is_refused():
    inputs = keras.Input((4, 2))
    output, *_ = layers.LSTM(3, return_state=True, name="lstm")(inputs)
    model = keras.Model(inputs, layers.Dense(2)(output))
    with pytest.raises(ValueError, match="'lstm' does not put out one array"):
        ablated_logits(model, "lstm", np.ones((1, 4, 2)), 0.5)
    with pytest.raises(ValueError, match="puts out one array"):
        layer_output(model, "lstm", np.ones((1, 4, 2)))


def test_a_layer_behind_a_compiled_function_is_refused_and_keeps_its_answers():
    class Compiled(Subclass):
        @tf.function
        def call(self, x):
            return super().call(x)

    model = Compiled(layers.Dense(8, name="one"), layers.Dense(3))
    before = model(X).numpy()
    for meter in (lambda: ablated_logits(model, "one", X, 0.5), lambda: layer_output(model, 0, X)):
        with pytest.raises(ValueError, match=r"tf\.function"):
            meter()
    np.testing.assert_array_equal(model(X), before)


def test_a_layer_that_is_not_called_is_refused(parts):
    model = Subclass(*parts)
    model.unused = layers.ReLU(name="unused")
    with pytest.raises(ValueError, match="'unused' is not called"):
        ablated_logits(model, "unused", X, 0.5)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8"])
def test_what_comes_before_is_computed_once_for_all_masks(parts, dtype):
    class Counted(layers.Layer):
        calls = 0

        def call(self, x, training=None):
            Counted.calls += 1
            return x + 0

    before, behind = [Counted(), Counted(), *parts], [parts[0], Counted(), *parts[1:]]
    for stack, calls in ((before, 2 + 2), (behind, 1 + 6)):  # one example tells the outputs' shape
        model = chain(*stack)
        model.compile(loss="sparse_categorical_crossentropy")
        Counted.calls = 0
        ablation_curve(model, "a", X.astype(dtype), Y, [0.25, 0.5], masks=3)
        assert Counted.calls == calls


def test_half_precision_is_ablated_and_scored():
    stack = [layers.Dense(8, dtype="mixed_float16", name="one"), layers.Dense(3)]
    model = chain(*stack)
    assert ablated_logits(model, "one", X, 0.5).dtype == "float32"
    assert 0 < ablation_curve(model, "one", X, Y, [0.5])[0] < 1


def test_each_thread_measures_its_own_model():
    def measured(model):
        return [ablation_curve(model, 0, X, Y), layer_output(model, 0, X)]

    models = [chain(layers.Dense(8, activation="relu"), layers.Dense(3)) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(measured, models))
    for model, results in zip(models, together, strict=True):
        assert all(map(np.array_equal, results, measured(model)))
