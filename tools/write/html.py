"""Markdown as HTML that loads nothing: formulas are MathML, which browsers show by themselves."""

import re

from bs4 import BeautifulSoup
from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from tools.notebooks import NotebookError


def formula(latex: str, display: str = "inline") -> str:
    """The formula as MathML; NotebookError names a command that it cannot show."""
    try:
        mathml = convert(latex, display=display)
    except Exception as error:
        raise NotebookError(f"formula cannot be read ({type(error).__name__}): {latex}") from error
    if unknown := re.search(r"<m\w+>(\\\w+|&)</m", mathml):
        raise NotebookError(f"formula uses {unknown[1]}, which the pages cannot show: {latex}")
    return mathml


class Renderer(IPythonRenderer):
    def inline_math(self, body: str) -> str:
        return formula(body)

    def block_math(self, body: str) -> str:
        return formula(body, display="block")

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(rf"\begin{{{name}}}{body}\end{{{name}}}")


def render_markdown(source: str) -> str:
    return MarkdownWithMath(renderer=Renderer(escape=False)).render(source)


def loaded_urls(page: str) -> list[str]:
    """The addresses that a browser would fetch to show the page."""
    soup = BeautifulSoup(page, "html.parser")
    urls = [tag["src"] for tag in soup.find_all(src=True)]
    urls += [tag["href"] for tag in soup.find_all("link", href=True)]
    for style in soup.find_all("style"):
        urls += re.findall(r"url\(['\"]?([^'\")]+)", style.text)
        urls += re.findall(r"@import.*", style.text)
    return [url[:80] for url in urls if not url.startswith(("data:", "#"))]
