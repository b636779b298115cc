"""Rebuild data/fashion_mnist.npz from the four original Fashion-MNIST files.

    python data/rebuild.py [FOLDER] [--check]

FOLDER holds the original IDX files, gzipped or not; without it, Debian's package
`dataset-fashion-mnist` is read. The same originals always give the same arrays. Needs numpy only.
"""

import argparse
import gzip
import hashlib
import math
import sys
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import numpy as np

ORIGINALS = Path("/usr/share/datasets/fashion-mnist")
OUTPUT = Path(__file__).resolve().parent / "fashion_mnist.npz"

SEED = 2017
TRAIN_SIZE, VAL_SIZE, TEST_SIZE = 6_000, 2_000, 3_000


def read_idx(folder, name, shape):
    """Return the uint8 array of `shape` in the IDX file `name` or `name`.gz of `folder`.

    Raises FileNotFoundError when neither is there, ValueError when the file cannot be unpacked or
    is not an IDX file of exactly that shape.
    """
    path = next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None)
    if path is None:
        raise FileNotFoundError(f"{folder} holds neither {name}.gz nor {name}")
    raw = path.read_bytes()
    if path.suffix == ".gz":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is damaged: {error}") from error
    header = bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)
    if not raw.startswith(header) or len(raw) != len(header) + math.prod(shape):
        raise ValueError(f"{path} is not an IDX file of bytes of shape {shape}")
    return np.frombuffer(raw, np.uint8, offset=len(header)).reshape(shape)


def read_originals(folder):
    """Return the originals as `(x_train, y_train, x_test, y_test)`, all uint8."""
    return (
        read_idx(folder, "train-images-idx3-ubyte", (60_000, 28, 28)),
        read_idx(folder, "train-labels-idx1-ubyte", (60_000,)),
        read_idx(folder, "t10k-images-idx3-ubyte", (10_000, 28, 28)),
        read_idx(folder, "t10k-labels-idx1-ubyte", (10_000,)),
    )


def occurring_once(images):
    """Return a bool mask, shape (n,): which images have pixels that no other image has."""
    pixels = [image.tobytes() for image in images]
    count = Counter(pixels)
    return np.array([count[key] == 1 for key in pixels])


def choose(labels, allowed, size, rng):
    """Return `size` allowed positions: of k classes, every k in a row hold one of each, shuffled.

    Raises ValueError when a class has too few.
    """
    classes = int(labels.max()) + 1
    by_class = [
        rng.permutation(np.flatnonzero(allowed & (labels == label)))[: size // classes]
        for label in range(classes)
    ]
    fewest = min(map(len, by_class))
    if fewest < size // classes:
        raise ValueError(f"a class has {fewest:,} examples to choose from, not {size // classes:,}")
    return rng.permuted(np.transpose(by_class), axis=1).ravel()


def build(x_train, y_train, x_test, y_test):
    """Return the shipped arrays by name, chosen from the originals with the constant `SEED`."""
    once = occurring_once([*x_train, *x_test])
    print(f"left out as exact copies of another image: {np.sum(~once)} of {len(once):,}")
    rng = np.random.default_rng(SEED)
    chosen = choose(y_train, once[: len(x_train)], TRAIN_SIZE + VAL_SIZE, rng)
    chosen_test = choose(y_test, once[len(x_train) :], TEST_SIZE, rng)
    arrays = {}
    for split, images, labels, index in (
        ("train", x_train, y_train, chosen[:TRAIN_SIZE]),
        ("val", x_train, y_train, chosen[TRAIN_SIZE:]),
        ("test", x_test, y_test, chosen_test),
    ):
        arrays[f"x_{split}"] = images[index]
        arrays[f"y_{split}"] = labels[index]
        arrays[f"index_{split}"] = index.astype("<i4")
    return arrays


def splits(x, y, chosen, sizes):
    """Return `x_…`, `y_…` and `index_…` of each split: the chosen rows, one split after another."""
    arrays, start = {}, 0
    for split, size in sizes.items():
        index = chosen[start : start + size]
        arrays |= {f"x_{split}": x[index], f"y_{split}": y[index]}
        arrays[f"index_{split}"] = index.astype("<i4")
        start += size
    return arrays


def differences(arrays, path):
    """Return the names of the arrays that the file at `path` lacks, adds or holds differently."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            stored = dict(file)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error):
        return list(arrays)
    changed = {
        name
        for name in arrays.keys() & stored.keys()
        if arrays[name].dtype != stored[name].dtype
        or not np.array_equal(arrays[name], stored[name])
    }
    return sorted(changed | (arrays.keys() ^ stored.keys()))


def write(arrays, path):
    """Write the arrays to `path`, compressed; the file is complete or is not touched at all."""
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def table(arrays):
    """Return the arrays' rows of the table in data/README.md."""
    rows = [
        f"| `{name}` | {array.dtype} | {array.shape} | `{hashlib.sha256(array).hexdigest()}` |"
        for name, array in arrays.items()
    ]
    return "\n".join(rows)


def main(arguments=None):
    """Run the command line; return 0, or 1 with a message on stderr."""
    return command_line(
        OUTPUT, lambda folder: build(*read_originals(folder or ORIGINALS)), arguments
    )


def command_line(output, build_from, arguments=None):
    """Rebuild `output` from a folder or from where the originals usually are; return 0 or 1.

    build_from: a function of the folder (None where none was given) that returns the arrays.
    """
    parser = argparse.ArgumentParser(description=f"Rebuild data/{output.name}.")
    parser.add_argument("folder", nargs="?", type=Path, help="where the originals are")
    parser.add_argument("--check", action="store_true", help="only compare, write nothing")
    options = parser.parse_args(arguments)
    try:
        arrays = build_from(options.folder)
        differing = differences(arrays, output)
        if differing and not options.check:
            write(arrays, output)
    except (OSError, ValueError, ImportError) as error:
        print(f"rebuild: {error}", file=sys.stderr)
        return 1
    print(table(arrays))
    if not differing:
        print(f"{output.name} holds exactly these arrays")
    elif options.check:
        print(f"rebuild: {output} differs in {', '.join(differing)}", file=sys.stderr)
        return 1
    else:
        print(f"wrote {output.name}, {output.stat().st_size:,} bytes; its hashes are kept in")
        print("utils/datasets/_sets.py and data/README.md: they must be the ones above")
    return 0


if __name__ == "__main__":
    sys.exit(main())
