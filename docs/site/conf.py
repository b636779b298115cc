"""How Sphinx makes the site of what `tools/write/site.py` assembles; nothing is executed."""

import re

from docutils import nodes
from sphinx.addnodes import pending_xref

from tools.write.html import formula

project = "Regularization, measured"
author = copyright = "the course's authors; text and figures CC BY 4.0"
extensions = ["myst_nb"]
html_theme = "furo"
html_title = project
html_static_path = ["static"]
html_css_files = ["course.css"]
html_js_files = ["course.js"]
html_math_renderer = "mathml"
html_show_sourcelink = html_copy_source = html_use_index = False
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 4
nb_execution_mode = "off"
nb_merge_streams = True
linkcheck_timeout, linkcheck_retries = 15, 2
UNLINKED = nodes.title, nodes.reference, nodes.FixedTextElement, nodes.raw, pending_xref
UNLINKED += nodes.math, nodes.math_block


def glossary(app) -> dict[str, str]:
    """Every name in the glossary, with the term that leads its entry."""
    text = (app.srcdir / "docs/glossary.md").read_text(encoding="utf-8")
    entries = re.findall(r"(?m)^((?:\S.*\n)+)  ", text)
    names = [[name.strip("`") for name in entry.splitlines()] for entry in entries]
    return {name.lower(): entry[0] for entry in names for name in entry}


def link_terms(app, doctree) -> None:
    """Link each term of the glossary where a page first uses it; not where it would be a hint."""
    page = app.env.docname
    if not page.startswith(("notebooks/", "TEACHING")) or page == "notebooks/quiz/quiz":
        return
    terms, seen = glossary(app), set()
    longest_first = "|".join(map(re.escape, sorted(terms, key=len, reverse=True)))
    word = re.compile(rf"(?<![\w-])({longest_first})(?:e?s)?(?![\w-])", re.I)
    for text in list(doctree.findall(nodes.Text)):
        code = isinstance(text.parent, nodes.literal) and text.lower() not in terms
        if code or any(isinstance(parent, UNLINKED) for parent in parents(text)):
            continue
        parts, end = [], 0
        for match in word.finditer(text):
            if (term := terms[match[1].lower()]) not in seen:
                seen.add(term)
                link = pending_xref("", reftype="term", refdomain="std", reftarget=term)
                link += nodes.inline("", match[0], classes=["term"])
                parts += [nodes.Text(text[end : match.start()]), link]
                end = match.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text[end:])])


def parents(node):
    while node := node.parent:
        yield node


def finish(app, doctree) -> None:
    """Let links end in the id of a cell, which outlives headings; load pictures when seen."""
    for cell in doctree.findall(nodes.container):
        if name := cell.get("cell_metadata", {}).get("id"):
            cell["ids"].append(name)
    for image in doctree.findall(nodes.image):
        image["loading"] = "lazy"


def mend(app, pagename, templatename, context, doctree) -> None:
    """Headings of the sidebar get a level; what unfolds code is called what it says."""
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace('"heading"', '"heading" aria-level="2"')
    context["body"] = context.get("body", "").replace(' aria-label="Toggle hidden content"', "")


def setup(app) -> None:
    def show(display):
        def visit(translator, node):
            translator.body.append(formula(node.astext(), display))
            raise nodes.SkipNode

        return visit, None

    app.add_html_math_renderer("mathml", show("inline"), show("block"))
    app.connect("doctree-read", link_terms)
    app.connect("doctree-read", finish)
    app.connect("html-page-context", mend, priority=900)  # after Furo's own
