"""The same training under several seeds: `fit` once per seed, in compiled loops.

For a model without randomness in its layers, seed k gives the losses, metrics and weights of

    model = seeded(build_model, k)
    for epoch in range(epochs):
        order = batch_order(k, epoch, len(x_train))
        model.fit(x_train[order], y_train[order], shuffle=False, validation_data=(x_val, y_val))

The size of the validation batches is 500. It shows only with an activity penalty before Keras 3.15,
which adds up over the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from utils._shared.arguments import (
    cadence,
    distinct_seeds,
    function,
    named_functions,
    one_of,
    only_early_stopping,
    whole_number,
)
from utils._shared.progress import Progress
from utils.repeats._seeding import SEEDS, seeded
from utils.repeats._setups import Setup, setup_of
from utils.repeats._training import Plan, train


@dataclass(frozen=True, repr=False)
class Runs:
    """One arm: the same training under several seeds.

    history     name -> float64 (seeds, epochs). Keras's names: `loss`, `accuracy` (running means
                over the epoch, in training mode), `val_loss`, `val_accuracy` (inference mode, at
                the epoch's end). Beside them `train_loss`, `train_accuracy`: the training data with
                the same weights in the same mode as `val_*`; `penalty`: the regularizers' sum at
                the epoch's end; `train_data_loss`, `val_data_loss`: the losses without it.
                NaN after the epoch in which early stopping ended a run.
    kept_epoch  int (seeds,): the epoch, from 0, whose weights the run ends with
    measured    name -> (seeds, ...): `measure` of the trained models
    watched     name -> (seeds, times, ...): `watch` at the steps `watched_steps`, int (times,);
                NaN after the step in which early stopping ended a run
    weights     per seed the list of arrays that `model.get_weights()` gives
    diverged    bool (seeds,): the loss or a weight is no longer a finite number
    complete    False where an interruption left seeds out; `seeds` holds those that finished
    setup       what was trained on what, for `compare`
    best        with `keep_best`: the same runs stopped at their best epoch; else None
    """

    name: str
    seeds: tuple[int, ...]
    history: dict[str, np.ndarray]
    kept_epoch: np.ndarray
    measured: dict[str, np.ndarray]
    watched: dict[str, np.ndarray]
    watched_steps: np.ndarray
    weights: tuple[list[np.ndarray], ...]
    diverged: np.ndarray
    complete: bool
    setup: Setup
    build_model: Callable
    best: "Runs | None" = None

    def __repr__(self):
        seeds = f"{len(self.seeds)} seeds{'' if self.complete else ' (interrupted)'}"
        epochs = next(iter(self.history.values())).shape[1]
        return f"Runs({self.name!r}: {seeds} × {epochs} epochs, {self.diverged.sum()} diverged)"

    def final(self, name):
        """What each run ends with: `history[name]` at the kept epoch, or `measured[name]`."""
        if name in self.measured:
            return self.measured[name]
        if name not in self.history:
            known = ", ".join([*self.history, *self.measured])
            raise ValueError(f"name is {name!r}; this arm has {known}")
        return self.history[name][np.arange(len(self.seeds)), self.kept_epoch]

    def model(self, seed):
        """A new model with the weights that `seed` ended with."""
        if seed not in self.seeds:
            raise ValueError(f"seed is {seed!r}; this arm has {self.seeds}")
        model = seeded(self.build_model, seed, self.setup.input_shape)
        model.set_weights(self.weights[self.seeds.index(seed)])
        return model


def repeat(
    build_model,
    data,
    *,
    epochs,
    seeds=SEEDS,
    batch_size=64,
    measure=None,
    watch=None,
    watch_every=None,
    callbacks=(),
    keep_best=None,
    name="runs",
    jit_compile="auto",
):
    """Train `build_model()` once per seed, as `fit` would, and return the `Runs`.

    build_model   a function without arguments that returns a new, compiled Keras model
    data          has x_train, y_train, x_val, y_val; or a function of the seed that returns such
    measure       name -> function(model), called on each trained model
    watch         name -> function(model), called before training and after every epoch,
                  or after every `watch_every` steps
    callbacks     `keras.callbacks.EarlyStopping`, or none; any other is an error
    keep_best     a name in the history, as "val_loss": `Runs.best` holds the same runs stopped
                  where it was best (the lowest loss, the highest accuracy), `measure` included
    jit_compile   True, False, or "auto": XLA for dense networks, and wherever there is a GPU

    The functions of `measure` and `watch` must not keep the model: the next seed uses it again.
    An interruption (Kernel > Interrupt) returns the seeds that finished, marked incomplete.
    Raises TypeError or ValueError for arguments that cannot work, MemoryError when memory runs out.
    """
    plan = Plan(
        build_model=function("build_model", build_model),
        data_for=data if callable(data) else lambda seed: data,
        epochs=whole_number("epochs", epochs),
        batch_size=whole_number("batch_size", batch_size),
        measure=named_functions("measure", measure),
        watch=named_functions("watch", watch),
        watch_every=cadence(watch_every, watch),
        early_stopping=only_early_stopping(callbacks),
        keep_best=keep_best,
        jit_compile=one_of("jit_compile", jit_compile, (True, False, "auto")),
    )
    seeds = distinct_seeds(seeds)
    setup = setup_of(plan, seeds)
    # All of them first: each setting of the random seed makes TensorFlow drop its kernels.
    models = [seeded(build_model, seed, setup.input_shape) for seed in seeds]
    progress = Progress(len(seeds) * plan.epochs)
    runs = []
    try:
        for number, (seed, model) in enumerate(zip(seeds, models, strict=True), start=1):
            runs.append(train(plan, seed, model, progress.at(f"seed {number} of {len(seeds)}")))
    except KeyboardInterrupt:
        progress.close(f"interrupted: {len(runs)} of {len(seeds)} seeds are finished")
        if not runs:
            raise
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError(f"no memory left with batch_size {batch_size}; try a smaller") from error
    else:
        progress.close(f"{len(seeds)} seeds × {plan.epochs} epochs: done")
    return stacked(plan, setup, name, seeds, runs)


def stacked(plan, setup, name, seeds, runs):
    """Put the runs of one arm side by side."""
    finished = seeds[: len(runs)]
    steps = max((run.watched_steps for run in runs), key=len)
    arm = Runs(
        name=name,
        seeds=finished,
        history=padded([run.history for run in runs], plan.epochs),
        kept_epoch=np.array([run.kept_epoch for run in runs]),
        measured=side_by_side([run.measured for run in runs]),
        watched=side_by_side([run.watched for run in runs], longest=len(steps)),
        watched_steps=steps,
        weights=tuple(run.weights for run in runs),
        diverged=np.array([has_diverged(run) for run in runs]),
        complete=len(runs) == len(seeds),
        setup=setup,
        build_model=plan.build_model,
    )
    if runs[0].best is None:
        return arm
    stopped = [run.best for run in runs]
    return replace(arm, best=stacked(plan, setup, f"{name}, stopped", seeds, stopped))


def padded(histories, epochs):
    """Histories of possibly different lengths as float64 (seeds, epochs), NaN after their end."""
    columns = {}
    for name in histories[0][0]:
        columns[name] = np.full((len(histories), epochs), np.nan)
        for row, history in zip(columns[name], histories, strict=True):
            row[: len(history)] = [logs[name] for logs in history]
    return columns


def side_by_side(dicts, longest=None):
    """A list of dicts of arrays as one dict of arrays with a first axis for the list.

    longest   fill shorter arrays up to this length with NaN
    """
    return {name: np.stack([filled(part[name], longest) for part in dicts]) for name in dicts[0]}


def filled(values, length):
    if length is None or len(values) == length:
        return values
    rest = np.full((length - len(values), *values.shape[1:]), np.nan)
    return np.concatenate([values, rest])


def has_diverged(run):
    """Whether a run's loss or a weight is no longer a finite number."""
    losses = [logs["loss"] for logs in run.history[: run.kept_epoch + 1]]
    return not all(np.isfinite(values).all() for values in [losses, *run.weights])
