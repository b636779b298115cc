"""Seeds on other processes or machines: one seed a task, on any `concurrent.futures.Executor`.

What travels: the reader's functions (by value, also those of a notebook), the settings, and the
data, once for each worker where the executor can. What comes back is what a run leaves: arrays.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from utils.repeats._data import Examples
from utils.repeats._seeding import new_model
from utils.repeats._training import Plan, Run, train
from utils.repeats._workers import THREADS, run_alone

GONE = ("KilledWorker", "CommClosedError", "FutureCancelledError", "LostRunError")
received: dict[str, Any] = {}  # in a worker: what was sent once, by its fingerprint
# A worker with several threads trains one seed after the other: Keras's settings are the process's.
one_at_a_time = threading.Lock()


def check_executor(executor: object) -> None:
    """Refuse what is no executor, and executors that cannot train: threads, and forks."""
    if not isinstance(executor, Executor):
        raise TypeError(
            f"executor is {executor!r}; give a concurrent.futures.Executor, as "
            "dask.distributed.Client(...).get_executor()"
        )
    if isinstance(executor, ThreadPoolExecutor):
        raise ValueError("executor has threads of this process; leave it out and give `workers`")
    context = getattr(executor, "_mp_context", None)
    if context is not None and context.get_start_method() != "spawn":
        raise ValueError(
            f"executor starts its workers by {context.get_start_method()}, which hangs once "
            'TensorFlow runs; give it mp_context=multiprocessing.get_context("spawn")'
        )


def train_on(
    executor: Executor,
    plan: Plan,
    input_shape: Any,
    advance: Callable[[int], None],
    runs: list[Run],
) -> None:
    """Train every seed of `plan` as a task of `executor`; finished runs are appended to `runs`.

    A seed whose worker is lost is tried once more.
    """
    dumps = pickler()
    start = train_here if isinstance(executor, ProcessPoolExecutor) else starter()
    packed = pack(plan, input_shape, dumps)
    constant = plan.data if isinstance(plan.data, Examples) else None
    with one_thread_each(), sent_once(executor, constant, dumps) as data:

        def submit(seed: int) -> Future:
            return executor.submit(start, packed, data, seed)

        tasks = {submit(seed): (seed, 1) for seed in plan.seeds}
        try:
            while tasks:
                done, _ = wait(tasks, return_when=FIRST_COMPLETED)
                for future in done:
                    seed, tries = tasks.pop(future)
                    if is_lost(future) and tries == 1:
                        tasks[submit(seed)] = (seed, 2)
                        continue
                    runs.append(future.result())
                    advance(plan.epochs)
        finally:
            for future in tasks:
                future.cancel()


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes that are started inside let TensorFlow take one thread, if nothing else is set."""
    unset = THREADS not in os.environ
    os.environ.setdefault(THREADS, "1")
    try:
        yield
    finally:
        if unset:
            del os.environ[THREADS]


def is_lost(future: Future) -> bool:
    """Whether the task ended because its worker did."""
    if future.cancelled():
        return True
    error = future.exception()
    lost = isinstance(error, BrokenProcessPool | CancelledError | ConnectionError)
    return lost or type(error).__name__ in GONE


def pickler() -> Callable[[object], bytes]:
    try:
        from cloudpickle import dumps
    except ImportError as error:
        raise ImportError(
            "executor needs cloudpickle, to send functions of a notebook: "
            'pip install "dask[distributed]" brings it'
        ) from error
    return dumps


def pack(plan: Plan, input_shape: Any, dumps: Callable) -> bytes:
    """The plan without its data; an error names the argument that cannot travel."""
    constant = isinstance(plan.data, Examples)  # sent apart
    alone = replace(plan, programs=[], data=None if constant else plan.data)
    for field in fields(alone):
        value = getattr(alone, field.name)
        try:
            dumps(value)
        except Exception as error:  # what cannot be pickled raises nearly anything
            raise TypeError(
                f"{field.name} cannot travel to a worker: {error}; leave locks, open files and "
                "trained models out of what it closes over"
            ) from error
    return dumps((alone, input_shape))


@contextmanager
def sent_once(executor: Executor, data: Any, dumps: Callable) -> Iterator[Any]:
    """By what a worker gets the data: the bytes where the executor keeps them, or a file's path."""
    if data is None:
        yield None
        return
    content = dumps(data)
    client = getattr(executor, "_client", None)
    if hasattr(client, "scatter"):
        yield client.scatter(content, broadcast=True)
    elif isinstance(executor, ProcessPoolExecutor):  # all on this machine
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, hashlib.sha256(content).hexdigest())
            path.write_bytes(content)
            yield path
    else:
        yield content


def starter() -> Callable:
    """What a worker runs first. A function inside a function travels by value: so it can say how
    many threads TensorFlow takes before anything imports it."""

    def start(packed: bytes, data: object, seed: int) -> object:
        import os

        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
        try:
            from utils.repeats._executors import train_here
        except ModuleNotFoundError as error:
            raise RuntimeError(
                f"a worker has no module {error.name!r}: start it in an environment with the "
                "course's packages, and the course's folder in PYTHONPATH"
            ) from error

        return train_here(packed, data, seed)

    return start


def train_here(packed: bytes, data: bytes | Path | None, seed: int) -> Run:
    """In a worker: train one seed to its end."""
    from cloudpickle import loads

    plan, input_shape = loads(packed)
    if data is not None:
        plan = replace(plan, data=unpacked(data))
    with one_at_a_time:
        model = new_model(plan.build_model, seed, input_shape)
        return run_alone(train(plan, seed, model, lambda epochs: None))


def unpacked(data: bytes | Path) -> Any:
    """The data that were sent once, also unpacked once in each worker."""
    from cloudpickle import loads

    content = data.read_bytes() if isinstance(data, Path) else data
    key = hashlib.sha256(content).hexdigest()
    if key not in received:
        received.clear()
        received[key] = loads(content)
    return received[key]
