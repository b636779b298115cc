"""Small inputs on which the first edition's engine and meters were wrong, each for a kind of fault.

The yardstick everywhere is Keras's own `fit`, whatever was trained before in the same process.
"""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers

from tests.utils.repeats.models import decaying
from utils.comparisons import compare, main_effect, overview
from utils.meters import ablation_curve, pruning_curve
from utils.repeats import batch_order, repeat, seeded

rng = np.random.default_rng(0)
X, XV = rng.normal(size=(96, 6)).astype("float32"), rng.normal(size=(48, 6)).astype("float32")
W = rng.normal(size=(6, 3))
Y, YV = (X @ W).argmax(1), (XV @ W).argmax(1)
DATA = SimpleNamespace(x_train=X, y_train=Y, x_val=XV, y_val=YV)
BINARY = SimpleNamespace(
    x_train=X, y_train=(X[:, 0] > 0.5).astype(int), x_val=XV, y_val=(XV[:, 0] > 0.5).astype(int)
)
ONCE = {"epochs": 2, "seeds": (0, 1), "batch_size": 32, "jit_compile": False}


def cross_entropy():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def compiled(model, optimizer="sgd", loss=None, **options):
    model.compile(optimizer, loss or cross_entropy(), **options)
    return model


def linear():
    return compiled(keras.Sequential([keras.Input((6,)), layers.Dense(3)]), "adam")


def by_fit(build, data=DATA, seed=0):
    """The validation loss after each epoch of plain `fit`."""
    model = seeded(build, seed, np.shape(data.x_train))
    losses = []
    for epoch in range(ONCE["epochs"]):
        order = batch_order(seed, epoch, len(data.x_train))
        model.fit(data.x_train[order], data.y_train[order], batch_size=32, shuffle=False, verbose=0)
        losses.append(model.evaluate(data.x_val, data.y_val, verbose=0, return_dict=True)["loss"])
    return losses


def assert_as_fit(*builds, data=DATA):
    """Every arm equals `fit`, also behind the arms that ran before it."""
    for build in builds:
        runs = repeat(build, data, **ONCE)
        np.testing.assert_allclose(runs.history["val_loss"][0], by_fit(build, data), rtol=1e-4)


# --- two arms that Keras serializes alike are not the same program ---


def test_a_name_that_is_also_a_value():
    def named(activation):
        stack = [keras.Input((6,)), layers.Dense(8, activation=activation), layers.Dense(3)]
        return compiled(keras.Sequential(stack, name=activation))

    assert_as_fit(lambda: named("relu"), lambda: named("tanh"))


@pytest.mark.parametrize("ways", [("none", "late", "proper"), ("proper", "late", "none")])
def test_a_regularizer_set_on_a_built_layer(ways):
    def build(way):
        l2 = keras.regularizers.L2(1.0)
        dense = layers.Dense(8, kernel_regularizer=l2 if way == "proper" else None)
        model = keras.Sequential([keras.Input((6,)), dense, layers.Dense(3)])
        if way == "late":
            dense.kernel_regularizer = l2  # does nothing, as lesson 03 says
        return compiled(model)

    assert_as_fit(*(lambda w=way: build(w) for way in ways))


def test_what_differs_is_what_was_trained():
    def build(late):
        dense = layers.Dense(8)
        model = keras.Sequential([keras.Input((6,)), dense, layers.Dense(3)])
        if late:
            dense.kernel_regularizer = keras.regularizers.L2(1.0)
        return compiled(model)

    arms = [repeat(lambda late=late: build(late), DATA, **ONCE) for late in (False, True)]
    assert not compare(*arms, "val_loss").confounds


def test_weights_that_decay_leaves_out():
    assert_as_fit(lambda: decaying(False), lambda: decaying(True))


# --- weights that `build_model` brings along ---


def test_pretrained_weights_stay():
    perfect = np.zeros((6, 2), "float32")
    perfect[0] = -9, 9

    def build():
        base = layers.Dense(2, trainable=False)
        model = keras.Sequential([keras.Input((6,)), base])
        base.set_weights([perfect, np.array([4.5, -4.5], "float32")])
        return compiled(model, metrics=["accuracy"])

    runs = repeat(build, BINARY, **ONCE)
    assert runs.final("val_accuracy").min() == 1


# --- what `compare` cannot see it must not deny ---


@pytest.mark.parametrize("ways", [("min", "max")])
def test_the_direction_of_early_stopping(ways):
    arms = []
    for mode in ways:
        stop = keras.callbacks.EarlyStopping("val_loss", patience=1, mode=mode)
        arms.append(repeat(linear, DATA, **ONCE, callbacks=[stop]))
    assert compare(*arms, "val_loss").confounds


def test_operations_between_layers():
    def build(loud):
        x = keras.Input((6,))
        h = layers.Dense(8)(x)
        h = keras.ops.tanh(h) * 3 if loud else keras.ops.tanh(h)
        return compiled(keras.Model(x, layers.Dense(3)(h)))

    arms = [repeat(lambda loud=loud: build(loud), DATA, **ONCE) for loud in (False, True)]
    assert compare(*arms, "val_loss").confounds


def test_another_train_step():
    class Half(keras.Sequential):
        def compute_loss(self, *args, **kwargs):
            return super().compute_loss(*args, **kwargs) / 2

    def build(kind):
        return compiled(kind([keras.Input((6,)), layers.Dense(3)]))

    arms = [repeat(lambda k=kind: build(k), DATA, **ONCE) for kind in (keras.Sequential, Half)]
    assert compare(*arms, "val_loss").confounds


# --- callbacks and metrics ---


def test_a_subclass_whose_hooks_are_not_called_is_refused():
    class Later(keras.callbacks.EarlyStopping):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.0

    with pytest.raises((TypeError, ValueError)):
        repeat(linear, DATA, **ONCE, callbacks=[Later("val_loss")])


def sigmoid(**options):
    stack = [keras.Input((6,)), layers.Dense(8, activation="relu", name="hidden")]
    model = keras.Sequential([*stack, layers.Dense(1, activation="sigmoid")])
    return compiled(model, keras.optimizers.Adam(0.05), "binary_crossentropy", **options)


def test_metrics_with_automatic_names():
    runs = repeat(lambda: sigmoid(metrics=[keras.metrics.AUC()]), BINARY, **ONCE)
    assert any("auc" in name for name in runs.history)


def test_what_was_trained_is_not_lost_by_a_measure():
    sizes = iter((2, 3))
    runs = repeat(linear, DATA, **ONCE, measure={"ragged": lambda model: np.zeros(next(sizes))})
    assert len(runs.weights) == 2


# --- models with one output ---


def test_meters_of_a_model_with_one_output():
    model = sigmoid(metrics=["accuracy"])
    model.fit(X, BINARY.y_train, epochs=20, verbose=0)
    right = model.evaluate(XV, BINARY.y_val, verbose=0)[1]
    assert pruning_curve(model, XV, BINARY.y_val, [0.0])[0] == pytest.approx(right)
    assert ablation_curve(model, "hidden", XV, BINARY.y_val, [0.0])[0] == pytest.approx(right)


# --- arms ---


def test_effects_count_diverged_runs():
    def build(rate=0.1):
        stack = [keras.Input((6,)), layers.Dense(8), layers.Dense(3)]
        return compiled(keras.Sequential(stack), keras.optimizers.SGD(rate))

    three = ONCE | {"seeds": (0, 1, 2)}
    fine = repeat(build, DATA, **three)
    gone = repeat(lambda: build(1e18), DATA, **three)
    assert "nan" not in str(main_effect({(): fine, ("rate",): gone}, "rate", "val_loss"))


def test_overview_of_one_arm():
    runs = repeat(linear, DATA, **ONCE)
    assert "val_loss" in overview([runs], ["val_loss"])


def test_mixed_precision():
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        assert np.isfinite(repeat(linear, DATA, **ONCE).history["val_loss"]).all()
    finally:
        keras.mixed_precision.set_global_policy("float32")


def test_layers_kept_in_a_list_start_alike():
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.parts = [layers.Dense(6), layers.Dense(6)]

        def build(self, shape):
            for part in self.parts:
                part.build(shape)

        def call(self, x):
            for part in self.parts:
                x = part(x)
            return x

    def build(dropout):
        extra = [layers.Dropout(0.5)] if dropout else []
        return compiled(keras.Sequential([keras.Input((6,)), *extra, Block(), layers.Dense(3)]))

    kernels = [seeded(lambda d=d: build(d), 0).layers[-2].parts[1].kernel for d in (False, True)]
    np.testing.assert_array_equal(*map(np.asarray, kernels))
