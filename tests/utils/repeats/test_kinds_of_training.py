"""Callbacks, metrics, precision and modes: trained as `fit` would, or refused in a sentence."""

import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, metrics, optimizers

from tests.utils.repeats.reference import (
    assert_as_fit,
    assert_as_fit_or_refused,
    assert_refused,
    double_precision,
    fitted,
)
from utils.repeats import repeat

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 6))
Y = (X @ rng.normal(size=(6, 3))).argmax(axis=1)
DATA = SimpleNamespace(x_train=X[:40], y_train=Y[:40], x_val=X[40:], y_val=Y[40:])
ONE_HOT = SimpleNamespace(**vars(DATA) | {"y_train": np.eye(3)[Y[:40]], "y_val": np.eye(3)[Y[40:]]})
TWO = (X[:, :1] + X[:, 1:2] > 0.3).astype(int)
BINARY = SimpleNamespace(**vars(DATA) | {"y_train": TWO[:40], "y_val": TWO[40:]})


def network(loss="sparse_categorical_crossentropy", optimizer="adam", **options):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu")])
    if loss == "binary_crossentropy":
        model.add(layers.Dense(1, activation="sigmoid"))
    else:
        model.add(layers.Dense(3, activation="softmax"))
    model.compile(optimizer, loss=loss, **({"jit_compile": False} | options))
    return model


def run(build=network, data=DATA, **options):
    defaults = {"epochs": 2, "seeds": [0, 1], "batch_size": 16, "jit_compile": False}
    return repeat(build, data, **(defaults | options))


# --- callbacks ---

CALLBACKS = {
    "ReduceLROnPlateau": lambda: keras.callbacks.ReduceLROnPlateau(),
    "ModelCheckpoint": lambda: keras.callbacks.ModelCheckpoint("model.keras"),
    "LambdaCallback": lambda: keras.callbacks.LambdaCallback(on_epoch_end=print),
    "LearningRateScheduler": lambda: keras.callbacks.LearningRateScheduler(lambda epoch: 0.1),
    "BackupAndRestore": lambda: keras.callbacks.BackupAndRestore("backup"),
    "CSVLogger": lambda: keras.callbacks.CSVLogger("log.csv"),
    "TerminateOnNaN": lambda: keras.callbacks.TerminateOnNaN(),
    "History": lambda: keras.callbacks.History(),
    "SwapEMAWeights": lambda: keras.callbacks.SwapEMAWeights(),
    "EarlyStopping": lambda: keras.callbacks.EarlyStopping,
    "CallbackList": lambda: keras.callbacks.CallbackList(),
    "early": lambda: "early stopping",
    "function": lambda: lambda epoch, logs: None,
    "3": lambda: 3,
}


@pytest.mark.parametrize("in_a_list", [False, True])
@pytest.mark.parametrize("name", CALLBACKS)
def test_what_is_no_early_stopping_is_refused_by_name(name, in_a_list):
    callback = CALLBACKS[name]()
    given = [keras.callbacks.EarlyStopping("val_loss"), callback] if in_a_list else callback
    assert_refused(lambda: run(callbacks=given), naming=f"callbacks.*{name}")


HOOKS = [name for name in dir(keras.callbacks.Callback) if name.startswith(("on_", "set_"))]


def stopping(hook, of_instance=False):
    """`EarlyStopping` with `hook` replaced by one that also ends all learning."""

    def and_no_learning(self, *args, **kwargs):
        getattr(keras.callbacks.EarlyStopping, hook)(self, *args, **kwargs)
        if self.model is not None:
            self.model.optimizer.learning_rate.assign(0.0)

    if not of_instance:
        own = type("Own", (keras.callbacks.EarlyStopping,), {hook: and_no_learning})
        return own("val_loss", patience=9)
    stop = keras.callbacks.EarlyStopping("val_loss", patience=9)
    setattr(stop, hook, lambda *args, **kwargs: and_no_learning(stop, *args, **kwargs))
    return stop


@pytest.mark.parametrize("of_instance", [False, True], ids=["subclass", "instance"])
@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_called_as_in_fit_or_the_callback_is_refused(hook, of_instance):
    with double_precision():
        assert_as_fit_or_refused(
            network,
            DATA,
            "Own|EarlyStopping",
            stop=lambda: stopping(hook, of_instance),
            seeds=(0,),
            epochs=3,
        )


def test_a_subclass_of_a_subclass():
    class Base(keras.callbacks.EarlyStopping):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    class Own(Base):
        pass

    assert_refused(lambda: run(callbacks=[Own("val_loss")]), naming="Own")


@pytest.mark.parametrize(
    "settings",
    [
        {"monitor": "loss", "patience": 0},
        {"monitor": "val_accuracy", "patience": 0, "restore_best_weights": True},
        {"monitor": "val_mae", "patience": 0, "restore_best_weights": True},
        {"monitor": "val_loss", "baseline": 0.1, "patience": 1},
        {"monitor": "val_loss", "min_delta": 0.05, "patience": 1, "restore_best_weights": True},
        {"monitor": "val_loss", "start_from_epoch": 3, "patience": 0},
        {"monitor": "val_loss", "mode": "max", "patience": 1, "restore_best_weights": True},
    ],
    ids=lambda settings: ", ".join(f"{name} {value}" for name, value in settings.items()),
)
@pytest.mark.slow
def test_early_stopping_is_that_of_fit(settings):
    with double_precision():
        assert_as_fit(
            lambda: network(
                "categorical_crossentropy", optimizers.Adam(0.1), metrics=["accuracy", "mae"]
            ),
            ONE_HOT,
            stop=lambda: keras.callbacks.EarlyStopping(**settings),
            epochs=8,
        )


# --- metrics ---


def half_right(y, p):
    return keras.ops.mean(keras.ops.cast(keras.ops.max(p, axis=-1) > 0.5, p.dtype))


class Counted(metrics.Metric):
    """Has an argument that its config leaves out."""

    def __init__(self, weight, name="counted"):
        super().__init__(name=name)
        self.weight, self.total = weight, self.add_variable((), "zeros", name="total")

    def update_state(self, y, p, sample_weight=None):
        self.total.assign_add(self.weight * keras.ops.cast(keras.ops.size(p), self.dtype))

    def result(self):
        return self.total + 0  # the variable itself would go on counting in `fit`'s history


METRICS = {
    "AUC": (BINARY, lambda: [metrics.AUC()]),
    "two AUC": (BINARY, lambda: [metrics.AUC(curve="PR"), metrics.AUC(name="roc")]),
    "Precision, Recall": (BINARY, lambda: [metrics.Precision(), metrics.Recall()]),
    "by name": (BINARY, lambda: ["auc" if hasattr(metrics, "auc") else "AUC", "mae"]),
    "at thresholds": (BINARY, lambda: [metrics.Precision(thresholds=[0.3, 0.6])]),
    "BinaryIoU": (BINARY, lambda: [metrics.BinaryIoU(target_class_ids=[0, 1], threshold=0.5)]),
    "F1Score of two": (BINARY, lambda: [metrics.F1Score(threshold=0.5)]),
    "F1Score": (ONE_HOT, lambda: [metrics.F1Score()]),
    "F1Score, macro": (ONE_HOT, lambda: [metrics.F1Score(average="macro")]),
    "OneHotMeanIoU": (ONE_HOT, lambda: [metrics.OneHotMeanIoU(num_classes=3)]),
    "R2Score": (ONE_HOT, lambda: [metrics.R2Score(class_aggregation=None)]),
    "CosineSimilarity": (ONE_HOT, lambda: [metrics.CosineSimilarity()]),
    "MeanIoU": (
        DATA,
        lambda: [metrics.MeanIoU(num_classes=3, sparse_y_pred=False)],
    ),
    "a function": (DATA, lambda: [half_right]),
    "a lambda": (DATA, lambda: [lambda y, p: keras.ops.mean(p[:, 0])]),
    "a metric of one's own": (DATA, lambda: [Counted(2.0)]),
    "its sibling": (DATA, lambda: [Counted(5.0)]),
    "a mean": (DATA, lambda: [metrics.MeanMetricWrapper(half_right)]),
    "a name like ours": (DATA, lambda: [metrics.SparseCategoricalAccuracy(name="train_loss")]),
    "the name penalty": (DATA, lambda: [metrics.SparseCategoricalAccuracy(name="penalty")]),
}


def each_metric():
    quick = ("AUC", "F1Score", "a metric of one's own")
    for kind in METRICS:
        yield pytest.param(kind, marks=[] if kind in quick else pytest.mark.slow)


@pytest.mark.parametrize("kind", each_metric())
def test_metrics_are_those_of_fit(kind):
    data, made = METRICS[kind]
    loss = {id(BINARY): "binary_crossentropy", id(ONE_HOT): "categorical_crossentropy"}
    with double_precision():
        assert_as_fit_or_refused(
            lambda: network(loss.get(id(data), "sparse_categorical_crossentropy"), metrics=made()),
            data,
            "(?i)f1|precision|r2|metric|train_loss|penalty",
            rtol=1e-6,
        )


@pytest.mark.slow
@pytest.mark.parametrize("data", [DATA, ONE_HOT], ids=["sparse", "one-hot"])
def test_top_k_which_keras_has_in_float32_only(data):
    sparse = data is DATA
    metric = metrics.SparseTopKCategoricalAccuracy if sparse else metrics.TopKCategoricalAccuracy
    loss = "sparse_categorical_crossentropy" if sparse else "categorical_crossentropy"
    assert_as_fit(lambda: network(loss, metrics=[metric(k=2)]), data, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"weighted_metrics": ["accuracy"]}, {"loss_weights": 0.5}])
def test_other_settings_of_compile(options):
    with double_precision():
        assert_as_fit(lambda: network(**options), DATA)


class WithItsOwn(keras.Model):
    """Computes a number of its own beside the metrics; `half` says in which way."""

    def __init__(self, half):
        super().__init__()
        self.half, self.dense = half, layers.Dense(3, activation="softmax")

    def call(self, x):
        return self.dense(x)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        found = super().compute_metrics(x, y, y_pred, sample_weight)
        return found | {"bias": self.half * keras.ops.sum(self.dense.bias)}


@pytest.mark.parametrize("half", [0.5, 1.0])
def test_metrics_that_the_model_computes(half):
    def build():
        model = WithItsOwn(half)
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["acc"], jit_compile=False)
        return model

    with double_precision():
        assert_as_fit(build, DATA)
        assert {"bias", "val_bias", "train_bias"} <= set(run(build).history)


def test_a_network_for_batches_of_one_size_is_refused():
    def build():
        model = keras.Sequential(
            [keras.Input(batch_shape=(16, 6, 1)), layers.LSTM(2, stateful=True)]
        )
        model.compile("sgd", "mse")
        return model

    x = DATA.x_train[..., None]
    data = SimpleNamespace(x_train=x, y_train=x[:, :2, 0], x_val=x, y_val=x[:, :2, 0])
    with pytest.raises(ValueError, match=r"takes batches of 16 only.*without a batch size"):
        run(build, data)


def test_a_network_without_an_input_takes_batches_of_any_size():
    def build():
        model = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(3)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss=loss, jit_compile=False)
        return model

    with double_precision():
        assert_as_fit(build, DATA)


def test_several_outputs_are_trained_or_refused():
    def build():
        inputs = keras.Input((6,))
        outputs = {name: layers.Dense(3, name=name)(inputs) for name in ("a", "b")}
        model = keras.Model(inputs, outputs)
        model.compile("sgd", loss={"a": "mse", "b": "mae"}, jit_compile=False)
        return model

    parts = {part: {"a": value, "b": -value} for part, value in vars(ONE_HOT).items()}
    data = SimpleNamespace(
        x_train=DATA.x_train, y_train=parts["y_train"], x_val=DATA.x_val, y_val=parts["y_val"]
    )
    with double_precision():
        # Eagerly, `fit` itself has other losses of each output than compiled.
        assert_as_fit_or_refused(build, data, "y_train|output", eager=False)


# --- the best epoch ---


@pytest.mark.parametrize(
    ("name", "metric", "best"),
    [
        ("val_mae", lambda: "mae", np.argmin),
        ("val_mse", lambda: "mse", np.argmin),
        ("val_auc", lambda: metrics.AUC(name="auc"), np.argmax),
        ("val_auc", lambda: metrics.AUC(), np.argmax),
        ("val_precision", lambda: metrics.Precision(), np.argmax),
        ("val_recall", lambda: metrics.Recall(), np.argmax),
        ("val_binary_accuracy", lambda: "binary_accuracy", np.argmax),
        ("val_root_mean_squared_error", lambda: metrics.RootMeanSquaredError(), np.argmin),
        ("val_area", lambda: metrics.AUC(name="area"), np.argmax),
        ("val_error", lambda: metrics.MeanAbsoluteError(name="error"), np.argmin),
    ],
)
def test_keep_best_takes_any_metric_whose_direction_keras_knows(name, metric, best):
    runs = run(
        lambda: network("binary_crossentropy", optimizers.SGD(2.0), metrics=[metric()]),
        BINARY,
        epochs=8,
        keep_best=name,
    )
    assert np.array_equal(runs.best.kept_epoch, best(runs.history[name], axis=1))
    assert set(runs.best.kept_epoch) != {7}


def test_keep_best_of_what_has_no_direction_is_refused():
    build = lambda: network(metrics=[Counted(1.0)])  # noqa: E731
    assert_refused(lambda: run(build, keep_best="val_counted"), naming="keep_best.*val_counted")


# --- precision and modes ---


@pytest.mark.parametrize(
    "policy",
    [
        "mixed_float16",
        *(
            pytest.param(policy, marks=pytest.mark.slow)
            for policy in ("mixed_bfloat16", "bfloat16", "float16")
        ),
    ],
)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_global_precision(policy, optimizer):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        assert_as_fit_or_refused(
            lambda: network(optimizer=optimizer), DATA, "precision|float16", rtol=0.03, atol=0.01
        )
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.slow
def test_a_precision_of_one_layer():
    def build():
        stack = [keras.Input((6,)), layers.Dense(8, dtype="mixed_bfloat16"), layers.Dense(3)]
        model = keras.Sequential(stack)
        model.compile("sgd", loss="mse", jit_compile=False)
        return model

    assert_as_fit(build, ONE_HOT, rtol=0.02, atol=0.01)


@pytest.mark.parametrize("inner", [lambda: optimizers.Adam(0.01), lambda: optimizers.SGD(0.1)])
def test_a_scaled_loss(inner):
    build = lambda: network(optimizer=optimizers.LossScaleOptimizer(inner()))  # noqa: E731
    assert_as_fit_or_refused(build, DATA, "LossScaleOptimizer", rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_scale_that_has_to_fall_first():
    """The first steps overflow and are left out, as in `fit`."""

    def build():
        inner = optimizers.SGD(0.1)
        return network(optimizer=optimizers.LossScaleOptimizer(inner, initial_scale=1e38))

    assert_as_fit_or_refused(build, DATA, "LossScaleOptimizer", epochs=3, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"run_eagerly": True},
        {"jit_compile": True},
        {"jit_compile": "auto"},
        {"steps_per_execution": 2},
        {"auto_scale_loss": False},
    ],
)
def test_modes_of_compile(options):
    with double_precision():
        assert_as_fit(lambda: network(**options), DATA)


@pytest.mark.parametrize(
    "jit_compile",
    [False, *(pytest.param(value, marks=pytest.mark.slow) for value in (True, "auto"))],
)
def test_functions_run_eagerly(jit_compile):
    tf.config.run_functions_eagerly(True)
    try:
        with double_precision():
            runs = run(jit_compile=jit_compile, seeds=[0])
            history, _ = fitted(network, DATA, 0, epochs=2, batch_size=16)
            np.testing.assert_allclose(runs.history["val_loss"][0], history["val_loss"], rtol=1e-7)
    except (TypeError, ValueError) as error:
        assert "eager" in str(error)  # noqa: PT017
    finally:
        tf.config.run_functions_eagerly(False)


def test_an_eager_layer():
    """Code of a layer that only runs outside of graphs is an error in words, or works."""

    class Looking(layers.Layer):
        def call(self, x):
            return x * float(keras.ops.max(x) > 0)

        def compute_output_shape(self, shape):
            return shape

    def build():
        model = keras.Sequential([Looking(), layers.Dense(3, activation="softmax")])
        model.compile("sgd", loss="sparse_categorical_crossentropy", run_eagerly=True)
        return model

    with double_precision():
        assert_as_fit_or_refused(build, DATA, "eager")


STRINGS = """
from types import SimpleNamespace
import numpy as np, keras
from keras import layers
from utils.repeats import repeat

words = np.array(["good film", "bad film", "a good one", "a bad one"] * 12)
labels = np.array([1, 0, 1, 0] * 12)
x = {values}
data = SimpleNamespace(x_train=x[:32], y_train=labels[:32], x_val=x[32:], y_val=labels[32:])

def build():
    split = layers.TextVectorization(20, output_sequence_length=4)
    split.adapt(words)
    model = keras.Sequential([keras.Input((), dtype="string"), split, layers.Embedding(20, 4)])
    model.add(layers.GlobalAveragePooling1D())
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile("adam", loss="binary_crossentropy", jit_compile=False)
    return model

try:
    losses = repeat(build, data, epochs=2, seeds=[0, 1], batch_size=8).history["val_loss"]
    print("trained", np.isfinite(losses).all())
except (TypeError, ValueError) as error:
    print("refused", "x_train" in str(error))
"""


@pytest.mark.parametrize(
    "values",
    [
        "words",
        pytest.param("words.astype(object)", marks=pytest.mark.slow),
        pytest.param("words.astype('S')", marks=pytest.mark.slow),
    ],
)
def test_strings_do_not_end_the_process(values):
    command = [sys.executable, "-c", STRINGS.format(values=values)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.strip().splitlines()[-1] in ("trained True", "refused True")
