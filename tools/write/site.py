"""Makes the site from stored notebooks, Markdown files and the docstrings of `utils`; runs nothing.

What Sphinx reads is assembled in build/site-source, in the shape of the course, so that links hold;
docs/site says how it looks. On an exercise's page its solution is folded below it.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from itertools import groupby
from pathlib import Path
from urllib.parse import unquote

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from sphinx.cmd.build import main as sphinx

from tools.notebooks import (
    BUILD,
    NOTEBOOKS,
    ROOT,
    find_notebooks,
    is_folded,
    notebook_bytes,
    read_notebook,
    replace_file,
)
from tools.write.docstrings import helper_pages
from tools.write.exercises import EXERCISES, SOLUTIONS
from tools.write.publish import BADGES, Course, link, read_course, relative

SITE, SOURCE, LOOKS = BUILD / "site", BUILD / "site-source", ROOT / "docs" / "site"
LINK = re.compile(r"\]\(<?([^)\s>#]+)")
TITLED = re.compile(r"# @title (.*)\n+")
LOOK_UP = ["TEACHING", "docs/glossary", "helpers/index"]


def notebook_page(path: Path, course: Course) -> NotebookNode:
    """The notebook as the site shows it: no setup, figures described, and cells to link to."""
    page = read_notebook(path)
    if path.parent == EXERCISES:
        page.cells = with_solutions(page.cells, read_notebook(SOLUTIONS / path.name).cells)
    page.cells = [cell for cell in page.cells if cell.id != "setup"]
    for cell in page.cells:
        if cell.cell_type == "code":
            cell.metadata = NotebookNode(code_metadata(cell), id=cell.id)
            cell.source = TITLED.sub("", cell.source, count=1)
        else:
            text = relinked(re.sub(BADGES, run_links(course, path), cell.source))
            cell.source = f'<a id="{cell.id}"></a>\n\n{text}'
    return page


def with_solutions(exercise: list[NotebookNode], solution: list[NotebookNode]) -> list:
    """The cells of an exercise, and below each of its sections what solves it, folded."""
    stubs, page = {cell.id: cell for cell in exercise}, []
    for section in sections(solution):
        page += [stubs[cell.id] for cell in section if cell.id in stubs]
        # From the first cell that the exercise lacks on; its check has another output here.
        solved = [n for n, cell in enumerate(section) if cell.id not in stubs]
        if solved and section[0].id != "title":
            name = section[0].id
            opening = f'<details class="solution"><summary>Solution of {name}</summary>'
            page.append(new_markdown_cell(opening, id=f"{name}-solved"))
            page += [NotebookNode(cell, id=f"{cell.id}-solved") for cell in section[solved[0] :]]
            page.append(new_markdown_cell("</details>", id=f"{name}-end"))
    return page


def sections(cells: list[NotebookNode]) -> list[list[NotebookNode]]:
    """The cells, cut before each that begins with a heading."""
    headed = [cell.cell_type == "markdown" and cell.source.startswith("#") for cell in cells]
    starts = [n for n, begins in enumerate(headed) if begins or n == 0]
    return [cells[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]


def code_metadata(cell: NotebookNode) -> dict:
    """What MyST-NB is told: whether the code is folded, and how the figure is described."""
    shown = {}
    for output in cell.outputs:
        if "image/png" in output.get("data", {}):
            shown["image"] = {"alt": output.metadata["image/png"]["alt"]}
    if titled := TITLED.match(cell.source):
        shown |= dict.fromkeys(["code_prompt_show", "code_prompt_hide"], f"Code: {titled[1]}")
    lines = [line for output in cell.outputs for line in output.get("text", "").splitlines()]
    sentences = all(line[:1] in "✓✗☐☑" for line in lines)  # which wrap, as no table may
    tags = ["hide-input"] * is_folded(cell) + ["sentences"] * sentences
    return {"tags": tags, "mystnb": shown}


def run_links(course: Course, path: Path) -> str:
    """Where a reader runs the page: in the browser, once the course is published."""
    if not course.url:
        return "run it: `make lab`"
    places = ("Colab", "Kaggle", "Binder")
    links = [f"[on {at}]({link(course, at, relative(path))})" for at in places]
    return f"run it {' or '.join(links)}"


def relinked(text: str) -> str:
    """Markdown whose links lead to what the site has."""
    text = re.sub(r"\]\((\S*)solutions/", r"](\1exercises/", text)
    first = sorted(path.name for path in EXERCISES.glob("*.ipynb"))[0]
    text = re.sub(r"\]\(notebooks/(exercises|solutions)\)", f"](notebooks/exercises/{first})", text)
    text = re.sub(r"\]\(((?:\.\./)*)README\.md", r"](\1index.md", text)
    text = re.sub(r"\[!\[([^]]*)\]\(https?:[^)]*\)\]", r"[\1]", text)  # no picture from the web
    return re.sub(r"(\]\((?!\w+:)[^)\s#]*#)([^)\s]+)", lambda m: m[1] + anchor(m[2]), text)


def anchor(heading: str) -> str:
    """An anchor of Jupyter, such as `Is-it-luck?`, as the site has it."""
    return re.sub(r"[^\w-]", "", unquote(heading).lower())


def sources(course: Course) -> dict[str, bytes]:
    """All that Sphinx reads, by its place in the site."""
    notebooks = [path for path in find_notebooks() if path.parent != SOLUTIONS]
    folders = [ROOT, ROOT / "docs", ROOT / "data", ROOT / "deploy"]
    texts = {
        relative(path): relinked(path.read_text(encoding="utf-8"))
        for folder in folders
        for path in sorted(folder.glob("*.md"))
    }
    pages = {relative(path): notebook_page(path, course) for path in notebooks}
    prose = {name: prose_of(page) for name, page in pages.items()}
    files = linked_files(texts | prose)
    texts["docs/glossary.md"] = glossary(texts["docs/glossary.md"])
    texts |= helper_pages(notebooks)
    texts["index.md"] = texts.pop("README.md") + contents(notebooks, list(texts))
    files |= {name: text.encode() for name, text in texts.items()}
    return files | {name: notebook_bytes(page) for name, page in pages.items()}


def prose_of(page: NotebookNode) -> str:
    return "\n".join(cell.source for cell in page.cells if cell.cell_type == "markdown")


def linked_files(texts: dict[str, str]) -> dict[str, bytes]:
    """The files, other than pages, that the pages link to or show."""
    found = {
        (ROOT / name).parent / link for name, text in texts.items() for link in LINK.findall(text)
    }
    files = [path.resolve() for path in found if path.suffix not in (".md", ".ipynb")]
    return {relative(path): path.read_bytes() for path in files if path.is_file()}


def glossary(text: str) -> str:
    """The list of terms as one of Sphinx's, whose terms can be linked."""
    start = text.index("\n- **")
    terms = re.sub(r"- \*\*(.+?)\*\*: (.+)", lambda m: term(*m.groups()), text[start:])
    return f"{text[:start]}\n```{{glossary}}\n{terms}```\n"


def term(names: str, meaning: str) -> str:
    return "\n".join([*names.split(", "), f"  {meaning}\n"])


def contents(notebooks: list[Path], texts: list[str]) -> str:
    """The site's order: the lessons, each folder of more, what to look up, and the rest."""
    parts = {
        "Lessons" if folder == NOTEBOOKS else folder.name.capitalize(): list(map(relative, paths))
        for folder, paths in groupby(notebooks, key=lambda path: path.parent)
    }
    parts["Teach, look up"] = LOOK_UP
    parts["About"] = [t for t in texts if t[:-3] not in LOOK_UP and not t.startswith("helpers/")]
    return "".join(toctree(caption, names) for caption, names in parts.items())


def toctree(caption: str, names: list[str]) -> str:
    """Pages that follow each other in the site's order, under a caption in its sidebar."""
    lines = [re.sub(r"\.(md|ipynb)$", "", name) for name in names]
    return "\n".join(["\n\n```{toctree}", f":caption: {caption}", ":hidden:", "", *lines, "```"])


def build(source: Path, target: Path, builder: str = "html") -> int:
    """Make the site of what is assembled, anew; a warning of Sphinx is an error."""
    shutil.rmtree(target, ignore_errors=True)
    options = ["-b", builder, "-c", str(LOOKS), "-d", f"{source}-read", "-E", "-W", "-q"]
    return sphinx([*options, "--keep-going", str(source), str(target)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", action="store_true", help="only try every link to the web")
    builder = "linkcheck" if parser.parse_args().links else "html"
    shutil.rmtree(SOURCE, ignore_errors=True)
    for name, data in sources(read_course()).items():
        replace_file(SOURCE / name, data)
    status = build(SOURCE, BUILD / "links" if builder == "linkcheck" else SITE, builder)
    print("The site is not as it should be: see above." if status else f"done: {SITE}/index.html")
    return status


if __name__ == "__main__":
    sys.exit(main())
