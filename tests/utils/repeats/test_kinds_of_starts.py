"""What `build_model` brings along stays; what an initializer has just drawn starts alike."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers, losses, ops

from tests.utils.repeats.reference import assert_as_fit
from utils.repeats import repeat, seeded

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 6)).astype("float32")
Y = (X @ rng.normal(size=(6, 3))).argmax(axis=1)
DATA = SimpleNamespace(x_train=X[:40], y_train=Y[:40], x_val=X[40:], y_val=Y[40:])
BROUGHT = rng.normal(size=(6, 4)).astype("float32")


def compiled(*stack, shape=(6,), dtype=None):
    model = keras.Sequential([keras.Input(shape, dtype=dtype), *stack])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss=loss, jit_compile=False)
    return model


def test_weights_put_by_hand_stay_in_every_way_of_putting_them(tmp_path):
    def with_kernel(put):
        layer = layers.Dense(4, use_bias=False)
        model = compiled(layer, layers.Dense(3))
        put(layer)
        return model

    keras.utils.set_random_seed(9)
    saved = keras.Sequential([keras.Input((6,)), layers.Dense(4, use_bias=False)])
    saved.layers[0].kernel.assign(BROUGHT)
    saved.save_weights(tmp_path / "base.weights.h5")
    saved.save(tmp_path / "base.keras")

    def load(layer):
        keras.Sequential([keras.Input((6,)), layer]).load_weights(tmp_path / "base.weights.h5")

    ways = {
        "set_weights": lambda layer: layer.set_weights([BROUGHT]),
        "assign": lambda layer: layer.kernel.assign(BROUGHT),
        "load_weights": load,
        "load_own_variables": lambda layer: layer.load_own_variables({"0": BROUGHT}),
        "of another model": lambda layer: layer.set_weights(saved.get_weights()),
    }
    for way, put in ways.items():
        for seed in (0, 1):
            model = seeded(lambda p=put: with_kernel(p), seed)
            np.testing.assert_array_equal(model.layers[0].kernel, BROUGHT, err_msg=way)
        heads = [seeded(lambda p=put: with_kernel(p), s).layers[1].kernel for s in (0, 1)]
        assert not np.array_equal(*map(np.asarray, heads)), way

    def loaded():
        base = keras.saving.load_model(tmp_path / "base.keras")
        return compiled(base, layers.Dense(3))

    for seed in (0, 1):
        np.testing.assert_array_equal(seeded(loaded, seed).get_weights()[0], BROUGHT)
    assert_as_fit(loaded, DATA, rtol=1e-4, atol=1e-5)


def test_embeddings_that_are_given():
    table = rng.normal(size=(20, 4)).astype("float32")

    def build(**options):
        embedding = layers.Embedding(20, 4, **options)
        return compiled(
            embedding,
            layers.GlobalAveragePooling1D(),
            layers.Dense(3),
            shape=(8,),
            dtype="int32",
        )

    constant = keras.initializers.Constant(table)
    for options in ({"weights": table}, {"weights": [table]}, {"embeddings_initializer": constant}):
        for seed in (0, 1):
            model = seeded(lambda o=options: build(**o), seed)
            np.testing.assert_array_equal(model.layers[0].embeddings, table)


def test_weights_that_numpy_draws_keep_their_distribution():
    def build():
        layer = layers.Dense(4)
        model = compiled(layer, layers.Dense(3))
        layer.kernel.assign(np.random.uniform(5, 6, size=(6, 4)))
        return model

    kernels = [np.asarray(seeded(build, seed).layers[0].kernel) for seed in (0, 1)]
    assert all(((kernel >= 5) & (kernel <= 6)).all() for kernel in kernels)
    assert not np.array_equal(*kernels)


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        (lambda kernel: kernel * 0.001, lambda kernel: np.abs(kernel).max() < 0.01),
        (lambda kernel: kernel + 10, lambda kernel: kernel.min() > 5),
        (lambda kernel: kernel * np.eye(6)[:, :4], lambda kernel: (kernel != 0).sum() == 4),
        (np.abs, lambda kernel: kernel.min() >= 0),
    ],
    ids=["scaled", "shifted", "masked", "made positive"],
)
def test_a_draw_that_build_model_has_changed_stays_changed(change, holds):
    def build():
        layer = layers.Dense(4)
        model = compiled(layer, layers.Dense(3))
        layer.kernel.assign(change(np.asarray(layer.kernel)))
        return model

    for seed in (0, 1):
        assert holds(np.asarray(seeded(build, seed).layers[0].kernel))


def test_a_model_that_build_model_has_trained():
    def build():
        model = compiled(layers.Dense(3))
        model.run_eagerly = True
        model.fit(DATA.x_train, DATA.y_train, epochs=30, verbose=0)
        model.run_eagerly = False
        return model

    keras.utils.set_random_seed(0)
    untrained = compiled(layers.Dense(3))
    options = {"epochs": 1, "seeds": [0, 1], "batch_size": 16, "jit_compile": False}
    started = repeat(build, DATA, **options).history["loss"]
    fresh = repeat(lambda: compiled(layers.Dense(3)), DATA, **options).history["loss"]
    assert (started < fresh).all()
    assert untrained.count_params() == 21


def test_statistics_that_a_base_has_gathered():
    moving = [np.full(4, value, "float32") for value in (2.0, 0.5, 3.0, 7.0)]

    def build():
        norm = layers.BatchNormalization()
        model = compiled(layers.Dense(4), norm, layers.Dense(3))
        norm.set_weights(moving)
        return model

    for value, weight in zip(moving, seeded(build, 1).layers[1].get_weights(), strict=True):
        np.testing.assert_array_equal(weight, value)
    assert_as_fit(build, DATA, rtol=1e-4, atol=1e-5)


def test_what_initializers_fix_is_kept():
    """Identity, ones, zeros, and the ones that an LSTM has among its biases."""

    def build():
        return compiled(
            layers.Reshape((2, 3)),
            layers.SimpleRNN(4, recurrent_initializer="identity", return_sequences=True),
            layers.LSTM(4, bias_initializer="random_normal"),
            layers.Dense(4, kernel_initializer="ones", bias_initializer="zeros"),
            layers.Dense(3, kernel_initializer=keras.initializers.HeNormal(seed=3)),
        )

    first, other = (seeded(build, seed) for seed in (0, 1))
    np.testing.assert_array_equal(first.layers[1].cell.recurrent_kernel, np.eye(4))
    np.testing.assert_array_equal(first.layers[2].cell.bias[4:8], np.ones(4))
    np.testing.assert_array_equal(first.layers[3].kernel, np.ones((4, 4)))
    np.testing.assert_array_equal(first.layers[4].kernel, other.layers[4].kernel)


def test_an_orthogonal_start_is_orthogonal():
    kernel = seeded(lambda: compiled(layers.Dense(6, kernel_initializer="orthogonal")), 0)
    kernel = np.asarray(kernel.layers[0].kernel)
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(6), atol=1e-5)


# --- inside of other layers ---


class Kept(layers.Layer):
    """Keeps layers in a container of a form of its own."""

    def __init__(self, form):
        super().__init__()
        self.parts, self.kept = [layers.Dense(6), layers.Dense(6)], None
        first, second = self.parts
        self.kept = {
            "list": lambda: [first, second],
            "tuple": lambda: (first, second),
            "dict": lambda: {"first": first, "second": second},
            "nested": lambda: [[first], [{"second": second}]],
            "attributes": lambda: None,
        }[form]()
        del self.parts
        if form == "attributes":
            self.first, self.second = first, second
        self.order = lambda: (first, second)

    def build(self, shape):
        for part in self.order():
            part.build(shape)

    def call(self, x):
        for part in self.order():
            x = part(x)
        return x


class Drawing(layers.Layer):
    """Draws its weights itself, without an attribute that ends in `_initializer`."""

    def __init__(self, initializer):
        super().__init__()
        self.drawn_by = initializer

    def build(self, shape):
        self.table = self.add_weight(shape=(shape[-1], 6), initializer=self.drawn_by)
        self.other = [self.add_weight(shape=(6, 6), initializer=self.drawn_by) for _ in range(2)]

    def call(self, x):
        return x @ self.table @ self.other[0] @ self.other[1]


def normal(shape, dtype=None):
    return keras.random.normal(shape, dtype=dtype)


class Tied(layers.Layer):
    """Uses the kernel of another layer."""

    def __init__(self, tied_to):
        super().__init__()
        self.tied_to = tied_to

    def call(self, x):
        return x @ ops.transpose(self.tied_to.kernel)


def twice():
    layer = layers.Dense(6)
    return [layer, layers.ReLU(), layer]


def sharing_an_initializer():
    initializer = keras.initializers.GlorotUniform()
    return [layers.Dense(6, kernel_initializer=initializer) for _ in range(2)]


def stacked_cells():
    cells = [layers.LSTMCell(3), layers.GRUCell(4)]
    return [layers.Reshape((2, 3)), layers.RNN(layers.StackedRNNCells(cells))]


def attending():
    attention = layers.MultiHeadAttention(2, 3)

    class Self(layers.Layer):
        def __init__(self):
            super().__init__()
            self.attention = attention

        def build(self, shape):
            self.attention.build(shape, shape)

        def call(self, x):
            return self.attention(x, x)

    return [layers.Reshape((2, 3)), Self(), layers.Flatten()]


def tying():
    layer = layers.Dense(4)
    return [layer, Tied(layer)]


INNER = {
    **{
        f"layers in {form}": (lambda form=form: [Kept(form)])
        for form in ("list", "tuple", "dict", "nested", "attributes")
    },
    "weights by the name of an initializer": lambda: [Drawing("he_normal")],
    "weights by an initializer": lambda: [Drawing(keras.initializers.HeNormal())],
    "weights by a function": lambda: [Drawing(normal)],
    "stacked cells": stacked_cells,
    "attention": attending,
    "a layer used twice": twice,
    "one initializer in two layers": sharing_an_initializer,
    "tied weights": tying,
    "a nested model": lambda: [keras.Sequential([layers.Dense(6), layers.Dense(6)])],
    "EinsumDense": lambda: [layers.EinsumDense("ab,bc->ac", output_shape=6)],
    "spectral normalization": lambda: [layers.SpectralNormalization(layers.Dense(6))],
}


@pytest.mark.parametrize("kind", INNER)
def test_starts_alike_in_both_arms_and_anew_with_every_seed(kind):
    def build(dropout):
        extra = [layers.Dropout(0.5), layers.GaussianNoise(0.1)] if dropout else []
        return compiled(*extra, *INNER[kind](), *extra, layers.Dense(3))

    plain, noisy, other = (
        seeded(lambda d=d: build(d), seed) for d, seed in ((False, 0), (True, 0), (False, 1))
    )
    starts = [[np.asarray(w) for w in model.trainable_weights] for model in (plain, noisy, other)]
    for ours, theirs, weight in zip(starts[0], starts[1], plain.trainable_weights, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=weight.path)
    for ours, theirs, weight in zip(starts[0], starts[2], plain.trainable_weights, strict=True):
        if ours.std() > 0:  # drawn, not zeros or ones
            assert not np.array_equal(ours, theirs), weight.path


def test_an_initializer_of_ones_own_with_an_argument_outside_its_config():
    class Wide(keras.initializers.Initializer):
        def __init__(self, width):
            self.width = width

        def __call__(self, shape, dtype=None, **options):
            return keras.random.uniform(shape, 10, 10 + self.width, dtype=dtype)

    def build():
        return compiled(layers.Dense(4, kernel_initializer=Wide(1.0)), layers.Dense(3))

    kernels = [np.asarray(seeded(build, seed).layers[0].kernel) for seed in (0, 0, 1)]
    assert all(((kernel >= 10) & (kernel <= 11)).all() for kernel in kernels)
    np.testing.assert_array_equal(*kernels[:2])
    assert not np.array_equal(*kernels[1:])


def test_the_random_state_outside_does_not_matter():
    def start():
        return seeded(lambda: compiled(layers.Dense(4), layers.Dense(3)), 3).get_weights()

    first = start()
    np.random.seed(77)
    keras.random.normal((3,))
    for ours, theirs in zip(first, start(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
