"""Arms compared seed against seed, two at a time or in a factorial."""

from utils.comparisons._factorial import all_combinations, interaction, main_effect
from utils.comparisons._overview import overview
from utils.comparisons._pairs import Differences, compare, smallest_effect

__all__ = [
    "Differences",
    "all_combinations",
    "compare",
    "interaction",
    "main_effect",
    "overview",
    "smallest_effect",
]
