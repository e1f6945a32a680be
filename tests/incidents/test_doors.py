"""Where inside a building: alarms and things thrown from one point go to the heads of their own doors."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from grids.duties import Duty
from grids.members import Member
from incidents import queries
from incidents.incident import Incident
from incidents.notices import Notice
from incidents.queries import Filter
from tests.toy_city import LAT, LON, NORTH_WEST, NOW, category

AT_THE_BUILDING = {"lon": LON - 0.0003, "lat": LAT + 0.00105}


@pytest.fixture
def heads(town):
    """Smoke alarms and objects thrown as categories; a head for unit 1, one each for two halves of unit 2."""
    town.session.add_all(
        [
            category("9911", "烟感报警", urgent=True, limit_kind="urgent_hours", limit_value=1),
            category("9912", "高空抛物", default_role="police_officer", urgent=True),
        ]
    )
    found = {}
    for name, unit, low, high in (("1", "1", None, None), ("2 low", "2", 1, 9), ("2 high", "2", 10, None)):
        head = Member(name="赵和", role="building_head", territory=NORTH_WEST)
        town.session.add(head)
        town.session.flush()
        town.session.add(
            Duty(
                post="building_head", member_id=head.id, ground=NORTH_WEST, unit=unit, floor_from=low,
                floor_to=high, building_id=town.city.building, starts_at=NOW - timedelta(days=1),
                territory=NORTH_WEST,
            )
        )  # fmt: skip
        found[head.id] = name
    town.session.flush()
    return found


@pytest.mark.parametrize("kind", ["9911", "9912"])
def test_each_door_at_one_point_tells_its_own_head(town, heads, kind):
    doors = {("1", 12, "1201"): "1", ("2", 3, "302"): "2 low", ("2", 10, "1001"): "2 high"}
    told = {}
    for (unit, floor, room), wanted in doors.items():
        case = town.report(
            town.resident, room, category=kind, channel="sensor", unit=unit, floor=floor, room=room,
            **AT_THE_BUILDING,
        )  # fmt: skip
        notices = sa.select(Notice.member_id).where(
            Notice.incident_id == case.id, Notice.kind == "building_told"
        )
        told[wanted] = [heads[member] for member in town.session.scalars(notices)]
    assert told == {name: [name] for name in doors.values()}


def test_two_alarms_behind_two_doors_are_two_cases_of_one_building(town, heads):
    for room in ("302", "303"):
        town.report(
            town.resident, room, category="9911", channel="sensor", unit="2", floor=3, room=room,
            **AT_THE_BUILDING,
        )  # fmt: skip
    wanted = Filter(building=town.city.building)
    rows = queries.list_incidents(town.session, wanted, by=town.operator, now=NOW).rows
    assert {(row.unit, row.floor, row.room, row.reports) for row in rows} == {
        ("2", 3, "302", 1),
        ("2", 3, "303", 1),
    }
    assert town.session.scalar(sa.select(sa.func.count(Incident.geom.distinct()))) == 1
