"""A memory that forgets: what it holds was used last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

SIZE = 24  # compiled programs, each of which keeps a model alive


class Memory(OrderedDict):
    """Values by key, the latest used last; a new one takes the place of the one unused longest."""

    def recall(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value of `key`; what `make()` returns, where there is none."""
        value = self.pop(key, None)  # in one step: other threads recall too
        if value is None:
            value = make()
        self[key] = value
        while len(self) > SIZE:
            self.popitem(last=False)
        return value
