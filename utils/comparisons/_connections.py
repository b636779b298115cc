"""Whether the layers that two models share are connected alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from utils._shared.differing import matched, place_of
from utils._shared.graphs import INPUT


@dataclass(frozen=True)
class Side:
    """One of the two models: which of its layers the other has too, as place -> number of the pair.

    A layer that only one of them has is passed over: what it puts out stands for what it takes.
    """

    setup: object
    pairs: dict[int, int]

    def origins(self, sources: tuple) -> list:
        """Where tensors come from, in terms of the layers that both have."""
        found = []
        for place, call, number in sources:
            if place == INPUT or place in self.pairs:
                found.append((self.pairs.get(place, INPUT), call, number))
            else:
                found += self.origins(tuple(source for _, source in self.setup.connections[place]))
        return found

    def inputs_of(self, place: int) -> list:
        """The arguments that a layer is called with, and where each comes from."""
        return [
            (name, origin)
            for name, source in self.setup.connections[place]
            for origin in self.origins((source,))
        ]

    def words(self, sources: tuple) -> str:
        return ", ".join(place_of(self.setup.layers, place + 1) for place, _, _ in sources)


def connection_differences(setup, other) -> Iterator[str]:
    """Layers that both have, and that take what they take from elsewhere, a line each."""
    if setup.connections is None or other.connections is None:
        return
    both = list(matched(setup.layers, other.layers))
    old = Side(setup, {place: pair for pair, (place, _) in enumerate(both)})
    new = Side(other, {place: pair for pair, (_, place) in enumerate(both)})
    for before, after in both:
        if old.inputs_of(before) != new.inputs_of(after):
            taken = [
                side.words(tuple(source for _, source in side.setup.connections[place]))
                for side, place in ((old, before), (new, after))
            ]
            yield f"{place_of(setup.layers, before + 1)} takes {taken[0]} → {taken[1]}"
    if old.origins(setup.outputs) != new.origins(other.outputs):
        yield f"the output: {old.words(setup.outputs)} → {new.words(other.outputs)}"
