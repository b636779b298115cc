"""Seeds as tasks of an executor: the same numbers, and what cannot travel is named."""

import multiprocessing
import os
import re
import socket
import subprocess
import sys
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

from tests.small import dense, small_data
from tools.notebooks import ROOT
from utils.comparisons import compare
from utils.repeats import _executors, _repeat, repeat
from utils.repeats._executors import one_thread_each, starter, train_on
from utils.repeats._workers import THREADS, cores, threads, workers_for

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


def test_the_threads_that_a_worker_had_are_part_of_the_setup(monkeypatch):
    here, there = repeat(dense, DATA, **ONCE), repeat(dense, DATA, **ONCE, executor=Here())
    assert "threads" not in str(compare(here, there, "val_loss"))  # the same process
    monkeypatch.setattr("utils.repeats._training.threads", lambda: 99)
    elsewhere = repeat(dense, DATA, **ONCE, executor=Here())
    line = f"threads of an operation: {threads()} → 99"
    assert line in str(compare(here, elsewhere, "val_loss"))


@pytest.mark.parametrize(
    ("limits", "expected"),
    [({}, 8), ({"CPU_LIMIT": "2.0"}, 2), ({"CPU_LIMIT": "0.5"}, 1), ({"MEM_LIMIT": "12000"}, 3)],
)
def test_a_hubs_limits_bound_how_many_seeds_train_at_once(monkeypatch, limits, expected):
    monkeypatch.setattr("utils.repeats._workers.cores", lambda: 8)
    monkeypatch.setattr("utils.repeats._workers.free_memory", lambda: 2**34)
    for name in ("CPU_LIMIT", "MEM_LIMIT"):
        monkeypatch.setenv(name, limits.get(name, ""))
    assert workers_for(10, 1000) == expected


@pytest.mark.parametrize(("text", "expected"), [("3", 3), ("", cores()), ("many", cores())])
def test_threads_are_those_that_tensorflow_has_read(monkeypatch, text, expected):
    monkeypatch.setattr("utils.repeats._workers.AT_START", text)
    assert threads() == expected


def test_a_process_that_is_started_takes_one_thread_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv(THREADS, raising=False)
    with one_thread_each():
        assert os.environ[THREADS] == "1"
    assert THREADS not in os.environ
    monkeypatch.setenv(THREADS, "4")
    with one_thread_each():
        assert os.environ[THREADS] == "4"
    assert os.environ[THREADS] == "4"


def test_a_worker_without_the_course_says_what_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "utils.repeats._executors", None)
    with pytest.raises(RuntimeError, match="the course's folder in PYTHONPATH"):
        starter()(b"", None, 0)


def test_a_worker_with_two_threads_trains_one_seed_at_a_time(monkeypatch):
    """Two tasks side by side in one process would set each other's random numbers."""
    at_once, most = [], []

    @contextmanager
    def noted():
        at_once.append(1)
        most.append(len(at_once))
        yield
        at_once.pop()

    train = _executors.train

    def train_noted(*args):
        with noted():
            return (yield from train(*args))

    monkeypatch.setattr(_executors, "train", train_noted)
    with ThreadPoolExecutor(2) as pool:

        class InThreads(Executor):
            def submit(self, function, *args):
                return pool.submit(function, *args)

        there = repeat(dense, DATA, **ONCE, executor=InThreads())
    assert most == [1, 1, 1]
    assert_equal(repeat(dense, DATA, **ONCE), there)


@pytest.mark.slow
def test_processes_of_this_machine():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        assert_equal(repeat(dense, DATA, **ONCE), repeat(dense, DATA, **ONCE, executor=executor))


PAGE = (ROOT / "docs" / "cluster.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.+?)```", PAGE, re.DOTALL)


def run_python(code):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
    )


@pytest.mark.slow
def test_a_cluster_on_this_machine_as_the_page_says(tmp_path):
    pytest.importorskip("distributed", reason="needs dask[distributed]")
    script = tmp_path / "factorial.py"  # spawned workers import the script that started them
    script.write_text(blocks("python")[0])
    result = run_python(f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')")
    assert re.search(r"Dropout .*\d", result.stdout), result.stderr
    assert result.stdout.count("10 seeds × 5 epochs: done") == 8


@pytest.fixture
def scheduler():
    """The address of a scheduler with two workers, all started by hand as the page says."""
    pytest.importorskip("distributed", reason="needs dask[distributed]")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    commands = [line.replace("8786", port) for line in blocks("sh")[0].splitlines()]
    commands.append(commands[1])
    bin_first = os.environ | {"PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"}
    quiet = {"cwd": ROOT, "env": bin_first, "stderr": subprocess.DEVNULL, "shell": True}
    started = [subprocess.Popen(command, **quiet, start_new_session=True) for command in commands]
    yield f"tcp://127.0.0.1:{port}"
    for process in started:
        os.killpg(process.pid, 15)
        process.wait()


@pytest.mark.slow
def test_a_scheduler_and_two_workers_started_by_hand(scheduler):
    from distributed import Client

    penalty = "l2"  # a closure, as in a notebook
    with Client(scheduler, timeout=60) as client:
        client.wait_for_workers(2, timeout=60)
        there = repeat(lambda: dense(penalty=penalty), DATA, **ONCE, executor=client.get_executor())
    here = repeat(lambda: dense(penalty=penalty), DATA, **ONCE)
    assert_equal(here, there)
    seen = [arm.setup.training["threads of an operation"] for arm in (here, there)]
    assert seen == [str(threads()), "1"]
