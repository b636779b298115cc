"""Times `repeat` against `model.fit`, side by side in one run, as ratios.

(a) plain `fit` with validation, as tutorials write it: a new model per seed
(b) `fit` at its best settings: `steps_per_execution` for a whole epoch, one validation batch

`repeat` does more than both: it also evaluates the training data in inference mode every epoch.
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
from statistics import median

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tools.execute import peak_memory
from tools.notebooks import ROOT
from utils.datasets import load_fashion_mnist
from utils.repeats import repeat

BATCH = 64
GROWTH = (1, 5, 10, 20)


def mlp(steps: int = 1) -> keras.Model:
    """Lesson 00's network, with dropout and a penalty."""
    model = keras.Sequential([keras.Input((28, 28)), layers.Flatten()])
    for _ in range(2):
        model.add(layers.Dense(256, activation="relu", kernel_regularizer=keras.regularizers.L2()))
        model.add(layers.Dropout(0.5))
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


NETWORKS = {"MLP with dropout and L2": (mlp, 10), "CNN with batch normalization": (cnn, 3)}


def with_fit(build_model: Callable, data, epochs: int, seeds: int, **options) -> None:
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


def with_best_fit(build_model: Callable, data, epochs: int, seeds: int) -> None:
    steps = -(-len(data.x_train) // BATCH)
    one_batch = {"validation_batch_size": len(data.x_val)}
    with_fit(partial(build_model, steps), data, epochs, seeds, **one_batch)


def with_repeat(build_model: Callable, data, epochs: int, seeds: int) -> None:
    with redirect_stdout(io.StringIO()):
        repeat(build_model, data, epochs=epochs, seeds=range(seeds), batch_size=BATCH)


WAYS = {"(a) plain fit": with_fit, "(b) best fit": with_best_fit, "repeat": with_repeat}


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def warm_ratios(name: str, data, pairs: int, seeds: int) -> None:
    """Each round times all three ways once, so that a slow minute hits all of them."""
    build_model, epochs = NETWORKS[name]
    for way in WAYS.values():
        way(build_model, data, 1, 1)
    rounds = []
    for _ in range(pairs):
        jobs = {what: partial(way, build_model, data, epochs, seeds) for what, way in WAYS.items()}
        rounds.append({what: seconds(job) for what, job in jobs.items()})
        show(f"  {name}, {seeds} seeds × {epochs} epochs, seconds", rounds[-1])
    for what in list(WAYS)[:2]:
        ratios = [one[what] / one["repeat"] for one in rounds]
        print(f"{name}: {median(ratios):.1f}× faster than {what}", spread(ratios))


def show(title: str, numbers: dict[str, float]) -> None:
    print(title, {what: round(number, 2) for what, number in numbers.items()}, flush=True)


def spread(ratios: list[float]) -> str:
    return f"({min(ratios):.1f} to {max(ratios):.1f} in {len(ratios)} rounds)"


def cold_ratios(name: str, pairs: int) -> None:
    """Everything in a new process, tracing and compilation included; starting Python is not."""
    for seeds in (1, 5):
        rounds = [{what: in_new_process(name, what, seeds) for what in WAYS} for _ in range(pairs)]
        for what in list(WAYS)[:2]:
            ratios = [one[what][0] / one["repeat"][0] for one in rounds]
            title = f"{name}, cold, {seeds} seed{'s' * (seeds > 1)}"
            print(f"{title}: {median(ratios):.1f}× faster than {what}", spread(ratios), flush=True)
    memory = {what: median(one[what][1] for one in rounds) for what in WAYS}
    show(f"{name}: peak memory of the process, MB", memory)


def in_new_process(name: str, way: str, seeds: int) -> tuple[float, float]:
    """Seconds and peak memory in MB."""
    command = [sys.executable, "-m", "tools.verify.bench", "--one", name, way, str(seeds)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    took, memory = result.stdout.split()
    return float(took), float(memory)


def one_cold_run(name: str, way: str, seeds: str) -> None:
    build_model, epochs = NETWORKS[name]
    took = seconds(lambda: WAYS[way](build_model, small(), epochs, int(seeds)))
    print(took, peak_memory(os.getpid()) / 1e6)


def small():
    return load_fashion_mnist(train_size=2000)


def growth(name: str, data) -> None:
    """How the time grows with the seeds: at best by their number."""
    build_model, epochs = NETWORKS[name]
    times = {n: seconds(lambda n=n: with_repeat(build_model, data, epochs, n)) for n in GROWTH}
    show(
        f"{name}: time for {GROWTH} seeds, in runs of one", {n: times[n] / times[1] for n in GROWTH}
    )


def share_of_sgemm(data) -> None:
    """How much of an epoch of the MLP its matrix products would take at the machine's best rate."""
    size, repeats = 1024, 20
    a = tf.random.normal((size, size))
    product = tf.function(lambda: tf.linalg.matmul(a, a))
    product()
    rate = max(2 * size**3 / seconds(lambda: product().numpy()) for _ in range(repeats))
    kernels = [w.shape for w in mlp().trainable_weights if len(w.shape) == 2]
    training = sum(6 * np.prod(shape) for shape in kernels) - 2 * np.prod(kernels[0])
    evaluation = 2 * sum(2 * np.prod(shape) for shape in kernels)
    floor = len(data.x_train) * (training + evaluation) / rate
    few, many = (seconds(partial(with_repeat, mlp, data, epochs, 1)) for epochs in (5, 45))
    print(f"MLP: matrix products are {40 * floor / (many - few):.0%} of an epoch's time")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.verify.bench", description=__doc__)
    parser.add_argument("--pairs", type=int, default=5, help="rounds of each comparison")
    parser.add_argument("--seeds", type=int, default=10, help="seeds of the warm comparison")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    choice = parser.parse_args()
    if choice.one:
        one_cold_run(*choice.one)
        return
    data = small()
    for name in NETWORKS:
        warm_ratios(name, data, choice.pairs, choice.seeds)
        growth(name, data)
        cold_ratios(name, choice.pairs)
    share_of_sgemm(data)


if __name__ == "__main__":
    main()
