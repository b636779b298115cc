"""Several runs at once, in threads: only what a run yields leaves the caller's thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial

import tensorflow as tf

from utils._shared.machine import cores

THREADS = "TF_NUM_INTRAOP_THREADS"
AT_START = os.environ.get(THREADS, "")  # TensorFlow reads it once, when it first computes


def threads() -> int:
    """How many threads TensorFlow uses for one operation in this process.

    Numbers are the same, bit for bit, on as many; on fewer or more they are rounded differently.
    """
    chosen = tf.config.threading.get_intra_op_parallelism_threads()
    return chosen or (int(AT_START) if AT_START.isdigit() else 0) or cores()


def workers_for(seeds: int, bytes_each: int) -> int:
    """As many runs at once as pay off: one a core, and no more than a quarter of memory holds.

    Products of small batches use several cores badly, so that runs side by side take less time than
    one after the other. A GPU does one thing at a time.
    """
    if tf.config.list_logical_devices("GPU"):
        return 1
    memory = min(free_memory(), allowed("MEM_LIMIT"))
    return max(1, int(min(seeds, cores(), allowed("CPU_LIMIT"), memory // 4 // max(bytes_each, 1))))


def allowed(name: str) -> float:
    """What a hub allows a learner of its machine, in cores or bytes: JupyterHub writes it there."""
    return float(os.environ.get(name) or "inf")


def free_memory() -> int:
    """Bytes that are free; much, where the system does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 2**34


def run_alone(run: Generator[Callable, object, object]) -> object:
    """Drive one generator to its end in this thread, and return what it returns."""
    resume = partial(next, run)
    while True:
        try:
            work = resume()
        except StopIteration as end:
            return end.value
        try:
            resume = partial(run.send, work())
        except Exception as error:  # the run decides what to do about it
            resume = partial(run.throw, error)


def run_all(
    runs: Iterable[Generator[Callable, object, object]],
    workers: int,
    finished: list,
    alone: Callable[[], bool] = lambda: False,
) -> None:
    """Drive generators to their end, at most `workers` at once; what they return is appended.

    alone   says whether from now on only one may run at a time

    Whatever is raised, in a generator or in what it yielded, ends all; `finished` stays.
    """
    waiting = iter(runs)
    active: dict[Future, Generator] = {}
    with ThreadPoolExecutor(workers, thread_name_prefix="seed") as pool:

        def go_on(run: Generator, resume: Callable) -> None:
            try:
                active[pool.submit(resume())] = run
            except StopIteration as end:
                finished.append(end.value)

        while True:
            while len(active) < (1 if alone() else workers) and (run := next(waiting, None)):
                go_on(run, partial(next, run))
            if not active:
                return
            done, _ = wait(active, return_when=FIRST_COMPLETED)
            for future in done:
                run, error = active.pop(future), future.exception()
                resume = run.throw if error else run.send
                go_on(run, partial(resume, error or future.result()))
