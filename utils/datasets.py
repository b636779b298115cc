"""The course's images: a small balanced piece of Fashion-MNIST, described in data/README.md."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from numbers import Integral, Real
from pathlib import Path

import numpy as np

DATA_FILE = Path(__file__).resolve().parent.parent / "data" / "fashion_mnist.npz"
CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
CLASSES = len(CLASS_NAMES)
SPLITS = {"train": 6_000, "val": 2_000, "test": 3_000}
RESTORE = "To restore it: git checkout -- data/fashion_mnist.npz"
LAYOUT = {"x": ("uint8", (28, 28)), "y": ("uint8", ()), "index": ("<i4", ())}

# SHA-256 of each array's bytes: those of the shipped file, and those of the original training and
# test sets. data/README.md shows the first nine; a test keeps the two lists equal.
SHA256 = {
    "x_train": "38537cb44005854a4174a92ac09cec7a36d2418bff5ec5135763958b50dfb0d0",
    "y_train": "bdfeb646ae1e1d5c0e025ad85c4a9b3a66146f10d79fef6c3ed990710da88567",
    "index_train": "411fe351abb46b332c1b168226a09cc9d9d457befbba2d9abd2faa1edca7f802",
    "x_val": "6aeb737b044c280f57e2e125068939753e30cd7eb66f8a9d1c5a6cec7368be40",
    "y_val": "e39a28ee9ab538cedb047b9be27b399ff09b47c27309594f9be305809c949ad0",
    "index_val": "08d3f238896e348ad8f46df135be998d2ec521384551a0388a523ac4cd72f7e4",
    "x_test": "53e9ed2fdad42d08be099654252cf1d98d30f6cae3bc89799305014d53195b1e",
    "y_test": "6565a5fb14fe6eeb0de786fe40bcd754eef4de015501449b2c6dd3ef69c15054",
    "index_test": "42b96e8ce2bfbcb469ddd38b6908393f8a55da4005e6889ff2ce196e385e2414",
}
SHA256_FULL = {
    "x_train": "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
    "y_train": "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
    "x_test": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
    "y_test": "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
}


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images and labels in three splits; neither the record nor its arrays can be changed.

    Images are float32 of shape (n, 28, 28) in [0, 1], labels int64 of shape (n,) in 0..9.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...] = CLASS_NAMES

    def __post_init__(self):
        for name, value in list(vars(self).items()):
            if isinstance(value, np.ndarray) and value.flags.writeable:
                value = value.copy()
                value.setflags(write=False)
                object.__setattr__(self, name, value)
        for split in ("train", "val", "test"):
            images, labels = len(getattr(self, f"x_{split}")), len(getattr(self, f"y_{split}"))
            if images != labels:
                raise ValueError(f"y_{split} has {labels} labels, x_{split} {images} images")

    def __repr__(self):
        sizes = (len(self.y_train), len(self.y_val), len(self.y_test))
        return "Dataset({:,} training, {:,} validation, {:,} test images)".format(*sizes)


def load_fashion_mnist(
    train_size: int = 2_000, *, seed: int | None = None, full: bool = False
) -> Dataset:
    """Return a balanced piece of Fashion-MNIST, verified; needs no network unless `full`.

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
    if full:
        if (train_size, seed) != (2_000, None):
            raise ValueError(
                "full=True loads all 58,000 training images: leave out train_size and seed, "
                f"not train_size={train_size!r}, seed={seed!r}"
            )
        return _load_full()
    _check_train_size(train_size)
    shipped = _shipped(DATA_FILE)
    rows = np.s_[:train_size]
    if seed is not None:
        rows = _balanced_rows(shipped["y_train"], _checked_seed(seed))[:train_size]
    return Dataset(
        x_train=shipped["x_train"][rows],
        y_train=shipped["y_train"][rows],
        **{name: shipped[name] for name in ("x_val", "y_val", "x_test", "y_test")},
    )


def flip_labels(y, share: float, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `(y_noisy, flipped)`: a copy of `y` with a share of wrong labels, and which they are.

    y: integer labels in 0..9, shape (n,); it is not changed, and `y_noisy` keeps its dtype.
    share: in [0, 1]; exactly `round(share * n)` labels are flipped, spread evenly over the classes
        of `y`, each to one of the nine other classes, all nine equally likely.
    seed: which ones, and to what.

    Raises TypeError or ValueError naming the argument when it is none of these.
    """
    y = _checked_labels(y)
    count = round(_checked_share(share) * len(y))
    rng = np.random.default_rng(_checked_seed(seed))
    shuffled = rng.permutation(len(y))
    # From labels sorted by class, in random order within each, take evenly spaced ones.
    by_class = shuffled[np.argsort(y[shuffled], kind="stable")]
    chosen = by_class[np.arange(count, dtype=np.int64) * len(y) // max(count, 1)]
    flipped = np.zeros(len(y), bool)
    flipped[chosen] = True
    y_noisy = y.copy()
    y_noisy[chosen] = (y[chosen] + rng.integers(1, CLASSES, count)) % CLASSES
    return y_noisy, flipped


def _balanced_rows(labels, seed):
    """Return all positions in a random order in which every ten hold one of each class."""
    rng = np.random.default_rng(seed)
    by_class = np.argsort(labels, kind="stable").reshape(CLASSES, -1)
    return rng.permuted(rng.permuted(by_class, axis=1).T, axis=1).ravel()


@lru_cache(maxsize=1)
def _shipped(path):
    """Return the file's arrays by name, verified and ready to use; the next call is free."""
    arrays = _read(path)
    for name, array in arrays.items():
        kind, split = name.split("_")
        dtype, shape = LAYOUT[kind]
        shape = (SPLITS[split], *shape)
        if (array.dtype, array.shape) != (np.dtype(dtype), shape):
            found = f"{array.dtype} {array.shape} instead of {np.dtype(dtype)} {shape}"
            raise _damaged(path, f"array {name!r} is {found}")
        if _sha256(array) != SHA256[name]:
            raise _damaged(path, f"array {name!r} is not the one that ships (other SHA-256)")
    return {name: _ready(name, array) for name, array in arrays.items()}


def _read(path):
    """Return the file's arrays by name, as stored."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return {name: _member(file, name) for name in SHA256}
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} is missing. {RESTORE}") from error
    except PermissionError:
        raise
    except Exception as error:  # a damaged archive raises nearly anything
        raise _damaged(path, error) from error


def _member(file, name):
    """Return one array of an open npz file."""
    try:
        return file[name]
    except KeyError as error:
        raise ValueError(f"array {name!r} is not in it") from error
    except Exception as error:
        raise ValueError(f"array {name!r} cannot be read ({error})") from error


def _damaged(path, why):
    """Return the error for a data file that is not the one that ships."""
    return ValueError(f"{path} is damaged or altered: {why}. {RESTORE}")


def _load_full():
    """Return the original data set, with the shipped validation images out of its training set."""
    arrays = _originals()
    shipped = _shipped(DATA_FILE)
    for name in ("x_train", "y_train"):
        arrays[name] = np.delete(arrays[name], shipped["index_val"], axis=0)
    ready = {name: _ready(name, array) for name, array in arrays.items()}
    return Dataset(x_val=shipped["x_val"], y_val=shipped["y_val"], **ready)


def _originals():
    """Return the original arrays by name, from Keras and verified."""
    import keras  # here, so that all the rest of this module needs numpy only

    try:
        (x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    except Exception as error:  # offline, Keras raises a bare Exception
        raise OSError(
            f"full=True: keras.datasets.fashion_mnist.load_data() failed ({error}). It downloads "
            "30 MB the first time. The shipped subset needs no network: leave out full=True."
        ) from error
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    for name, array in arrays.items():
        if _sha256(array) != SHA256_FULL[name]:
            raise ValueError(
                f"full=True: {name} from keras.datasets.fashion_mnist is not the published array "
                "(other SHA-256). Delete Keras's copy (~/.keras/datasets/fashion-mnist) and retry."
            )
    return arrays


def _ready(name, array):
    """Return images as float32 in [0, 1], anything else as int64; read-only."""
    array = array.astype(np.float32) / 255 if name.startswith("x") else array.astype(np.int64)
    array.setflags(write=False)
    return array


def _sha256(array):
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()


def _check_whole(name, value):
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, not {value!r} ({type(value).__name__})")


def _check_train_size(train_size):
    _check_whole("train_size", train_size)
    most = SPLITS["train"]
    if not CLASSES <= train_size <= most or train_size % CLASSES:
        raise ValueError(
            f"train_size must be a multiple of {CLASSES} from {CLASSES} to {most:,} (as many "
            f"images of each class), not {train_size:,}; for more images use full=True"
        )


def _checked_seed(seed):
    _check_whole("seed", seed)
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, not {seed}")
    return seed


def _checked_share(share):
    if isinstance(share, bool) or not isinstance(share, Real):
        raise TypeError(f"share must be a number, not {share!r} ({type(share).__name__})")
    if not 0 <= share <= 1:
        raise ValueError(f"share must be in [0, 1], not {share}; 0.2 flips 20 % of the labels")
    return share


def _checked_labels(y):
    y = np.asarray(y)
    if not np.issubdtype(y.dtype, np.integer):
        raise TypeError(f"y must hold integer labels, not {y.dtype}; try y.astype(int)")
    if y.ndim != 1:
        raise ValueError(f"y must be one-dimensional, one label an image, not of shape {y.shape}")
    if y.size and not 0 <= y.min() <= y.max() < CLASSES:
        raise ValueError(
            f"y must hold labels from 0 to {CLASSES - 1}, not from {y.min()} to {y.max()}"
        )
    return y
