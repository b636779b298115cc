"""Nothing trained is lost: what a `measure` or a `watch` does costs its own column at most."""

import re
import warnings
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, losses

from utils.repeats import repeat

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 6))
Y = (X @ rng.normal(size=(6, 3))).argmax(axis=1)
DATA = SimpleNamespace(x_train=X[:40], y_train=Y[:40], x_val=X[40:], y_val=Y[40:])
SEEDS = (3, 17, 29)


def network():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss=loss, jit_compile=False)
    return model


def run(data=DATA, **options):
    defaults = {"epochs": 2, "seeds": SEEDS, "batch_size": 16, "jit_compile": False}
    return repeat(network, data, **(defaults | options))


def heard(capsys, **options):
    """The runs, and all that was said about them: printed or as a warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        runs = run(**options)
    printed = capsys.readouterr()
    return runs, " ".join([printed.out, printed.err, *(str(w.message) for w in caught)])


def norm(model):
    return np.linalg.norm(model.layers[0].kernel)


def at_call(number, act):
    """A measure that acts at its n-th call (from 0), and gives 1.0 at the others."""
    calls = iter(range(10**6))
    return lambda model: act() if next(calls) == number else 1.0


def raising(error):
    def act():
        raise error

    return act


ERRORS = {
    "ZeroDivisionError": ZeroDivisionError("division by zero"),
    "ValueError": ValueError("no such layer"),
    "AttributeError": AttributeError("'Sequential' object has no attribute 'x'"),
    "KeyError": KeyError("kernel"),
    "AssertionError": AssertionError(),
    "StopIteration": StopIteration(),
    "TensorFlow's": tf.errors.InvalidArgumentError(None, None, "shapes"),
    "MemoryError": MemoryError(),
}


@pytest.mark.parametrize(
    ("error", "call"), [*((error, 1) for error in ERRORS), ("ValueError", 0), ("ValueError", 2)]
)
def test_a_measure_that_raises_costs_its_own_column(error, call, capsys):
    bad = at_call(call, raising(ERRORS[error]))
    functions = {"good": norm, "sick": bad, "after": norm}
    runs, said = heard(capsys, measure=functions, workers=1)
    assert runs.seeds == SEEDS
    assert len(runs.weights) == 3
    assert np.isfinite(runs.history["val_loss"]).all()
    assert np.isfinite(runs.measured["good"]).all()
    assert np.array_equal(runs.measured["good"], runs.measured["after"])
    assert re.search(rf"sick.*\b{SEEDS[call]}\b", said, re.DOTALL)
    if "sick" in runs.measured:
        assert np.isnan(runs.measured["sick"][call])


RAGGED = {
    "lengths": lambda: iter([np.zeros(2), np.zeros(3), np.zeros(3)]),
    "dimensions": lambda: iter([np.zeros(2), 0.0, np.zeros(2)]),
    "lists": lambda: iter([[1, 2], [1], [1, 2, 3]]),
    "ragged in itself": lambda: iter([[[1, 2], [3]]] * 3),
    "a dict": lambda: iter([{"a": 1}, {"a": 2}, {"a": 3}]),
    "None": lambda: iter([None, None, None]),
    "text": lambda: iter(["a", "bb", "ccc"]),
}


@pytest.mark.parametrize("kind", RAGGED)
def test_ragged_results_cost_their_own_column(kind, capsys):
    results = RAGGED[kind]()
    measure = {"good": norm, "ragged": lambda model: next(results)}
    runs, said = heard(capsys, measure=measure)
    assert len(runs.weights) == 3
    assert np.isfinite(runs.measured["good"]).all()
    assert len(runs.measured.get("ragged", SEEDS)) == 3 or "ragged" in said


def test_one_seed_with_a_result_of_another_shape_is_named(capsys):
    results = iter([np.zeros(2), np.zeros(3), np.zeros(2)])
    _, said = heard(capsys, measure={"ragged": lambda model: next(results)})
    assert "ragged" in said


@pytest.mark.parametrize("every", [None, 2])
@pytest.mark.parametrize("call", [0, 4])
def test_a_watch_that_raises_costs_its_own_column(call, every, capsys):
    watch = {"good": norm, "sick": at_call(call, raising(ValueError("no such layer")))}
    runs, said = heard(capsys, watch=watch, watch_every=every)
    assert len(runs.weights) == 3
    assert np.isfinite(runs.watched["good"]).all()
    assert re.search(r"sick.*\b(3|17)\b", said, re.DOTALL)
    np.testing.assert_array_equal(runs.history["loss"], run().history["loss"])


def test_a_watch_with_ragged_results(capsys):
    sizes = iter(range(1, 100))
    watch = {"good": norm, "ragged": lambda model: np.zeros(next(sizes))}
    runs, said = heard(capsys, watch=watch)
    assert len(runs.weights) == 3
    assert np.isfinite(runs.watched["good"]).all()
    assert "ragged" in said


def test_a_measure_of_the_best_epoch_that_raises(capsys):
    """The second call for a seed measures the weights of its best epoch."""
    bad = at_call(1, raising(ValueError("no such layer")))
    runs, said = heard(capsys, measure={"good": norm, "sick": bad}, keep_best="val_loss")
    assert len(runs.weights) == len(runs.best.weights) == 3
    assert np.isfinite(runs.best.measured["good"]).all()
    assert "sick" in said


def test_an_interruption_is_no_failed_measure():
    with pytest.raises(KeyboardInterrupt):
        run(measure={"stop": at_call(0, raising(KeyboardInterrupt()))})


def test_a_measure_that_works_says_nothing(capsys):
    runs, said = heard(capsys, measure={"norm": norm})
    assert "norm" not in said
    assert runs.measured["norm"].shape == (3,)


# --- functions of (model, data) ---


def data_for(seed):
    noise = np.random.default_rng(seed)
    mask = noise.random(40) < 0.3
    labels = np.where(mask, noise.integers(0, 3, 40), DATA.y_train)
    return SimpleNamespace(**vars(DATA) | {"y_train": labels}, mask=mask, seed=seed)


class OfBoth:
    def __call__(self, model, data):
        return data.mask.mean() if len(model.layers) else -1

    def of(self, model, data):
        return data.mask.mean()


def of_both(model, data):
    return data.mask.mean()


TAKING_BOTH = {
    "a function": of_both,
    "a lambda": lambda model, data: data.mask.mean(),
    "an object": OfBoth(),
    "a method": OfBoth().of,
    "by other names": lambda network, of: of.mask.mean(),
}


@pytest.mark.parametrize("kind", TAKING_BOTH)
def test_functions_may_take_the_data_of_their_own_seed(kind):
    expected = [data_for(seed).mask.mean() for seed in SEEDS]
    both = {"share": TAKING_BOTH[kind], "norm": norm}
    runs = run(data_for, measure=both, watch=both)
    np.testing.assert_allclose(runs.measured["share"], expected)
    np.testing.assert_allclose(runs.watched["share"], np.tile(expected, (3, 1)).T)
    assert np.isfinite(runs.measured["norm"]).all()


@pytest.mark.parametrize(
    "function",
    [lambda model, power=2: power, lambda model, *, power=2: power, lambda *parts: len(parts) + 1],
    ids=["a default", "a keyword", "any number"],
)
def test_a_function_of_the_model_with_more_parameters_is_still_one_of_the_model(function):
    runs = run(measure={"power": function})
    assert set(np.ravel(runs.measured["power"])) <= {2, 3}
    assert not isinstance(runs.measured["power"][0], SimpleNamespace)


def test_the_data_of_a_measure_are_those_as_given():
    """With whatever else they carry, and also where all seeds share them."""
    seen = []
    data = SimpleNamespace(**vars(DATA), note="mine")
    run(data, seeds=[0, 1], measure={"note": lambda model, data: seen.append(data.note) or 0})
    assert seen == ["mine", "mine"]


def test_functions_of_numpy_and_of_keras():
    """Callables whose parameters cannot be looked up."""
    runs = run(measure={"layers": lambda model: len(model.layers), "id": np.size})
    assert runs.measured["layers"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("function", [lambda: 0, lambda model, data, more: 0])
def test_a_function_of_too_few_or_too_many_is_refused_before_training(function):
    trained = []
    measure = {"look": lambda model: trained.append(1) or 0, "wrong": function}
    with pytest.raises((TypeError, ValueError), match="wrong"):
        run(measure=measure)
    assert not trained


# --- a measure leaves the run alone ---

DEEDS = {
    "trains": lambda model: model.fit(DATA.x_train, DATA.y_train, verbose=0) and 0,
    "evaluates": lambda model: model.evaluate(DATA.x_val, DATA.y_val, verbose=0),
    "compiles": lambda model: model.compile("adam", "mse") or 0,
    "freezes": lambda model: setattr(model, "trainable", False) or 0,
    "sets weights": lambda model: model.set_weights([w * 0 for w in model.get_weights()]) or 0,
    "draws": lambda model: np.random.default_rng().random() * keras.random.normal(()),
    "seeds": lambda model: keras.utils.set_random_seed(1) or 0,
    "adds a penalty": lambda model: setattr(
        model.layers[0].kernel, "regularizer", keras.regularizers.L2(9.0)
    ) or 0,
}  # fmt: skip


@pytest.mark.parametrize("deed", DEEDS)
def test_whatever_a_measure_does_the_next_seeds_and_arms_are_as_without(deed):
    plain = run()
    spoilt = run(measure={"deed": DEEDS[deed]})
    for runs in (spoilt, run()):
        for name, values in plain.history.items():
            np.testing.assert_allclose(runs.history[name], values, rtol=1e-4, err_msg=name)
