"""Sentences that the page checks."""

from __future__ import annotations

import os

import numpy as np

from utils._shared.output import say

__all__ = ["ClaimError", "claim", "is_strict"]


class ClaimError(AssertionError):
    """A claim does not hold, and `COURSE_STRICT=1` says that it must."""


def claim(sentence: str, condition: bool, **measured: object) -> None:
    """Print `sentence` with ✓ if `condition` is true, else with ✗ and the numbers in `measured`.

    The ✓ line holds no numbers, so that it is the same on every machine. A claim that fails stops
    nobody who explores; with `COURSE_STRICT=1`, as in `make test`, it raises a `ClaimError`.

    Raises TypeError for a condition that is not one true or false value.
    """
    if not isinstance(sentence, str) or not sentence.strip():
        raise TypeError(f"sentence is {sentence!r}; give the claim in words")
    if not isinstance(condition, bool | np.bool_):
        raise TypeError(
            f"condition is {type(condition).__name__} ({condition!r:.60}); give one True or False, "
            "as `(a > b).all()` for arrays or `bool(a > b)` for tensors"
        )
    if condition:
        say(f"✓ {sentence}")
        return
    numbers = ", ".join(f"{name} = {shorten(value)}" for name, value in measured.items())
    line = f"✗ does not hold here: {sentence}" + (f" ({numbers})" if numbers else "")
    if is_strict():
        raise ClaimError(line)
    say(line)


def shorten(value: object) -> str:
    """A measured value in few digits: `0.83`, or `[0.81 0.79 0.8]`."""
    try:
        return np.array2string(np.asarray(value, dtype=float), precision=4, threshold=12)
    except (TypeError, ValueError):
        return str(value)


def is_strict() -> bool:
    """Whether `COURSE_STRICT` asks for claims that raise."""
    text = os.environ.get("COURSE_STRICT", "0")
    if text not in ("", "0", "1"):
        raise ValueError(f"COURSE_STRICT is {text!r}; give 1 to let failing claims raise, or 0")
    return text == "1"
