"""The same training under several seeds.

For a model without randomness in its layers, seed k gives the losses, metrics and weights of

    model = seeded(build_model, k)
    for epoch in range(epochs):
        order = batch_order(k, epoch, len(x_train))
        model.fit(
            x_train[order], y_train[order], batch_size=64, shuffle=False,
            validation_data=(x_val, y_val), validation_batch_size=500,
        )

The size of the validation batches shows only with an activity penalty before Keras 3.15, which adds
up over the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from typing import Any

import keras
import tensorflow as tf

from utils._shared.arguments import (
    cadence,
    distinct_seeds,
    function,
    named_functions,
    one_of,
    whole_number,
)
from utils._shared.progress import Progress
from utils.repeats._data import examples_or_function
from utils.repeats._executors import check_executor, train_on
from utils.repeats._runs import Runs, stacked
from utils.repeats._seeding import SEEDS, new_model
from utils.repeats._setups import setup_of
from utils.repeats._stopping import only_early_stopping
from utils.repeats._training import Plan, Run, train
from utils.repeats._workers import run_all, workers_for


def repeat(
    build_model: Callable[[], keras.Model],
    data: Any,
    *,
    epochs: int,
    seeds: Iterable[int] = SEEDS,
    batch_size: int = 64,
    measure: Mapping[str, Callable] | None = None,
    watch: Mapping[str, Callable] | None = None,
    watch_every: int | None = None,
    callbacks: Any = (),
    keep_best: str | None = None,
    name: str = "runs",
    jit_compile: bool | str = "auto",
    workers: int | None = None,
    executor: Executor | None = None,
) -> Runs:
    """Train `build_model()` once per seed, as `fit` would, and return the `Runs`.

    build_model   a function without arguments that returns a new, compiled Keras model
    data          has x_train, y_train, x_val, y_val (an object, a dict, or the two pairs that
                  `keras.datasets` gives); or a function of the seed that returns such
    batch_size    of training; 64, where `fit` takes 32
    measure       name -> function(model) or function(model, data), called on each trained model;
                  `data` is the seed's own, with whatever else it carries
    watch         name -> the same, called before training and after every epoch, or after every
                  `watch_every` steps
    callbacks     `keras.callbacks.EarlyStopping`, or none; any other is an error
    keep_best     a name in the history, as "val_loss": `Runs.best` holds the same runs stopped
                  where it was best (the lowest loss, the highest accuracy), `measure` included
    jit_compile   True, False, or "auto": XLA for dense networks whose training repays its compile
                  time, and wherever there is a GPU
    workers       how many seeds to train at once; by default as many as there are cores, within
                  memory. The numbers do not depend on it.
    executor      trains each seed as a task of its own, on other processes or machines: any
                  `concurrent.futures.Executor`, as Dask's `Client(...).get_executor()`

    A function of `measure` or `watch` that raises costs its own column: `Runs.lost` tells why.
    An interruption (Kernel > Interrupt) returns the seeds that finished, marked incomplete.
    Raises TypeError or ValueError for arguments that cannot work, MemoryError when memory runs out.
    """
    plan = Plan(
        build_model=function("build_model", build_model),
        data=examples_or_function(data),
        seeds=distinct_seeds(seeds),
        epochs=whole_number("epochs", epochs),
        batch_size=whole_number("batch_size", batch_size),
        measure=named_functions("measure", measure),
        watch=named_functions("watch", watch),
        watch_every=cadence(watch_every, watch),
        early_stopping=only_early_stopping(callbacks),
        keep_best=keep_best,
        jit_compile=one_of("jit_compile", jit_compile, (True, False, "auto")),
    )
    if workers is not None:
        whole_number("workers", workers)
    if executor is not None:
        check_executor(executor)
    setup, models = setup_of(plan)
    progress = Progress(len(plan.seeds) * plan.epochs)
    finished = []
    try:
        if executor is not None:
            train_on(executor, plan, setup.input_shape, progress.at("seeds elsewhere"), finished)
        else:
            train_in_threads(plan, models, setup.input_shape, workers, progress, finished)
    except KeyboardInterrupt:
        progress.close(f"interrupted: {len(finished)} of {len(plan.seeds)} seeds are finished")
        if not finished:
            raise
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError(f"no memory left with batch_size {batch_size}; try a smaller") from error
    else:
        progress.close(f"{len(plan.seeds)} seeds × {plan.epochs} epochs: done")
    arm = stacked(plan, setup, name, finished)
    best_lost = arm.best.lost if arm.best else {}
    for why in dict.fromkeys([*arm.lost.values(), *best_lost.values()]):
        print(f"lost: {why}")
    return arm


def train_in_threads(
    plan: Plan,
    models: list[keras.Model],
    input_shape: Any,
    workers: int | None,
    progress: Progress,
    finished: list[Run],
) -> None:
    """Train every seed in this process, several at once; finished runs are appended.

    models   those of the first seeds, which are there already
    """
    rest = plan.seeds[len(models) :]
    models = [*models, *(new_model(plan.build_model, seed, input_shape) for seed in rest)]
    runs = (
        train(plan, seed, model, progress.at(f"seed {number} of {len(plan.seeds)}"))
        for number, (seed, model) in enumerate(zip(plan.seeds, models, strict=True), start=1)
    )
    workers = workers or workers_for(len(plan.seeds), bytes_of(models[0]))
    run_all(runs, workers, finished, alone=lambda: plan.shares)


def bytes_of(model: keras.Model) -> int:
    """What a run of it holds at least: weights, gradients, and two values a weight to optimize."""
    return 4 * sum(weight.numpy().nbytes for weight in model.weights)
