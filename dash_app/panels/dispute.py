"""The panels of ground under dispute: a strip with what giving it away would do, and an exception given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import shapely
from markupsafe import Markup

from dash_app.clock_words import clock_time, day_words
from dash_app.markup import chip, div, figure, heading, icon, join, section, tag
from dash_app.panels.crumb import crumb_bar
from dash_app.texts import Words
from dash_app.view_state import ViewState
from grids.exceptions import GroundException
from grids.misroutes import Strip

CASES_SHOWN = 40
"""Links to the cases of the evidence; the figure beside them is of all."""


def strip_panel(
    words: Words, strip: Strip, names: Mapping[str, str], state: ViewState, *, gives: bool
) -> Markup:
    """`names` are those of the two cells by code; `gives` is whether the person may make it an exception."""
    loser, winner = names[strip.from_cell], names[strip.to_cell]
    size = words("strip.size_m", length=f"{strip.length_m:,.0f}", depth=f"{strip.depth_m:,.0f}")
    cases = [
        tag("a", f"#{number}", cls="link", href=state.href(incident=number))
        for number in sorted(strip.incidents)[:CASES_SHOWN]
    ]
    return join(
        [
            _head(
                words,
                state,
                words("strip.title"),
                chip(words("strip.advised" if strip.advised else "strip.open")),
                words("strip.between", loser=loser, winner=winner),
            ),
            div(
                section(
                    heading(words("strip.effect")),
                    div(
                        figure(words("strip.prevented"), f"{strip.prevented:,}", words("strip.cases")),
                        figure(words("strip.moved"), f"{strip.moved:,}", words("strip.cases")),
                        cls="figures",
                    ),
                ),
                section(
                    heading(words("strip.suggestion")),
                    tag("p", words("strip.give", name=winner), cls="bold"),
                    tag("p", words.either(*strip.reasons), cls="mid"),
                    div(size, cls="s12 mute"),
                ),
                section(
                    heading(f"{words('strip.evidence')} · {len(strip.incidents)} {words('strip.misroutes')}"),
                    div(cases, cls="row wrap s12"),
                ),
                cls="scroll",
                data_key=f"strip{strip.key}",
            ),
            _make(words, strip, state) if gives else _foot(words("strip.not_yours")),
        ]
    )


def _make(words: Words, strip: Strip, state: ViewState) -> Markup:
    """The button that makes the suggestion so, with what it sends."""
    body = {
        "geometry": shapely.geometry.mapping(strip.shape),
        "cell_code": strip.to_cell,
        "reason": words.either(*strip.reasons),
    }
    button = tag(
        "button",
        icon("check", "s"),
        words("strip.make"),
        type="button",
        cls="btn primary" if strip.advised else "btn",
        data_make_exception=json.dumps(body, ensure_ascii=False),
    )
    return _foot("", button)


def exception_panel(
    words: Words, exception: GroundException, name: str, state: ViewState, *, ends: bool, zone: ZoneInfo
) -> Markup:
    """`name` is that of the cell that owns it; `ends` is whether the person may end it now."""

    def moment(at: datetime) -> str:
        return f"{day_words(at.astimezone(zone).date(), words.language)} {clock_time(at, zone)}"

    pairs = [
        ("exception.owner", tag("a", name, cls="link", href=state.href(cell=exception.cell_code))),
        ("exception.reason", exception.reason),
        ("exception.since", moment(exception.starts_at)),
        ("exception.until", moment(exception.ends_at) if exception.ends_at else ""),
        ("exception.by", exception.created_by),
        ("exception.priority", exception.priority or ""),
    ]
    over = exception.ends_at is not None and not ends
    button = tag(
        "button",
        icon("undo", "s"),
        words("exception.end"),
        type="button",
        cls="btn",
        data_end_exception=exception.id,
    )
    return join(
        [
            _head(
                words,
                state,
                words("exception.title"),
                chip(words("exception.ended" if over else "exception.in_force")),
                name,
            ),
            div(
                section(
                    tag(
                        "dl",
                        [join([tag("dt", words(key)), tag("dd", value)]) for key, value in pairs if value],
                        cls="pairs",
                    )
                ),
                cls="scroll",
                data_key=f"exception{exception.id}",
            ),
            _foot(words("exception.end_note"), button) if ends else None,
        ]
    )


def _head(words: Words, state: ViewState, title: str, label: Markup, line: str) -> Markup:
    return tag(
        "header",
        crumb_bar(words, state, words("back")),
        div(tag("h1", title, cls="cut"), label, cls="row"),
        div(line, cls="s12 mute cut", title=line),
        cls="panel-head",
        data_key="head",
    )


def _foot(why: str, *buttons: Markup) -> Markup:
    return tag(
        "footer",
        div(buttons, cls="row") if buttons else None,
        div(why, cls="why") if why else None,
        cls="panel-foot",
        data_key="foot",
    )
