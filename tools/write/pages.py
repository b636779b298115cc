"""Makes an HTML page of a notebook that loads nothing: no script, style or image from the web.

As a command, it executes the lessons, or the notebooks named, and writes their pages to build/.
"""

import base64
import mimetypes
import re
import sys
from pathlib import Path

from bs4 import BeautifulSoup
from jinja2 import DictLoader, pass_context
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

from tools.execute import execute, for_each_named, tidy
from tools.notebooks import BUILD, NOTEBOOKS, ROOT, NotebookError, replace_file

# JupyterLab's look without the scripts, and with the descriptions that its template drops.
TEMPLATE = """
{%- extends 'lab/index.html.j2' -%}
{% block html_head_js %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block html_head_css %}<style>math [mathvariant^=bold] { font-weight: bold }</style>{% endblock %}
{% block input %}
{%- if cell.metadata.get('jupyter', {}).get('source_hidden') -%}
<details class="folded"><summary>code</summary>{{ super() }}</details>
{%- else -%}{{ super() }}{%- endif -%}
{% endblock %}
{% block data_png %}
<div class="jp-RenderedImage jp-OutputArea-output">
<img src="data:image/png;base64,{{ output.data['image/png'] }}"
     alt="{{ output | get_metadata('alt', 'image/png') | escape_html }}">
</div>
{% endblock %}
"""


def formula(latex: str, display: str = "inline") -> str:
    """The formula as MathML, which browsers show by themselves."""
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


class PageExporter(HTMLExporter):
    @pass_context
    def markdown2html(self, context, source):
        return render_markdown(source)


def to_page(notebook: NotebookNode, path: Path) -> str:
    """The page of an executed notebook; `path` is where the notebook lies."""
    exporter = PageExporter(
        extra_loaders=[DictLoader({"page.html.j2": TEMPLATE})], template_file="page.html.j2"
    )
    resources = {"metadata": {"name": title(notebook, path)}}
    page, _ = exporter.from_notebook_node(notebook, resources)
    page = stay_local(page, path.parent)
    if urls := loaded_urls(page):
        raise NotebookError(f"the page would load {', '.join(urls)}")
    return page


def title(notebook: NotebookNode, path: Path) -> str:
    headings = re.findall(r"^# +(.+)$", "\n".join(cell.source for cell in notebook.cells), re.M)
    return headings[0] if headings else path.stem


def stay_local(page: str, folder: Path) -> str:
    """Put the folder's images into the page, descriptions in place of the web's, and link pages."""
    soup = BeautifulSoup(page, "html.parser")
    for image in soup.find_all("img", src=re.compile(r"^(https?:)?//")):
        image.replace_with(image["alt"])
    for image in soup.find_all("img", src=re.compile(r"^(?!data:)")):
        image["src"] = data_url(folder / image["src"])
    for link in soup.find_all("a", href=re.compile(r"^[^:]+\.ipynb(#|$)")):
        link["href"] = link["href"].replace(".ipynb", ".html")
    return str(soup)


def data_url(path: Path) -> str:
    if not path.is_file():
        raise NotebookError(f"there is no image {path}")
    kind, _ = mimetypes.guess_type(path)
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def loaded_urls(page: str) -> list[str]:
    """The addresses that a browser would fetch to show the page."""
    soup = BeautifulSoup(page, "html.parser")
    urls = [tag["src"] for tag in soup.find_all(src=True)]
    urls += [tag["href"] for tag in soup.find_all("link", href=True)]
    for style in soup.find_all("style"):
        urls += re.findall(r"url\(['\"]?([^'\")]+)", style.text)
        urls += re.findall(r"@import.*", style.text)
    return [url[:80] for url in urls if not url.startswith(("data:", "#"))]


def run(path: Path) -> str:
    """Execute the notebook and make a page of it; the file itself stays as it is."""
    notebook, seconds, peak_bytes = execute(path)
    tidy(notebook)
    folder = path.parent.relative_to(NOTEBOOKS) if path.is_relative_to(NOTEBOOKS) else ""
    page = BUILD / folder / f"{path.stem}.html"
    replace_file(page, to_page(notebook, path).encode())
    return f"{seconds:6.1f} s  {peak_bytes / 1e6:6.0f} MB  {page.relative_to(ROOT)}"


if __name__ == "__main__":
    lessons = [*sorted(NOTEBOOKS.glob("*.ipynb")), *sorted(NOTEBOOKS.glob("deeper/*.ipynb"))]
    sys.exit(for_each_named(run, lessons))
