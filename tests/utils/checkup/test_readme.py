"""The README's lines lead from a compiled model to a saved report."""

import re

from tests.utils.checkup.models import data_of, dense
from tools.notebooks import ROOT
from utils.checkup._checkup import Session


def readme_lines():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## Your own model\n")[2].partition("\n## ")[0]
    [code] = re.findall(r"```python\n(.*?)```", section, re.S)
    return code


def test_five_lines_give_a_saved_report(tmp_path, monkeypatch, capsys):
    code = readme_lines()
    assert len([line for line in code.splitlines() if line]) == 5
    for name in ("try_remedies", "try_half", "try_flips"):  # its own trials take the most time
        monkeypatch.setattr(Session, name, lambda session: None)
    monkeypatch.chdir(tmp_path)
    exec(code, {"model": dense(units=(8,))(), **vars(data_of("digits", 100))})
    assert "validation accuracy" in capsys.readouterr().out
    page = (tmp_path / "checkup.html").read_text(encoding="utf-8")
    assert "validation accuracy" in page
