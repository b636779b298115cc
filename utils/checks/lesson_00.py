"""Checks of the exercises on overfitting and early stopping."""

import numpy as np

from utils.checks.answers import NotYet, array, choices, expect, kind, number, parts, run
from utils.checks.exercises import Exercise

T_95 = 2.262  # the 97.5 % quantile of Student's t for ten pairs
EPOCH_BUDGET, LOSS_BUDGET = 25, 0.01


def interval(answer):
    rng = np.random.default_rng(1)
    baseline = rng.normal(0.8, 0.03, 10)
    treated = baseline + rng.normal(0.012, 0.006, 10)
    for a, b in ((baseline, treated), (treated - 3, baseline)):
        interval_of_pairs(answer, a, b)


def interval_of_pairs(answer, a, b):
    result = parts(run(answer, a, b), 2, "the mean difference and the half width")
    mean = float(array(result[0], (), "The mean difference"))
    half = float(array(result[1], (), "The half width"))
    check_mean(mean, b - a)
    expect(
        half,
        T_95 * (b - a).std(ddof=1) / np.sqrt(len(a)),
        wrong_half_widths(a, b),
        "The half width is not T times the standard error of the differences.",
    )


def check_mean(mean, d):
    mistakes = {
        "The mean has the wrong sign: it is treated minus baseline.": -d.mean(),
        "The first number is the median: take the mean.": np.median(d),
        "It returns the two ends of the interval: return its middle and half of its width.": (
            d.mean() - T_95 * d.std(ddof=1) / np.sqrt(len(d))
        ),
    }
    expect(mean, d.mean(), mistakes, "The mean is not the mean of treated minus baseline.")


def wrong_half_widths(a, b):
    """What each mistake gives in place of the half width of the mean of b − a."""
    d, n = b - a, len(a)
    deviation, root = d.std(ddof=1), np.sqrt(n)
    apart = [np.sqrt((a.var(ddof=k) + b.var(ddof=k)) / n) for k in (0, 1)]
    unpaired = (
        "The half width is that of two separate groups. Subtract seed by seed first, "
        "then take the standard deviation of the differences."
    )
    in_a_mean = "The half width is that of a single difference. A mean of n wavers less: "
    sample = (
        "The standard deviation is divided by √(n − 1) although it is that of a sample already: √n."
    )
    whole = "The standard deviation divides by n. For a sample divide by n − 1: std(ddof=1)."
    many = "The half width uses 1.96. That is for many pairs; for ten, take T = 2.262."
    return {
        unpaired: T_95 * apart[0],
        f"{unpaired} ": T_95 * apart[1],
        many: 1.96 * deviation / root,
        whole: T_95 * d.std() / root,
        f"{in_a_mean}divide by √n.": T_95 * deviation,
        "The standard deviation is divided by n; divide by √n.": T_95 * deviation / n,
        sample: T_95 * deviation / np.sqrt(n - 1),
        "That uses the variance: the standard deviation is its root, std(ddof=1).": T_95
        * deviation**2
        / root,
        "T is that of ten degrees of freedom. Ten pairs have nine: 2.262.": 2.228
        * deviation
        / root,
        "That is the standard error. The half width is T times as large.": deviation / root,
        "That is the whole width of the interval; return half of it.": 2 * T_95 * deviation / root,
    }


COPIES = [0, 3, 5, 8]  # validation images that are training images too; 3 is in the same place


def leak(answer):
    x_train, x_val = leaking_images()
    result = run(answer, x_train, x_val)
    if result is not None and shape_of(result) == ():
        raise NotYet("It returns one value; return one True or False for each validation image.")
    if shape_of(result) in ((4,), (1, 4)):  # as np.where returns them, too
        raise NotYet("It returns positions; return one True or False for each validation image.")
    check_copies(array(result, (12,)).astype(bool))
    if array(run(answer, x_train, x_train[:5] + 1), (5,)).any():
        raise NotYet("It finds copies where there are none.")


def leaking_images():
    """Training and validation images: four copies, and three that are nearly copies."""
    rng = np.random.default_rng(2)
    x_train = rng.random((40, 28, 28)).astype("float32")
    x_val = rng.random((12, 28, 28)).astype("float32")
    x_val[3], x_val[[0, 5, 8]] = x_train[3], x_train[[20, 1, 39]]
    x_val[6] = x_train[6]
    x_val[6, 14, 14] = 1 - x_train[6, 14, 14]
    x_val[7] = x_train[7, ::-1]
    x_val[9] = x_train[9]
    x_val[9, 3, 3] += 1 / 255
    return x_train, x_val


def check_copies(found):
    """NotYet unless `found`, bool (12,), are the copies among the validation images."""
    right = np.isin(np.arange(12), COPIES)
    if np.array_equal(found, ~right):
        raise NotYet("It is the wrong way round: True is for copies, False for new images.")
    if not found.any():
        raise NotYet("It finds no copy, but the images of the test hold some.")
    if found.all():
        raise NotYet("It calls every image a copy, but most images of the test are new.")
    if found[3] and not found[[0, 5, 8]].any():
        raise NotYet(
            "It finds a copy only in the same place of both sets. "
            "Compare each validation image with all training images."
        )
    if found[6]:
        raise NotYet("It calls an image a copy that differs in one pixel: all must be equal.")
    if found[7]:
        raise NotYet(
            "It calls a mirrored image a copy. Sums and means do not tell these two apart: "
            "compare pixel by pixel."
        )
    if found[9]:
        raise NotYet("It calls an image a copy with one pixel a shade lighter: all must be equal.")
    if not np.array_equal(found, right):
        raise NotYet("It misses copies, or calls new images copies.")


def shape_of(result):
    """The shape of a result, a set's as well; None for what has none."""
    try:
        return np.shape(list(result) if isinstance(result, set) else result)
    except Exception:
        return None


def bumpy_losses():
    """Validation losses of twenty made-up runs that turn and climb: float64 (20, 60)."""
    rng = np.random.default_rng(2)
    epoch = np.arange(60)
    turn = rng.uniform(12, 18, (20, 1))
    trend = 0.5 + 0.7 * np.exp(-epoch / 4) + 0.006 * np.maximum(epoch - turn, 0)
    return trend + rng.normal(0, 0.02, (20, 60))


def stopped_by(patience, losses):
    """What early stopping does to each run: (epochs trained, loss it keeps), two arrays (runs,)."""
    epochs, kept = [], []
    for run_losses in losses:
        lowest, waited, trained = np.inf, 0, 0
        while trained < len(run_losses) and waited < max(patience, 1):
            loss = run_losses[trained]
            waited = 0 if loss < lowest else waited + 1
            lowest = min(lowest, loss)
            trained += 1
        epochs.append(trained)
        kept.append(lowest)
    return np.array(epochs), np.array(kept)


EARLY = "It is one epoch early: the first epoch is 1, and it stops *in* the last bad one."
NEVER = "It never stops, or only at the end: count the epochs without a new lowest loss."
LATE = "It waits one epoch too long: it stops as soon as the count reaches the patience."


def stop(answer):
    never = np.linspace(1, 0.5, 12)
    for losses in (*bumpy_losses()[:6], never):
        for patience in (3, 6, 1):
            check_stop(answer, losses, patience)
    if epoch_of(answer, np.array([1, 0.9, 0.95, 0.8]), 0) != 3:
        raise NotYet("With patience 0 training stops at the first epoch without a new lowest loss.")


def epoch_of(answer, losses, patience):
    """The whole number that the answer gives."""
    epoch = number(run(answer, losses, patience), "The epoch")
    if epoch != int(epoch):
        raise NotYet(f"It returns {epoch:g}; an epoch is a whole number.")
    return int(epoch)


def check_stop(answer, losses, patience):
    """NotYet unless the answer stops where Keras does; where it stops tells mistakes apart."""
    right = int(stopped_by(patience, [losses])[0][0])
    epoch = epoch_of(answer, losses, patience)
    if epoch == right:
        return
    best = int(np.argmin(losses[:right])) + 1
    mistakes = {
        right - 1: EARLY,
        right + 1: LATE,
        int(stopped_by(patience + 1, [losses])[0][0]): LATE,
        best: "It returns the best epoch. Which one is the last that was trained?",
        len(losses): NEVER,
    }
    also = "Start the count anew at a new *lowest* loss only, and not at every loss that falls."
    raise NotYet(mistakes.get(epoch, f"It stops in another epoch than Keras. {also}"))


def patience(answer):
    value = number(answer, "PATIENCE")
    if value != int(value) or value < 0:
        raise NotYet(f"PATIENCE is {value:g}; it counts epochs: give a whole number, 0 or more.")
    losses = bumpy_losses()
    epochs, kept = stopped_by(int(value), losses)
    if (kept - losses.min(axis=1)).mean() > LOSS_BUDGET:
        raise NotYet(
            "Too impatient: a bump stops many runs before their turn, and over "
            f"{LOSS_BUDGET} of loss is given away on average."
        )
    if epochs.mean() > EPOCH_BUDGET:
        raise NotYet(f"Too patient: the runs train for over {EPOCH_BUDGET} epochs on average.")


def confidence(answer):
    if not isinstance(answer, dict):
        raise NotYet(f"It is {kind(answer)}; keep the dict, and put a word in for each question.")
    why = "Doubling keeps the order of the ten outputs, so the same class comes first."
    sure = "Each answer gets surer, the wrong ones too, and those cost most."
    options = {
        "accuracy": {"rises": why, "falls": why, "same": ""},
        "loss": {"falls": sure, "same": sure, "rises": ""},
    }
    choices(answer, {"accuracy": "same", "loss": "rises"}, options)


EXERCISES = {
    "leak": Exercise(
        leak,
        (
            "Two images are copies if all their pixels are equal. Compare each validation image "
            "with every training image.",
            "`(x_train == image).all(axis=(1, 2)).any()` for one image. Faster: put "
            "`image.tobytes()` of all training images in a set, and look each other one up.",
        ),
        "It finds copies wherever they are, and nothing else.",
    ),
    "interval": Exercise(
        interval,
        (
            "The runs are pairs: subtract first, then look at the ten differences.",
            "With d = treated - baseline: `d.mean()`, and T times `d.std(ddof=1) / √n`.",
        ),
        "Pairs are compared as pairs.",
    ),
    "stop": Exercise(
        stop,
        (
            "Keep two numbers while you go through the losses: the lowest so far, and how many "
            "epochs have passed since.",
            "`waited = 0 if loss < lowest else waited + 1`; return the epoch once `waited` reaches "
            "`max(patience, 1)`, or else the last epoch.",
        ),
        "It stops where Keras stops.",
    ),
    "patience": Exercise(
        patience,
        (
            "More patience gives less loss away, and takes more epochs. Try a few values.",
            "Try the whole numbers between 3 and 9.",
        ),
        "Within both budgets.",
    ),
    "confidence": Exercise(
        confidence,
        (
            "Which class comes first after all ten outputs are doubled? And how sure is it?",
            "Take outputs [2, 1] and the true class 1, then [4, 2]: compute both by hand.",
        ),
        "Accuracy asks which class comes first, loss also how sure.",
    ),
}
