"""The cases of a filter as a CSV file, line by line, with a mark of who took it and when.

Excel opens it as it is: a byte order mark, Chinese or English headings, nothing that it would run as a
formula. Every export is written into the trail by the hash of its file.
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
from gis import audit
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
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def case_file(desk: Desk, visit: Visit, query: str) -> tuple[str, bytes]:
    """(file name, content) of all cases the address means and the person may see."""
    now, words = desk.clock(), visit.words
    state = ViewState.parse(query)
    with desk.database.unit_of_work(visit.principal) as session:
        wanted = wanted_cases(state, categories.groups(session), now, desk.zone)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([words(f"col.{column}") for column in COLUMNS])
        count = 0
        for row in _all(session, wanted, visit.principal, now):
            writer.writerow(_cells(words, row, desk.zone))
            count += 1
        made_at = moment(now, desk.zone)
        mark = words("csv.mark", user=visit.principal.display_name, time=made_at, n=count)
        writer.writerow([f"# {mark}"])
        content = text.getvalue().encode("utf-8-sig")
        audit.record(
            session,
            "export",
            "incidents",
            hashlib.sha256(content).hexdigest(),
            by=visit.principal,
            now=now,
            territory=state.territory or visit.principal.territory or None,
            rows=count,
            filter=state.query,
        )
    return f"cases-{now.astimezone(desk.zone):%Y%m%d-%H%M}.csv", content


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


def safe_cell(text: str) -> str:
    """A text that a spreadsheet shows and never runs: what looks like a formula gets an apostrophe."""
    return "'" + text if text.startswith(_FORMULA_STARTS) else text
