"""What an exercise is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    test      called with the answer; raises `NotYet` with a message that says what is wrong
    hints     two: where to look, and nearly what to write
    praise    what passing shows
    seconds   after which the test is stopped
    """

    test: Callable
    hints: tuple[str, str]
    praise: str
    seconds: int = 20
