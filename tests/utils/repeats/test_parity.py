"""`repeat` is `fit`: in float64, where rounding cannot hide a difference, the numbers are equal."""

import keras
import numpy as np
import pytest
from keras import layers, optimizers, regularizers

from tests.small import convolutional, dense, small_data
from utils.repeats import batch_order, repeat, seeded
from utils.repeats._program import EVALUATION_BATCH

EPOCHS = 3
BATCH = 16  # of 50 examples: three whole batches and a rest of 2


@pytest.fixture(autouse=True)
def double_precision():
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])


def decaying():
    return optimizers.SGD(optimizers.schedules.ExponentialDecay(0.2, 3, 0.8))


def functional_with_two_paths():
    inputs = keras.Input((4, 4))
    flat = layers.Flatten()(inputs)
    hidden = layers.Dense(8, activation="relu", bias_regularizer="l2")(flat)
    outputs = layers.Dense(3, activation="softmax")(layers.Concatenate()([flat, hidden]))
    model = keras.Model(inputs, outputs)
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def two_classes():
    model = keras.Sequential([keras.Input((4, 4)), layers.Flatten()])
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile("adam", loss="binary_crossentropy", metrics=[keras.metrics.AUC(name="auc")])
    return model


MODELS = {
    "Adam": dense,
    "momentum": lambda: dense(optimizer=optimizers.SGD(0.1, momentum=0.9, nesterov=True)),
    "a learning-rate schedule": lambda: dense(optimizer=decaying()),
    "AdamW": lambda: dense(optimizer=optimizers.AdamW(0.01, weight_decay=0.1)),
    "clipped gradients": lambda: dense(optimizer=optimizers.SGD(1.0, clipnorm=0.1)),
    # Before Keras 3.15 `L1` of a Python float is float32, which `fit` cannot add to a float64.
    "L1": lambda: dense(penalty=regularizers.L1(np.float64(0.01))),
    "L2": lambda: dense(penalty=regularizers.L2(0.01)),
    "L1L2": lambda: dense(penalty=regularizers.L1L2(0.01, 0.02)),
    "an activity penalty": lambda: dense(layers.ActivityRegularization(l2=0.01)),
    "batch normalization": lambda: dense(layers.BatchNormalization(momentum=0.9)),
    "layer normalization": lambda: dense(layers.LayerNormalization()),
    "a rate of zero": lambda: dense(layers.Dropout(0.0)),
    "two metrics": lambda: dense(
        metrics=("accuracy", keras.metrics.SparseCategoricalCrossentropy("nll", from_logits=True))
    ),
    "two paths": functional_with_two_paths,
    "a convolution": convolutional,
    "a convolution with batch normalization": lambda: convolutional(batch_norm=True),
}


def fitted(build_model, data, seed):
    """The loop of the module's docstring: `fit`, an epoch at a time; its history and its model."""
    model = seeded(build_model, seed)
    history = {}
    for epoch in range(EPOCHS):
        order = batch_order(seed, epoch, len(data.x_train))
        logs = model.fit(
            data.x_train[order],
            data.y_train[order],
            batch_size=BATCH,
            shuffle=False,
            validation_data=(data.x_val, data.y_val),
            validation_batch_size=EVALUATION_BATCH,
            verbose=0,
        ).history
        for name, values in logs.items():
            history.setdefault(name, []).extend(values)
    return history, model


def assert_same_as_fit(build_model, data, seeds=(5,), jit_compile=False):
    options = {"epochs": EPOCHS, "batch_size": BATCH, "jit_compile": jit_compile}
    runs = repeat(build_model, data, seeds=seeds, **options)
    for row, seed in enumerate(runs.seeds):
        history, model = fitted(build_model, data, seed)
        for name, values in history.items():
            np.testing.assert_allclose(runs.history[name][row], values, atol=1e-6, err_msg=name)
        for ours, theirs in zip(runs.weights[row], model.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-6)
    return runs, model


@pytest.mark.parametrize("name", MODELS)
def test_losses_metrics_and_weights_are_those_of_fit(name):
    assert_same_as_fit(MODELS[name], small_data())


@pytest.mark.parametrize("jit_compile", [True, "auto"])
def test_with_xla_and_over_seeds(jit_compile):
    assert_same_as_fit(MODELS["L2"], small_data(), seeds=[0, 5], jit_compile=jit_compile)


def test_a_metric_with_a_state_over_the_whole_epoch():
    assert_same_as_fit(two_classes, small_data(classes=2))


@pytest.mark.parametrize("examples", [BATCH * 3, BATCH - 6])
def test_without_a_rest_and_with_nothing_but_a_rest(examples):
    assert_same_as_fit(dense, small_data(examples))


def test_a_wrong_order_would_be_noticed():
    data = small_data()
    runs = repeat(dense, data, epochs=EPOCHS, seeds=[0], batch_size=BATCH)
    history, _ = fitted(dense, data, seed=1)
    assert not np.allclose(runs.history["loss"][0], history["loss"], atol=1e-3)


def test_inference_mode_on_the_training_data_and_the_loss_without_its_penalty():
    data = small_data()
    runs, model = assert_same_as_fit(
        lambda: dense(layers.BatchNormalization(), penalty=regularizers.L2(0.1)), data
    )
    train_loss, train_accuracy = model.evaluate(data.x_train, data.y_train, verbose=0)
    last = {name: values[-1, -1] for name, values in runs.history.items()}
    np.testing.assert_allclose(last["train_loss"], train_loss, atol=1e-6)
    np.testing.assert_allclose(last["train_accuracy"], train_accuracy, atol=1e-6)
    penalty = 0.1 * np.sum(model.layers[1].kernel.numpy() ** 2)
    np.testing.assert_allclose(last["penalty"], penalty, atol=1e-6)
    np.testing.assert_allclose(last["train_data_loss"], train_loss - penalty, atol=1e-6)
    np.testing.assert_allclose(last["val_data_loss"], last["val_loss"] - penalty, atol=1e-6)


@pytest.mark.parametrize("restore", [True, False])
@pytest.mark.parametrize("epochs", [30, 3])
def test_early_stopping_is_that_of_fit(restore, epochs):
    """Whole-batch steps, so that the order does not matter and `fit` can run all epochs."""
    data = small_data()

    def build_model():
        return dense(optimizer=optimizers.Adam(0.1))

    def stop():
        return keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=restore)

    options = {"epochs": epochs, "batch_size": len(data.x_train)}
    runs = repeat(build_model, data, seeds=[0, 1], callbacks=[stop()], jit_compile=False, **options)
    lengths = []
    for row, seed in enumerate(runs.seeds):
        model = seeded(build_model, seed)
        losses = model.fit(
            data.x_train,
            data.y_train,
            shuffle=False,
            validation_data=(data.x_val, data.y_val),
            callbacks=[stop()],
            verbose=0,
            **options,
        ).history["val_loss"]
        lengths.append(len(losses))
        np.testing.assert_allclose(runs.history["val_loss"][row][: len(losses)], losses, atol=1e-6)
        assert np.isnan(runs.history["val_loss"][row][len(losses) :]).all()
        for ours, theirs in zip(runs.weights[row], model.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-6)
        kept = np.argmin(losses) if restore else len(losses) - 1
        assert runs.kept_epoch[row] == kept
    assert epochs == 3 or max(lengths) < epochs


def test_averaged_weights_are_put_in_place_at_the_end_as_fit_does():
    data = small_data()

    def build_model():
        return dense(optimizer=optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5))

    runs = repeat(build_model, data, epochs=2, seeds=[0], batch_size=len(data.x_train))
    model = seeded(build_model, 0)
    options = {"epochs": 2, "batch_size": len(data.x_train), "shuffle": False, "verbose": 0}
    model.fit(data.x_train, data.y_train, **options)
    for ours, theirs in zip(runs.weights[0], model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
