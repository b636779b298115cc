"""Every local link of the notebooks and Markdown files leads somewhere, its anchor too."""

import re
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.notebooks import ROOT, find_notebooks

IN_MARKDOWN = re.compile(r"\]\(\s*<?([^)\s>]+)|^\[.+?\]:\s*(\S+)", re.M)
IN_HTML = re.compile(r"""<(?:a|img)\s[^>]*?(?:href|src)=["']([^"']+)""")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.M)
NAMED = re.compile(r"""<\w+\s[^>]*?(?:id|name)=["']([^"']+)""")


def markdown_files() -> list[Path]:
    """Those of the course, not of its environments or pages."""
    folders = [path for path in ROOT.iterdir() if path.is_dir() and path.name != "build"]
    ours = [folder for folder in folders if not folder.name.startswith(".")]
    below = [path for folder in ours for path in folder.rglob("*.md")]
    return sorted([*ROOT.glob("*.md"), *below])


def prose(path: Path) -> str:
    """The Markdown of a file, without its fenced code."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return FENCE.sub("", text)


def anchors(path: Path) -> set[str]:
    """What a link may end with: headings as Jupyter or GitHub name them, and HTML names."""
    text = prose(path)
    found = []
    for heading in HEADING.findall(text):
        title = re.sub(r"\[(.*?)\]\(.*?\)|[`*]", r"\1", heading)
        if path.suffix == ".md":
            title = re.sub(r"[^\w\- ]", "", title.lower())
        found.append(title.replace(" ", "-"))
    repeated = {f"{name}-{n}" for name in found for n in range(1, found.count(name))}
    return {*found, *repeated, *NAMED.findall(text)}


def broken_links(path: Path) -> list[str]:
    text = prose(path)
    links = {a or b for a, b in IN_MARKDOWN.findall(text)} | set(IN_HTML.findall(text))
    local = sorted(link for link in links if not re.match(r"[a-z]+:", link))
    return [f"{path}: {problem}" for link in local if (problem := broken(link, path))]


def broken(link: str, source: Path) -> str | None:
    name, _, anchor = unquote(link).partition("#")
    target = (source.parent / name) if name else source
    if name.startswith("/") or not target.exists():
        return f"there is no {name}"
    if anchor and target.suffix in (".md", ".ipynb") and anchor not in anchors(target):
        return f"{name or 'it'} has no #{anchor}"
    return None


def test_local_links_resolve():
    paths = find_notebooks() + markdown_files()
    problems = [problem for path in paths for problem in broken_links(path)]
    assert not problems, "\n" + "\n".join(problems)


@pytest.fixture
def pages(tmp_path):
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# The lesson\n\n## Is it `luck`?", id="title"),
            new_code_cell("# The code", id="code"),
        ]
    )
    nbformat.write(notebook, tmp_path / "00.ipynb")
    (tmp_path / "with space.png").touch()
    (tmp_path / "GUIDE.md").write_text(
        "# A guide, for you\n\n## Twice\n\n## Twice\n\n```\n# Not a heading\n[x](none.md)\n```\n"
        '<a id="here"></a>\n',
        encoding="utf-8",
    )
    return tmp_path


@pytest.mark.parametrize(
    "link",
    [
        "[a](00.ipynb)",
        "[a](00.ipynb#The-lesson)",
        "[a](00.ipynb#Is-it-luck?)",
        "[a](GUIDE.md#a-guide-for-you)",
        "[a](GUIDE.md#twice-1)",
        "[a](GUIDE.md#here)",
        "![picture](with%20space.png)",
        "[a](https://example.org/none)",
        "[a](#Own-heading)",
        "```\n[a](none.md)\n```",
    ],
)
def test_good_links_are_accepted(pages, link):
    page = new_notebook(cells=[new_markdown_cell(f"# Own heading\n\n{link}", id="title")])
    nbformat.write(page, pages / "page.ipynb")
    assert broken_links(pages / "page.ipynb") == []


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("[a](none.md)", "there is no none.md"),
        ("[![a](none.png)](GUIDE.md)", "there is no none.png"),
        ("[![a](with%20space.png)](none.md)", "there is no none.md"),
        ('<img src="none.png" alt="">', "there is no none.png"),
        ("see [a]\n\n[a]: none.md", "there is no none.md"),
        ("[a](/GUIDE.md)", "there is no /GUIDE.md"),
        ("[a](GUIDE.md#A-guide-for-you)", "GUIDE.md has no #A-guide-for-you"),
        ("[a](GUIDE.md#not-a-heading)", "GUIDE.md has no #not-a-heading"),
        ("[a](00.ipynb#the-lesson)", "00.ipynb has no #the-lesson"),
        ("[a](00.ipynb#The-code)", "00.ipynb has no #The-code"),
        ("[a](#nowhere)", "it has no #nowhere"),
    ],
)
def test_bad_links_are_rejected(pages, link, message):
    (pages / "page.md").write_text(link, encoding="utf-8")
    assert broken_links(pages / "page.md") == [f"{pages / 'page.md'}: {message}"]
