"""The stack of a building and the chips of a line: pure markup from rows."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from dash_app.drawing import open_cases
from dash_app.panels.row_chips import row_chips
from dash_app.panels.stack import at_door, door_words, stack
from dash_app.texts import Words
from dash_app.view_state import ViewState
from incidents.case_rows import Row
from layers.buildings import BuildingFacts
from tests.toy_city import NOW

ZH, EN = Words("zh"), Words("en")


def row(n: int, **changes: Any) -> Row:
    plain = dict.fromkeys((field.name for field in fields(Row)), None)
    plain |= {
        "id": n, "number": f"2026-1123-{n:04d}", "title": "烟感报警", "category_zh": "烟感报警",
        "category_en": "Smoke alarm", "icon": "fire", "stage": "dispatched", "clock": "in_time",
        "hollow": False, "due_at": NOW + timedelta(hours=1), "reported_at": NOW, "version": 1, "reports": 1,
        "territory": "990101001001001", "open_subtasks": 0, "lon": 113.1, "lat": 23.0, "building_id": 7,
    }  # fmt: skip
    return Row(**{**plain, **changes})


def building(by_floor: list[tuple[str | None, int | None, int]]) -> BuildingFacts:
    plain = dict.fromkeys((field.name for field in fields(BuildingFacts)), None)
    return BuildingFacts(**plain | {"id": 7, "households": len(by_floor), "by_floor": by_floor, "shops": []})


HOMES = [(unit, floor, 5) for unit in ("1", "2") for floor in range(1, 7)]
ROWS = [
    row(1, unit="2", floor=6, room="601"),
    row(2, unit="2", floor=6, room="602", clock="overdue"),
    row(3, unit="1", floor=1),
    row(4),
]


def shown(rows, state="?building=7", homes=HOMES):
    return str(stack(ZH, building(homes), rows, ViewState.parse(state)))


def test_sixty_households_stand_floor_over_floor_and_unit_beside_unit():
    table = shown([])
    assert re.findall(r'scope="row">([^<]*)<', table) == [f"{n} 层" for n in range(6, 0, -1)]
    assert re.findall(r'scope="col">([^<]*)<', table) == ["1 单元", "2 单元"]
    assert table.count('data-n="5"') == 12 and "<a" not in table


def test_a_door_with_open_cases_is_a_link_to_their_list():
    links = re.findall(r'<a href="([^"]+)"[^>]*data-cases="(\d+)"', shown(ROWS))
    assert links == [("/?building=7&amp;door=2~6", "2"), ("/?building=7&amp;door=1~1", "1")]
    assert [one.id for one in at_door(ROWS, "2~6")] == [1, 2]
    assert at_door(ROWS, "") == ROWS


def test_the_chosen_door_is_marked_and_lets_go_again():
    table = shown(ROWS, "?building=7&door=2~6")
    assert re.search(r'<a href="/\?building=7"[^>]*aria-current="true"', table)


def test_a_building_without_households_still_shows_its_cases():
    assert stack(ZH, building([]), [row(4)], ViewState()) is None
    assert "data-cases" in shown(ROWS, homes=[])


@pytest.mark.parametrize(
    ("query", "door"),
    [
        ("building=7&door=2~6", "2~6"),
        ("building=7&door=~-1", "~-1"),
        ("building=7&door=nonsense", ""),
        ("incident=7&door=2~6", ""),
    ],
)
def test_a_door_stands_in_the_address_with_its_building_only(query, door):
    assert ViewState.parse(query).door == door


def test_choosing_something_else_leaves_the_door():
    assert "door" not in ViewState.parse("building=7&door=2~6").href(incident=3)


def test_a_door_in_words():
    assert door_words(ZH, "2", 11, "1102") == "2 单元 11 层 1102 室"
    assert door_words(EN, None, 0) == "floor 0"
    assert door_words(ZH, None, None) == ""


def test_cases_at_one_point_are_one_marker_with_their_count():
    drawn = open_cases(ZH, [*ROWS, row(5, lon=113.2)], NOW)["features"]
    assert [one["properties"].get("stack") for one in drawn] == [4, None]
    first = drawn[0]["properties"]
    assert (first["overdue"], first["in_time"], first["building"]) == (1, 3, 7)


def test_a_line_says_how_many_reports_and_forces_it_stands_for():
    assert row_chips(ZH, row(1)) == []
    chips = "".join(map(str, row_chips(ZH, row(1, reports=20, open_subtasks=2))))
    assert "×20" in chips and ">2</span>" in chips
