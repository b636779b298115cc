"""Times `repeat` beside `model.fit`, all ways in one run, as ratios.

(a) plain fit       with validation, as tutorials write it: a new model per seed
(b) best fit        `steps_per_execution` for a whole epoch, one validation batch
(c) repeat, 1       `repeat` with one worker
(d) repeat          `repeat` with as many as it chooses
(e) JAX scan        the MLPs written by hand in JAX, an epoch in one scan, where jax is installed
(f) products        what the matrix products of (d) alone take at the machine's best rate

(c) to (f) do more than both fits: they evaluate the training data in inference mode as well.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from importlib.util import find_spec
from statistics import median

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tools.execute import peak_memory
from tools.notebooks import ROOT
from utils.datasets import Dataset, load_fashion_mnist
from utils.repeats import repeat

BATCH = 64
GROWTH = (1, 5, 10, 20, 40)


def plain_mlp(steps: int = 1) -> keras.Model:
    """Lesson 00's network."""
    return mlp(steps, dropout=0.0, l2=0.0)


def mlp(steps: int = 1, dropout: float = 0.5, l2: float = 0.01) -> keras.Model:
    """The same, with dropout and a penalty."""
    model = keras.Sequential([keras.Input((28, 28)), layers.Flatten()])
    penalty = keras.regularizers.L2(l2) if l2 else None
    for _ in range(2):
        model.add(layers.Dense(256, activation="relu", kernel_regularizer=penalty))
        if dropout:
            model.add(layers.Dropout(dropout))
    return compiled(model, "adam", steps)


def cnn(steps: int = 1) -> keras.Model:
    """Four convolutions with batch normalization, as in lesson 01."""
    model = keras.Sequential([keras.Input((28, 28)), layers.Reshape((28, 28, 1))])
    for filters, strides in ((16, 2), (16, 1), (32, 2), (32, 1)):
        model.add(layers.Conv2D(filters, 3, strides=strides, padding="same"))
        model.add(layers.BatchNormalization())
        model.add(layers.ReLU())
    model.add(layers.Flatten())
    return compiled(model, keras.optimizers.SGD(0.1), steps)


def compiled(model: keras.Model, optimizer: object, steps: int) -> keras.Model:
    model.add(layers.Dense(10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"], steps_per_execution=steps)
    return model


NETWORKS = {
    "MLP": (plain_mlp, 10),
    "MLP with dropout and L2": (mlp, 10),
    "CNN with batch normalization": (cnn, 3),
}


# The ways: each trains `build_model()` once per seed


def with_fit(build_model: Callable, data: Dataset, epochs: int, seeds: int, **options) -> None:
    for seed in range(seeds):
        keras.utils.set_random_seed(seed)
        build_model().fit(
            data.x_train,
            data.y_train,
            batch_size=BATCH,
            epochs=epochs,
            validation_data=(data.x_val, data.y_val),
            verbose=0,
            **options,
        )


def with_best_fit(build_model: Callable, data: Dataset, epochs: int, seeds: int) -> None:
    steps = -(-len(data.x_train) // BATCH)
    one_batch = {"validation_batch_size": len(data.x_val)}
    with_fit(partial(build_model, steps), data, epochs, seeds, **one_batch)


def with_repeat(
    build_model: Callable, data: Dataset, epochs: int, seeds: int, **options: object
) -> None:
    with redirect_stdout(io.StringIO()):
        repeat(build_model, data, epochs=epochs, seeds=range(seeds), batch_size=BATCH, **options)


def with_jax(build_model: Callable, data: Dataset, epochs: int, seeds: int) -> None:
    from tools.verify.bench_jax import train

    regularized = {"dropout": 0.5, "l2": 0.01} if build_model is mlp else {}
    for seed in range(seeds):
        train(data, seed, epochs, BATCH, **regularized)


WAYS = {
    "plain fit": with_fit,
    "best fit": with_best_fit,
    "repeat, 1 worker": partial(with_repeat, workers=1),
    "repeat": with_repeat,
}
FITS = ("plain fit", "best fit")
SEEDS_OF_FITS = 2  # theirs take as long each, however many there are


def ways_for(build_model: Callable) -> dict[str, Callable]:
    if find_spec("jax") is None or build_model not in (plain_mlp, mlp):
        return WAYS
    return WAYS | {"JAX scan": with_jax}


# What is measured


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def show_warm(name: str, data: Dataset, rounds: int, seeds: int) -> None:
    """Milliseconds per seed and epoch. Each round times all ways once: a slow minute hits all."""
    build_model, epochs = NETWORKS[name]
    ways = ways_for(build_model)
    for way in ways.values():
        way(build_model, data, epochs, 1)
    numbers = {what: SEEDS_OF_FITS if what in FITS else seeds for what in ways}

    def seconds_each(what: str) -> float:
        job = partial(ways[what], build_model, data, epochs, numbers[what])
        return seconds(job) / numbers[what] / epochs

    found = [{what: seconds_each(what) for what in ways} for _ in range(rounds)]
    each = {what: 1000 * median(one[what] for one in found) for what in ways}
    if build_model is not cnn:
        each["products"] = 1000 * seconds_of_products(build_model(), data)
    row = ", ".join(f"{what} {took:.0f}" for what, took in each.items())
    print(f"{name}, ms per seed and epoch: {row}")
    for what in FITS:
        show_ratios(f"{name}, warm, {seeds} seeds", what, found)


def show_ratios(title: str, what: str, rounds: list[dict[str, float]]) -> None:
    ratios = [one[what] / one["repeat"] for one in rounds]
    print(
        f"{title}: {median(ratios):.1f}× faster than {what} "
        f"({min(ratios):.1f} to {max(ratios):.1f} in {len(ratios)} rounds)",
        flush=True,
    )


def seconds_of_products(model: keras.Model, data: Dataset) -> float:
    """The matrix products of an epoch of a dense network, at the best rate that was seen."""
    size, tries = 1024, 20
    a = tf.random.normal((size, size))
    product = tf.function(lambda: tf.linalg.matmul(a, a))
    product()
    rate = max(2 * size**3 / seconds(lambda: product().numpy()) for _ in range(tries))
    kernels = [np.prod(w.shape) for w in model.trainable_weights if len(w.shape) == 2]
    training = 6 * sum(kernels) - 2 * kernels[0]  # the images need no gradient
    evaluation = 2 * sum(kernels)
    examples = np.array([len(data.x_train), len(data.x_train) + len(data.x_val)])
    return float(examples @ [training, evaluation] / rate)


def show_cold(name: str, rounds: int, seeds: int = 5) -> None:
    """Everything in a new process, tracing and compilation included; starting Python is not."""
    ways = [*FITS, "repeat"]
    found = [{what: in_new_process(name, what, seeds) for what in ways} for _ in range(rounds)]
    for what in FITS:
        times = [{way: took for way, (took, _) in one.items()} for one in found]
        show_ratios(f"{name}, cold, {seeds} seeds", what, times)
    memory = {what: round(median(one[what][1] for one in found)) for what in ways}
    print(f"{name}: peak memory of the process in MB, {memory}", flush=True)


def in_new_process(name: str, way: str, seeds: int) -> tuple[float, float]:
    """Seconds, and peak memory in MB."""
    command = [sys.executable, "-m", "tools.verify.bench", "--one", name, way, str(seeds)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    took, memory = result.stdout.split()
    return float(took), float(memory)


def run_one(name: str, way: str, seeds: str) -> None:
    build_model, epochs = NETWORKS[name]
    took = seconds(lambda: WAYS[way](build_model, small(), epochs, int(seeds)))
    print(took, peak_memory(os.getpid()) / 1e6)


def small() -> Dataset:
    return load_fashion_mnist(train_size=2000)


def show_growth(name: str, data: Dataset) -> None:
    """How the time grows with the seeds: at best by their number."""
    build_model, epochs = NETWORKS[name]
    times = {n: seconds(lambda n=n: with_repeat(build_model, data, epochs, n)) for n in GROWTH}
    grown = ", ".join(f"{n}: {took / times[1]:.1f}" for n, took in times.items())
    print(f"{name}: time by seeds, in runs of one seed: {grown}", flush=True)


def show_cluster(name: str, data: Dataset, seeds: int = 12) -> None:
    """How much of two workers' time is won, once warm: 1 where two take half of one's time."""
    from distributed import Client, LocalCluster

    build_model, epochs = NETWORKS[name]
    took = {}
    for workers in (1, 2):
        options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
        with LocalCluster(**options) as cluster, Client(cluster) as client:
            executor = client.get_executor()
            job = partial(with_repeat, build_model, data, epochs, seeds, executor=executor)
            job()
            took[workers] = seconds(job)
    print(
        f"{name}: {seeds} seeds on 1 and 2 workers of a thread each, warm: "
        f"{took[1]:.1f} and {took[2]:.1f} s, efficiency {took[1] / took[2] / 2:.2f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tools.verify.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=3, help="of each comparison")
    parser.add_argument("--seeds", type=int, default=10, help="of the warm comparison")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    choice = parser.parse_args()
    if choice.one:
        run_one(*choice.one)
        return
    data = small()
    for name in NETWORKS:
        show_warm(name, data, choice.rounds, choice.seeds)
        show_cold(name, choice.rounds)
        show_growth(name, data)
    if find_spec("distributed") is None:
        print("no Dask here, so no cluster was timed")
        return
    for name in NETWORKS:
        show_cluster(name, data)


if __name__ == "__main__":
    main()
