"""Makes a handout of each notebook from its stored outputs: one file, for screen and paper.

Nothing is executed. Solutions and the quiz's answers lie apart, in build/handouts/solutions/.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bs4 import BeautifulSoup
from nbformat import NotebookNode

from tools.execute import for_each_named
from tools.notebooks import BUILD, NOTEBOOKS, find_notebooks, read_notebook, replace_file
from tools.write.pages import to_page
from tools.write.quiz import ANSWERS

HANDOUTS = BUILD / "handouts"
# Paper shows neither links nor prompts, and has no room beside a figure that starts too low.
STYLE = """
main { max-width: 50rem; margin: auto }
.jp-InputPrompt, .jp-OutputPrompt, .anchor-link { display: none }
@page { size: A4; margin: 16mm }
@media print {
  body, main, .jp-Cell, .jp-Cell > div { padding: 0 !important; margin: 0; max-width: none }
  .jp-Cell { padding-bottom: 2mm !important }
  h1, h2, h3 { break-after: avoid }
  h2, img, pre, table, li, blockquote, math[display=block] { break-inside: avoid }
  p { orphans: 3; widows: 3 }
  pre { font-size: 7.8pt !important; white-space: pre-wrap }
  td code { white-space: normal !important }
  .jp-OutputArea-output { padding: 0 !important; overflow: visible }
  .jp-OutputArea-output img { max-width: 100%; margin: 0 }
  a[href^="http"]::after { content: " (" attr(href) ")"; font-size: 8pt; overflow-wrap: anywhere }
}
"""


def place(path: Path, folder: Path) -> Path:
    """Where the handout of the notebook at `path` goes; links between them hold."""
    if path == ANSWERS:
        return folder / "solutions" / "quiz_answers.html"
    return (folder / path.relative_to(NOTEBOOKS)).with_suffix(".html")


def to_handout(notebook: NotebookNode, path: Path) -> str:
    """The page of a notebook, without the setup cell, ready to be printed."""
    cells = [cell for cell in notebook.cells if cell.id != "setup"]
    page = to_page(NotebookNode(notebook, cells=cells), path)
    soup = BeautifulSoup(page, "html.parser")
    style = soup.new_tag("style")
    style.string = STYLE
    soup.head.append(style)
    for folded in soup.find_all("details"):
        if folded.find("table"):  # an answer to guess stays folded, which on paper is left out
            folded["open"] = ""
    return str(soup)


def write(path: Path, folder: Path = HANDOUTS) -> str:
    target = place(path, folder)
    replace_file(target, to_handout(read_notebook(path), path).encode())
    return f"{target.stat().st_size / 1e3:6.0f} kB  {target}"


if __name__ == "__main__":
    sys.exit(for_each_named(write, find_notebooks()))
