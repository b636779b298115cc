"""The course's data: five small sets that ship with it, each described in data/README.md."""

from utils.datasets._dataset import Dataset
from utils.datasets._labels import flip_labels
from utils.datasets._load import load, load_fashion_mnist
from utils.datasets._rings import sample_rings
from utils.datasets._sets import CLASS_NAMES, NAMES

__all__ = [
    "CLASS_NAMES",
    "NAMES",
    "Dataset",
    "flip_labels",
    "load",
    "load_fashion_mnist",
    "sample_rings",
]
