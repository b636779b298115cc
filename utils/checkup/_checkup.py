"""The check-up: train a reader's network under a few seeds, measure, and read what was measured."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from numbers import Real
from typing import Any

import keras
import numpy as np

from utils import meters
from utils._shared.arguments import distinct_seeds, function, whole_number
from utils._shared.machine import cores
from utils._shared.tensors import as_tensor
from utils.checkup import _looks as looks
from utils.checkup._arms import Arm
from utils.checkup._budget import Budget, Shown
from utils.checkup._data import SPLIT_SEED, Examples, count, read, rows
from utils.checkup._findings import (
    FAR_SLOWER,
    FASTER,
    FLIPS,
    HALF,
    PLAIN,
    PROGRESS,
    SLOWER,
    Findings,
)
from utils.checkup._kind import BINARY, CLASSES, Kind, kind_of
from utils.checkup._meters import (
    first_sentence,
    measures_for,
    odd_labels,
    or_nan,
    scores_for,
    watches_for,
)
from utils.checkup._model import builder_of, rate_of, with_rate
from utils.checkup._reference import reference_for
from utils.checkup._report import Report
from utils.comparisons import compare
from utils.datasets import flip_labels
from utils.repeats import SEEDS, repeat, seeded

PILOT = 256  # examples on which a first epoch is timed
SHARE_OF_FIRST = 0.4  # of the time, that the first seed may take
SHARE_OF_YOURS = 0.6  # and all seeds of the reader's own model
FEWEST_EPOCHS = 3
LITTLE = 0.7  # of the guessing loss must go, or the learning rate is tried lower and higher
HARDLY = 0.7  # of the guessing loss is left at a tenth of the learning rate: try a hundredth
UNSETTLED = 0.97  # a training score below asks what another network would reach
FLIPPED = 0.05


def checkup(
    build_model: Callable[[], keras.Model] | keras.Model,
    data: Any,
    *,
    fixes: Mapping[str, Callable[[], keras.Model]] | None = None,
    seeds: int | Iterable[int] = 3,
    epochs: int = 20,
    batch_size: int | None = None,
    minutes: float = 2,
) -> Report:
    """Train a network under a few seeds, measure it, and say what is wrong.

    build_model   a function without arguments that returns a new, compiled Keras model. Or such a
                  model: its layers are then drawn anew, those that are frozen keep their weights.
    data          ((x_train, y_train), (x_val, y_val)); an object or a dict with these four names;
                  a pair of `tf.data.Dataset` or `PyDataset`; or (x, y): a fifth is held out
    fixes         name -> a function that builds the model with a fix: compared on the same seeds
    seeds         how many, or which
    epochs        of each training
    batch_size    32 as in `fit`; of a pipeline its own
    minutes       how long it may take. What there is no time for is left out, and named.

    Returns a `Report`: print it, draw its `figure()`, or `save` it. An interruption (Kernel >
    Interrupt) gives the report so far. Raises TypeError or ValueError for a model or data with
    which no training could begin, in a sentence that says what would do.
    """
    session = Session(build_model, data, fixes, seeds, epochs, batch_size, minutes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session.run()
    return Report(session.found)


class Session:
    """One check-up, from its arguments to its findings."""

    def __init__(
        self,
        build_model: Any,
        data: Any,
        fixes: Any,
        seeds: Any,
        epochs: int,
        batch_size: int | None,
        minutes: float,
    ) -> None:
        self.budget = Budget(checked_minutes(minutes))
        self.build = builder_of(build_model)
        self.fixes = builders_of(fixes)
        self.seeds = seeds_of(seeds)
        self.epochs = whole_number("epochs", epochs)
        model = first_model(self.build, self.seeds[0])
        self.data = read(data, model)
        if batch_size is not None:
            self.data.batch_size = whole_number("batch_size", batch_size)
        self.model = built(model, self.data)
        steps = -(-count(self.data.x_train) // self.data.batch_size) * self.epochs
        self.found = Findings(
            examples=count(self.data.x_train),
            validation_examples=count(self.data.x_val),
            epochs=self.epochs,
            steps=steps,
            notes=self.data.notes,
        )
        self.shown = Shown(len(self.seeds) * self.epochs * (1 + len(self.fixes)))

    def run(self) -> None:
        try:
            with in_a_sentence("your model"):
                self.look()
            self.time_an_epoch()
            self.train_yours()
            self.try_remedies()
            self.try_fixes()
            self.try_half()
            self.try_flips()
        except KeyboardInterrupt:
            self.found.left_out.append("Interrupted: this is the report so far.")
        self.found.seconds = self.budget.spent
        self.shown.close("check-up: done")

    # Before the training

    def look(self) -> None:
        found, data, model = self.found, self.data, self.model
        try:
            found.kind = kind_of(model, data)
        except ValueError as error:  # reported by its losses only
            found.why_not["all meters that need one answer"] = first_sentence(error)
        found.bad_values = looks.bad_values(data)
        found.largest_input = looks.largest_input(data)
        found.leaked, found.repeated = looks.repeated_examples(data)
        found.dead_penalties = looks.dead_penalties(model)
        found.dropout_before = looks.has_dropout_before(model)
        found.first_statistics_left = looks.first_statistics_left(model, found.steps)
        found.rate = rate_of(model)
        found.answers = answers_in(data, found.kind)
        if found.kind is not None:
            found.logits = looks.logits_mismatch(model, found.kind, data)

    def time_an_epoch(self) -> None:
        """Time an epoch on a few examples; take fewer where the first seed would take too long."""
        times: list[float] = []
        few = self.data.fewer(PILOT, PILOT)
        clock = {"clock": lambda model: times.append(self.budget.spent) or 0.0}
        self.train("a first look", self.build, few, self.seeds[:1], epochs=2, watch=clock, count=0)
        scale = self.found.examples / count(few.x_train)
        epoch = (times[-1] - times[-2]) * scale
        self.fit_in(SHARE_OF_FIRST * self.budget.left / max(epoch, 1e-9), epoch)

    def fit_in(self, affordable: float, seconds: float) -> None:
        """Take fewer epochs where so many are affordable; where hardly any is, fewer examples."""
        found, asked = self.found, self.epochs
        if affordable >= asked:
            return
        self.epochs = max(int(affordable), min(FEWEST_EPOCHS, asked))
        if self.epochs < asked:
            found.left_out.append(
                f"{asked - self.epochs} of {asked} epochs: one takes about {seconds:.0f} s. "
                "Give more `minutes`, or fewer examples."
            )
        if affordable < self.epochs:
            share = affordable / self.epochs
            train, val = (
                max(PILOT, int(share * n)) for n in (found.examples, found.validation_examples)
            )
            self.data = self.data.fewer(train, val)
            if count(self.data.x_train) < found.examples:
                found.left_out.append(
                    f"All but {count(self.data.x_train):,} of {found.examples:,} training examples."
                )
            found.examples = count(self.data.x_train)
            found.validation_examples = count(self.data.x_val)
        found.steps = -(-found.examples // self.data.batch_size) * self.epochs
        found.epochs = self.epochs
        found.first_statistics_left = looks.first_statistics_left(self.model, found.steps)

    # Training

    def train_yours(self) -> None:
        """The first seed says how long the others take; then as many as there is time for."""
        yours = self.found.yours
        self.extend(yours, self.build, self.model, self.seeds[:1])
        seconds = yours.seconds
        many = self.affordable(seconds, SHARE_OF_YOURS)
        rest = self.seeds[1 : 1 + many]
        if rest:
            self.extend(yours, self.build, self.model, rest)
        if len(yours.seeds) < len(self.seeds):
            self.found.left_out.append(
                f"{len(self.seeds) - len(yours.seeds)} of {len(self.seeds)} seeds: "
                f"one takes {seconds:.0f} s."
            )

    def affordable(self, seconds: float, share: float = 1.0) -> int:
        """For how many runs of so many seconds there is time; several cores train several."""
        at_once = 1.4 if cores() > 1 else 1.0
        return int(at_once * share * self.budget.left / max(seconds, 1e-9))

    def extend(self, arm: Arm, build: Callable, model: keras.Model, seeds: tuple[int, ...]) -> None:
        """Train `seeds` of an arm, measure them, and append them to it.

        model   one that `build` has built: says which meters apply
        """
        start = self.budget.spent
        measure = measures_for(model, self.found.kind, self.found.why_not)
        watch = watches_for(model)
        self.append(arm, build, self.data, seeds, measure, watch)
        arm.seconds = (self.budget.spent - start) / len(seeds)

    def append(
        self,
        arm: Arm,
        build: Callable,
        data: Examples,
        seeds: tuple[int, ...],
        measure: Mapping[str, Callable],
        watch: Mapping[str, Callable],
    ) -> None:
        runs = self.train(
            arm.name,
            build,
            data,
            seeds,
            epochs=self.epochs,
            measure=measure,
            watch=watch,
            keep_best="val_loss",
        )
        arm.parts.append(runs)
        if not runs.complete:
            raise KeyboardInterrupt

    def train(
        self,
        name: str,
        build: Callable,
        data: Examples,
        seeds: tuple[int, ...],
        watch: Mapping[str, Callable],
        count: int = 1,
        **settings: Any,
    ) -> Any:
        """`repeat`, with the check-up's own line of progress in place of its own."""
        seen = {PROGRESS: self.advance(name, count)}
        with contextlib.redirect_stdout(io.StringIO()), in_a_sentence(name):
            return repeat(
                build,
                data,
                seeds=seeds,
                batch_size=min(data.batch_size, self.found.examples),
                watch={**watch, **seen},
                name=name,
                **settings,
            )

    def advance(self, name: str, count: int) -> Callable[[keras.Model], float]:
        def step(model: keras.Model) -> float:
            self.shown.advance(name, count)
            return 0.0

        return step

    # What else could be tried

    def try_remedies(self) -> None:
        """One seed each: another learning rate, and a plain network, where little is learnt."""
        found = self.found
        if found.bad_values or found.logits or found.answers < 2 or not found.trained:
            return
        if found.diverged or not found.at_end("training score") > UNSETTLED:
            reference = reference_for(self.model, self.data, found.kind)
            if reference is not None:
                build, data = reference
                self.trial(PLAIN, build, data)
        if found.diverged or not found.learnt > LITTLE or found.is_behind:
            if np.isfinite(found.rate):
                self.try_rates()
            else:
                found.why_not["another learning rate"] = "the optimizer has a schedule, or none"

    def try_rates(self) -> None:
        """A tenth and ten times; a hundredth where a tenth is not enough to learn anything."""
        self.try_rate(SLOWER)
        slower = self.found.trials.get(SLOWER)
        if slower is None or slower.diverged.any() or self.found.share_of(SLOWER) > HARDLY:
            self.try_rate(FAR_SLOWER)
        if not self.found.diverged:
            self.try_rate(FASTER)

    def try_rate(self, name: str) -> None:
        self.trial(name, with_rate(self.build, float(name.split()[-1])), self.data)

    def trial(self, name: str, build: Callable, data: Examples, **measure: Callable) -> None:
        """Train one seed of something else, and keep its scores."""
        if self.affordable(self.found.yours.seconds) < 1:
            self.found.left_out.append(f"A trial of its own: {name}.")
            return
        arm, notes = Arm(name), {}
        try:
            measure = scores_for(notes) | {
                key: or_nan(key, one, notes) for key, one in measure.items()
            }
            self.append(arm, build, data, self.seeds[:1], measure, {})
        except (TypeError, ValueError) as error:
            self.found.why_not[name] = first_sentence(error)
            return
        self.found.trials[name] = arm

    def try_half(self) -> None:
        """Train on one half of the training data, to look at the labels of the other."""
        found, data = self.found, self.data
        if not found.is_classified or found.answers < 2 or found.diverged or not found.trained:
            return
        order = np.random.default_rng(SPLIT_SEED).permutation(found.examples)
        mine, other = np.array_split(order, 2)
        if not len(other):
            return
        x, y = data.x_train, data.y_train
        half = replace(
            data,
            x_train=rows(x, mine),
            y_train=rows(y, mine),
            x_val=rows(x, other),
            y_val=rows(y, other),
        )

        def elsewhere(model: keras.Model, _: Examples) -> float:
            return meters.score(model, data.x_val, data.y_val)

        extra = {"score elsewhere": elsewhere}
        if found.kind.task == CLASSES and found.kind.classes >= 3:
            extra["odd labels"] = odd_labels
        self.trial(HALF, self.build, half, **extra)

    def try_fixes(self) -> None:
        for name, build in self.fixes.items():
            seeds = self.found.yours.seeds
            many = min(len(seeds), self.affordable(self.found.yours.seconds))
            if many < 1:
                self.found.left_out.append(f"The fix {name!r}: no time was left.")
                continue
            if many < len(seeds):
                self.found.left_out.append(
                    f"{len(seeds) - many} of {len(seeds)} seeds of the fix {name!r}."
                )
            arm = Arm(name)
            self.found.fixes.append(arm)
            try:
                model = built(first_model(build, seeds[0]), self.data)
                self.extend(arm, build, model, seeds[:many])
            except (TypeError, ValueError) as error:  # the rest of the report is worth having
                self.found.left_out.append(f"The fix {name!r}: {first_sentence(error)}")
            finally:
                if not arm.parts:
                    self.found.fixes.remove(arm)
            if arm.parts:
                arm.differs = what_differs(self.found.yours, arm)

    def try_flips(self) -> None:
        """What 5 % wrong labels of the reader's own classes do: one seed."""
        kind, y = self.found.kind, np.asarray(self.data.y_train)
        is_whole = y.dtype.kind in "iu" and y.size == len(y)
        if kind is None or kind.task not in (CLASSES, BINARY) or not is_whole:
            self.found.why_not[FLIPS] = "only labels that are one whole number each are flipped"
            return
        if self.found.answers < 2 or self.found.diverged:
            return
        if y.min() < 0:  # as for a hinge loss
            self.found.why_not[FLIPS] = "labels are flipped where they count from 0"
            return
        noisy, _ = flip_labels(y.reshape(-1), FLIPPED, seed=26, classes=kind.classes)
        data = replace(self.data, y_train=noisy.reshape(y.shape))
        self.trial(FLIPS, self.build, data)


@contextlib.contextmanager
def in_a_sentence(name: str) -> Iterator[None]:
    """Say what stopped a training, without TensorFlow's or Keras's inside."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(str(error)) from None
    except MemoryError as error:
        raise MemoryError(str(error)) from None
    except Exception as error:
        raise ValueError(f"{name} stops with an error: {first_sentence(error)}") from None


def what_differs(yours: Arm, fix: Arm) -> list[str]:
    """Every line but the fix itself is a confound."""
    first = yours.parts[0]
    for part in fix.parts:
        if part.seeds == first.seeds and not (part.diverged | first.diverged).all():
            return list(compare(first, part, "loss").confounds)
    return []


def builders_of(fixes: Any) -> dict[str, Callable]:
    if not isinstance(fixes, Mapping | None):
        raise TypeError(
            f"fixes is {fixes!r}; give a dict from names to functions that build a model, "
            'as {"dropout": lambda: build_model(0.5)}'
        )
    return {str(name): function(f"fixes[{name!r}]", build) for name, build in (fixes or {}).items()}


def checked_minutes(minutes: float) -> float:
    if isinstance(minutes, bool) or not isinstance(minutes, Real) or not 0 < minutes < np.inf:
        raise ValueError(f"minutes is {minutes!r}; give a number above 0, as 2")
    return float(minutes)


def seeds_of(seeds: Any) -> tuple[int, ...]:
    """`seeds` as a tuple: the first of the course's ten, or those that were given."""
    if isinstance(seeds, Iterable):
        return distinct_seeds(seeds)
    first = SEEDS[0]
    return tuple(range(first, first + whole_number("seeds", seeds)))


def first_model(build: Callable, seed: int) -> keras.Model:
    try:
        return seeded(build, seed)
    except (TypeError, ValueError) as error:
        raise type(error)(str(error)) from None


def built(model: keras.Model, data: Examples) -> keras.Model:
    """The model, called on two examples where it has not been; an error in a sentence."""
    try:
        model(keras.tree.map_structure(as_tensor, rows(data.x_train, slice(2))))
    except Exception as error:
        shapes = ", ".join(str(part.shape) for part in keras.tree.flatten(data.x_train))
        raise ValueError(
            f"build_model's network cannot take x_train of shape {shapes}. Keras says: "
            f"{first_sentence(error)}"
        ) from None
    return model


def answers_in(data: Examples, kind: Kind | None) -> int:
    labels = np.asarray(data.y_train)
    if labels.ndim == 0 or labels.dtype == object:
        return 2
    return len(np.unique(labels.reshape(len(labels), -1), axis=0))
