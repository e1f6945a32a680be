"""The case page: the filtered cases as a sortable table, and all of them as a file.

Its table component is large and nobody needs it before this page is opened, so the browser fetches it only
then (`citygrid.pageOf`); the callbacks here wait until it has arrived.
"""

from __future__ import annotations

import functools
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import dash
import dash_ag_grid
from dash import ClientsideFunction, Input, Output
from dash.development.base_component import Component

from dash_app import ids
from dash_app.clock_words import left_words
from dash_app.desk import Desk, current_visit, threaded
from dash_app.fragment import Fragment
from dash_app.frame_parts import Box, Kept
from dash_app.pages.ground import ground_path
from dash_app.panels.case_list import case_list_head
from dash_app.panels.queue import handler_words, title_words
from dash_app.panels.territory import ground_name
from dash_app.texts import Words
from dash_app.view_state import ViewState
from gis.database import Session
from incidents import categories, queries
from incidents.categories import Group
from incidents.queries import Filter, Row

PATH = "/cases"
ROWS_LISTED = 2000
"""Cases put into the table; the file has them all."""
TABLE = "cases-table"

_WIDTHS = {
    "clock": 142,
    "number": 122,
    "title": 160,
    "category": 118,
    "stage": 92,
    "place": 150,
    "cell": 82,
    "handler": 96,
    "reported": 100,
    "due": 100,
    "closed": 100,
}
"""Pixels, in either language; all but `closed`, which is there when a case listed is closed, fit 1280."""
_NO_CLOCK = 10**9
"""Sorts what has no time left to lose behind everything that has."""


def layout() -> Component:
    """The bare page, over the map."""
    return Box(
        [
            Kept(id=ids.CASES_ASKED),
            Fragment(id=ids.CASES_HEAD),
            Box(id=ids.CASES_GRID, className="cases-grid"),
        ],
        id=ids.CASES,
        tag="section",
        className="cases",
    )


def table(_page: str) -> Component:
    """The table, once the browser has brought what draws it; without rows it says that they are coming, for
    none would mean that there is no such case."""
    words = current_visit().words
    columns = [_column(words, name, width) for name, width in _WIDTHS.items()]
    return dash_ag_grid.AgGrid(
        id=TABLE,
        columnDefs=columns,
        getRowId="params.data.id",
        defaultColDef={"resizable": True, "sortable": True, "suppressMovable": True},
        dashGridOptions={
            "theme": {"function": "citygridTheme(themeQuartz)"},
            "animateRows": False,
            "suppressCellFocus": False,
            "tooltipShowDelay": 600,
            "localeText": {"noRowsToShow": words("empty.filtered"), "loadingOoo": words("list.coming")},
        },
        # Rows that are there before the table is ready update nothing; they are rendered all the same.
        eventListeners={
            event: ["citygridClosedColumn(params)"] for event in ("firstDataRendered", "rowDataUpdated")
        },
        style={"height": "100%"},
    )


def _column(words: Words, name: str, width: int) -> dict[str, Any]:
    column: dict[str, Any] = {"field": name, "headerName": words(f"col.{name}"), "width": width}
    if name == "clock":
        column |= {"field": "minutes", "cellRenderer": "CaseClock", "initialSort": "asc"}
    elif name in ("number", "title"):
        column["cellRenderer"] = "CaseLink"
    elif name == "place":
        column |= {"flex": 1, "minWidth": width, "tooltipField": name}
    elif name in ("reported", "due", "closed"):
        column |= {"cellRenderer": "CaseMoment", "tooltipField": name}
    elif name in ("category", "stage"):
        column["tooltipField"] = name
    return column


def listing(desk: Desk, asked: dict[str, Any]) -> str:
    """The head, and beside it the rows: the table is no declared output, for it may not be there yet."""
    head, lines = found_cases(desk, ViewState.parse(asked["query"]))
    dash.set_props(TABLE, {"rowData": lines})
    return head


def found_cases(desk: Desk, state: ViewState) -> tuple[str, list[dict[str, Any]]]:
    """Head and rows of the table for a filter."""
    with desk.reading() as (session, visit, now):
        words, by = visit.words, visit.principal
        groups = categories.groups(session)
        wanted = wanted_cases(state, groups, now, desk.zone)
        total = queries.count_incidents(session, wanted, by=by, now=now)
        found = queries.list_incidents(session, wanted, by=by, now=now, limit=ROWS_LISTED).rows
        name = _ground(session, words, state)
    head = case_list_head(words, state, groups, total=total, listed=len(found), ground=name)
    return head, [_line(words, row, now, desk.zone) for row in found]


def wanted_cases(state: ViewState, groups: list[Group], now: datetime, zone: ZoneInfo) -> Filter:
    """The filter of an address, with its groups of categories spelled out."""
    codes = {group.code: [category.code for category in group.categories] for group in groups}
    return state.filter(now, zone, codes)


def _ground(session: Session, words: Words, state: ViewState) -> str:
    path = ground_path(session, current_visit().principal, state.territory).path
    return ground_name(words, path[-1]) if path else words("territory.city")


def _line(words: Words, row: Row, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """One row as the table shows it; moments as text that sorts by itself."""
    running = row.due_at is not None and row.clock not in ("closed", "paused")
    return {
        "id": str(row.id),
        "minutes": int((row.due_at - now).total_seconds() // 60) if running and row.due_at else _NO_CLOCK,
        "clock": row.clock,
        "hollow": row.hollow,
        "left": left_words(row.clock, row.due_at, now, words.language),
        "number": row.number,
        "title": title_words(words, row),
        "category": words.either(row.category_zh, row.category_en),
        "stage": words(f"stage.{row.stage}"),
        "place": row.place or "",
        "cell": row.cell_name or "",
        "handler": words("queue.unassigned") if row.hollow else handler_words(words, row),
        "reported": moment(row.reported_at, zone),
        "due": moment(row.due_at, zone),
        "closed": moment(row.closed_at, zone),
    }


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    """A moment to the minute on the city's clock, empty for none."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else ""


def register(app: dash.Dash, desk: Desk) -> None:
    """Connect the page to an application. Nothing is asked of the server before the page is looked at."""
    app.clientside_callback(
        ClientsideFunction("citygrid", "pageOf"), Output(ids.PAGE, "data"), Input(ids.URL, "pathname")
    )
    app.callback(Output(ids.CASES_GRID, "children"), Input(ids.PAGE, "data"), prevent_initial_call=True)(
        threaded(table)
    )
    app.clientside_callback(
        ClientsideFunction("citygrid", "askCases"),
        Output(ids.CASES_ASKED, "data"),
        Input(ids.FILTER, "data"),
        Input(ids.LIVE, "data"),
        Input(ids.CASES_GRID, "children"),
        Input(ids.URL, "pathname"),
        prevent_initial_call=True,
    )
    app.callback(Output(ids.CASES_HEAD, "html"), Input(ids.CASES_ASKED, "data"), prevent_initial_call=True)(
        threaded(functools.partial(listing, desk))
    )
