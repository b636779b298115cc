"""What `repeat` returns, keeps, remembers and refuses."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, optimizers, regularizers

from tests.small import dense, small_data
from utils._shared import memory
from utils.repeats import _programs as programs
from utils.repeats import _repeat as repeats
from utils.repeats import repeat, seeded
from utils.repeats._program import Program
from utils.repeats._runs import has_diverged
from utils.repeats._stopping import direction

DATA = small_data()


def run(build_model=dense, data=DATA, **options):
    defaults = {"epochs": 2, "seeds": [0, 1], "batch_size": 16, "jit_compile": False}
    return repeat(build_model, data, **(defaults | options))


def norm(model):
    return float(np.linalg.norm(model.layers[1].kernel))


def test_a_row_per_seed_and_a_column_per_epoch():
    runs = run(measure={"norm": norm, "kernel": lambda model: model.layers[1].kernel.numpy()})
    names = {"loss", "accuracy", "val_loss", "val_accuracy", "train_loss", "train_accuracy"}
    assert names | {"penalty", "train_data_loss", "val_data_loss"} == set(runs.history)
    assert {values.shape for values in runs.history.values()} == {(2, 2)}
    assert runs.measured["norm"].shape == (2,)
    assert runs.measured["kernel"].shape == (2, 16, 8)
    assert runs.complete
    assert not runs.diverged.any()
    assert runs.best is None
    assert np.array_equal(runs.final("val_loss"), runs.history["val_loss"][:, -1])
    assert np.array_equal(runs.final("norm"), runs.measured["norm"])
    assert repr(runs) == "Runs('runs': 2 seeds × 2 epochs, 0 diverged)"


def test_a_trained_model_can_be_had_per_seed():
    runs = run(epochs=3)
    loss, _ = runs.model(1).evaluate(DATA.x_val, DATA.y_val, verbose=0)
    assert loss == pytest.approx(runs.final("val_loss")[1], abs=1e-5)
    with pytest.raises(ValueError, match="seed is 5; this arm has"):
        runs.model(5)


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(ValueError, match=r"'val_acc'; this arm has .*val_accuracy"):
        run().final("val_acc")


def test_watch_looks_before_the_first_step_and_after_every_epoch():
    runs = run(watch={"norm": norm})
    assert runs.watched["norm"].shape == (2, 3)
    assert runs.watched_steps.tolist() == [0, 4, 8]
    assert runs.watched["norm"][0, 0] == pytest.approx(norm(seeded(dense, 0)))
    assert runs.watched["norm"][0, -1] == pytest.approx(np.linalg.norm(runs.weights[0][0]))


def test_watch_at_a_cadence_across_the_ends_of_epochs_changes_nothing_else():
    runs = run(watch={"norm": norm}, watch_every=3)
    assert runs.watched_steps.tolist() == [0, 3, 6]
    plain = run()
    np.testing.assert_allclose(runs.history["loss"], plain.history["loss"], atol=1e-6)


def test_runs_that_stop_at_different_epochs_are_filled_with_nan():
    stop = keras.callbacks.EarlyStopping("val_loss", patience=0)
    runs = run(
        lambda: dense(optimizer=optimizers.Adam(0.05)),
        epochs=40,
        seeds=range(6),
        callbacks=stop,
        watch={"norm": norm},
    )
    ends = np.isfinite(runs.history["loss"]).sum(axis=1)
    assert ends.max() <= 40
    assert len(set(ends)) > 1
    assert np.array_equal(np.isfinite(runs.watched["norm"]).sum(axis=1), ends + 1)
    assert runs.watched_steps.tolist() == [4 * epoch for epoch in range(ends.max() + 1)]
    assert np.array_equal(runs.kept_epoch, ends - 1)
    assert not runs.diverged.any()


class Remembering(keras.callbacks.EarlyStopping):
    """Starts a run as Keras did before 3.15: with the best value of the run before it."""

    def on_train_begin(self, logs=None):
        best = self.best
        super().on_train_begin(logs)
        self.best = best


def test_early_stopping_forgets_the_run_before():
    def ends(seeds):
        stop = Remembering("val_loss", patience=1, restore_best_weights=True)
        stop.best = 0.0
        return run(epochs=10, seeds=seeds, callbacks=stop).kept_epoch.tolist()

    assert ends([0, 1, 2]) == [*ends([0]), *ends([1]), *ends([2])]
    assert ends([0]) != [0]


def test_the_best_epoch_has_its_own_weights_and_measures():
    runs = run(
        lambda: dense(optimizer=optimizers.Adam(0.2)),
        epochs=40,
        measure={"norm": norm},
        keep_best="val_loss",
        name="baseline",
    )
    best = runs.best
    assert best.name == "baseline, stopped"
    assert np.array_equal(best.kept_epoch, runs.history["val_loss"].argmin(axis=1))
    assert np.array_equal(best.final("val_loss"), runs.history["val_loss"].min(axis=1))
    loss, _ = best.model(0).evaluate(DATA.x_val, DATA.y_val, verbose=0)
    assert loss == pytest.approx(best.final("val_loss")[0], abs=1e-5)
    assert best.measured["norm"][0] == pytest.approx(norm(best.model(0)))
    assert (best.measured["norm"] != runs.measured["norm"]).all()


def test_the_best_epoch_of_an_accuracy_is_the_highest():
    runs = run(epochs=10, keep_best="val_accuracy")
    assert np.array_equal(runs.best.kept_epoch, runs.history["val_accuracy"].argmax(axis=1))


@pytest.mark.parametrize("name", ["loss", "val_loss", "train_data_loss", "val_data_loss"])
def test_a_loss_with_or_without_the_penalty_is_best_where_it_is_low(name):
    assert direction(name, dense()) == -1


def test_a_diverged_run_is_kept_and_marked():
    runs = run(lambda: dense(optimizer=optimizers.SGD(1e38)), epochs=5)
    assert runs.diverged.all()
    assert runs.history["val_accuracy"].shape == (2, 5)
    assert not run().diverged.any()


@pytest.mark.parametrize(
    ("losses", "weight", "diverged"),
    [
        ([1.0, 2.0, 3.0], 0.5, False),
        ([1.0, np.nan, 3.0], 0.5, True),
        ([1.0, 2.0, np.inf], 0.5, False),  # after the kept epoch
        ([1.0, 2.0, 3.0], np.inf, True),
    ],
)
def test_a_loss_up_to_the_kept_epoch_or_a_weight_tells_that_a_run_diverged(
    losses, weight, diverged
):
    ended = SimpleNamespace(
        history=[{"loss": loss} for loss in losses], kept_epoch=1, weights=[np.array([1.0, weight])]
    )
    assert has_diverged(ended) == diverged


class TestOneCompiledLoop:
    """Per architecture, remembered across calls, and never used for another."""

    def compiled_by(self, *builders):
        programs.remembered.clear()
        for build_model in builders:
            run(build_model, epochs=1)
        return len(programs.remembered)

    def test_is_used_again_by_the_same_architecture(self):
        assert self.compiled_by(dense, lambda: dense(), lambda: dense()) == 1

    def test_serves_every_learning_rate_with_the_right_one(self):
        slow, fast = (
            run(lambda rate=rate: dense(optimizer=optimizers.SGD(rate)), epochs=10)
            for rate in (0.001, 0.5)
        )
        assert (fast.final("loss") < slow.final("loss") - 0.1).all()
        rates = (lambda rate=rate: dense(optimizer=optimizers.SGD(rate)) for rate in (1.0, 2.0))
        assert self.compiled_by(*rates) == 1

    @pytest.mark.parametrize(
        "other",
        [
            lambda: dense(layers.Dropout(0.2)),
            lambda: dense(penalty=regularizers.L2(0.2)),
            lambda: dense(optimizer=optimizers.SGD(momentum=0.5)),
            lambda: dense(layers.LeakyReLU()),
        ],
    )
    def test_is_another_for_other_settings(self, other):
        first = {
            0: lambda: dense(layers.Dropout(0.1)),
            1: lambda: dense(penalty=regularizers.L2(0.1)),
        }
        assert self.compiled_by(dense, *first.values(), other) == 4

    def test_code_of_ones_own_is_not_remembered_under_its_name(self):
        def with_loss(factor):
            def loss(y, logits):
                return factor * keras.ops.mean(logits**2, axis=-1)

            model = dense()
            model.compile("sgd", loss=loss)
            return model

        single, double = (run(lambda f=f: with_loss(f), epochs=1) for f in (1.0, 100.0))
        assert (double.history["loss"] > 10 * single.history["loss"]).all()

    def test_a_layer_of_ones_own_compiles_once_per_call(self, monkeypatch):
        class Double(layers.Layer):
            def call(self, x):
                return 2 * x

        built = []
        original = Program.__init__
        monkeypatch.setattr(
            Program,
            "__init__",
            lambda self, *args: built.append(1) or original(self, *args),
        )
        run(lambda: dense(Double()), seeds=range(4), epochs=1)
        assert len(built) == 1

    def test_starts_every_seed_afresh_after_a_measure_that_spoils_the_model(self):
        def spoil(model):
            for variable in model.variables:
                variable.assign(variable * 0)
            return 0

        spoilt, plain = run(measure={"spoil": spoil}), run()
        assert np.array_equal(spoilt.history["loss"], plain.history["loss"])

    def test_forgets_the_oldest_beyond_its_limit(self, monkeypatch):
        monkeypatch.setattr(memory, "SIZE", 2)
        rates = (0.1, 0.2, 0.3)
        assert self.compiled_by(*(lambda r=r: dense(layers.Dropout(r)) for r in rates)) == 2


class TestXla:
    def rotating(self):
        model = keras.Sequential([keras.Input((4, 4)), layers.Reshape((4, 4, 1))])
        model.add(layers.RandomRotation(0.1))  # an operation that XLA does not have
        model.add(layers.Flatten())
        model.add(layers.Dense(3))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss=loss)
        return model

    def test_auto_goes_on_without_it(self):
        assert np.isfinite(run(self.rotating, jit_compile="auto").history["loss"]).all()

    def test_asked_for_and_missing_is_an_error(self):
        with pytest.raises(ValueError, match="jit_compile is True, but XLA cannot compile"):
            run(self.rotating, jit_compile=True)

    @pytest.mark.skipif(bool(tf.config.list_logical_devices("GPU")), reason="a GPU takes it always")
    def test_pays_for_dense_layers_that_train_for_long(self):
        images = keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(2, 3)])
        x = tf.zeros((2000, 4, 4))
        weights = 16 * 8 + 8 + 8 * 3 + 3
        enough = int(programs.WORTH_COMPILING / (6 * weights * 2000)) + 1
        assert programs.pays_to_compile(dense(), ((x,),), enough)
        assert not programs.pays_to_compile(dense(), ((x,),), enough - 1)
        assert not programs.pays_to_compile(images, ((x,),), 10**9)
        assert not programs.pays_to_compile(dense(), ((tf.constant(["a"]),),), 10**12)


class TestInterruption:
    def at_call(self, number):
        calls = []

        def function(model):
            calls.append(1)
            if len(calls) == number:
                raise KeyboardInterrupt
            return 0

        return function

    @pytest.mark.parametrize("kind", ["measure", "watch"])
    def test_leaves_the_seeds_that_finished(self, kind, capsys):
        at = {"measure": 3, "watch": 8}[kind]
        runs = run(seeds=[5, 6, 7, 8], workers=1, **{kind: {"stop": self.at_call(at)}})
        assert runs.seeds == (5, 6)
        assert not runs.complete
        assert runs.history["loss"].shape == (2, 2)
        assert "interrupted: 2 of 4 seeds are finished" in capsys.readouterr().out
        assert "2 seeds (interrupted)" in repr(runs)

    def test_of_several_at_once_leaves_those_that_finished(self):
        runs = run(seeds=[5, 6, 7, 8], workers=3, watch={"stop": self.at_call(11)})
        alone = run(seeds=runs.seeds)
        assert not runs.complete
        assert 0 < len(runs.seeds) < 4
        assert np.array_equal(runs.history["loss"], alone.history["loss"])

    def test_before_the_first_seed_finished_goes_through(self):
        with pytest.raises(KeyboardInterrupt):
            run(measure={"stop": self.at_call(1)})

    def test_harms_no_later_call(self):
        run(seeds=[5, 6], workers=1, watch={"stop": self.at_call(5)})
        assert np.array_equal(run(seeds=[6]).history["loss"], run(seeds=[6]).history["loss"])


def test_no_memory_left_is_a_memory_error(monkeypatch):
    def train(*args):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(repeats, "train", train)
    with pytest.raises(MemoryError, match="batch_size 16; try a smaller"):
        run()


def with_(**parts):
    return SimpleNamespace(**(vars(DATA) | parts))


def one_hot(labels):
    return np.eye(3)[labels]


def same_start():
    model = keras.Sequential([keras.Input((4, 4)), layers.Flatten()])
    model.add(layers.Dense(3, kernel_initializer="ones"))
    model.compile("adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


ONE_MODEL = dense()
TEXT = np.array(["a"] * 50)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"epochs": 0}, ValueError, "epochs is 0; give a whole number of at least 1"),
        ({"epochs": 2.5}, TypeError, "epochs is 2.5"),
        ({"batch_size": 0}, ValueError, "batch_size is 0"),
        ({"seeds": []}, ValueError, "give at least one seed"),
        ({"seeds": [1, 1]}, ValueError, "each only once"),
        ({"seeds": 3}, TypeError, "seeds is 3; give a list"),
        ({"seeds": "123"}, TypeError, "seeds is '123'"),
        ({"seeds": [0.5]}, TypeError, "each of seeds is 0.5"),
        ({"seeds": [-1]}, ValueError, "each of seeds is -1"),
        ({"measure": norm}, TypeError, "measure is .*give a dict from names to functions"),
        ({"watch": {"norm": 3}}, TypeError, "watch is .*give a dict"),
        ({"watch_every": 3}, ValueError, "watch_every is 3, but there is no `watch`"),
        ({"watch": {"norm": norm}, "watch_every": 0}, ValueError, "watch_every is 0"),
        ({"jit_compile": "yes"}, ValueError, "jit_compile is 'yes'; give one of True, False"),
        ({"keep_best": "penalty"}, ValueError, "keep_best is 'penalty'; give a loss or an acc"),
        (
            {"callbacks": keras.callbacks.EarlyStopping("val_acc", mode="max")},
            ValueError,
            "monitor of EarlyStopping is 'val_acc'; give one of .*'val_accuracy'",
        ),
        ({"measure": {"val_loss": norm}}, ValueError, "measure has 'val_loss', which the history"),
        ({"seeds": [0, 2**32]}, ValueError, "up to 4294967295"),
        ({"keep_best": "val_acc"}, ValueError, "'val_acc'; give one of .*'val_accuracy'"),
        ({"callbacks": [keras.callbacks.TerminateOnNaN()]}, ValueError, "only .*EarlyStopping"),
        ({"callbacks": [keras.callbacks.EarlyStopping()] * 2}, ValueError, "2 EarlyStopping"),
        ({"build_model": ONE_MODEL}, TypeError, "build_model is .*without parentheses"),
        ({"build_model": lambda: ONE_MODEL}, ValueError, "the same model twice"),
        ({"build_model": same_start}, ValueError, "same initial weights under two seeds"),
        ({"data": (1, 2)}, TypeError, "data has no x_train"),
        ({"data": with_(y_train=DATA.y_train[:-1])}, ValueError, "one label per example"),
        ({"data": with_(y_train=one_hot(DATA.y_train))}, ValueError, "data.y_val is int64"),
        (
            {"data": with_(y_train=one_hot(DATA.y_train), y_val=one_hot(DATA.y_val))},
            ValueError,
            r"data.y_train float64 \(50, 3\)",
        ),
        ({"data": with_(y_train=DATA.y_train + 1)}, ValueError, "values from 1 to 3"),
        ({"data": with_(y_val=DATA.y_val - 1)}, ValueError, "data.y_val .* from -1 to 1"),
        ({"data": with_(y_train=DATA.y_train.astype(str))}, ValueError, "data.y_train <U21"),
        ({"data": with_(y_train=TEXT, y_val=TEXT[:25])}, ValueError, "data.y_train is <U1; give"),
        ({"data": with_(x_val=DATA.x_val[:, :2])}, ValueError, "data.x_val is"),
        ({"data": with_(x_train=DATA.x_train[:0], y_train=[])}, ValueError, "one label per"),
    ],
)
def test_what_cannot_work_is_refused_in_words(options, error, words):
    with pytest.raises(error, match=words):
        run(**options)


def test_an_architecture_that_changes_from_seed_to_seed_is_refused():
    widths = iter([4, 5])
    with pytest.raises(ValueError, match="parameters under one seed and"):
        run(lambda: dense(layers.Dense(next(widths))))


def test_early_stopping_that_never_looked_keeps_the_last_epoch():
    stop = keras.callbacks.EarlyStopping("val_loss", restore_best_weights=True, start_from_epoch=9)
    runs = run(callbacks=stop)
    assert set(runs.kept_epoch) == {runs.history["loss"].shape[1] - 1}
    assert (run(callbacks=None).kept_epoch == runs.kept_epoch).all()


@pytest.mark.parametrize("every", [None, 1])
def test_a_watch_that_evaluates_leaves_the_running_metrics(every):
    def look(model):
        return model.evaluate(DATA.x_val, DATA.y_val, verbose=0)[0]

    watched = run(watch={"val": look}, watch_every=every)
    for name, values in run().history.items():
        assert np.allclose(watched.history[name], values, atol=1e-6), name


def test_an_optimizer_that_seeds_share_is_refused():
    shared = optimizers.Adam(0.05)
    with pytest.raises(ValueError, match="one optimizer twice; make a new one inside"):
        run(lambda: dense(optimizer=shared))


@pytest.mark.parametrize("build_model", [dense, lambda: dense(layers.Dropout(0.5))])
def test_how_many_train_at_once_changes_nothing(build_model):
    alone, together = (run(build_model, seeds=range(5), workers=n) for n in (1, 4))
    for name, values in alone.history.items():
        assert np.array_equal(values, together.history[name]), name
    for ours, theirs in zip(alone.weights, together.weights, strict=True):
        assert all(map(np.array_equal, ours, theirs))
