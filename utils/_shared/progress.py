"""The line that says how far a long computation is."""

import sys
import time

LONG = 5.0


class Progress:
    """Count finished steps on one line, with the time left, where someone can watch.

    The line appears once the whole is expected to take over 5 s. `close` leaves one last line, the
    same on every machine, so that a stored notebook can be compared with a new run.
    """

    def __init__(self, steps):
        self.steps = steps
        self.done = 0
        self.start = time.monotonic()
        self.shown = 0.0
        self.width = 0

    def at(self, what):
        """A function that notes steps as done; `what` says where they are, as `seed 3 of 10`."""
        return lambda steps: self.advance(what, steps)

    def advance(self, what, steps):
        if steps == 0:
            return
        self.done += steps
        now = time.monotonic()
        elapsed = now - self.start
        left = elapsed / self.done * (self.steps - self.done)
        if watched() and elapsed + left > LONG and now - self.shown > 0.5:
            self.shown = now
            self.write(f"{what} · {left:.0f} s left")

    def close(self, last_line):
        """Replace the moving line by `last_line`."""
        self.write(last_line)
        print(flush=True)

    def write(self, text):
        start = "\r" if self.width else ""
        print(f"{start}{text:<{self.width}}", end="", flush=True)
        self.width = max(self.width, len(text))


def watched():
    """Whether output goes to a notebook or a terminal, and not to a file."""
    return sys.stdout.isatty() or "ipykernel" in sys.modules
