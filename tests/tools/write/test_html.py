"""Formulas need no script, and what a page would load is found."""

import pytest
from bs4 import BeautifulSoup

from tools.notebooks import NotebookError
from tools.write.html import formula, loaded_urls, render_markdown


def test_formulas_need_no_script():
    soup = BeautifulSoup(render_markdown("$\\lambda$, `$code$`\n\n$$\\frac{a}{b}$$"), "html.parser")
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


@pytest.mark.parametrize(
    ("html", "url"),
    [
        ('<script src="https://example.org/a.js"></script>', "https://example.org/a.js"),
        ('<link rel="stylesheet" href="a.css">', "a.css"),
        ('<iframe src="//example.org"></iframe>', "//example.org"),
        ("<style>a { background: url('https://example.org/a.png') }</style>", "https://example.org/a.png"),
        ("<style>@import 'a.css';</style>", "@import 'a.css';"),
    ],
)  # fmt: skip
def test_what_a_page_would_load_is_found(html, url):
    assert loaded_urls(html) == [url]


def test_links_and_what_a_page_holds_itself_load_nothing():
    assert (
        loaded_urls('<a href="https://example.org">x</a><img src="data:image/png;base64,">') == []
    )
