"""Checks of the exercises on penalties."""

from itertools import combinations, product

import keras
import numpy as np

from utils._shared.layers import layers_of
from utils.checks.answers import NotYet, array, choices, close, expect, kind, run
from utils.checks.exercises import Exercise
from utils.checks.models import built

STRENGTH = 0.01


def elastic_net(answer):
    w = np.random.default_rng(6).normal(0, 2, (5, 4)).astype("float32")
    size, square = np.abs(w).sum(), (w**2).sum()
    for strength, ratio in ((0.02, 0.25), (0.5, 0.9), (0.1, 1.0), (0.1, 0.0)):
        penalty = run(answer, strength, ratio)
        if penalty is None:
            raise NotYet("It returns None: does your function end with `return`?")
        if not callable(penalty):
            raise NotYet(f"It returns {kind(penalty)}; return a regularizer, as L1L2(…).")
        try:
            charge = penalty(keras.ops.convert_to_tensor(w))
        except Exception as error:
            raise NotYet(f"The regularizer raises {type(error).__name__} on a kernel.") from None
        charge = float(array(charge, (), "The penalty of a kernel"))
        a, b = strength * ratio, strength * (1 - ratio)
        expect(
            charge,
            a * size + b / 2 * square,
            {
                "The ½ is missing: Keras's L2 has none, so give it half of the textbook's.": (
                    a * size + b * square
                ),
                "The ratio is the wrong way round: at ratio 1 all of it is L1.": b * size
                + a / 2 * square,
                "The ratio is the wrong way round, and the ½ is missing.": b * size + a * square,
                "The ½ belongs to the square only, not to the absolute values.": (
                    a * size + b * square
                )
                / 2,
                "The strength is missing: it multiplies both parts.": ratio * size
                + (1 - ratio) / 2 * square,
                "It charges nothing. (The name 'l1l2' gives a penalty with both strengths 0.)": 0,
                "It is twice the textbook's square: half of strength · (1 − ratio), not double.": (
                    a * size + 2 * b * square
                ),
            },
            "The penalty of a kernel is not that of the formula.",
        )


def soft_threshold(answer):
    w = np.array([-2.0, -0.3, -0.1, 0.0, 0.05, 0.3, 0.7, 3.0])
    for amount in (0.3, 1.0):
        result = array(run(answer, w, amount), w.shape)
        size, sign = np.abs(w), np.sign(w)
        expect(
            result,
            sign * np.maximum(size - amount, 0),
            {
                "Small weights jump over zero to the other side: let them stop at 0.": w
                - amount * sign,
                "Large weights are not made smaller: all lose the amount, or stop at 0.": np.where(
                    size > amount, w, 0
                ),
                "Negative weights have lost their sign.": np.maximum(size - amount, 0),
                "Negative weights are wrong: they move up, towards zero.": w - amount,
                "Negative weights are all set to 0: they move up, and may stay below 0.": (
                    np.maximum(w - amount, 0)
                ),
                "Weights that would cross zero stay as they are: let them stop at 0.": np.where(
                    size > amount, w - amount * sign, w
                ),
                "It cuts large weights off at the amount: take the amount away from them.": np.clip(
                    w, -amount, amount
                ),
                "It shrinks each weight by a factor, which is L2: take the same amount from all.": w
                * (1 - amount),
            },
            "Each weight should move towards zero by the amount, and stop there.",
        )
    if np.count_nonzero(array(run(answer, w, 5.0), w.shape)):
        raise NotYet("No weight is larger than 5, so an amount of 5 must leave zeros only.")


def free_weights(answer):
    model = built(answer, (28, 28), 10)
    charges = {"kernel": [], "bias": []}
    for weight in model.trainable_weights:
        if weight.name == "bias":
            weight.assign(keras.ops.ones(weight.shape))
        if weight.name in charges:
            charges[weight.name].append(STRENGTH * float((weight.numpy() ** 2).sum()))
    model(np.random.default_rng(10).random((2, 28, 28), "float32"))  # so that outputs are charged
    kernels, biases = charges.values()
    if len(kernels) < 3:
        raise NotYet("A layer is gone: keep all three Dense layers.")
    due = sum(kernels)
    charge = float(array(keras.ops.sum([*model.losses, 0.0]), (), "The sum of model.losses"))
    if charge == 0:
        raise NotYet("No weight is charged: model.losses adds up to 0.")
    if close(charge, due):
        return
    for some, free in product(subsets(kernels), subsets(biases)):
        if close(charge, sum(some) + sum(free)):
            raise NotYet(who_is_charged(len(some), len(kernels), bool(free)))
    sizes = [np.abs(w.numpy()).sum() for w in model.trainable_weights if w.name == "kernel"]
    mistakes = {
        "That is L1: charge the square of the weights, with L2.": STRENGTH * sum(sizes),
        "That is L1 and L2 together: charge the square only.": due + STRENGTH * sum(sizes),
        "It charges half: Keras's L2 has no ½.": due / 2,
        "Every kernel is charged twice.": 2 * due,
    }
    if any(layer.activity_regularizer for layer in layers_of(model)):
        raise NotYet("Outputs are charged: use kernel_regularizer, not activity_regularizer.")
    expect(charge, due, mistakes, "The charge is not that of L2(0.01) on every kernel.")


def subsets(values):
    """All ways to take some of a few values, or none."""
    few = values[:4]
    return [some for count in range(len(few) + 1) for some in combinations(few, count)]


def who_is_charged(charged, kernels, biases):
    if charged == kernels:
        return "The biases are charged too: leave them free."
    if not charged:
        return "Only biases are charged: use kernel_regularizer, not bias_regularizer."
    return f"Only {charged} of {kernels} kernels are charged{', and a bias' if biases else ''}."


LUCKY, UNLUCKY = {1: (-0.25, 0.05, 0.1, 0.1)}, {4: (-0.04, -0.04, -0.04, 0.12)}
WIDER = [0.03, 0.03, 0.03, 0.08, 0.03, 0.03]
# Mean losses, their standard deviation over four seeds, how single runs differ, the right place.
TABLES = [
    ([0.9, 0.60, 0.505, 0.50, 0.51, 0.525], 0.03, LUCKY, 4),
    ([0.50, 0.51, 0.52, 0.9, 1.0, 1.1], 0.002, {}, 0),
    ([0.9, 0.8, 0.7, 0.6, 0.50, 0.505], 0.03, {}, 5),
    ([0.9, 0.8, 0.50, 0.53, 0.6, 0.7], WIDER, {}, 2),
    ([0.9, 0.8, 0.7, 0.49, 0.52, 0.7], 0.004, UNLUCKY, 3),
    ([0.9, 0.7, 0.50, 0.514, 0.6, 0.7], 0.03, {}, 3),  # within the error of a sample only
]


def strength(answer):
    strengths = np.array([1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2])
    wobble = np.array([-1.0, 0.5, 1.2, -0.7]) / np.std([-1.0, 0.5, 1.2, -0.7], ddof=1)
    for means, deviation, single, place in TABLES:
        losses = np.array(means)[:, None] + np.broadcast_to(deviation, 6)[:, None] * wobble
        for row, shifts in single.items():
            losses[row] += shifts
        chosen = float(array(run(answer, strengths, losses), (), "The strength"))
        if chosen in range(6):
            raise NotYet("It returns a place in the list; return the strength there.")
        if not any(close(chosen, known, atol=0) for known in strengths):
            raise NotYet("It returns a number that is not among the strengths.")
        means = losses.mean(axis=1)
        lowest = means.argmin()
        errors = losses.std(axis=1, ddof=1) / 2
        chosen_at = int(np.abs(strengths - chosen).argmin())
        if chosen_at == place:
            continue
        if chosen_at == np.median(losses, axis=1).argmin() != lowest:
            raise NotYet("It takes medians, which forget the one bad run: average over the seeds.")
        if chosen_at == np.flatnonzero(means - errors <= means[lowest]).max():
            raise NotYet("It takes each one's own error: that of the lowest mean sets the limit.")
        if chosen_at == np.unravel_index(losses.argmin(), losses.shape)[0] != lowest:
            raise NotYet("It trusts the one luckiest run: average over the seeds first.")
        if chosen_at == lowest and place == 3:
            raise NotYet(
                "It just misses: a sample's standard deviation divides by n − 1, std(ddof=1)."
            )
        if chosen_at == lowest:
            raise NotYet(
                "It takes the lowest mean. Go on to larger strengths while their mean is within "
                "one standard error of it."
            )
        if means[chosen_at] <= means[lowest] + 2 * errors[lowest] * 1.01 and chosen_at > place:
            raise NotYet(
                "It allows too much: the standard error is the standard deviation over seeds / √n."
            )
        if chosen_at < lowest:
            raise NotYet("Among those that are as good it takes a weak one: take the largest.")
        raise NotYet("Its strength loses more than one standard error against the best.")


def weight_decay(answer):
    plain = "One step multiplies the weight by 1 − 2ηλ either way: write both down."
    velocity = (
        "The penalty's gradient goes into the velocity and acts again later; the decay does not."
    )
    divided = (
        "Adam divides the penalty's gradient by the gradient's usual size; decay is not divided."
    )
    options = {
        "SGD": {"same": "", "different": plain},
        "SGD, momentum": {"different": "", "same": velocity},
        "Adam": {"different": "", "same": divided},
    }
    right = {"SGD": "same", "SGD, momentum": "different", "Adam": "different"}
    choices(answer, right, options)


EXERCISES = {
    "elastic-net": Exercise(
        elastic_net,
        (
            "Compare the formula with what Keras's L1L2 adds: l1 · Σ|w| + l2 · Σw². Which l1 and "
            "l2 make them equal?",
            "l1 is strength · ratio. Keras has no ½, so l2 is half of strength · (1 − ratio).",
        ),
        "The textbook's penalty in Keras's terms.",
    ),
    "soft-threshold": Exercise(
        soft_threshold,
        (
            "A weight that is smaller than the amount ends at 0. Which function of |w| does that?",
            "Shrink the size, `np.maximum(np.abs(w) - amount, 0)`, and give it back its sign.",
        ),
        "Small weights end at exactly zero.",
    ),
    "free-weights": Exercise(
        free_weights,
        (
            "Look at model.losses: one number for each regularizer, 0 where it charges nothing.",
            "Give `kernel_regularizer=keras.regularizers.L2(0.01)` to each Dense as you make it; "
            "no name, and nothing after the layer is built.",
        ),
        "Every kernel is charged, and no bias.",
        seconds=60,
    ),
    "strength": Exercise(
        strength,
        (
            "Average over the seeds, find the lowest mean, and ask how sure that mean is.",
            "`limit = means[best] + losses[best].std(ddof=1) / √seeds`; the answer is the largest "
            "strength whose mean is within it.",
        ),
        "No stronger claim than the seeds allow.",
    ),
    "weight-decay": Exercise(
        weight_decay,
        (
            "Where does each optimizer put the penalty's gradient? And the decay?",
            "The decay goes to the weight directly. The penalty is part of the gradient, which "
            "momentum remembers and Adam divides.",
        ),
        "L2 and weight decay are one thing only for plain SGD.",
    ),
}
