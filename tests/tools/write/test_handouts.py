"""Handouts need nothing beside them, and keep what is to be found out away from those who look."""

import re

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.notebooks import NOTEBOOKS, find_notebooks
from tools.write import handouts
from tools.write.handouts import place, to_handout
from tools.write.pages import loaded_urls
from tools.write.quiz import ANSWERS, QUIZ

TABLE = "| a | b |\n|---|---|\n| 1 | 2 |"


@pytest.fixture
def soup(tmp_path):
    cells = [
        new_markdown_cell("# 00 · A lesson\n\n[next](01.ipynb)", id="title"),
        new_code_cell("import utils  # not of interest on paper", id="setup"),
        new_markdown_cell("<details><summary>Guess</summary>It falls.</details>", id="guess"),
        new_markdown_cell(
            f"<details><summary>Words</summary>\n\n{TABLE}\n\n</details>", id="words"
        ),
    ]
    page = to_handout(new_notebook(cells=cells), tmp_path / "00.ipynb")
    assert loaded_urls(page) == []
    return BeautifulSoup(page, "html.parser")


def test_the_setup_cell_is_left_out(soup):
    assert "A lesson" in soup.text
    assert "import utils" not in soup.text


def test_answers_stay_folded_and_tables_are_shown(soup):
    assert [folded.has_attr("open") for folded in soup.find_all("details")] == [False, True]


def test_paper_has_rules_of_its_own(soup):
    rules = soup.find_all("style")[-1].text
    assert "@media print" in rules
    assert re.search(r"img, pre,.* break-inside: avoid", rules)


def test_every_solution_lies_apart():
    apart = [path for path in find_notebooks() if path.parent.name == "solutions"] + [ANSWERS]
    for path in find_notebooks():
        folder = place(path, handouts.HANDOUTS).relative_to(handouts.HANDOUTS).parent
        assert (folder.name == "solutions") == (path in apart), path


def links(page):
    found = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").find_all("a", href=True)
    return [link["href"].partition("#")[0] for link in found if ":" not in link["href"]]


@pytest.mark.parametrize("path", [NOTEBOOKS / "03_large_weights_l1_l2.ipynb", ANSWERS, QUIZ])
def test_a_handout_is_written_and_its_links_lead_to_handouts(tmp_path, path):
    handouts.write(path, tmp_path)
    page = place(path, tmp_path)
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == [page]
    expected = {place(notebook, tmp_path).resolve() for notebook in find_notebooks()}
    for link in filter(None, links(page)):
        assert (page.parent / link).resolve() in expected, link
