"""Posts given and ended: from now on, by the office of the ground, never into the past."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from gis.access import Principal
from gis.errors import Conflict, Denied, Invalid, NotFound
from gis.geometry import Fix
from grids.assignments import assign, assignable, end_assignment
from grids.duty_check import holes
from grids.responsibility import responsible_for
from tests import toy_city
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, NOW, SOUTH_EAST, STEP, SUBDISTRICT

DAY = timedelta(days=1)
OFFICER = Principal(9, "officer", "周明", "subdistrict_officer", territory=SUBDISTRICT)
INSIDE_NORTH_EAST = Fix(LON + STEP / 2, LAT + STEP / 2, 5.0)


@pytest.fixture
def city(session):
    """The toy city, with nobody as member of the north-east."""
    city = toy_city.build(session)
    session.execute(
        sa.text("DELETE FROM duty WHERE ground = :code AND post = 'member'"), {"code": NORTH_EAST}
    )
    return city


def given(session, member_id, start=0, end=None, *, post="member", ground=NORTH_EAST, by=OFFICER):
    ends_at = None if end is None else NOW + end * DAY
    return assign(
        session, post, ground, member_id, by=by, now=NOW, starts_at=NOW + start * DAY, ends_at=ends_at
    )


def vacant(session, start=0, end=7):
    found = holes(session, NOW + start * DAY, NOW + end * DAY, NORTH_EAST)
    return [
        ((hole.starts_at - NOW) / DAY, (hole.ends_at - NOW) / DAY)
        for hole in found
        if (hole.post, hole.kind) == ("member", "vacant")
    ]


def test_a_vacancy_closes_from_the_moment_the_post_is_given(session, city):
    assert vacant(session) == [(0, 7)]
    newcomer = city.members[NORTH_WEST]
    given(session, newcomer, 2, 5)
    assert vacant(session) == [(0, 2), (5, 7)]
    then = responsible_for(session, INSIDE_NORTH_EAST, at=NOW + 3 * DAY)
    assert then.member.id == newcomer
    assert responsible_for(session, INSIDE_NORTH_EAST, at=NOW + 6 * DAY).member.id != newcomer


def test_an_ended_post_is_vacant_again_and_one_not_begun_is_gone(session, city):
    duty = given(session, city.members[NORTH_WEST])
    end_assignment(session, duty.id, by=OFFICER, now=NOW + DAY)
    assert vacant(session) == [(1, 7)]
    with pytest.raises(Conflict):
        end_assignment(session, duty.id, by=OFFICER, now=NOW + 2 * DAY)
    later = given(session, city.members[NORTH_WEST], 3)
    end_assignment(session, later.id, by=OFFICER, now=NOW + DAY)
    assert vacant(session) == [(1, 7)]


@pytest.mark.parametrize(
    ("changes", "kind", "zh"),
    [
        ({"start": -1}, Invalid, "过去"),
        ({"start": 2, "end": 2}, Invalid, "晚于"),
        ({"post": "subdistrict_duty_officer"}, Invalid, "岗位"),
        ({"post": "emperor"}, Invalid, "岗位"),
        ({"ground": "990101001001999"}, NotFound, "网格"),
        ({"ground": NORTH_EAST[:12]}, NotFound, "网格"),
        ({"member_id": 1_000_000}, NotFound, "人员"),
        ({"by": Principal(8, "x", "外人", "subdistrict_officer", territory="990101002")}, NotFound, "网格"),
        ({"by": Principal(7, "y", "王小明", "member", territory=NORTH_EAST)}, Denied, "排班"),
    ],
    ids=[
        "in the past", "empty", "post of a subdistrict", "unknown post", "unknown cell", "a community",
        "unknown person", "another office", "a member",
    ],
)  # fmt: skip
def test_what_cannot_be_given_is_refused_with_the_remedy(session, city, changes, kind, zh):
    asked = {"member_id": city.members[NORTH_WEST], **changes}
    with pytest.raises(kind) as refusal:
        given(session, **asked)
    told = refusal.value
    assert zh in told.message_zh and told.message_en and told.remedy_zh and told.remedy_en
    assert vacant(session) == [(0, 7)]


def test_one_person_holds_a_post_once_at_a_time(session, city):
    member = city.members[SOUTH_EAST]
    given(session, member, 0, 2)
    with pytest.raises(Conflict):
        given(session, member, 1, 3)
    given(session, member, 2, 3)
    given(session, city.members[NORTH_WEST], 1, 3)
    assert vacant(session) == [(3, 7)]


def test_whom_a_post_may_be_given_to_comes_masked_with_the_posts_they_hold(session, city):
    before = {one.member_id: one for one in assignable(session, SUBDISTRICT, now=NOW)}
    member = before[city.members[NORTH_WEST]]
    assert (member.name, member.role, member.ground) == ("王××", "member", "安澜 001")
    given(session, member.member_id)
    after = {one.member_id: one.posts for one in assignable(session, SUBDISTRICT, now=NOW)}
    assert after[member.member_id] == member.posts + 1
    assert assignable(session, "990101002", now=NOW) == []
