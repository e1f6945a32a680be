"""The cases of a filter as a CSV file, line by line, with a mark of who took it and when.

Excel opens it as it is: a byte order mark, Chinese or English headings, nothing that it would run as a
formula. It goes out by `etl.export_gate`, as every file does.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from dash_app.desk import Desk, Visit
from dash_app.pages.cases_page import moment, wanted_cases
from dash_app.panels.queue import handler_words, title_words
from dash_app.texts import Words
from dash_app.view_state import ViewState
from etl import export_gate
from etl.export_gate import ExportRequest
from etl.export_marks import mark_of
from etl.safe_cells import safe_cell
from gis.access import Principal
from gis.database import Session
from incidents import categories, queries
from incidents.queries import Filter, Row

COLUMNS = (
    "number",
    "title",
    "category",
    "stage",
    "clock",
    "place",
    "cell",
    "handler",
    "reported",
    "due",
    "closed",
    "lon",
    "lat",
)
PAGE_ROWS = 2000
SUBJECT = "incidents"


def count_cases(desk: Desk, session: Session, visit: Visit, state: ViewState, now: datetime) -> int:
    """How many cases an address means."""
    wanted = wanted_cases(state, categories.groups(session), now, desk.zone)
    return queries.count_incidents(session, wanted, by=visit.principal, now=now)


def ask_for_cases(desk: Desk, visit: Visit, query: str, reason: str) -> ExportRequest:
    """Ask for the cases an address means. Raises what `export_gate.ask` raises."""
    state = ViewState.parse(query)
    with desk.database.unit_of_work(visit.principal) as session:
        now = desk.clock()
        rows = count_cases(desk, session, visit, state, now)
        return export_gate.ask(
            session, SUBJECT, {"filter": state.query}, reason, rows=rows, by=visit.principal, now=now,
            ground=state.territory or None,
        )  # fmt: skip


def case_file(desk: Desk, visit: Visit, request_id: int) -> tuple[str, bytes]:
    """(file name, content) of an approved export of cases, as they are now and as the person may see them.

    Raises NotFound for an export that is not theirs, Denied for one that is not open.
    """
    now, words = desk.clock(), visit.words
    with desk.database.unit_of_work(visit.principal) as session:
        request = export_gate.opened(session, request_id, by=visit.principal, now=now)
        state = ViewState.parse(str(request.what.get("filter", "")))
        wanted = wanted_cases(state, categories.groups(session), now, desk.zone)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([words(f"col.{column}") for column in COLUMNS])
        count = 0
        for row in _all(session, wanted, visit.principal, now):
            writer.writerow(_cells(words, row, desk.zone))
            count += 1
        export_gate.refuse_more(request, count)
        number = export_gate.new_number()
        writer.writerow([f"# {mark_of(request, number, rows=count, now=now, zone=desk.zone).sentence}"])
        content = text.getvalue().encode("utf-8-sig")
        name = f"cases-{now.astimezone(desk.zone):%Y%m%d-%H%M}.csv"
        export_gate.register(
            session, request, number, hashlib.sha256(content).hexdigest(), rows=count, by=visit.principal,
            now=now, file_name=name,
        )  # fmt: skip
    return name, content


def _all(session: Session, wanted: Filter, by: Principal, now: datetime) -> Iterator[Row]:
    after = None
    while True:
        page = queries.list_incidents(session, wanted, by=by, now=now, limit=PAGE_ROWS, after=after)
        yield from page.rows
        after = page.next
        if after is None:
            return


def _cells(words: Words, row: Row, zone: ZoneInfo) -> list[str]:
    values = (
        row.number,
        title_words(words, row),
        words.either(row.category_zh, row.category_en),
        words(f"stage.{row.stage}"),
        words(f"clock.{row.clock}"),
        row.place or "",
        row.cell_name or "",
        words("queue.unassigned") if row.hollow else handler_words(words, row),
        moment(row.reported_at, zone),
        moment(row.due_at, zone),
        moment(row.closed_at, zone),
    )
    return [*map(safe_cell, values), f"{row.lon:.6f}", f"{row.lat:.6f}"]
