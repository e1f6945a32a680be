"""The evaluation as a CSV file: a row a group and indicator, both counts beside every rate.

It holds counts and nobody's data, so it is made at once; like every file it carries its mark and is
registered (`etl.export_gate`).
"""

from __future__ import annotations

import csv
import hashlib
import io

from dash_app.desk import Desk, Visit
from dash_app.evaluation_view import EvaluationView
from dash_app.pages.evaluation_page import report_of, span_words
from dash_app.texts import Words
from etl import export_gate
from etl.export_marks import mark_of
from etl.safe_cells import safe_cell
from incidents.evaluation_report import Report
from incidents.indicators import Ratio

SUBJECT = "evaluation"
SPANS = ("now", "previous", "year")


def evaluation_file(desk: Desk, visit: Visit, query: str) -> tuple[str, bytes]:
    """(file name, content) of the report of an address, with its mark."""
    view, words = EvaluationView.parse(query), visit.words
    with desk.reading() as (session, _, now):
        report = report_of(desk, session, visit, view, now).what
        rows, number = 1 + len(report.lines), export_gate.new_number()
        reason = words("eval.csv.reason", span=span_words(report.window))
        request = export_gate.take_counts(
            session, SUBJECT, {"filter": view.query}, reason, rows=rows, by=visit.principal, now=now,
            ground=view.territory or None,
        )  # fmt: skip
        mark = mark_of(request, number, rows=rows, now=now, zone=desk.zone)
        content = _text(words, report, mark.sentence).encode("utf-8-sig")
        name = f"evaluation-{now.astimezone(desk.zone):%Y%m%d-%H%M}.csv"
        export_gate.register(
            session, request, number, hashlib.sha256(content).hexdigest(), rows=rows, by=visit.principal,
            now=now, file_name=name,
        )  # fmt: skip
    return name, content


def _text(words: Words, report: Report, mark: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    parts = ("numerator", "denominator", "percent")
    head = [words("eval.csv.code"), words("eval.csv.name"), words("eval.indicator"), words("eval.csv.id")]
    head += [f"{words(f'eval.{span}')} {words(f'eval.csv.{part}')}" for span in SPANS for part in parts]
    writer.writerow(head)
    for line in [report.total, *report.lines]:
        for one in report.indicators:
            row = [line.code, safe_cell(words.either(line.zh, line.en)), words.either(one.zh, one.en), one.id]
            for numbers in (line.now, line.previous, line.year_before):
                ratio = numbers.get(one.id, Ratio())
                rate = ratio.words(words.language) if ratio.percent is None else f"{ratio.percent:.1f}"
                row += [str(ratio.numerator), str(ratio.denominator), rate]
            writer.writerow(row)
    writer.writerow([f"# {mark}"])
    return text.getvalue()
