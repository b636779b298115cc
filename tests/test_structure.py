"""Imports run one way: notebooks → public names of utils, tools → utils; no package in a circle.

Read from the sources, without running them. A world is {name: source}; the name is a module's,
such as "utils.repeats._repeat", or the path of a notebook.
"""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import nbformat
import pytest

from tools.notebooks import ROOT, find_notebooks

World = dict[str, str]
ROOMS = {"utils": {"utils"}, "tools": {"tools", "utils"}, "notebooks": {"utils"}}
INSIDE = {  # what these packages may rest on, beside themselves
    "utils.comparisons": {"utils.repeats", "utils._shared"},
    "utils.meters": {"utils.repeats", "utils._shared"},
    "utils.repeats": {"utils._shared"},
    "utils._shared": set(),
}


def read_world(root: Path = ROOT) -> World:
    modules = [path for room in ("utils", "tools") for path in (root / room).rglob("*.py")]
    world = {
        module_name(path.relative_to(root)): path.read_text(encoding="utf-8") for path in modules
    }
    for path in find_notebooks(root / "notebooks"):
        cells = nbformat.read(path, as_version=4).cells
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        world[path.relative_to(root).as_posix()] = code
    return world


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def package_of(name: str, world: World) -> str:
    """Where relative imports of a module start."""
    is_package = any(other.startswith(f"{name}.") for other in world)
    return name if is_package else name.rpartition(".")[0]


def imported(name: str, world: World) -> set[str]:
    """All that a module or notebook takes from others, as "utils.repeats.repeat"."""
    tree, found, bound = ast.parse(world[name]), set(), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
            bound |= {alias.asname or alias.name: alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            parts = package_of(name, world).split(".")
            above = parts[: len(parts) + 1 - node.level] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            found |= {f"{base}.{alias.name}" for alias in node.names}
            bound |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):  # plots.show, where plots was imported
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in bound:
            owner = bound[ast.unparse(node.value)]
            if owner in world:
                found.add(f"{owner}.{node.attr}")
    return {what for what in found if what.split(".")[0] in ("utils", "tools", "tests")}


def home_of(target: str, world: World) -> str:
    """The module that a name such as "utils.repeats.repeat" comes from."""
    while target not in world and "." in target:
        target = target.rpartition(".")[0]
    return target


def belongs(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def public(module: str, world: World) -> set[str] | None:
    """The names in `__all__`; None where there is none."""
    for node in ast.parse(world.get(module, "")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return None


def problems_of(name: str, world: World) -> list[str]:
    room = name.replace("/", ".").split(".")[0]
    found = []
    for target in sorted(imported(name, world)):
        home = home_of(target, world)
        problem = None
        if target.split(".")[0] not in ROOMS[room]:
            problem = f"{room} may not import it"
        elif owner := inside_of(target):
            problem = None if belongs(name, owner) else f"it is the inside of {owner}"
        elif not belongs(name, home) and target != home:
            names = public(home, world)
            if names is not None and target.removeprefix(f"{home}.") not in names:
                problem = f"{home} does not list it in __all__"
        for package, others in INSIDE.items():
            allowed = any(belongs(target, other) for other in {package, *others})
            if belongs(name, package) and not allowed:
                problem = f"{package} rests on {', '.join(sorted(others)) or 'nothing'} only"
        if problem:
            found.append(f"{name} imports {target}: {problem}")
    return found


def inside_of(target: str) -> str | None:
    """The package, or module, whose private part the target is."""
    parts = target.split(".")
    private = [n for n, part in enumerate(parts) if part.startswith("_") and part[:2] != "__"]
    return ".".join(parts[: private[-1]]) if private else None


def circles(world: World, depth: int) -> list[str]:
    """The first circle of imports between modules, their names cut after `depth` parts."""
    graph: dict[str, set[str]] = {}
    for name in world:
        if "/" not in name:
            node = cut(name, depth)
            reached = {cut(home_of(target, world), depth) for target in imported(name, world)}
            graph.setdefault(node, set()).update(reached - {node})
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" → ".join(reversed(error.args[1]))]
    return []


def cut(name: str, depth: int) -> str:
    return ".".join(name.split(".")[:depth])


def problems(world: World) -> list[str]:
    """Every import that runs the wrong way."""
    found = [problem for name in world for problem in problems_of(name, world)]
    return found + circles(world, depth=2) + circles(world, depth=9)


def test_imports_run_one_way():
    assert problems(read_world()) == []


def test_the_world_is_the_course():
    world = read_world()
    assert len([name for name in world if "/" in name]) == len(find_notebooks())
    assert {"utils", "utils.repeats._repeat", "tools.write.site"} <= set(world)
    lesson = imported("notebooks/00_overfitting.ipynb", world)
    assert {"utils", "utils.repeats.repeat", "utils.plots.show"} <= lesson


GOOD = {
    "utils": "from utils._shared import quiet",
    "utils._shared": "",
    "utils._shared.quiet": "",
    "utils.claims": "def claim(): ...\ndef _strict(): ...",
    "utils.plots": "from utils.plots._style import show\n__all__ = ['show']",
    "utils.plots._style": "from utils._shared.quiet import hush",
    "utils.repeats": "from ._repeat import repeat\n__all__ = ['repeat']",
    "utils.repeats._repeat": "from . import _seeding\n_seeding.draw()",
    "utils.repeats._seeding": "import utils._shared.quiet",
    "utils.meters": "",
    "utils.meters._drift": "from utils.repeats import repeat",
    "utils.comparisons": "import keras",
    "tools": "",
    "tools.execute": "",
    "tools.write": "",
    "tools.write.site": "from tools.execute import run\nfrom utils import plots\nplots.show()",
    "tools.verify": "",
    "tools.verify.colab": "from tools.write.site import run",
    "notebooks/00.ipynb": "from utils import plots\nfrom utils.repeats import repeat\nplots.show()",
}


def test_a_good_world_is_accepted():
    assert problems(GOOD) == []


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        (
            "notebooks/00.ipynb",
            "from utils.repeats._repeat import repeat",
            "the inside of utils.re",
        ),
        ("notebooks/00.ipynb", "from utils.repeats import _repeat", "the inside of utils.repeats"),
        ("notebooks/00.ipynb", "import utils._shared.quiet", "the inside of utils"),
        ("notebooks/00.ipynb", "from utils.claims import _strict", "the inside of utils.claims"),
        ("notebooks/00.ipynb", "from utils.repeats import Plan", "does not list it in __all__"),
        ("notebooks/00.ipynb", "from utils import plots\nplots.panels()", "utils.plots does not"),
        ("notebooks/00.ipynb", "import utils.plots as p\np._style.x", "the inside of utils.plots"),
        ("notebooks/00.ipynb", "def f():\n    import tools.execute", "notebooks may not import it"),
        ("utils.claims", "from tools.execute import run", "utils may not import it"),
        ("utils.plots._style", "import tests.small", "utils may not import it"),
        ("tools.execute", "from tests import small", "tools may not import it"),
        ("tools.execute", "from utils._shared.quiet import hush", "the inside of utils"),
        ("tools.execute", "from utils.repeats import Plan", "does not list it in __all__"),
        ("utils.meters._drift", "from utils.repeats._repeat import x", "inside of utils.repeats"),
        ("utils.meters._drift", "from ..repeats import _seeding", "the inside of utils.repeats"),
        ("utils.meters._drift", "from utils import plots", "utils.meters rests on"),
        ("utils.comparisons", "from utils.meters import drift", "utils.comparisons rests on"),
        ("utils.repeats._seeding", "from utils.plots import show", "utils.repeats rests on"),
        ("utils._shared.quiet", "import utils.claims", "utils._shared rests on nothing"),
        ("utils.repeats._seeding", "from utils.meters import x", "→ utils.meters →"),
        ("tools.write.site", "from tools.verify.colab import run", "→ tools.verify →"),
        ("tools.execute", "from tools.write.site import run", "tools.write"),
        ("utils.repeats._seeding", "from ._repeat import train", "→ utils.repeats._"),
    ],
)
def test_an_import_the_wrong_way_is_found(name, source, message):
    found = problems(GOOD | {name: source})
    assert any(message in problem for problem in found), found
