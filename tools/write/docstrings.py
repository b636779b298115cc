"""Makes a page of each public helper of `utils` from its docstring; reads sources, imports none."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from tools.notebooks import ROOT, read_notebook

UTILS = ROOT / "utils"
ARGUMENT = re.compile(r"([a-z_][\w, ]*?)(?: {2,}|: )(\S.*)")
INDEX = """# Helpers

What the notebooks import, and what you can take along: copy the folder `utils` beside your own.
"""


def helper_pages(notebooks: list[Path]) -> dict[str, str]:
    """The pages by their place in the site: one of all packages, of each package, each helper."""
    words = {path: words_of_code(path) for path in notebooks}
    pages, entries = {}, {}
    for package, path in sorted(packages().items()):
        doc, helpers = tree_of(path), {}
        for name, node in public(path).items():
            if hasattr(node, "name"):
                pages[f"helpers/{package}/{name}.md"] = helper_page(package, name, node, words)
                helpers[f"{name}.md"] = summary(node)
            else:
                helpers[f"`{name}`"] = f"`{ast.unparse(node)}`"
        title = f"# `utils.{package}`\n\n{markdown(doc)}"
        pages[f"helpers/{package}/index.md"] = title + listed(helpers)
        entries[f"{package}/index.md"] = summary(doc)
    return pages | {"helpers/index.md": INDEX + listed(entries)}


def words_of_code(notebook: Path) -> set[str]:
    cells = [cell for cell in read_notebook(notebook).cells if cell.cell_type == "code"]
    return set(re.findall(r"\w+", " ".join(cell.source for cell in cells)))


def listed(entries: dict[str, str]) -> str:
    """Pages, or names, with a line on each; the pages are next in the site's order."""
    pages = [name.removesuffix(".md") for name in entries if name.endswith(".md")]
    lines = [
        f"{f'[](./{n})' if n.endswith('.md') else n}\n: {text}\n" for n, text in entries.items()
    ]
    return "\n".join(["\n", *lines, "```{toctree}", ":hidden:", "", *pages, "```"])


def packages() -> dict[str, Path]:
    """The public packages and modules of `utils`, with the file that says what is public."""
    modules = {path.stem: path for path in UTILS.glob("[!_]*.py")}
    return modules | {path.parent.name: path for path in UTILS.glob("[!_]*/__init__.py")}


def public(path: Path) -> dict[str, ast.AST]:
    """The names in `__all__`, each with its definition, wherever the package has it from."""
    names = ast.literal_eval(definition("__all__", path))
    return {name: definition(name, path) for name in sorted(names, key=str.lower)}


def definition(name: str, path: Path) -> ast.AST:
    """The function, the class or the value that a module, or one that it imports from, names so."""
    for node in tree_of(path).body:
        if getattr(node, "name", None) == name:
            return node
        if isinstance(node, ast.Assign):
            pairs = [(node.targets[0], node.value)]
            if isinstance(node.targets[0], ast.Tuple):
                pairs = zip(node.targets[0].elts, node.value.elts, strict=True)
            if found := [value for target, value in pairs if ast.unparse(target) == name]:
                return found[0]
        if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names]:
            module = ROOT / node.module.replace(".", "/")
            file = module / "__init__.py" if module.is_dir() else module.with_suffix(".py")
            return definition(name, file)
    raise KeyError(f"{path} has no {name}")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def helper_page(package: str, name: str, node: ast.stmt, words: dict[Path, set[str]]) -> str:
    """Signature, docstring, methods, and the notebooks in which it is at work."""
    parts = [f"# `{name}`", f"`from utils.{package} import {name}`"]
    parts += [signature(node), markdown(node)]
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name[0] != "_" and summary(method):
            parts += [f"## `{method.name}`", signature(method), markdown(method)]
    used = [path.relative_to(ROOT).as_posix() for path in words if name in words[path]]
    parts += ["**At work in**"] * bool(used) + [f"- [](/{path})" for path in used]
    return "\n\n".join(parts)


def signature(node: ast.stmt) -> str:
    """The line that defines it, without the body; of a class also the fields."""
    fields = [part for part in node.body if isinstance(part, ast.AnnAssign)]
    decorators = [d for d in node.decorator_list if ast.unparse(d) == "property"]
    bare = {**vars(node), "decorator_list": decorators, "body": fields or [ast.Pass()]}
    text = ast.unparse(type(node)(**bare)).removesuffix("\n    pass").removesuffix(":")
    return f"```{{code-block}} python\n:class: signature\n\n{text}\n```"


def summary(node: ast.AST) -> str:
    return (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")


def markdown(node: ast.AST) -> str:
    """A docstring as Markdown: lines such as `name   what it is` become a list of definitions."""
    lines, listed = [], False
    for line in (ast.get_docstring(node) or "").splitlines():
        after_text = bool(lines and lines[-1].strip()) and not listed
        if not after_text and (argument := ARGUMENT.fullmatch(line)):
            lines += ["", f"`{argument[1]}`", f": {argument[2]}"]
            listed = True
        elif listed and line.startswith(" "):
            lines.append(f"  {line.strip()}")
        else:
            lines += [""] * listed + [line]
            listed = False
    return "\n".join(lines)
