"""Several runs at once: how many, in which threads, and what ends them."""

import os
import threading

import pytest
import tensorflow as tf

from utils.repeats import _workers
from utils.repeats._workers import cores, free_memory, run_all, run_alone, workers_for

HERE = threading.main_thread()


def doubling(values, seen=None):
    """A run that has each value doubled elsewhere, and returns the sum."""
    total = 0
    for value in values:
        if seen is not None:
            seen.append((threading.current_thread(), (yield lambda: threading.current_thread())))
        total += yield lambda value=value: 2 * value
    return total


def meeting(barrier):
    """A run whose work ends only when as many others have come as the barrier waits for."""
    return (yield lambda: barrier.wait(timeout=5)) >= 0


def failing_work():
    try:
        yield lambda: 1 / 0
    except ZeroDivisionError:
        return "mended"


def test_one_run_alone_gives_what_it_returns():
    assert run_alone(doubling([1, 2, 3])) == 12
    assert run_alone(failing_work()) == "mended"


def test_the_run_is_in_the_callers_thread_and_its_work_is_not():
    seen, finished = [], []
    run_all([doubling([1], seen)], 2, finished)
    [(own, of_work)] = seen
    assert own is HERE
    assert of_work is not HERE
    assert of_work.name.startswith("seed")
    assert finished == [2]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_as_many_at_once_as_there_are_workers(workers):
    active, most = set(), []

    def run(name):
        active.add(name)
        most.append(len(active))
        yield lambda: None
        yield lambda: None
        active.remove(name)
        return name

    finished = []
    run_all(map(run, range(6)), workers, finished)
    assert max(most) == workers
    assert sorted(finished) == list(range(6))


def test_by_default_runs_do_work_at_the_same_time():
    barrier, finished = threading.Barrier(2), []
    run_all([meeting(barrier), meeting(barrier)], 2, finished)
    assert finished == [True, True]


def test_one_at_a_time_from_the_moment_that_alone_says_so():
    active, most, shares = set(), [], []

    def run(name):
        active.add(name)
        most.append(len(active))
        shares.append(name)  # known only when the first has begun
        yield lambda: None
        active.remove(name)
        return name

    finished = []
    run_all(map(run, range(4)), 3, finished, alone=lambda: bool(shares))
    assert most == [1, 1, 1, 1]
    assert finished == [0, 1, 2, 3]


def test_a_run_may_mend_what_its_work_raises():
    finished = []
    run_all([failing_work(), doubling([2])], 2, finished)
    assert sorted(map(str, finished)) == ["4", "mended"]


def test_an_error_ends_all_and_keeps_what_has_finished():
    def failing():
        yield lambda: None
        raise KeyError("own")

    finished = []
    with pytest.raises(KeyError, match="own"):
        run_all([doubling([1]), failing(), doubling([5])], 1, finished)
    assert finished == [2]


@pytest.fixture
def four_cores(monkeypatch):
    """Four cores, 800 free bytes, and no hub."""
    monkeypatch.setattr(_workers, "cores", lambda: 4)
    monkeypatch.setattr(_workers, "free_memory", lambda: 800)
    for name in ("CPU_LIMIT", "MEM_LIMIT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("seeds", "each", "expected"),
    [
        (10, 1, 4),  # a core each
        (3, 1, 3),  # no more than seeds
        (10, 100, 2),  # a quarter of 800 bytes holds two
        (10, 101, 1),
        (10, 10_000, 1),  # at least one
        (10, 0, 4),  # a model without weights
    ],
)
def test_workers_by_cores_seeds_and_memory(four_cores, seeds, each, expected):
    assert workers_for(seeds, each) == expected


@pytest.mark.parametrize(
    ("name", "limit", "expected"),
    [
        ("CPU_LIMIT", "2.0", 2),
        ("CPU_LIMIT", "0.5", 1),
        ("CPU_LIMIT", "8", 4),
        ("CPU_LIMIT", "", 4),
        ("MEM_LIMIT", "400", 2),
        ("MEM_LIMIT", "4000", 4),
    ],
)
def test_a_hub_may_allow_less(four_cores, monkeypatch, name, limit, expected):
    monkeypatch.setenv(name, limit)
    assert workers_for(10, 50) == expected


def test_a_gpu_takes_one_at_a_time(four_cores, monkeypatch):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind] * (kind == "GPU"))
    assert workers_for(10, 1) == 1


def test_free_memory_is_that_of_the_system(monkeypatch):
    sizes = {"SC_AVPHYS_PAGES": 5, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", sizes.get, raising=False)
    assert free_memory() == 5 * 4096


@pytest.mark.parametrize("error", [AttributeError, OSError, ValueError])
def test_much_memory_where_the_system_does_not_say(monkeypatch, error):
    def silent(name):
        raise error(name)

    monkeypatch.setattr(os, "sysconf", silent, raising=False)
    assert free_memory() == 16 * 2**30


def test_cores_are_those_that_this_process_may_use(monkeypatch):
    asked = []

    def affinity(process):
        asked.append(process)
        return {1, 5, 7}

    monkeypatch.setattr(os, "sched_getaffinity", affinity, raising=False)
    assert (cores(), asked) == (3, [0])


@pytest.mark.parametrize(("count", "expected"), [(6, 6), (None, 1)])
def test_cores_where_the_system_knows_no_affinity(monkeypatch, count, expected):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    assert cores() == expected
