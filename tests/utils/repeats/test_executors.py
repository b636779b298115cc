"""Seeds as tasks of an executor: the same numbers, and what cannot travel is named."""

import multiprocessing
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from tests.small import dense, small_data
from utils.repeats import _repeat, repeat
from utils.repeats._executors import train_on

DATA = small_data()
ONCE = {"epochs": 2, "seeds": [0, 1, 2], "batch_size": 16, "jit_compile": False}


class Here(Executor):
    """Runs each task at once, in this process; the tasks numbered in `lost` lose their worker."""

    def __init__(self, lost=()):
        self.lost, self.submitted = lost, 0

    def submit(self, function, *args):
        future = Future()
        self.submitted += 1
        if self.submitted in self.lost:
            future.set_exception(ConnectionError("the worker is gone"))
        else:
            try:
                future.set_result(function(*args))
            except Exception as error:  # as an executor does: whoever asks for the result gets it
                future.set_exception(error)
        return future


def assert_equal(runs, others):
    assert runs.seeds == others.seeds
    for name, values in runs.history.items():
        np.testing.assert_allclose(others.history[name], values, rtol=1e-5, err_msg=name)


def test_the_numbers_are_those_of_this_process():
    factor = 2
    measure = {"units": lambda model, data: factor * len(data.y_train)}  # a closure travels
    here = repeat(dense, DATA, **ONCE, measure=measure, keep_best="val_loss")
    there = repeat(dense, DATA, **ONCE, measure=measure, keep_best="val_loss", executor=Here())
    assert_equal(here, there)
    assert_equal(here.best, there.best)
    assert there.measured["units"].tolist() == [100, 100, 100]


def test_data_may_be_a_function_of_the_seed():
    sizes = {"data": lambda seed: small_data(40 + 10 * seed)}
    assert_equal(*(repeat(dense, **sizes, **ONCE, **where) for where in ({}, {"executor": Here()})))


def test_a_lost_worker_costs_its_seed_one_more_try():
    executor = Here(lost=[2])
    assert_equal(repeat(dense, DATA, **ONCE), repeat(dense, DATA, **ONCE, executor=executor))
    assert executor.submitted == 4
    with pytest.raises(ConnectionError):
        repeat(dense, DATA, **ONCE, executor=Here(lost=[1, 4]))


def test_an_error_of_a_seed_is_raised_here():
    def build():
        raise RuntimeError("no such layer")

    with pytest.raises(RuntimeError, match="no such layer"):
        repeat(build, DATA, **ONCE, executor=Here())


@pytest.mark.parametrize("argument", ["build_model", "measure", "watch"])
def test_what_cannot_travel_is_named(argument):
    lock = threading.Lock()

    def locked(model=None):
        with lock:
            return dense() if model is None else 0

    options = {
        "build_model": dense,
        argument: locked if argument == "build_model" else {"a": locked},
    }
    with pytest.raises(TypeError, match=f"{argument} cannot travel to a worker"):
        repeat(data=DATA, **options, **ONCE, executor=Here())


@pytest.mark.parametrize(
    ("executor", "error", "words"),
    [
        (lambda: "cluster", TypeError, "executor is 'cluster'"),
        (lambda: ThreadPoolExecutor(1), ValueError, "give `workers`"),
        (
            lambda: ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")),
            ValueError,
            "by fork, which hangs",
        ),
    ],
)
def test_executors_that_cannot_train_are_refused(executor, error, words):
    with pytest.raises(error, match=words):
        repeat(dense, DATA, **ONCE, executor=executor())


def test_finished_seeds_survive_an_interrupt(monkeypatch, capsys):
    def interrupted(executor, plan, shape, advance, runs):
        def advance_once(epochs):
            if len(runs) == 2:
                raise KeyboardInterrupt

        train_on(executor, plan, shape, advance_once, runs)

    monkeypatch.setattr(_repeat, "train_on", interrupted)
    runs = repeat(dense, DATA, **ONCE, executor=Here())
    assert not runs.complete
    assert len(runs.seeds) == 2
    assert "interrupted: 2 of 3 seeds are finished" in capsys.readouterr().out


@pytest.mark.slow
def test_processes_of_this_machine():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        assert_equal(repeat(dense, DATA, **ONCE), repeat(dense, DATA, **ONCE, executor=executor))


@pytest.mark.slow
def test_a_cluster_of_dask():
    distributed = pytest.importorskip("distributed", reason="needs dask[distributed]")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        there = repeat(lambda: dense(), DATA, **ONCE, executor=client.get_executor())
    assert_equal(repeat(dense, DATA, **ONCE), there)
