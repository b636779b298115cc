"""Loading: one form for every set."""

from __future__ import annotations

import numpy as np

from utils.datasets._arguments import check_train_size, checked_seed
from utils.datasets._dataset import Dataset
from utils.datasets._sets import FULL, NAMES, SETS, SHA256_FULL
from utils.datasets._stored import DATA, ready, sha256, shipped

HELD_OUT = ("x_val", "y_val", "x_test", "y_test")


def load(
    name: str, train_size: int | None = None, *, seed: int | None = None, full: bool = False
) -> Dataset:
    """Return one of the course's sets, balanced and verified; needs no network unless `full`.

    name: one of `NAMES`; data/README.md describes each.
    train_size: examples to train on, a multiple of the number of classes, as many of each class.
        None takes the set's usual number: 2,000 of Fashion-MNIST, all of the others. The
        validation and test examples are always the same ones.
    seed: which of the training examples they are. None is the course's own choice; any number
        draws another. For one seed a smaller training set is the beginning of a larger one.
    full: of "fashion_mnist" only: the original data set, as `load_fashion_mnist` says.

    In each shipped split of k classes, every k examples in a row hold one of each class.

    Raises TypeError or ValueError for an argument that makes no sense, FileNotFoundError or
    ValueError when the data file is missing, damaged or altered, OSError when `full` fails.
    """
    kept = _known(name)
    if full:
        return _load_full(name, train_size, seed)
    if train_size is None:
        train_size = kept.usual
    check_train_size(train_size, kept)
    arrays = shipped(kept, DATA / f"{name}.npz")
    rows = np.s_[:train_size]
    if seed is not None:
        rows = balanced_rows(arrays["y_train"], checked_seed(seed))[:train_size]
    return Dataset(
        x_train=arrays["x_train"][rows],
        y_train=arrays["y_train"][rows],
        **{split: arrays[split] for split in HELD_OUT},
        class_names=kept.class_names,
        words=_words(arrays),
    )


def load_fashion_mnist(
    train_size: int = 2_000, *, seed: int | None = None, full: bool = False
) -> Dataset:
    """Return a balanced piece of Fashion-MNIST: `load("fashion_mnist", …)`.

    train_size: images to train on, a multiple of ten up to 6,000, as many of each class. The
        validation (2,000) and test images (3,000) are always the same ones.
    seed: which of the 6,000 they are. None is the course's own choice; any number draws another.
        For one seed a smaller training set is the beginning of a larger one.
    full: take the original data set instead, through `keras.datasets` (which downloads it the
        first time): the same 2,000 validation images, the other 58,000 original training images
        in their original order, all 10,000 test images. Leave out `train_size` and `seed` then.

    In all of the shipped splits every ten images in a row hold one of each class.

    Raises TypeError or ValueError for an argument that makes no sense, FileNotFoundError or
    ValueError when the data file is missing, damaged or altered, OSError when `full` fails.
    """
    if train_size is None:
        raise TypeError("train_size must be a whole number, not None (NoneType)")
    return load(FULL, train_size, seed=seed, full=full)


def balanced_rows(labels, seed):
    """Return all positions in a random order in which every k hold one of each of k classes."""
    rng = np.random.default_rng(seed)
    classes = int(labels.max()) + 1
    by_class = np.argsort(labels, kind="stable").reshape(classes, -1)
    return rng.permuted(rng.permuted(by_class, axis=1).T, axis=1).ravel()


def _known(name):
    """Return the set of that name."""
    if not isinstance(name, str):
        raise TypeError(f"name is {name!r}; give one of {', '.join(map(repr, NAMES))}")
    if name not in SETS:
        raise ValueError(f"name is {name!r}; give one of {', '.join(map(repr, NAMES))}")
    return SETS[name]


def _words(arrays):
    """Return the words of a text set, the place of each being its id; () for any other set."""
    if "words" not in arrays:
        return ()
    return tuple(bytes(arrays["words"].astype(np.uint8)).decode().split("\n"))


def _load_full(name, train_size, seed):
    """Return the original data set, with the shipped validation images out of its training set."""
    if name != FULL:
        raise ValueError(f"full=True is for {FULL!r} only: {name!r} ships as it is; leave it out")
    kept = SETS[name]
    if train_size not in (None, kept.usual) or seed is not None:
        raise ValueError(
            "full=True loads all 58,000 training images: leave out train_size and seed, "
            f"not train_size={train_size!r}, seed={seed!r}"
        )
    arrays = _originals()
    ours = shipped(kept, DATA / f"{name}.npz")
    for split in ("x_train", "y_train"):
        arrays[split] = np.delete(arrays[split], ours["index_val"], axis=0)
    prepared = {split: ready(kept, split, arrays) for split in arrays}
    return Dataset(
        x_val=ours["x_val"], y_val=ours["y_val"], **prepared, class_names=kept.class_names
    )


def _originals():
    """Return the original arrays by name, from Keras and verified."""
    import keras  # here, so that all the rest of this package needs numpy only

    try:
        (x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    except Exception as error:  # offline, Keras raises a bare Exception
        raise OSError(
            f"full=True: keras.datasets.fashion_mnist.load_data() failed ({error}). It downloads "
            "30 MB the first time. The shipped subset needs no network: leave out full=True."
        ) from error
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    for name, array in arrays.items():
        if sha256(array) != SHA256_FULL[name]:
            raise ValueError(
                f"full=True: {name} from keras.datasets.fashion_mnist is not the published array "
                "(other SHA-256). Delete Keras's copy (~/.keras/datasets/fashion-mnist) and retry."
            )
    return arrays
