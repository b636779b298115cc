"""Slides can be read from the last row, need nothing but their file, and give the speaker notes."""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests import browser
from tools.notebooks import NOTEBOOKS, NotebookError, taught_lessons
from tools.write import slides
from tools.write.html import loaded_urls
from tools.write.slides import HEIGHT, SMALLEST, WIDTH, pixels, shortened, slides_of, to_slides

LESSONS = taught_lessons()
FEWEST_SLIDES, NOTE_LENGTH = 12, 30
# What the browser found to fit: the static checks hold lessons to it where there is no browser.
MOST_WORDS, MOST_CODE_LINES, SMALLEST_FIGURE = 125, 26, 300
needs_browser = pytest.mark.skipif(
    not browser.BROWSER, reason="no Chromium or Chrome: nobody looks whether slides overflow"
)


def read(path):
    return nbformat.read(path, as_version=4)


def text_of(html):
    return BeautifulSoup(html, "html.parser").get_text(" ")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_cell_of_a_lesson_has_a_place_on_the_slides(path):
    missing = [cell.id for cell in read(path).cells if "slideshow" not in cell.metadata]
    assert not missing, "give these cells a slide type, and notes if they start a slide"


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_slide_of_a_lesson_has_notes(path):
    made = slides_of(read(path))
    assert len(made) >= FEWEST_SLIDES
    silent = [s.heading for s in made if len(text_of("".join(s.notes)).strip()) < NOTE_LENGTH]
    assert not silent


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_no_slide_of_a_lesson_holds_more_than_fits(path):
    for slide in slides_of(read(path)):
        soup = BeautifulSoup("\n".join(slide.body), "html.parser")
        assert len(soup.find_all("img")) <= 1, slide.heading
        assert all(len(image["alt"]) >= 40 for image in soup.find_all("img")), slide.heading
        listings = [listing.extract().get_text() for listing in soup.find_all("pre")]
        lines = sum(len(listing.strip().splitlines()) for listing in listings)
        assert lines <= MOST_CODE_LINES, slide.heading
        assert len(soup.get_text(" ").split()) <= MOST_WORDS, slide.heading


def problems(measured):
    """What a browser measured and nobody in the last row could read."""
    found = []
    for number, slide in enumerate(measured, 1):
        name = f"slide {number} ({slide['heading']})"
        if slide["bottom"] > HEIGHT + 0.5 or slide["right"] > WIDTH + 0.5:
            found.append(f"{name} reaches to {slide['right']:.0f} × {slide['bottom']:.0f}")
        if slide["smallest"] < SMALLEST:
            found.append(f"{name} has letters of {slide['smallest']:.0f} pixels")
        if slide["figure"] < SMALLEST_FIGURE:
            found.append(f"{name} has a figure of {slide['figure']:.0f} pixels")
        if slide["broken"]:
            found.append(f"{name} has a figure that does not show")
    return found


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_no_slide_of_a_lesson_overflows_in_a_browser(path):
    notebook = read(path)
    measured = browser.measured(to_slides(notebook, path))
    assert len(measured) == len(slides_of(notebook))
    assert problems(measured) == []


def cell(source, **plan):
    return new_markdown_cell(source, id="a", metadata={"slideshow": {"slide_type": "slide"} | plan})


def code_cell(source, outputs=(), **plan):
    plan = {"slide_type": "slide"} | plan
    metadata = {"slideshow": plan}
    return new_code_cell(source, id="b", outputs=list(outputs), metadata=metadata)


def deck(*cells):
    for number, one in enumerate(cells):
        one.id = f"cell-{number}"
    return new_notebook(cells=list(cells))


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize(
    ("spoiled", "message"),
    [
        (cell("# T\n\n" + "- one more line of a list\n" * 20), "reaches to"),
        (cell("# T\n\n`" + "x" * 120 + "`"), "reaches to"),
        (code_cell("x = 1\n" * 40), "reaches to"),
        (cell('# T\n\n<p><span style="font-size: 12px">Tiny print.</span></p>'), "letters of 12"),
        (cell("# T\n\n" + "<p><img src='data:image/png;base64,AAAA'></p>"), "does not show"),
    ],
    ids=["too long", "too wide", "too much code", "too small", "no figure"],
)
def test_the_browser_finds_what_cannot_be_read(spoiled, message, monkeypatch):
    if message == "does not show":  # `prose` would put its description there
        monkeypatch.setattr(slides, "prose", slides.render_markdown)
    good = cell("# Good\n\nIt is short.")
    measured = browser.measured(to_slides(deck(good, spoiled), NOTEBOOKS / "x.ipynb"))
    found = problems(measured)
    assert found
    assert all(problem.startswith("slide 2 ") for problem in found)
    assert any(message in problem for problem in found), found


FIGURE = new_output(
    "display_data",
    {"image/png": "iVBORw0="},
    metadata={"image/png": {"alt": 'Two "curves" & a gap'}},
)


def test_headings_start_slides_and_name_those_that_follow():
    made = slides_of(
        deck(
            cell("# Title\n\nText.\n\n## Second\n\nMore.", notes="Say *it*."),
            code_cell("x = 1"),
            new_markdown_cell("## Hidden", id="c", metadata={"slideshow": {"slide_type": "skip"}}),
            code_cell("y = 1"),
        )
    )
    assert [slide.heading for slide in made] == ["Title", "Second", "Second", "Hidden"]
    assert all("<em>it</em>" in "".join(slide.notes) for slide in made[:2])


def test_what_is_shortened_is_in_the_notes():
    text = "One. Two of them.\n\n- a list. Whole.\n\n**Bold.** Whole."
    assert shortened(text, 1) == "One.\n\n- a list. Whole.\n\n**Bold.** Whole."
    assert shortened(text, 2) == shortened(text, None) == text
    made = slides_of(deck(cell(f"# T\n\n{text}", sentences=1)))
    assert "Two of them" not in made[0].body[0]
    assert "Two of them" in made[0].notes[0]


@pytest.mark.parametrize(
    "sentence",
    ["See [Li et al. 2018](a.html) for it.", "A rate of 0.5 is usual.", "It is `a. b`, no end"],
)
def test_a_sentence_is_not_cut_in_two(sentence):
    assert shortened(f"{sentence} Next.", 1).startswith(sentence)


def test_an_answer_appears_at_the_next_key():
    folded = "<details><summary>Guess</summary>\nIt falls.\n</details>"
    body = slides_of(deck(cell(f"# T\n\n{folded}")))[0].body[0]
    assert BeautifulSoup(body, "html.parser").find(class_="fragment").text.strip() == "It falls."
    assert "Guess" not in body


def test_a_figure_is_shown_without_its_code_and_apart_on_two_slides():
    (shown,) = slides_of(deck(code_cell("draw()", [FIGURE])))
    assert "draw" not in shown.body[0]
    image = BeautifulSoup(shown.body[0], "html.parser").img
    assert image["alt"] == 'Two "curves" & a gap'
    first, second = slides_of(deck(code_cell("draw()", [FIGURE], show="apart", notes="Say.")))
    assert "draw" in first.body[0]
    assert "<img" in second.body[0]
    assert first.notes == second.notes != []


def test_the_speakers_cells_are_not_shown():
    made = slides_of(deck(cell("# T\n\nShown."), cell("Only said.", slide_type="notes")))
    assert "Only said" not in "".join(made[0].body)
    assert "Only said" in "".join(made[0].notes)


def test_code_is_as_large_as_fits_and_never_too_small():
    assert pixels("x = 1", 24) == 24
    assert pixels("x" * 100, 24) == SMALLEST
    assert pixels("x" * 1000, 24) == SMALLEST
    assert pixels("x\n" * 22, 24) < 24


def test_slides_load_nothing_and_hold_what_they_need():
    page = to_slides(deck(cell("# T\n\n$\\lambda$ [a](b.ipynb)")), NOTEBOOKS / "x.ipynb")
    assert loaded_urls(page) == []
    assert "Reveal.initialize" in page
    assert "RevealNotes" in page
    soup = BeautifulSoup(page, "html.parser")
    assert soup.find("math")
    assert not soup.find("a", href="b.ipynb")
    assert len(soup.find_all("script")) == 3
    with pytest.raises(NotebookError, match="would load"):
        to_slides(deck(cell('# T\n\n<iframe src="https://a.org"></iframe>')), NOTEBOOKS / "x.ipynb")


def test_a_notebook_without_slides_is_refused():
    with pytest.raises(NotebookError, match="no cell starts a slide"):
        to_slides(deck(new_markdown_cell("# T", id="a")), NOTEBOOKS / "x.ipynb")


def test_the_slides_use_the_letters_that_they_bring():
    """Else they would be as large as the machine's fonts, and the browser's check worth nothing."""
    theme = slides.asset("theme/white.css")
    assert re.search(r"@font-face\{font-family:Source Sans Pro;src:url\(data:", theme)
