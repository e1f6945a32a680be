"""The exports page: what one asks to take away and why, one's files, and others' requests to decide on."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dash_app.case_csv import SUBJECT, count_cases
from dash_app.clock_words import moment_words
from dash_app.desk import Desk, Visit
from dash_app.markup import chip, div, icon, section, span, tag, thousands
from dash_app.panels.account_forms import choice, field
from dash_app.plain_frame import plain_page
from dash_app.texts import Words
from dash_app.view_state import ViewState
from etl import export_gate
from etl.export_gate import DECIDERS, LIMITS, ExportRequest
from etl.exports import WRITERS
from incidents import queries
from incidents.queries import Filter
from layers.catalog import LAYERS, Layer

PATH = "/exports"
CASES_PATH = "/exports/cases"
API = "/api/v1/exports"


def exports_page(desk: Desk, query: str) -> str:
    """The page for an address: the filter of a list of cases, which is then offered as a file."""
    state = ViewState.parse(query)
    with desk.reading() as (session, visit, now):
        rows = export_gate.requests(session, by=visit.principal)
        offered = count_cases(desk, session, visit, state, now) if query else None
        wanted = Filter(overdue=True, open_only=True)
        overdue = queries.count_incidents(session, wanted, by=visit.principal, now=now)
    words, by = visit.words, visit.principal
    mine = [row for row in rows if row.account_id == by.account_id]
    waiting = [row for row in rows if row.account_id != by.account_id]
    limit = LIMITS.get(by.role)
    asking: Any
    if limit is None:
        asking = tag("p", words("exports.not_you"), cls="mid")
    else:
        asking = [
            _cases_form(words, query, offered) if offered is not None else None,
            _layer_form(words),
            tag(
                "p",
                words("exports.limit", free=thousands(limit.free), most=thousands(limit.approved)),
                cls="s12 mute",
            ),
        ]
    body = tag(
        "main",
        tag("h1", words("exports.title")),
        section(asking, cls="card"),
        _waiting(words, waiting, now, desk.zone) if by.role in DECIDERS else None,
        _mine(words, mine, now, desk.zone),
        cls="own",
    )
    return plain_page(
        visit, words("exports.title"), body, name="accounts", overdue=overdue, data=_data(visit)
    )


def _data(visit: Visit) -> dict[str, object]:
    words = visit.words
    return {
        "page": "exports",
        "texts": {"users.saved": words("exports.asked")},
    }


def _form(words: Words, address: str, *content: object) -> Markup:
    return tag(
        "form",
        div(cls="problem", role="alert", hidden=True, data_problem=True),
        content,
        field(
            words("exports.reason"),
            "reason",
            required=True,
            maxlength=export_gate.MAX_REASON,
            autocomplete="off",
        ),
        tag("button", words("exports.ask"), type="submit", cls="btn primary"),
        data_method="POST",
        data_url=address,
        data_then="reload",
    )


def _cases_form(words: Words, query: str, offered: int) -> Markup:
    return div(
        tag("h2", words("exports.cases", n=thousands(offered))),
        _form(words, CASES_PATH, tag("input", type="hidden", name="query", value=query)),
        cls="export-form",
    )


def _layer_form(words: Words) -> Markup:
    layers = [(layer.name, words.either(layer.title_zh, layer.title_en)) for layer in _open_layers()]
    formats = [(ending, words("exports.format" + ending)) for ending in WRITERS]
    return tag(
        "details",
        tag("summary", tag("h2", words("exports.layer")), cls="row"),
        _form(
            words,
            API,
            div(
                choice(words("exports.which"), "layer", layers),
                choice(words("exports.format"), "format", formats),
                cls="row",
            ),
        ),
        cls="export-form",
    )


def _open_layers() -> list[Layer]:
    return [layer for layer in LAYERS.values() if not layer.is_personal]


def _line(words: Words, row: ExportRequest, now: datetime, zone: ZoneInfo, *right: object) -> Markup:
    format_ = str(row.what.get("format", ""))
    what = words.get(f"exports.{row.subject}", row.subject) if not format_ else row.subject + format_
    asked = moment_words(row.asked_at, now, zone, words.language)
    return tag(
        "li",
        div(
            div(tag("b", what), span(words("exports.rows", n=thousands(row.rows)), cls="mid"), cls="row"),
            div(f"{row.display_name} · {asked} · {row.reason}", cls="s12 mute"),
            cls="grow",
        ),
        right,
        cls="own-row",
        data_export=row.id,
    )


def _waiting(words: Words, rows: list[ExportRequest], now: datetime, zone: ZoneInfo) -> Markup:
    lines = [
        _line(
            words,
            row,
            now,
            zone,
            [
                tag(
                    "button",
                    words(f"exports.{decision}"),
                    type="button",
                    cls="btn primary" if decision == "approve" else "btn",
                    data_act="POST",
                    data_url=f"{API}/{row.id}/decision",
                    data_body=f'{{"decision": "{decision}"}}',
                )
                for decision in ("approve", "refuse")
            ],
        )
        for row in rows
    ]
    body = tag("ul", lines, cls="rows") if lines else tag("p", words("exports.none_waiting"), cls="mute")
    return section(tag("h2", words("exports.waiting")), body, cls="card")


def _state(row: ExportRequest) -> str:
    """Of an export that cannot be fetched: a file of counts was taken as it was made."""
    if row.status != "approved":
        return row.status
    return "taken" if row.open_until == row.asked_at else "over"


def _mine(words: Words, rows: list[ExportRequest], now: datetime, zone: ZoneInfo) -> Markup:
    lines = []
    for row in rows:
        is_open = row.status == "approved" and row.open_until is not None and row.open_until > now
        address = f"/cases.csv?export={row.id}" if row.subject == SUBJECT else f"{API}/{row.id}/file"
        right = (
            tag("a", icon("download", "s"), words("exports.fetch"), cls="btn", href=address, download=True)
            if is_open
            else chip(words(f"exports.status.{_state(row)}"))
        )
        lines.append(_line(words, row, now, zone, right))
    body = tag("ul", lines, cls="rows") if lines else tag("p", words("exports.none"), cls="mute")
    return section(
        tag("h2", words("exports.mine")), tag("p", words("exports.note"), cls="s12 mute"), body, cls="card"
    )
