"""The panel of one cell: its size against the band, its team with duty dots, its open cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dash_app.charts import household_band
from dash_app.clock_words import clock_time, day_words
from dash_app.markup import (
    avatar,
    chip,
    counted_people,
    div,
    figure,
    heading,
    icon,
    join,
    section,
    span,
    tag,
    thousands,
)
from dash_app.panels.crumb import crumb_bar
from dash_app.panels.queue import mini_row
from dash_app.texts import Words
from dash_app.view_state import ViewState
from gis.access import CODE_WIDTHS
from grids.cells import HOUSEHOLDS_BAND, CellFacts
from grids.duties import Post
from incidents.queries import Row

TEAM_ORDER = ("leader", "member", "police_officer", "property_manager")
"""1 + 1 + 1 and the grid member; the building heads are counted after them."""


def cell_panel(
    words: Words,
    cell: CellFacts,
    team: Sequence[Post],
    rows: Sequence[Row],
    state: ViewState,
    *,
    now: datetime,
    zone: ZoneInfo,
) -> Markup:
    return join(
        [
            _head(words, cell, state, zone),
            div(
                _size(words, cell),
                _team(words, cell.code, team, zone),
                _cases(words, cell, rows, state, now),
                cls="scroll",
                data_key=f"cell{cell.code}",
            ),
        ]
    )


def _head(words: Words, cell: CellFacts, state: ViewState, zone: ZoneInfo) -> Markup:
    back = (
        words("cell.of_community", community=cell.community_name, n=cell.community_cells)
        if cell.community_name
        else words("back")
    )
    label = cell.generation_label
    if cell.activated_at:
        label = f"{label} · {day_words(cell.activated_at.astimezone(zone).date(), words.language)}"
    facts = [cell.code, words("cell.hectares", n=f"{cell.area_ha:.1f}"), " / ".join(cell.roads)]
    line = " · ".join(fact for fact in facts if fact)
    return tag(
        "header",
        crumb_bar(words, state, back),
        div(
            tag("h1", words("cell.title", name=cell.name), cls="cut"),
            chip(words(f"cell.kind.{cell.kind}")),
            chip(label),
            cls="row",
        ),
        div(line, cls="s12 mute cut", title=line),
        cls="panel-head",
        data_key="head",
    )


def _size(words: Words, cell: CellFacts) -> Markup:
    low, high = HOUSEHOLDS_BAND
    verdict, sign = "cell.fit", icon("check", "xs")
    if cell.households < low:
        verdict, sign = "cell.thin", icon("alert", "xs")
    elif cell.households > high:
        verdict, sign = "cell.thick", icon("alert", "xs")
    band = (
        [
            div(household_band(cell.households, low, high)),
            div(sign, words(verdict), cls=f"verdict{'' if verdict == 'cell.fit' else ' off'}"),
        ]
        if cell.kind == "social"
        else []
    )
    return section(
        div(
            figure(words("cell.households"), thousands(cell.households), words("unit.households")),
            band,
            cls="band-row",
        ),
        div(
            figure(
                words("cell.residents"), counted_people(cell.residents, cell.households), words("unit.people")
            ),
            figure(words("cell.buildings"), thousands(cell.buildings), words("unit.buildings")),
            figure(words("cell.shops"), thousands(cell.shops), words("unit.shops")),
            figure(words("cell.components"), thousands(cell.components), words("unit.components")),
            cls="figures",
            style="margin-top:8px",
        ),
    )


def _team(words: Words, code: str, team: Sequence[Post], zone: ZoneInfo) -> Markup:
    """One leader, one police officer, one property manager, the member, and N building heads as one line."""
    mates = []
    for post in TEAM_ORDER:
        holders = [mate for mate in team if mate.post == post]
        mates += [_mate(words, mate, zone) for mate in holders] or [_vacant(words, post)]
    heads = [mate for mate in team if mate.post == "building_head"]
    if heads:
        mates.append(
            div(
                avatar("楼", on_duty=None, small=True, quiet=True),
                div(
                    div(
                        tag("b", words("cell.heads", n=len(heads))),
                        " ",
                        span(words("role.building_head"), cls="s12 mute"),
                        cls="nowrap",
                    ),
                    div(words("cell.heads_note"), cls="s12 mute cut"),
                ),
                cls="mate",
            )
        )
    roster = f"/people?subdistrict={code[: CODE_WIDTHS['subdistrict']]}#g-{code}"
    link = tag("a", words("people.roster"), cls="link", href=roster)
    return section(heading(words("cell.team"), link), div(mates, cls="team"))


def _mate(words: Words, mate: Post, zone: ZoneInfo) -> Markup:
    note = mate.phone or ""
    if mate.on_duty and mate.ends_at:
        note = words("cell.until", time=clock_time(mate.ends_at, zone))
    elif not mate.on_duty:
        note = words("incident.off_duty")
        if mate.stand_in:
            separator = "，" if words.language == "zh" else ", "
            note += separator + words("cell.stand_in", name=mate.stand_in)
    return div(
        avatar(mate.name, on_duty=mate.on_duty, small=True, quiet=not mate.on_duty),
        div(
            div(tag("b", mate.name), " ", span(words(f"role.{mate.post}"), cls="s12 mute"), cls="nowrap"),
            div(note, cls="s12 mute cut"),
        ),
        cls="mate",
        data_post=mate.post,
    )


def _vacant(words: Words, post: str) -> Markup:
    return div(
        avatar("–", on_duty=None, small=True, quiet=True),
        div(div(words(f"role.{post}"), cls="nowrap mute"), div(words("cell.vacant"), cls="s12 mute")),
        cls="mate",
        data_post=post,
    )


def _cases(words: Words, cell: CellFacts, rows: Sequence[Row], state: ViewState, now: datetime) -> Markup:
    only = state.without_selection.href(territory=cell.code, tab="all")
    return section(
        heading(
            words("cell.open", n=len(rows)),
            tag("a", words("cell.only"), cls="link", href=only) if cell.kind == "social" else "",
        ),
        [mini_row(words, row, state, now) for row in rows]
        if rows
        else div(words("cell.no_open"), cls="mute s12"),
    )
