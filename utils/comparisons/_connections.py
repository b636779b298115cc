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

    def write_outputs(self) -> str:
        return ", ".join(self.write_source(source) for source in self.setup.outputs)

    def write_inputs(self, place: int, with_names: bool) -> str:
        """What a layer takes: `the input, layer 2 (Dense)`, or `x1 = the input`."""
        return ", ".join(
            f"{name} = {self.write_source(source)}" if with_names else self.write_source(source)
            for name, source in self.setup.connections[place]
        )

    def write_source(self, source: tuple) -> str:
        """`layer 1 (Dense)`, `call 2 of layer 1 (Dense)`, or `part 2 of the input`."""
        place, call, number = source
        part = f"part {number + 1} of " if number else ""
        again = f"call {call + 1} of " if call else ""
        return f"{part}{again}{place_of(self.setup.layers, place + 1)}"


def connection_differences(setup, other) -> Iterator[str]:
    """Layers that both have, and that take what they take from elsewhere, a line each."""
    if setup.connections is None or other.connections is None:
        return
    both = list(matched(setup.layers, other.layers))
    old = Side(setup, {place: pair for pair, (place, _) in enumerate(both)})
    new = Side(other, {place: pair for pair, (_, place) in enumerate(both)})
    for before, after in both:
        if old.inputs_of(before) != new.inputs_of(after):
            for with_names in (False, True):
                taken = old.write_inputs(before, with_names), new.write_inputs(after, with_names)
                if taken[0] != taken[1]:
                    break
            yield f"{place_of(setup.layers, before + 1)} takes {taken[0]} → {taken[1]}"
    if old.origins(setup.outputs) != new.origins(other.outputs):
        yield f"the output: {old.write_outputs()} → {new.write_outputs()}"
