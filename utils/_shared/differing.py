"""What differs between two described models, a line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from utils._shared.describing import Described, Settings, is_own_method, write_layer

Layers = Sequence[tuple[str, Settings]]
NAMED = 3  # names in one line


def layer_differences(layers: Layers, others: Layers) -> list[str]:
    """Layers added, removed, or with other settings, a line each."""
    lines = []
    for what, a, b, c, d in opcodes(layers, others):
        if what == "equal":
            for number, (old, new) in enumerate(zip(layers[a:b], others[c:d], strict=True), a + 1):
                where = f"layer {number}, {old[0]}", f"layer {number} ({old[0]})"
                lines += setting_differences(*where, old[1], new[1])
            continue
        lines += [f"− {write_layer(*layer)}" for layer in layers[a:b]]
        lines += [f"+ {write_layer(*layer)} after {place_of(others, c)}" for layer in others[c:d]]
    return lines


def opcodes(layers: Layers, others: Layers) -> list[tuple[str, int, int, int, int]]:
    """Which layers stand for which, by their classes alone."""
    classes, other_classes = [name for name, _ in layers], [name for name, _ in others]
    return SequenceMatcher(None, classes, other_classes, False).get_opcodes()


def matched(layers: Layers, others: Layers) -> Iterator[tuple[int, int]]:
    """The positions of the layers that both have."""
    for what, a, b, c, d in opcodes(layers, others):
        if what == "equal":
            yield from zip(range(a, b), range(c, d), strict=True)


def setting_differences(start: str, name: str, old: Settings, new: Settings) -> list[str]:
    """Settings that changed, `start: kernel_regularizer none → L2(l2=0.01)`, and what is hidden."""
    lines, hidden = [], []
    for key in [*old, *(key for key in new if key not in old)]:
        before, after = old.get(key, "none"), new.get(key, "none")
        if before == after:
            continue
        if is_own_method(key, before) or is_own_method(key, after):
            hidden.append(key)
        elif str(before) != str(after):
            lines.append(f"{start}: {key} {before} → {after}")
        elif isinstance(before, Described) and before.own:
            hidden.append(key)
        else:
            lines.append(f"{start}: {key} has different values")
    return lines + ([hidden_line(name, hidden)] if hidden else [])


def hidden_line(name: str, keys: Sequence[str]) -> str:
    """That nothing can be said about code of one's own: both may do the same, or not."""
    shown = list(keys[:NAMED]) + ([f"{len(keys) - NAMED} more"] if len(keys) > NAMED else [])
    verb = "is its own code" if len(keys) == 1 else "are its own code"
    return f"cannot look inside {name}: its {' and '.join(shown)} {verb}"


def place_of(layers: Layers, position: int) -> str:
    """What stands before a position: `layer 2 (Dense)`, or the input."""
    return f"layer {position} ({layers[position - 1][0]})" if position > 0 else "the input"
