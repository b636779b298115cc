"""How the layers and operations of a model are connected."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field

import keras

INPUT = -1  # stands in a source for the position of a layer, where it is an input of the model
Source = tuple[int, int, int]  # a step's position, which of its calls, which of its outputs


@dataclass
class Step:
    """A layer or an operation such as `keras.ops.tanh`, and how it is called.

    sources     per call (argument, where its tensor comes from), in order
    arguments   per call the arguments that are no tensors: name -> value
    """

    operation: keras.Operation
    sources: list[tuple[tuple[str, Source], ...]] = field(default_factory=list)
    arguments: list[dict[str, object]] = field(default_factory=list)


def steps_of(model: keras.Model) -> tuple[list[Step], list[Source]]:
    """Everything that `model` calls, nested models opened, in order; and its outputs' sources.

    Of a model whose `call` is code nothing says how its layers are connected: no sources.
    """
    steps = [Step(operation) for operation in operations_of(model)]
    if (graph := graph_of(model)) is None:
        return steps, []
    places = {id(step.operation): place for place, step in enumerate(steps)}
    given = [(INPUT, 0, number) for number in range(len(graph.inputs))]
    return steps, connect(graph, given, steps, places)


def operations_of(model: keras.Model) -> Iterator[keras.Operation]:
    """The layers and operations of `model`, those of nested models included, inputs left out."""
    graph = graph_of(model)
    for operation in model.layers if graph is None else graph.operations:
        if isinstance(operation, keras.Model):
            yield from operations_of(operation)
        elif not isinstance(operation, keras.layers.InputLayer):
            yield operation


def graph_of(model: keras.Model) -> keras.Model | None:
    """The functional graph that `model` is, or keeps as `Sequential` does; None if it has none."""
    graph = getattr(model, "_functional", None) or model
    return graph if hasattr(graph, "_nodes_by_depth") else None


def connect(graph, given: list[Source], steps: list[Step], places: dict[int, int]) -> list[Source]:
    """Note in `steps` where each call takes its tensors from; return the outputs' sources."""
    sources = dict(zip(map(id, graph.inputs), given, strict=True))
    for node in nodes_of(graph):
        called = dict(bound_arguments(node))
        tensors = [(name, kt) for name, value in called.items() for kt in tensors_in(value)]
        taken = tuple((name, sources[id(tensor)]) for name, tensor in tensors)
        place = places.get(id(node.operation))
        if place is not None:
            call = note_call(steps[place], taken, called)
            outputs = [(place, call, number) for number in range(len(node.outputs))]
        elif inner := graph_of(node.operation):
            outputs = connect(inner, [source for _, source in taken], steps, places)
        else:  # a model whose call is code: it stands for what it takes
            outputs = [taken[0][1]] * len(node.outputs)
        sources |= dict(zip(map(id, node.outputs), outputs, strict=True))
    return [sources[id(tensor)] for tensor in graph.outputs]


def nodes_of(graph) -> Iterator:
    """The calls in a functional graph, each after those that it needs; inputs left out."""
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        yield from (node for node in graph._nodes_by_depth[depth] if not node.is_input)


def note_call(step: Step, taken: tuple, called: dict[str, object]) -> int:
    """Add one call to `step`, and return its number."""
    step.sources.append(taken)
    step.arguments.append({name: v for name, v in called.items() if not tensors_in(v)})
    return len(step.sources) - 1


def bound_arguments(node) -> Iterator[tuple[str, object]]:
    """The arguments of a call by name, given by position or by name, the usual ones left out."""
    args, kwargs = node.arguments.args, node.arguments.kwargs
    try:
        signature = inspect.signature(type(node.operation).call)
        given = signature.bind(None, *args, **kwargs).arguments
        del given["self"]
    except (TypeError, ValueError, KeyError):
        given = dict(enumerate(args)) | kwargs
        signature = inspect.Signature()
    for name, value in given.items():
        usual = signature.parameters[name].default if name in signature.parameters else None
        if value is not None and not (isinstance(value, bool) and value is usual):
            yield str(name), value


def tensors_in(value: object) -> list[keras.KerasTensor]:
    """The symbolic tensors in an argument, however nested."""
    return [leaf for leaf in keras.tree.flatten(value) if isinstance(leaf, keras.KerasTensor)]
