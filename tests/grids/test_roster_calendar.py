"""The calendar of a subdistrict: stretches by who is there, holes, and whose eyes it is for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gis.access import Principal
from gis.errors import NotFound
from grids.leaves import Leave
from grids.roster_calendar import Stretch, roster_calendar, subdistricts_of
from tests import toy_city
from tests.toy_city import NORTH_EAST, NORTH_WEST, NOW, SUBDISTRICT

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OFFICER = Principal(9, "officer", "周明", "subdistrict_officer", territory=SUBDISTRICT)


@pytest.fixture
def city(session):
    return toy_city.build(session)


def calendar(session, by=OFFICER, code=SUBDISTRICT):
    return roster_calendar(session, code, NOW, NOW + DAY, by=by)


def test_a_day_of_leave_is_cut_into_who_is_there(session, city):
    member, stand_in = city.members[NORTH_EAST], city.members[NORTH_WEST]
    session.add(
        Leave(
            member_id=member, starts_at=NOW + HOUR, ends_at=NOW + 5 * HOUR, stand_in_id=stand_in,
            status="approved", asked_at=NOW, territory=NORTH_EAST,
        )
    )  # fmt: skip
    session.add(
        Leave(
            member_id=stand_in, starts_at=NOW + 2 * HOUR, ends_at=NOW + 3 * HOUR, status="approved",
            asked_at=NOW, territory=NORTH_WEST,
        )
    )  # fmt: skip
    session.flush()
    found = calendar(session)
    ground = next(g for g in found.grounds if g.code == NORTH_EAST)
    line = next(line for line in ground.lines if line.post == "member")
    assert line.stretches == (
        Stretch(NOW, NOW + HOUR, member, "王××"),
        Stretch(NOW + HOUR, NOW + 2 * HOUR, stand_in, "王××", "王××"),
        Stretch(NOW + 2 * HOUR, NOW + 3 * HOUR, None, None),
        Stretch(NOW + 3 * HOUR, NOW + 5 * HOUR, stand_in, "王××", "王××"),
        Stretch(NOW + 5 * HOUR, NOW + DAY, member, "王××"),
    )
    away = [h for h in found.holes if h.kind == "away"]
    assert [(h.ground, h.post) for h in away] == [(NORTH_WEST, "member"), (NORTH_EAST, "member")]


def test_the_subdistrict_comes_first_then_its_cells(session, city):
    found = calendar(session)
    assert (found.name, len(found.grounds)) == ("临江街道", 5)
    assert [line.post for line in found.grounds[0].lines] == ["subdistrict_duty_officer"]


@pytest.mark.parametrize(
    ("role", "territory", "sees"),
    [
        ("city_officer", "", True),
        ("subdistrict_officer", SUBDISTRICT, True),
        ("community_officer", SUBDISTRICT + "001", True),
        ("subdistrict_officer", "990101002", False),
        ("member", NORTH_EAST, False),
        ("resident", None, False),
    ],
)
def test_only_offices_of_the_ground_see_it(session, city, role, territory, sees):
    by = Principal(5, "who", "谁", role, territory=territory)
    assert subdistricts_of(session, by) == ([(SUBDISTRICT, "临江街道")] if sees else [])
    if sees:
        assert calendar(session, by).subdistrict == SUBDISTRICT
    else:
        with pytest.raises(NotFound):
            calendar(session, by)


@pytest.mark.parametrize("code", ["990101002", NORTH_EAST, "9901", ""])
def test_what_is_no_subdistrict_has_no_calendar(session, city, code):
    with pytest.raises(NotFound):
        calendar(session, Principal(1, "a", "a", "admin", territory=""), code)
