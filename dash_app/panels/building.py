"""The panel of one building: floors, units, households counted by unit and floor, shops, open cases.

Counts only: names and phones are read through a function that leaves a record, never for a click on the map.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from dash_app.markup import (
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
from dash_app.panels.stack import at_door, door_words, stack
from dash_app.texts import Words
from dash_app.view_state import ViewState
from incidents.queries import Row
from layers.buildings import BuildingFacts


def building_name(words: Words, building: BuildingFacts) -> str:
    """银杏苑 3 号楼: its own name, else the estate and the number, else its address or id."""
    if building.name:
        return building.name
    number = ""
    if building.number:
        number = building.number
        if number.isdecimal():
            number = words("building.number", number=number)
    parts = [part for part in (building.estate, number) if part]
    if parts:
        return " ".join(parts)
    return building.address or words("building.unnamed", id=building.id)


def building_panel(
    words: Words,
    building: BuildingFacts,
    cell_name: str | None,
    rows: Sequence[Row],
    state: ViewState,
    *,
    now: datetime,
    people: Markup | None = None,
) -> Markup:
    """`people` is the way to the households (`panels.households`), for those who have one."""
    title = building_name(words, building)
    where = " · ".join(part for part in (building.address, building.estate) if part and part != title)
    return join(
        [
            tag(
                "header",
                crumb_bar(words, state, words("back")),
                div(
                    tag("h1", title, cls="cut"),
                    chip(words.get(f"use.{building.use}", building.use)),
                    cls="row",
                ),
                div(where, cls="s12 mute cut", title=where) if where else None,
                cls="panel-head",
                data_key="head",
            ),
            div(
                section(
                    div(
                        figure(
                            words("building.floors"), _known(building.floors), words("building.floor_unit")
                        ),
                        figure(words("building.units"), _known(building.units)),
                        figure(
                            words("building.households"),
                            thousands(building.households),
                            words("unit.households"),
                        ),
                        figure(
                            words("cell.residents"),
                            counted_people(building.residents, building.households),
                            words("unit.people"),
                        ),
                        cls="figures",
                    ),
                    _cell_link(words, building, cell_name, state),
                ),
                _homes(words, building, rows, state, people),
                section(heading(words("building.shops", n=len(building.shops))), _shops(building, state))
                if building.shops
                else None,
                _cases(words, rows, state, now),
                cls="scroll",
                data_key=f"building{building.id}",
            ),
        ]
    )


def _known(value: int | None) -> str:
    return "–" if value is None else str(value)


def _cell_link(
    words: Words, building: BuildingFacts, cell_name: str | None, state: ViewState
) -> Markup | None:
    if not building.cell_code:
        return None
    return div(
        icon("grid", "s"),
        span(words("building.cell"), cls="mid"),
        tag("a", cell_name or building.cell_code, cls="link", href=state.href(cell=building.cell_code)),
        cls="row s12",
        style="margin-top:10px",
    )


def _homes(
    words: Words, building: BuildingFacts, rows: Sequence[Row], state: ViewState, people: Markup | None
) -> Markup | None:
    """The households by unit and floor, and which doors have a case open."""
    doors = stack(words, building, rows, state)
    if doors is None and not building.households:
        return None
    return section(
        heading(words("building.by_unit")),
        doors or div(words("building.no_households"), cls="mute s12"),
        people or div(words("building.people_private"), cls="s11 mute", style="margin-top:8px"),
    )


def _cases(words: Words, rows: Sequence[Row], state: ViewState, now: datetime) -> Markup:
    """The open cases of the building, or of the door that is chosen in the stack."""
    shown = at_door(rows, state.door)
    title: object = words("building.incidents", n=len(shown))
    whole = None
    if state.door:
        unit, _, floor = state.door.partition("~")
        where = door_words(words, unit or None, int(floor) if floor else None)
        title = words("stack.at", n=len(shown), where=where)
        whole = tag("a", words("stack.all"), cls="link", href=state.href(building=state.building))
    return section(
        heading(title, whole) if whole else heading(title),
        [
            [
                div(where, cls="s12 mute") if (where := _door(words, row)) else None,
                mini_row(words, row, state, now),
            ]
            for row in shown
        ]
        if shown
        else div(words("cell.no_open"), cls="mute s12"),
    )


def _door(words: Words, row: Row) -> str:
    return door_words(words, row.unit, row.floor, row.room)


def _shops(building: BuildingFacts, state: ViewState) -> Markup:
    return tag(
        "ul",
        [
            tag(
                "li",
                icon("shop", "s"),
                tag("a", name, cls="link", href=state.href(shop=shop_id)),
                span(cls="grow"),
                span(category, cls="s12 mute"),
            )
            for shop_id, name, category in building.shops
        ],
        cls="shop-list",
    )
