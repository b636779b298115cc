"""A figure's titles state findings, so they are held to conditions, as claims are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text

from utils._shared.output import say
from utils.claims import ClaimError, is_strict

UNTRUE = "✗ the title does not hold here: "


def titles_of(fig: Figure) -> list[str]:
    """What stands in bold above the figure and its panels; captions are not bold."""
    inside = {text for ax in fig.axes for text in ax.texts}
    bold = [text for text in fig.findobj(Text) if text.get_weight() == "bold"]
    return [text.get_text() for text in bold if text.get_text() and text not in inside]


def check_titles(fig: Figure, titles: Mapping[str, bool | None]) -> None:
    """Refuse conditions that are none, and titles that differ from those of the figure."""
    if not isinstance(titles, Mapping):
        raise TypeError(
            f"titles is {type(titles).__name__}; give {{title: condition}}, a dict with each "
            "title of the figure"
        )
    for title, condition in titles.items():
        check_condition(title, condition)
    drawn = titles_of(fig)
    if wrong := sorted(set(drawn) ^ set(titles)):
        raise ValueError(f"titles has {list(titles)}, the figure {drawn}; they differ in {wrong}")


def check_condition(title: str, condition: bool | None) -> None:
    """A condition is True or False; None where nothing is stated, or a number is computed."""
    states = not title.endswith("?") and not any(letter.isdigit() for letter in title)
    if condition is None and states:
        raise ValueError(
            f"titles has None for {title!r}, which states something; give the condition, or write "
            "a question or a computed number"
        )
    if condition is not None and not isinstance(condition, bool | np.bool_):
        raise TypeError(
            f"titles has {type(condition).__name__} ({condition!r:.60}) for {title!r}; give one "
            "True or False, as `(a > b).all()` for arrays"
        )


def report_untrue(titles: Mapping[str, bool | None]) -> None:
    """Say which titles do not hold; with `COURSE_STRICT=1` that is a `ClaimError`."""
    untrue = [title for title, holds in titles.items() if holds is not None and not holds]
    if untrue and is_strict():
        raise ClaimError("\n".join(f"{UNTRUE}{title}" for title in untrue))
    for title in untrue:
        say(f"{UNTRUE}{title}")
