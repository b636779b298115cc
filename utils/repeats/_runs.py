"""What an arm leaves behind: its runs side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import keras
import numpy as np

from utils.repeats._seeding import seeded
from utils.repeats._setups import Setup
from utils.repeats._training import Plan, Run


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
    lost        name -> why a function of `measure` or `watch` has no column
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
    best: Runs | None = None
    lost: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        seeds = f"{len(self.seeds)} seeds{'' if self.complete else ' (interrupted)'}"
        epochs = next(iter(self.history.values())).shape[1]
        return f"Runs({self.name!r}: {seeds} × {epochs} epochs, {self.diverged.sum()} diverged)"

    def final(self, name: str) -> np.ndarray:
        """What each run ends with: `history[name]` at the kept epoch, or `measured[name]`."""
        if name in self.measured:
            return self.measured[name]
        if name in self.lost:
            raise ValueError(f"name is {name!r}, which was lost: {self.lost[name]}")
        if name not in self.history:
            known = ", ".join([*self.history, *self.measured])
            raise ValueError(f"name is {name!r}; this arm has {known}")
        return self.history[name][np.arange(len(self.seeds)), self.kept_epoch]

    def model(self, seed: int) -> keras.Model:
        """A new model with the weights that `seed` ended with."""
        if seed not in self.seeds:
            raise ValueError(f"seed is {seed!r}; this arm has {self.seeds}")
        model = seeded(self.build_model, seed, self.setup.input_shape)
        model.set_weights(self.weights[self.seeds.index(seed)])
        return model


def stacked(plan: Plan, setup: Setup, name: str, runs: list[Run]) -> Runs:
    """Put the runs of one arm side by side, in the order of the plan's seeds."""
    runs = sorted(runs, key=lambda run: plan.seeds.index(run.seed))
    at = max((run.watched_steps for run in runs), key=len)
    lost = {what: why for run in reversed(runs) for what, why in run.lost.items()}
    measured = side_by_side(runs, [run.measured for run in runs], lost)
    watched = side_by_side(runs, [run.watched for run in runs], lost, longest=len(at))
    arm = Runs(
        name=name,
        seeds=tuple(run.seed for run in runs),
        history=padded([run.history for run in runs], plan.epochs),
        kept_epoch=np.array([run.kept_epoch for run in runs]),
        measured=measured,
        watched=watched,
        watched_steps=at,
        weights=tuple(run.weights for run in runs),
        diverged=np.array([has_diverged(run) for run in runs]),
        complete=len(runs) == len(plan.seeds),
        setup=completed(setup, runs),
        build_model=plan.build_model,
        lost=lost,
    )
    if runs[0].best is None:
        return arm
    best = stacked(plan, setup, f"{name}, stopped", [run.best for run in runs])
    return replace(arm, best=best)


def completed(setup: Setup, runs: list[Run]) -> Setup:
    """The setup with what only the runs know: their data, and the threads that they had, which are
    more than one number where machines differ."""
    training_data, evaluation_data = zip(*(run.data for run in runs), strict=True)
    threads = ", ".join(map(str, sorted({run.threads for run in runs})))
    return replace(
        setup,
        training=setup.training | {"threads of an operation": threads},
        training_data=training_data,
        evaluation_data=evaluation_data,
    )


def padded(histories: list, epochs: int) -> dict[str, np.ndarray]:
    """Histories of possibly different lengths as float64 (seeds, epochs), NaN after their end."""
    columns = {}
    for name in histories[0][0]:
        columns[name] = np.full((len(histories), epochs), np.nan)
        for row, history in zip(columns[name], histories, strict=True):
            row[: len(history)] = [logs[name] for logs in history]
    return columns


def side_by_side(
    runs: list[Run], dicts: list[dict], lost: dict[str, str], longest: int | None = None
) -> dict[str, np.ndarray]:
    """Arrays of every run by name, with a first axis for the runs; what does not fit is `lost`.

    longest   fill shorter arrays up to this length with NaN
    """
    columns = {}
    for name in dict.fromkeys(name for found in dicts for name in found):
        if name in lost:
            continue
        rows = [filled(found[name], longest) for found in dicts]
        shapes = {row.shape: run.seed for row, run in zip(rows, runs, strict=True)}
        if len(shapes) > 1:
            each = ", ".join(f"{shape} with seed {seed}" for shape, seed in shapes.items())
            lost[name] = f"{name!r} has different shapes: {each}"
        else:
            columns[name] = np.stack(rows)
    return columns


def filled(values: np.ndarray, length: int | None) -> np.ndarray:
    if length is None or len(values) == length:
        return values
    rest = np.full((length - len(values), *values.shape[1:]), np.nan)
    return np.concatenate([values, rest])


def has_diverged(run: Run) -> bool:
    """Whether a run's loss or a weight is no longer a finite number."""
    losses = [logs["loss"] for logs in run.history[: run.kept_epoch + 1] if "loss" in logs]
    weights = [weight for weight in run.weights if weight.dtype.kind == "f"]
    return not all(np.isfinite(values).all() for values in [losses, *weights])
