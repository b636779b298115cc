"""Makes slides of the lessons, from the cells and their stored outputs: one file each, no network.

What a cell does on the slides stands in its metadata, `slideshow`:

slide_type  `slide` starts a new one, `-` adds to the last, `fragment` adds at the next key press,
            `notes` is for the speaker only, `skip` is not shown
notes       what the speaker says and asks, in Markdown; every slide has some
show        of a code cell: `code`, `output`, `both`, or `apart`, which puts its output on the next
            slide; by default a figure is shown without its code, and anything else with it
sentences   of a Markdown cell: how many of each paragraph are shown; by default all

A heading starts a slide too. Paragraphs that begin in bold are always shown in full, as are lists,
formulas and tables. What is left out is in the speaker's notes.
"""

from __future__ import annotations

import re
import sys
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from bs4 import BeautifulSoup
from jinja2 import Template
from nbconvert.filters import Highlight2HTML
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter

from tools.execute import for_each_named
from tools.notebooks import BUILD, NotebookError, read_notebook, replace_file, taught_lessons
from tools.write.html import loaded_urls, render_markdown

SLIDES = BUILD / "slides"
TEMPLATE = Path(__file__).with_name("slides.html.j2")
REVEAL = files("pyreveal") / "revealjs" / "dist"  # reveal.js 6, MIT
WIDTH, HEIGHT, MARGIN = 1280, 720, 30
SMALLEST = 20  # pixels of 720: what the last row can read
HIGHLIGHT = Highlight2HTML(pygments_lexer="python")
SENTENCE = re.compile(r"\S.*?(?<!\bal)[.?!][*)”]*(?=\s+[A-Z`$]|\s*$)|\S.*$", re.S)
WHOLE = ("**", "- ", "|", "$$", "<")  # how blocks begin that are not shortened
DONE = re.compile(r".*: done")


class Slide(NamedTuple):
    heading: str
    body: list[str]  # HTML
    notes: list[str]


def slides_of(notebook: NotebookNode) -> list[Slide]:
    slides, heading = [], ""
    for cell in notebook.cells:
        plan = cell.metadata.get("slideshow", {"slide_type": "skip"})
        starts = plan["slide_type"] == "slide"
        for name, text in parts(cell):
            heading = name or heading
            if plan["slide_type"] == "skip":
                continue
            if starts or name:
                slides.append(Slide(heading, [], []))
            starts = False
            add(slides, cell, text, plan)
    return slides


def parts(cell: NotebookNode) -> list[tuple[str, str]]:
    """A Markdown cell cut where its headings begin: the heading, if there is one, and the text."""
    if cell.cell_type == "code":
        return [("", cell.source)]
    found = re.findall(r"(?ms)^(?:#+ +([^\n]+))?(.*?)(?=^#+ |\Z)", cell.source)
    return [(heading, text.strip()) for heading, text in found if heading or text.strip()]


def add(slides: list[Slide], cell: NotebookNode, text: str, plan: dict) -> None:
    """Put the cell on the last slide, or its output on one more."""
    notes = [render_markdown(plan["notes"])] if "notes" in plan else []
    slides[-1].notes.extend(notes)
    if cell.cell_type == "code":
        apart = plan.get("show") == "apart"
        slides[-1].body.append(code(cell, "code" if apart else plan.get("show")))
        if apart:
            slides.append(Slide(slides[-1].heading, [code(cell, "output")], notes))
        return
    shown = "" if plan["slide_type"] == "notes" else shortened(text, plan.get("sentences"))
    html = prose(shown)
    fragment = plan["slide_type"] == "fragment"
    slides[-1].body.append(f'<div class="fragment">{html}</div>' if fragment else html)
    if shown != text:
        slides[-1].notes.append(render_markdown(text))


def shortened(text: str, sentences: int | None) -> str:
    """So many sentences of each paragraph; lists, formulas, tables and bold beginnings in full."""
    blocks = re.split(r"\n{2,}", text)
    if sentences is None:
        return text
    short = [
        block if block.startswith(WHOLE) else " ".join(SENTENCE.findall(block)[:sentences])
        for block in blocks
    ]
    return "\n\n".join(short)


def prose(text: str) -> str:
    soup = BeautifulSoup(render_markdown(text), "html.parser")
    for link in soup.find_all("a", href=re.compile(r"^[^:]+$")):
        link.unwrap()  # there is no such page beside the slides
    for image in soup.find_all("img"):
        image.replace_with(image.get("alt", ""))
    for paragraph in soup.find_all("p", string=None):
        if "· you need:" in paragraph.text:
            paragraph.decompose()
    for folded in soup.find_all("details"):
        folded.summary.decompose()
        folded.name, folded["class"] = "div", "fragment answer"
    return str(soup)


def in_line(text: str) -> str:
    soup = BeautifulSoup(render_markdown(text), "html.parser")
    soup.p.unwrap()
    return str(soup)


def code(cell: NotebookNode, show: str | None) -> str:
    has_figure = any("image/png" in output.get("data", {}) for output in cell.outputs)
    show = show or ("output" if has_figure else "both")
    shown = [highlighted(cell.source)] if show != "output" else []
    if show != "code":
        shown += [output_html(output) for output in cell.outputs]
    return "\n".join(shown)


def highlighted(source: str) -> str:
    return f'<div style="font-size: {pixels(source, 24)}px">{HIGHLIGHT(source)}</div>'


def output_html(output: NotebookNode) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        alt = escape(output.metadata["image/png"]["alt"])
        return f'<img alt="{alt}" src="data:image/png;base64,{data["image/png"]}">'
    lines = output.get("text", data.get("text/plain", "")).splitlines()
    text = "\n".join(line for line in lines if not DONE.fullmatch(line)).strip("\n")
    if not text:
        return ""
    if all(line[:1] in "✓✗" for line in text.splitlines()):
        claims = "".join(f"<p>{escape(line)}</p>" for line in text.splitlines())
        return f'<div class="claims">{claims}</div>'
    return f'<pre class="output" style="font-size: {pixels(text, 24)}px">{escape(text)}</pre>'


def pixels(text: str, largest: int) -> int:
    """The size in which it fits, down to the smallest; a letter is at most 0.602 of it wide."""
    lines = text.splitlines()
    widest = (WIDTH - 2 * MARGIN - 8) / (0.602 * max(map(len, lines)))
    return max(SMALLEST, int(min(largest, widest, (HEIGHT - 130) / (1.22 * len(lines)))))


def to_slides(notebook: NotebookNode, path: Path) -> str:
    """The page with the slides of a notebook, in which everything is that they need."""
    slides = slides_of(notebook)
    if not slides:
        raise NotebookError("no cell starts a slide")
    page = Template(TEMPLATE.read_text(encoding="utf-8")).render(
        title=escape(title(notebook, path)),
        slides=[slide._replace(heading=in_line(slide.heading)) for slide in slides],
        styles=[asset("reset.css"), asset("reveal.css"), asset("theme/white.css")],
        scripts=[asset("reveal.js"), asset("plugin/notes.js")],
        width=WIDTH,
        height=HEIGHT,
        margin=MARGIN,
        highlighting=HtmlFormatter(style="default").get_style_defs(".highlight"),
    )
    if urls := loaded_urls(page):
        raise NotebookError(f"the slides would load {', '.join(urls)}")
    return page


def title(notebook: NotebookNode, path: Path) -> str:
    headings = re.findall(r"^# +(.+)$", "\n".join(cell.source for cell in notebook.cells), re.M)
    return headings[0] if headings else path.stem


def asset(name: str) -> str:
    """A file of reveal.js, fit to stand between the tags of a page."""
    text = (REVEAL / name).read_text(encoding="utf-8")
    return text.replace("</script", r"<\/script").replace("<!--", r"<\!--")


def write(path: Path, folder: Path = SLIDES) -> str:
    notebook = read_notebook(path)
    target = folder / f"{path.stem}.html"
    replace_file(target, to_slides(notebook, path).encode())
    return f"{len(slides_of(notebook)):3} slides  {target}"


if __name__ == "__main__":
    sys.exit(for_each_named(write, taught_lessons()))
