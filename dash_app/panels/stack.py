"""A building as it stands: floors from the top down, units side by side, households and cases in each.

Sixty households share one point on the map; here each has its place. A door is a unit and a floor, in an
address `unit~floor`; what a report does not tell of its door is left empty.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from markupsafe import Markup

from dash_app.markup import div, tag
from dash_app.texts import Words
from dash_app.view_state import ViewState
from incidents.queries import Row
from layers.buildings import BuildingFacts

FLOORS_SHOWN = 60

Door = tuple[str | None, int | None]


def door_key(door: Door) -> str:
    """A door as it stands in an address."""
    unit, floor = door
    return f"{unit or ''}~{'' if floor is None else floor}"


def door_of(row: Row) -> Door:
    return row.unit or None, row.floor


def door_words(words: Words, unit: str | None, floor: int | None, room: str | None = None) -> str:
    """2 单元 11 层 1102 室."""
    parts = (
        words("incident.unit", n=unit) if unit else "",
        words("incident.floor", n=floor) if floor is not None else "",
        words("incident.room", n=room) if room else "",
    )
    return " ".join(part for part in parts if part)


def at_door(rows: Sequence[Row], key: str) -> list[Row]:
    """The cases behind one door of the stack; all of them where no door is chosen."""
    return [row for row in rows if not key or door_key(door_of(row)) == key]


def stack(words: Words, building: BuildingFacts, rows: Sequence[Row], state: ViewState) -> Markup | None:
    """The table of doors; None where neither households nor cases tell of any."""
    homes: dict[Door, int] = defaultdict(int)
    for unit, floor, dwellings in building.by_floor:
        homes[unit, floor] += dwellings
    cases = Counter(door_of(row) for row in rows if door_of(row) != (None, None))
    doors = {*homes, *cases}
    if not doors:
        return None
    units = sorted({unit for unit, _ in doors}, key=lambda unit: (unit is None, len(unit or ""), unit or ""))
    floors = sorted({floor for _, floor in doors if floor is not None}, reverse=True)[:FLOORS_SHOWN]
    most = max(homes.values(), default=0)
    lines: list[tuple[str, int | None]] = [(words("building.floor", n=floor), floor) for floor in floors]
    if any(floor is None for _, floor in doors):
        lines.append(("–", None))
    body = [
        tag(
            "tr",
            tag("th", label, scope="row"),
            [_cell(words, (unit, floor), homes.get((unit, floor), 0), most, cases, state) for unit in units],
        )
        for label, floor in lines
    ]
    head = tag(
        "tr",
        tag("th", ""),
        [tag("th", words("building.unit", unit=unit) if unit else "–", scope="col") for unit in units],
    )
    return div(
        tag("table", tag("thead", head), tag("tbody", body), cls="stack"),
        div(words("stack.note"), cls="s11 mute", style="margin-top:8px") if cases else None,
    )


def _cell(
    words: Words, door: Door, households: int, most: int, cases: Counter[Door], state: ViewState
) -> Markup:
    """Households behind a door; where cases are open there it is a link to their list."""
    shade = "full" if households == most and households else "has" if households else None
    if not cases[door]:
        return tag("td", households, cls=shade, data_n=households)
    key, n = door_key(door), cases[door]
    where = door_words(words, *door)
    link = tag(
        "a",
        households,
        href=state.href(building=state.building, door="" if state.door == key else key),
        aria_current="true" if state.door == key else None,
        aria_label=f"{where}: {words('stack.cases', n=n)}",
        title=f"{where} · {words('stack.cases', n=n)}",
        data_cases=n,
    )
    return tag("td", link, cls=shade, data_n=households)
