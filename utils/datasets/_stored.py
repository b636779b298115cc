"""The files in data/, read and verified."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parents[2] / "data"


@cache
def shipped(kept, path):
    """Return the set's arrays by name, verified, ready to use and read-only; twice is free."""
    arrays = read(path, kept.sha256)
    for name, array in arrays.items():
        dtype, shape = kept.layout(name)
        if (array.dtype, array.shape) != (dtype, shape):
            found = f"{array.dtype} {array.shape} instead of {dtype} {shape}"
            raise damaged(path, f"array {name!r} is {found}")
        if sha256(array) != kept.sha256[name]:
            raise damaged(path, f"array {name!r} is not the one that ships (other SHA-256)")
    return {name: ready(kept, name, arrays) for name in arrays}


def read(path, names):
    """Return the file's arrays of these names, as stored."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return {name: member(file, name) for name in names}
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} is missing. {restore(path)}") from error
    except PermissionError:
        raise
    except Exception as error:  # a damaged archive raises nearly anything
        raise damaged(path, error) from error


def member(file, name):
    """Return one array of an open npz file."""
    try:
        return file[name]
    except KeyError as error:
        raise ValueError(f"array {name!r} is not in it") from error
    except Exception as error:
        raise ValueError(f"array {name!r} cannot be read ({error})") from error


def ready(kept, name, arrays):
    """Return an array as lessons use it: x prepared, anything else as int64; read-only."""
    if name.startswith("x_"):
        array = kept.prepare(arrays[name], arrays["x_train"])
    else:
        array = arrays[name].astype(np.int64)
    array.setflags(write=False)
    return array


def damaged(path, why):
    """Return the error for a data file that is not the one that ships."""
    return ValueError(f"{path} is damaged or altered: {why}. {restore(path)}")


def restore(path):
    """Return how to get the file back."""
    return f"To restore it: git checkout -- data/{path.name}"


def sha256(array):
    """Return the SHA-256 of the array's bytes, in hexadecimal digits."""
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()
