"""The same training under several seeds: `fit` once per seed, in compiled loops."""

from utils.repeats._repeat import repeat
from utils.repeats._runs import Runs
from utils.repeats._seeding import SEEDS, batch_order, seeded

__all__ = ["SEEDS", "Runs", "batch_order", "repeat", "seeded"]
