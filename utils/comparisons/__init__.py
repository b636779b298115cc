"""Arms compared seed against seed, two at a time or in a factorial."""

from utils.comparisons._factorial import all_combinations, interaction, main_effect
from utils.comparisons._pairs import compare, overview

__all__ = ["all_combinations", "compare", "interaction", "main_effect", "overview"]
