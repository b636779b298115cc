"""The figures of the course: one visual language for every notebook.

In learning curves, solid is training and dashed is validation. Thin: one run. Thick: their mean.
One colour per arm, from the Okabe-Ito palette, which colour-blind readers can tell apart:
grey for the baseline, blue for the fix, orange for the baseline stopped early.
"""

from utils.plots._boundaries import boundaries, draw_boundary
from utils.plots._curves import (
    before_after,
    curves,
    draw_runs,
    learning_curves,
    mark_best,
    over_training,
)
from utils.plots._distributions import draw_bands, draw_cubes
from utils.plots._factorial import factorial_cubes
from utils.plots._networks import thinned_networks
from utils.plots._pairs import draw_differences, draw_pairs, effects, paired_arms
from utils.plots._penalties import circle_and_diamond
from utils.plots._pictures import draw_images, draw_maps
from utils.plots._search import search_results
from utils.plots._style import (
    BASELINE,
    FIX,
    LINE_STYLES,
    MARKERS,
    OTHERS,
    STOPPED,
    panels,
    png,
    show,
)

__all__ = [
    "BASELINE",
    "FIX",
    "LINE_STYLES",
    "MARKERS",
    "OTHERS",
    "STOPPED",
    "before_after",
    "boundaries",
    "circle_and_diamond",
    "curves",
    "draw_bands",
    "draw_boundary",
    "draw_cubes",
    "draw_differences",
    "draw_images",
    "draw_maps",
    "draw_pairs",
    "draw_runs",
    "effects",
    "factorial_cubes",
    "learning_curves",
    "mark_best",
    "over_training",
    "paired_arms",
    "panels",
    "png",
    "search_results",
    "show",
    "thinned_networks",
]
