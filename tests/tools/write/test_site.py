"""The site holds the course, loads nothing from the web, and folds what is to be found out."""

import re

import pytest
from bs4 import BeautifulSoup
from nbformat import reads
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools.notebooks import (
    FOLDED,
    LANGUAGE_INFO,
    NOTEBOOKS,
    find_notebooks,
    notebook_bytes,
    read_notebook,
    replace_file,
)
from tools.write import site
from tools.write.exercises import EXERCISES, SOLUTIONS
from tools.write.html import loaded_urls
from tools.write.publish import BADGES, Course, badges
from tools.write.site import code_metadata, glossary, linked_files, relinked, with_solutions

NOWHERE, HERE = Course("", ""), Course("owner/name", "v1.0")


@pytest.fixture(scope="module")
def sources():
    return site.sources(NOWHERE)


def cells(sources, path):
    return reads(sources[site.relative(path)].decode(), as_version=4).cells


def test_every_notebook_is_in_the_order_of_the_site(sources):
    order = re.findall(
        r"^(notebooks/.*)$", sources["index.md"].decode().partition("toctree")[2], re.M
    )
    shown = [path for path in find_notebooks() if path.parent != SOLUTIONS]
    assert order == [site.relative(path).removesuffix(".ipynb") for path in shown]
    assert {f"{name}.ipynb" for name in order} <= set(sources)
    others = {
        "TEACHING.md",
        "CHANGELOG.md",
        "docs/cluster.md",
        "docs/glossary.md",
        "helpers/index.md",
    }
    assert others <= set(sources)


@pytest.mark.parametrize("path", sorted(SOLUTIONS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_solutions_are_folded_below_their_exercises(sources, path):
    folded, inside, outside = False, [], []
    for cell in cells(sources, EXERCISES / path.name):
        if cell.cell_type == "markdown" and '<details class="solution">' in cell.source:
            folded = True
        (inside if folded else outside).append(cell.id.removesuffix("-solved"))
        if cell.source.endswith("</details>") and cell.id.endswith("-end"):
            folded = False
    assert not folded
    stubs = [cell.id for cell in read_notebook(EXERCISES / path.name).cells if cell.id != "setup"]
    assert outside == stubs
    solved = [c.id for c in read_notebook(path).cells if "solution" in c.metadata.get("tags", [])]
    assert set(solved) - set(inside) == {"is-solution"}


def test_the_check_is_shown_with_what_it_says_of_each(sources):
    texts = {
        cell.id: cell.outputs[0].text
        for cell in cells(sources, EXERCISES / "00_overfitting.ipynb")
        if cell.id.startswith("leak-check")
    }
    assert texts["leak-check"].startswith("☐")
    assert texts["leak-check-solved"].startswith("☑")


def test_a_section_without_solution_stays_as_it_is():
    plain = [new_markdown_cell("# T", id="title"), new_code_cell("x", id="x")]
    assert [cell.id for cell in with_solutions(plain, plain)] == ["title", "x"]


def test_figures_keep_their_descriptions_and_folded_code_its_title(sources):
    for path in find_notebooks():
        if path.parent == SOLUTIONS:
            continue
        for cell in cells(sources, path):
            pictures = [o for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
            assert all(cell.metadata.mystnb.image.alt for _ in pictures), (path, cell.id)
            assert cell.id != "setup"
            assert not cell.source.startswith("# @title")
    folded = new_code_cell("# @title Both\ndraw()", id="draw", metadata=FOLDED)
    told = code_metadata(folded)
    assert "hide-input" in told["tags"]
    assert "hide-input" not in code_metadata(new_code_cell("x", id="x"))["tags"]
    assert told["mystnb"]["code_prompt_show"] == "Code: Both"


@pytest.mark.parametrize(
    ("text", "wraps"), [("✓ It holds\n☐ x: not yet\n", True), ("        mean\n✓  1.0\n", False)]
)
def test_sentences_wrap_and_tables_do_not(text, wraps):
    printed = new_code_cell("x", id="x", outputs=[new_output("stream", text=text)])
    assert ("sentences" in code_metadata(printed)["tags"]) == wraps


@pytest.mark.parametrize("course", [NOWHERE, HERE])
def test_where_to_run_a_lesson_is_said_without_a_picture_from_the_web(course, tmp_path):
    path = NOTEBOOKS / "00_overfitting.ipynb"
    title = site.notebook_page(path, course).cells[0].source
    assert not re.search(BADGES, title)
    assert ("colab.research.google.com/github/owner/name/blob/v1.0/" in title) == bool(course.url)
    assert "![" not in title
    assert relinked(badges(HERE, "a.ipynb", "Colab")).startswith("[Open in Colab](https://colab")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](../solutions/00_x.ipynb)", "[a](../exercises/00_x.ipynb)"),
        ("[a](notebooks/solutions)", "[a](notebooks/exercises/00_overfitting.ipynb)"),
        ("[a](../README.md#x) [b](data/README.md)", "[a](../index.md#x) [b](data/README.md)"),
        ("[a](01.ipynb#Is-it-luck?) [b](#2.-L%C2%B2)", "[a](01.ipynb#is-it-luck) [b](#2-l²)"),
        ("[a](https://a.org/#Top)", "[a](https://a.org/#Top)"),
    ],
)
def test_links_lead_to_what_the_site_has(text, expected):
    assert relinked(text) == expected


def test_files_that_are_linked_come_along():
    found = linked_files(
        {"README.md": "![a](docs/results.png) [b](LICENSE) [c](https://a.org/x.png)"}
    )
    assert set(found) == {"docs/results.png", "LICENSE"}


def entries():
    text = (site.ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    return [names.split(", ") for names in re.findall(r"^- \*\*(.+?)\*\*: ", text, re.M)]


def test_the_glossary_is_in_order_and_names_each_term_once():
    firsts = [names[0].strip("`").lower() for names in entries()]
    assert firsts == sorted(firsts)
    every = [name.strip("`").lower() for names in entries() for name in names]
    assert len(every) == len(set(every))


def test_a_term_with_its_other_names_becomes_one_of_sphinx():
    made = glossary("# G\n\n- **a b, ab**: What *it* is.\n- **c**: More.\n")
    assert made == "# G\n\n```{glossary}\n\na b\nab\n  What *it* is.\n\nc\n  More.\n\n```\n"


DOT = (  # a picture of one pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
LESSON = """# Lesson

Drift and drift, $\\lambda$.

<details><summary>Guess</summary>

It *grows*.

</details>
"""


def write(folder, *more):
    """A site of one lesson and a glossary, ready to be made."""
    dot = new_output("display_data", {"image/png": DOT}, metadata={"image/png": {"alt": "Curves"}})
    drawing = new_code_cell("draw_it()", id="draw", outputs=[dot], metadata=FOLDED)
    drawing.metadata = code_metadata(drawing) | {"id": "draw"}
    cells = [new_markdown_cell(LESSON, id="title"), drawing, *more]
    page = new_notebook(cells=cells, metadata={"language_info": LANGUAGE_INFO})
    order = site.toctree("All", ["notebooks/00", "docs/glossary"])
    replace_file(folder / "notebooks" / "00.ipynb", notebook_bytes(page))
    replace_file(folder / "docs" / "glossary.md", glossary("# G\n\n- **drift**: How.\n").encode())
    replace_file(folder / "index.md", f"# Course\n{order}".encode())


def test_a_page_is_made_as_it_should_be(tmp_path):
    write(tmp_path / "in")
    assert site.build(tmp_path / "in", tmp_path / "out") == 0
    page = (tmp_path / "out" / "notebooks" / "00.html").read_text(encoding="utf-8")
    assert [url for url in loaded_urls(page) if re.match(r"(https?:)?//", url)] == []
    soup = BeautifulSoup(page, "html.parser")
    assert [term["href"] for term in soup.select("a.reference:has(.term)")] == [
        "../docs/glossary.html#term-drift"
    ]
    assert soup.find("math")["display"] == "inline"
    [image] = soup.find(id="furo-main-content").find_all("img")
    assert (image["alt"], image["loading"]) == ("Curves", "lazy")
    folded = soup.select("[role=main] details")
    assert [bool(part.find("em")) for part in folded] == [True, False]
    assert "draw_it" in folded[1].text
    assert not folded[1].find("img")
    assert soup.find(id="draw")
    assert soup.find(id="searchbox")


def test_a_link_that_leads_nowhere_is_an_error(tmp_path, capfd):
    write(tmp_path / "in", new_markdown_cell("[x](none.ipynb)", id="end"))
    assert site.build(tmp_path / "in", tmp_path / "out") == 1
    assert "none.ipynb" in capfd.readouterr().err
