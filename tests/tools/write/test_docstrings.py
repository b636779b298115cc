"""Every public helper has a page that a reader understands without its source."""

import ast

import pytest

from tools.notebooks import find_notebooks
from tools.write import docstrings
from tools.write.docstrings import helper_pages, markdown, packages, public, signature, summary


def test_every_public_helper_has_a_page_and_a_summary():
    pages = helper_pages(find_notebooks())
    assert {"repeats", "comparisons", "meters", "plots", "datasets", "checks"} <= set(packages())
    for package, path in packages().items():
        names = public(path)
        assert names, package
        for name, node in names.items():
            if hasattr(node, "name"):
                assert f"helpers/{package}/{name}.md" in pages
                assert summary(node), f"{package}.{name} has no docstring"
            assert name in pages[f"helpers/{package}/index.md"]
    assert "[](/notebooks/00_overfitting.ipynb)" in pages["helpers/repeats/repeat.md"]


def test_what_is_private_has_no_page():
    assert not [name for name in helper_pages([]) if "/_" in name]
    assert "_shared" not in packages()


ALIGNED = '''
def f(x, *, size=1) -> int:
    """Count them.

    A paragraph: with a colon, which
    goes on: over lines.

    x       the images,
            as `fit` takes them
    size    of each
    Returns a number.
    """
    return 1
'''
COLONS = ALIGNED.replace("x       the", "x: the").replace("size    of", "size: of")


@pytest.mark.parametrize("source", [ALIGNED, COLONS], ids=["aligned", "colons"])
def test_arguments_become_a_list_of_definitions(source):
    text = markdown(ast.parse(source).body[0])
    assert "`x`\n: the images,\n  as `fit` takes them\n\n`size`\n: of each\n\nReturns" in text
    assert "A paragraph: with a colon, which\ngoes on: over lines.\n" in text


def test_a_signature_says_how_it_is_called():
    [node] = ast.parse(ALIGNED).body
    assert "\ndef f(x, *, size=1) -> int\n```" in signature(node)
    assert summary(node) == "Count them."
    fields = "@dataclass\nclass Two:\n    a: int\n    b: int = 2\n\n    def sum(self): ..."
    shown = signature(ast.parse(fields).body[0])
    assert "class Two:\n    a: int\n    b: int = 2\n```" in shown


def test_names_are_found_where_they_are_defined(tmp_path, monkeypatch):
    monkeypatch.setattr(docstrings, "ROOT", tmp_path)
    (tmp_path / "utils").mkdir()
    inside, face = tmp_path / "utils" / "_inside.py", tmp_path / "face.py"
    inside.write_text("RED, BLUE = 'r', 'b'\nALL = (1, 2)\ndef f(): ...")
    face.write_text("from utils._inside import ALL, BLUE, f\n__all__ = ['f', 'BLUE', 'ALL']")
    shown = {name: ast.unparse(node) for name, node in public(face).items()}
    assert shown == {"ALL": "(1, 2)", "BLUE": "'b'", "f": "def f():\n    ..."}
    face = tmp_path / "other.py"
    face.write_text("from utils._inside import f\n__all__ = ['f', 'g']")
    with pytest.raises(KeyError, match=r"other\.py has no g"):
        public(face)
