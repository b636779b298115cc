"""Checks of the exercises on combining fixes: effects, fair arms, honest choices."""

from itertools import pairwise

import keras
import numpy as np

from utils._shared.describing import settings, write
from utils._shared.differing import layer_differences
from utils._shared.layers import layers_of
from utils.checks.answers import NotYet, array, choices, expect, number, parts, run
from utils.checks.exercises import Exercise
from utils.checks.models import built, dropout_in_training_only, dropped_share, received

RATE, STRENGTH = 0.3, 0.03  # of the two arms that differ by dropout


def effects(answer):
    rng = np.random.default_rng(7)
    for losses in (rng.normal(0.6, 0.1, (2, 2, 2)), rng.normal(-1, 2, (2, 2, 2))):
        result = run(answer, losses)
        main, both = parts(result, 2, "the three main effects and the three interactions")
        main_effects(array(main, (3,), "The list of main effects"), losses)
        interactions(array(both, (3,), "The list of interactions"), losses)


def main_effects(values, losses):
    right, alone, beside, level = np.transpose([of_one_fix(losses, fix) for fix in range(3)])
    mistakes = {
        "This is what each fix does alone. Average over all four pairs, whatever else is on.": (
            alone
        ),
        "This is what each fix does beside both others. Average over all four pairs.": beside,
        "This is the mean with the fix on: subtract the mean with it off.": level,
        "The main effects have the wrong sign: take on minus off.": -right,
        "The main effects are four times too large: take the mean of the four differences.": (
            4 * right
        ),
        "The main effects are half of what they should be: eight runs make four pairs.": right / 2,
        "The order is turned round: the first axis is BN, the last is L2.": right[::-1],
    }
    expect(values, right, mistakes, "The main effects are not the mean of on minus off.")


def of_one_fix(losses, fix):
    """Main effect, effect alone, effect beside both others, mean with the fix on."""
    off, on = np.moveaxis(losses, fix, 0)
    pairs = on - off
    return pairs.mean(), pairs[0, 0], pairs[1, 1], on.mean()


def interactions(values, losses):
    rows = [of_two_fixes(losses, *pair) for pair in ((0, 1), (0, 2), (1, 2))]
    right, third_off, third_on, joint, other_on = np.transpose(rows)
    mean = np.array([row[0] for row in map(lambda fix: of_one_fix(losses, fix), range(3))])
    mistakes = {
        "The interactions are twice too large: take half of the difference (some authors do not), "
        "and average over the third fix, do not add.": 2 * right,
        "The interactions are half of what they should be: halve the difference once, and average "
        "over the third fix, and over nothing else.": right / 2,
        "The interactions have the wrong sign: with the other on, minus with the other off.": (
            -right
        ),
        "The interactions leave the third fix off. Average over it being off and on.": third_off,
        "The interactions leave the third fix on. Average over it being off and on.": third_on,
        "This is what both do together. An interaction is what is left when each one's effect is "
        "taken away.": joint,
        "This is what the first does with the other on. Subtract what it does with it off.": (
            other_on
        ),
        "An interaction is no product of main effects: it needs differences of its own.": mean[
            [0, 0, 1]
        ]
        * mean[[1, 2, 2]],
        "The order is another: BN × Dropout, BN × L2, Dropout × L2.": right[::-1],
        "The interactions are all 0, as if the fixes simply added up.": np.zeros(3),
    }
    otherwise = "The interactions are not half of the effect with the other on, minus with it off."
    expect(values, right, mistakes, f"The main effects are right. {otherwise}")


def of_two_fixes(losses, fix, other):
    """Interaction over all, with the third fix off, with it on; joint effect; with the other on."""
    (neither, second), (first, both) = np.moveaxis(losses, (fix, other), (0, 1))
    each = (both - second - first + neither) / 2
    return each.mean(), each[0], each[1], (both - neither).mean(), (both - second).mean()


def build_l2():
    """The first arm: the second should differ from it by dropout alone."""
    penalty = keras.regularizers.L2(STRENGTH)
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(64, activation="relu", kernel_regularizer=penalty))
    model.add(keras.layers.Dense(10, kernel_regularizer=penalty))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.003), loss=loss, metrics=["accuracy"])
    return model


def fair_arms(answer):
    model = built(answer, (28, 28), 10)
    more = [line for line in what_differs(build_l2(), model) if "Dropout" not in line]
    if more:
        raise NotYet(f"More than the dropout differs from build_l2: {more[0]}.")
    dropout_in_training_only(model, np.random.default_rng(8).random((200, 28, 28), "float32"))
    without_weights = [dropped_share(layer) for layer in described_layers(model)[1:]]
    dropped = [share for share in without_weights if share > 0]
    if len(dropped) != 1 or abs(dropped[0] - RATE) > 0.03:
        raise NotYet(f"Keep the one Dropout({RATE}) that the post has.")
    if without_weights.index(dropped[0]) == 0:
        raise NotYet("It drops pixels: let the Dropout follow the hidden layer.")


def described_layers(model):
    """The layers of a model of any kind but its input."""
    return [la for la in layers_of(model) if not isinstance(la, keras.layers.InputLayer)]


def what_differs(model, other):
    """What `compare` says of two arms that train these models on the same data."""
    described = [
        [(type(layer).__name__, settings(layer)) for layer in described_layers(one)]
        for one in (model, other)
    ]
    lines = layer_differences(*described)
    losses = [write(one.get_compile_config().get("loss")) for one in (model, other)]
    optimizers = [
        write(keras.saving.serialize_keras_object(one.optimizer)) for one in (model, other)
    ]
    for what, (old, new) in {"loss": losses, "optimizer": optimizers}.items():
        lines += [f"{what}: {old} → {new}"] if old != new else []
    return lines


TABLES = [  # per recipe: mean loss on the selection half, on the evaluation half, and its cost
    {
        "evaluated over budget": (0.66, 0.45, 20),
        "filler": (0.65, 0.66, 8),
        "rule": (0.54, 0.60, 10),
        "over budget": (0.50, 0.62, 12),
        "evaluated": (0.62, 0.50, 6),
        "both halves": (0.555, 0.515, 9),
        "luckiest run": (0.60, 0.61, 5),
        "strict": (0.545, 0.605, 7),
        "worst": (0.90, 0.91, 4),
        "cheapest": (0.70, 0.71, 1),
    },
]
TABLES.append({name: TABLES[0][name] for name in reversed(TABLES[0])})
BUDGET = 10


def honest_choice(answer):
    for seeds, table in zip((5, 3), TABLES, strict=True):
        names = list(table)
        selection, evaluation, cost = np.array(list(table.values())).T
        wobble = np.linspace(-0.01, 0.01, seeds)
        selection, evaluation = selection[:, None] + wobble, evaluation[:, None] + 2 * wobble[::-1]
        selection[names.index("luckiest run")] += np.where(
            np.arange(seeds) == 1, -0.2, 0.2 / (seeds - 1)
        )
        result = run(answer, selection, evaluation, cost, BUDGET)
        place, loss = parts(result, 2, "the place of the recipe and the loss that you report")
        place = number(place, "The place of the recipe")
        loss = number(loss, "The loss that you report")
        right_recipe(place, names, cost)
        expect(
            loss,
            evaluation[int(place)].mean(),
            {
                "It reports the loss that has chosen, which flatters the winner: report that of "
                "the evaluation half.": selection[int(place)].mean(),
                "It reports the mean of both halves, one of which has chosen: report that of the "
                "evaluation half.": (selection + evaluation)[int(place)].mean() / 2,
                "It reports the luckiest run: report the mean over the seeds.": (
                    evaluation[int(place)].min()
                ),
            },
            "The recipe is right. Report its mean loss on the evaluation half.",
        )


def right_recipe(place, names, cost):
    if place != int(place) or not 0 <= place < len(names):
        raise NotYet(f"It chooses the recipe {place:g}: return its place, 0 to {len(names) - 1}.")
    name = names[int(place)]
    mistakes = {
        "over budget": "It chooses a recipe that costs more than the budget.",
        "evaluated over budget": "It chooses on the evaluation half, and over the budget.",
        "evaluated": "It chooses on the evaluation half: those images could not evaluate any more.",
        "both halves": "It chooses on both halves, so that none is left to evaluate.",
        "luckiest run": "It trusts the one luckiest run: take the mean over the seeds.",
        "strict": "A recipe that costs just the budget is allowed: at most, not less.",
        "worst": "It chooses the highest loss.",
        "cheapest": "It chooses the cheapest recipe: within the budget the loss decides.",
    }
    affordable = np.array(names)[cost <= BUDGET].tolist()
    if name == "filler" and place == affordable.index("rule"):
        raise NotYet("It returns the place among the affordable recipes: return that among all.")
    if name != "rule":
        raise NotYet(mistakes.get(name, "It chooses another recipe than the rule does."))


def dropout_last(answer):
    model = built(answer, (28, 28), 10)
    norms = [
        layer for layer in layers_of(model) if isinstance(layer, keras.layers.BatchNormalization)
    ]
    if len(norms) < 3:
        raise NotYet("A BatchNormalization is gone: keep all three.")
    x = np.random.default_rng(9).random((64, 28, 28), "float32")
    dropout_in_training_only(model, x)
    for count, norm in enumerate(norms, 1):
        if not np.array_equal(received(model, norm, x), received(model, norm, x)):
            raise NotYet(
                f"What BatchNormalization number {count} receives in training is drawn anew in "
                "each call: a Dropout still stands in front of it."
            )
    shares = [share for layer in layers_of(model) if (share := dropped_share(layer)) > 0]
    if any(abs(share - 0.5) > 0.03 for share in shares):
        raise NotYet("The share of dropped units is not one half: keep the dropout rate of 0.5.")
    if len(shares) > 1:
        raise NotYet(f"{len(shares)} Dropouts in a row drop more than one half: keep one.")
    one_behind_each_layer(model, norms)


def one_behind_each_layer(model, norms):
    """NotYet if two normalizations follow each other; a model of its own class has no order."""
    weighted = [layer for layer in layers_of(model) if layer.weights]
    after = [a for a, b in pairwise(weighted) if a in norms and b in norms]
    if hasattr(model, "inputs") and after:
        raise NotYet("Two normalizations follow each other: keep each behind a layer of its own.")


def rescaled(answer):
    length = "The weights of both convolutions are three times as large, so the norm grows."
    divided = (
        "BatchNormalization divides by the standard deviation, which is three times as large as "
        "well."
    )
    through = "Nothing divides here: both convolutions hand the factor on, up to the ten outputs."
    options = {
        "kernel norm": {"grows": "", "same": length},
        "loss with BN": {"same": "", "changes": divided},
        "loss without BN": {"changes": "", "same": through},
    }
    right = {"kernel norm": "grows", "loss with BN": "same", "loss without BN": "changes"}
    choices(answer, right, options)


EXERCISES = {
    "effects": Exercise(
        effects,
        (
            "BN has four pairs of networks that differ by it alone. What is the mean of their "
            "differences? And is it the same with dropout on and off?",
            "`losses[1] - losses[0]` holds the four differences of BN: its mean is the main "
            "effect; the mean of its row 1 minus that of its row 0, halved, is BN × Dropout.",
        ),
        "Eight numbers, three main effects, three interactions.",
    ),
    "fair-arms": Exercise(
        fair_arms,
        (
            "Read what differs, line by line. Which line is the dropout? Every other line needs "
            "a change in build_combined.",
            "Start from a copy of build_l2 and add one line, layers.Dropout(0.3), behind the "
            "hidden layer.",
        ),
        "The arms differ by dropout alone.",
        seconds=60,
    ),
    "honest-choice": Exercise(
        honest_choice,
        (
            "Two steps. Which half may choose, and among which recipes? Which half may report?",
            "`np.where(cost <= budget, selection.mean(axis=1), np.inf).argmin()` is the place; "
            "report `evaluation[place].mean()`.",
        ),
        "The rule chooses, images that chose nothing evaluate.",
    ),
    "dropout-last": Exercise(
        dropout_last,
        (
            "A bar above 1 belongs to a layer that receives a larger variance in training than in "
            "inference. What stands in front of it and does that?",
            "Nothing random may come before any BatchNormalization. Keep the one Dropout that "
            "stands behind the third.",
        ),
        "Each BatchNormalization finds in inference what it has learnt in training.",
        seconds=60,
    ),
    "rescaled": Exercise(
        rescaled,
        (
            "What does BatchNormalization do to an input that is three times as large?",
            "(3x − 3μ) / √(9σ²) is (x − μ) / √σ². Without that layer, ReLU(3x) is 3 ReLU(x).",
        ),
        "A norm says little about a layer that is normalized.",
    ),
}
