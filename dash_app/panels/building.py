"""The panel of one building: floors, units, households counted by unit and floor, shops, open cases.

Counts only: names and phones are read through a function that leaves a record, never for a click on the map.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from dash_app.markup import chip, div, figure, heading, icon, join, section, span, tag, thousands
from dash_app.panels.crumb import crumb_bar
from dash_app.panels.queue import mini_row
from dash_app.texts import Words
from dash_app.view_state import ViewState
from incidents.queries import Row
from layers.buildings import BuildingFacts

FLOORS_SHOWN = 40


def building_name(words: Words, building: BuildingFacts) -> str:
    """银杏苑 3 号楼: its own name, else the estate and the number, else its address or id."""
    if building.name:
        return building.name
    number = ""
    if building.number:
        number = building.number
        if number.isdigit():
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
) -> Markup:
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
                        figure(words("cell.residents"), thousands(building.residents), words("unit.people")),
                        cls="figures",
                    ),
                    _cell_link(words, building, cell_name, state),
                ),
                section(
                    heading(words("building.by_unit")),
                    _stack(words, building),
                    div(words("building.people_private"), cls="s11 mute", style="margin-top:8px"),
                )
                if building.households
                else None,
                section(heading(words("building.shops", n=len(building.shops))), _shops(building, state))
                if building.shops
                else None,
                section(
                    heading(words("building.incidents", n=len(rows))),
                    [mini_row(words, row, state, now) for row in rows]
                    if rows
                    else div(words("cell.no_open"), cls="mute s12"),
                ),
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


def _stack(words: Words, building: BuildingFacts) -> Markup:
    """The building as it stands: floors from the top down, units from left to right, households in each."""
    if not building.by_floor:
        return div(words("building.no_households"), cls="mute s12")
    count: dict[tuple[str | None, int | None], int] = defaultdict(int)
    for unit, floor, dwellings in building.by_floor:
        count[unit, floor] += dwellings
    units = sorted({unit for unit, _ in count}, key=lambda u: (u is None, len(u or ""), u or ""))
    floors = sorted({floor for _, floor in count if floor is not None}, reverse=True)
    most = max(count.values())
    rows = []
    for floor in floors[:FLOORS_SHOWN]:
        cells = [_stack_cell(count[unit, floor], most) for unit in units]
        rows.append(tag("tr", tag("th", words("building.floor", n=floor), scope="row"), cells))
    loose = [count[unit, None] for unit in units]
    if any(loose):
        rows.append(tag("tr", tag("th", "–", scope="row"), [_stack_cell(n, most) for n in loose]))
    head = tag(
        "tr",
        tag("th", ""),
        [tag("th", words("building.unit", unit=unit) if unit else "–", scope="col") for unit in units],
    )
    return tag("table", tag("thead", head), tag("tbody", rows), cls="stack")


def _stack_cell(n: int, most: int) -> Markup:
    return tag("td", n, cls="full" if n == most and n else "has" if n else None, data_n=n)


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
