"""The report as one HTML file: text, table and figure, with no script and nothing from the web."""

from __future__ import annotations

import base64
from html import escape
from typing import Any

import matplotlib.pyplot as plt

from utils import plots
from utils.checkup._rules import Diagnosis

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff; }
table { border-collapse: collapse; } th, td { padding: .2rem .8rem; text-align: right; }
th:first-child, td:first-child { text-align: left; } tr + tr { border-top: 1px solid #ccc; }
.sign { border-left: .4rem solid #d55e00; padding-left: 1rem; } img { max-width: 100%; }
"""
ALT = "Left: the losses over the epochs. Right: what every seed of every arm reaches."


def write_page(report: Any) -> str:
    """The whole page of a `Report`; every text in it is escaped."""
    parts = [
        f"<h1>Check-up</h1><p>{escape(report.heading())}</p>",
        "<h2>What was found</h2>",
        *(map(diagnosis_html, report.diagnoses)),
        "" if report.diagnoses else f"<p>{report.without_signs}</p>",
        "<h2>What was measured</h2>",
        table_html(report),
        figure_html(report),
        paragraphs(report.reading),
        "<h2>No sign of</h2>",
        list_html(report.no_sign),
        "<h2>Left out, and what does not apply</h2>",
        list_html(
            [
                *report.left_out,
                *report.notes,
                *(f"{name}: {why}" for name, why in report.why_not.items()),
            ]
        ),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Check-up</title>'
        f"<style>{STYLE}</style></head><body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def diagnosis_html(diagnosis: Diagnosis) -> str:
    lesson = f" <em>{escape(diagnosis.lesson)}</em>" if diagnosis.lesson else ""
    return (
        f'<div class="sign"><h3>{escape(diagnosis.sign.capitalize())}</h3>'
        f"<p>{escape(diagnosis.evidence)}.</p>"
        f"<p><strong>Try:</strong> {escape(diagnosis.fix)}{lesson}</p></div>"
    )


def table_html(report: Any) -> str:
    if not report.rows:
        return "<p>Nothing was trained.</p>"
    head = "".join(f"<th>{escape(column)}</th>" for column in ["", *report.columns])
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in [name, *cells])}</tr>"
        for name, cells in report.rows.items()
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def figure_html(report: Any) -> str:
    fig = report.figure()
    data = base64.b64encode(plots.png(fig)).decode()
    plt.close(fig)
    return f'<p><img alt="{escape(ALT)}" src="data:image/png;base64,{data}"></p>'


def paragraphs(lines: list[str]) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def list_html(lines: list[str]) -> str:
    if not lines:
        return "<p>Nothing.</p>"
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
