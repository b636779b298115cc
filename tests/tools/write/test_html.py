"""The pages of `make run` load nothing and lose nothing."""

import base64
import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools.notebooks import FOLDED, NotebookError
from tools.write import pages
from tools.write.pages import formula, loaded_urls, to_page

ALT = "Two curves that part & never meet"
BADGE = "[![Open in Colab](https://example.org/badge.svg)](https://example.org/colab)"


def page_of(*cells, folder):
    return to_page(new_notebook(cells=list(cells)), folder / "00_lesson.ipynb")


def prose(text):
    return new_markdown_cell(text, id="prose")


def soup_of(*cells, folder):
    return BeautifulSoup(page_of(*cells, folder=folder), "html.parser")


def test_a_page_loads_nothing(tmp_path):
    page = page_of(prose(f"# Lesson\n\n{BADGE}\n\n$$\\sqrt{{x}}$$"), folder=tmp_path)
    assert loaded_urls(page) == []
    assert "<script" not in page
    assert "Open in Colab" in page
    assert "<title>Lesson</title>" in page


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://example.org/a.js"></script>',
        '<link rel="stylesheet" href="a.css">',
        '<iframe src="//example.org"></iframe>',
        "<style>a { background: url('https://example.org/a.png') }</style>",
        "<style>@import 'a.css';</style>",
    ],
)
def test_a_page_that_would_load_something_is_refused(tmp_path, html):
    with pytest.raises(NotebookError, match="the page would load"):
        page_of(prose(html), folder=tmp_path)


def test_figures_keep_their_descriptions(tmp_path):
    data = {"image/png": "iVBORw0=", "text/plain": ALT}
    output = new_output("display_data", data, metadata={"image/png": {"alt": ALT}})
    soup = soup_of(new_code_cell("show()", id="show", outputs=[output]), folder=tmp_path)
    assert [image["alt"] for image in soup.find_all("img")] == [ALT]
    assert soup.img["src"] == "data:image/png;base64,iVBORw0="


def test_images_beside_the_notebook_are_put_into_the_page(tmp_path):
    (tmp_path / "a.png").write_bytes(b"picture")
    soup = soup_of(prose("![A picture](a.png)"), folder=tmp_path)
    assert soup.img["src"] == f"data:image/png;base64,{base64.b64encode(b'picture').decode()}"
    with pytest.raises(NotebookError, match=r"there is no image .*none\.png"):
        page_of(prose("![A picture](none.png)"), folder=tmp_path)


def test_links_between_notebooks_become_links_between_pages(tmp_path):
    text = "[a](01.ipynb) [b](deeper/00.ipynb#Top) [c](https://example.org/x.ipynb) [d](README.md)"
    soup = soup_of(prose(text), folder=tmp_path)
    assert [link["href"] for link in soup.find_all("a")] == [
        "01.html", "deeper/00.html#Top", "https://example.org/x.ipynb", "README.md",
    ]  # fmt: skip


def test_folded_answers_stay_folded(tmp_path):
    text = "<details><summary>Answer</summary>\n\nIt *grows*.\n\n</details>"
    soup = soup_of(prose(text), folder=tmp_path)
    assert soup.details.em.text == "grows"


def test_folded_code_stays_folded_and_its_figure_does_not(tmp_path):
    output = new_output("display_data", {"image/png": "iVBORw0="}, metadata={"image/png": {}})
    cells = [
        new_code_cell("draw_it()", id="draw", metadata=FOLDED, outputs=[output]),
        new_code_cell("train_it()", id="train"),
    ]
    soup = soup_of(*cells, folder=tmp_path)
    [folded] = soup.find_all("details")
    assert "draw_it" in folded.text
    assert "train_it" not in folded.text
    assert "train_it" in soup.text
    assert not folded.find("img")
    assert soup.find("img")


def test_formulas_need_no_script(tmp_path):
    soup = soup_of(prose("Inline $\\lambda$, `$code$` and\n\n$$\\frac{a}{b}$$"), folder=tmp_path)
    assert [math["display"] for math in soup.find_all("math")] == ["inline", "block"]
    assert soup.find("mi").text == "λ"
    assert soup.mfrac.text == "ab"
    assert "$code$" in soup.text


@pytest.mark.parametrize(
    "latex", [r"\nosuch{x}", r"\left( a", r"\begin{aligned} a &= b \end{aligned}"]
)
def test_formulas_that_cannot_be_shown_are_refused(latex):
    with pytest.raises(NotebookError, match="formula"):
        formula(latex)


def test_a_notebook_is_executed_for_its_page_and_left_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "BUILD", tmp_path / "build")
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    path = tmp_path / "00.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("print(6 * 7)", id="a")]), path)
    before = path.read_bytes()
    assert re.fullmatch(r" +\d+\.\d s +\d+ MB  build/00.html", pages.run(path))
    assert "42" in (tmp_path / "build" / "00.html").read_text(encoding="utf-8")
    assert path.read_bytes() == before
