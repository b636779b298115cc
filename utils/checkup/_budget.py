"""Time: how long the check-up may take, and what it shows while it runs."""

from __future__ import annotations

import sys
import time

from utils._shared.progress import Progress


class Budget:
    """Seconds that are left, and a line that says what is running."""

    def __init__(self, minutes: float) -> None:
        self.end = time.monotonic() + 60 * minutes
        self.start = time.monotonic()

    @property
    def left(self) -> float:
        return max(0.0, self.end - time.monotonic())

    @property
    def spent(self) -> float:
        return time.monotonic() - self.start


class Shown(Progress):
    """The course's progress line, also while standard output is held back."""

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        self.stream = sys.stdout

    def write(self, text: str) -> None:
        start = "\r" if self.width else ""
        print(f"{start}{text:<{self.width}}", end="", flush=True, file=self.stream)
        self.width = max(self.width, len(text))

    def close(self, last_line: str) -> None:
        self.write(last_line)
        print(flush=True, file=self.stream)
