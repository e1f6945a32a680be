"""Holes in the roster of the toy city, found exactly, and the person who answers while they last."""

from __future__ import annotations

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from gis.errors import Invalid
from gis.geometry import Fix
from grids.duties import Duty, Shift
from grids.duty_check import Hole, holes
from grids.leaves import Leave
from grids.members import Member
from grids.responsibility import responsible_for
from tests import toy_city
from tests.toy_city import LAT, LON, NORTH_EAST, NOW, SOUTH_EAST, STEP, SUBDISTRICT

ZONE = ZoneInfo("Asia/Shanghai")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = NOW.replace(hour=0)
NORTH_EAST_PLACE = Fix(LON + STEP / 2, LAT + STEP / 2, 10.0)


@pytest.fixture
def city(session):
    """The toy city with its whole roster on duty, and no posts but member and leader asked for."""
    city = toy_city.build(session)
    session.execute(sa.update(Member).values(on_duty=True))
    for ground in toy_city.CORNERS:
        for post in ("police_officer", "property_manager"):
            member = Member(name="孙立", role=post, territory=ground)
            session.add(member)
            session.flush()
            duty = Duty(
                post=post, member_id=member.id, ground=ground, starts_at=NOW - 30 * DAY, territory=ground
            )
            session.add(duty)
    session.flush()
    return city


def on_leave(session, member_id, start, end, stand_in=None, status="approved"):
    session.add(
        Leave(
            member_id=member_id,
            starts_at=start,
            ends_at=end,
            stand_in_id=stand_in,
            status=status,
            asked_at=NOW,
            territory=NORTH_EAST,
        )
    )
    session.flush()


def shifts(session, member_id, *hours):
    """Give every duty of a member the same hours on every day of the week."""
    for duty in session.scalars(sa.select(Duty).where(Duty.member_id == member_id)):
        for weekday in range(7):
            for starts, ends in hours:
                session.add(
                    Shift(
                        duty_id=duty.id, weekday=weekday, starts=starts, ends=ends, territory=duty.territory
                    )
                )
    session.flush()


def check(session, days=7, territory=""):
    return holes(session, MIDNIGHT, MIDNIGHT + days * DAY, territory, zone=ZONE)


def test_a_full_roster_has_no_hole(session, city):
    assert check(session) == []


def test_leave_without_a_stand_in_is_a_hole_of_exactly_its_hours(session, city):
    on_leave(session, city.members[NORTH_EAST], NOW, NOW + 5 * HOUR)
    assert check(session) == [
        Hole("away", NORTH_EAST, "安澜 002", "member", NOW, NOW + 5 * HOUR, members=("王××",))
    ]


def test_leave_that_is_only_asked_for_or_refused_leaves_no_hole(session, city):
    for status in ("asked", "refused", "withdrawn"):
        on_leave(session, city.members[NORTH_EAST], NOW, NOW + 5 * HOUR, status=status)
    assert check(session) == []


def test_a_stand_in_who_goes_away_in_turn_leaves_the_rest_open(session, city):
    member, stand_in = city.members[NORTH_EAST], city.leaders[SOUTH_EAST]
    on_leave(session, member, NOW, NOW + 8 * HOUR, stand_in)
    on_leave(session, stand_in, NOW + 2 * HOUR, NOW + 3 * HOUR)
    found = check(session, territory=NORTH_EAST)
    assert [(h.kind, h.post, h.starts_at, h.ends_at) for h in found] == [
        ("away", "member", NOW + 2 * HOUR, NOW + 3 * HOUR)
    ]


def test_a_post_that_ends_is_vacant_from_then_on(session, city):
    session.execute(
        sa.update(Duty).where(Duty.member_id == city.leaders[NORTH_EAST]).values(ends_at=NOW + 2 * DAY)
    )
    assert check(session) == [
        Hole("vacant", NORTH_EAST, "安澜 002", "leader", NOW + 2 * DAY, MIDNIGHT + 7 * DAY)
    ]


def test_a_night_without_member_and_leader_is_no_hole_while_the_duty_officer_is_there(session, city):
    for member in (city.members[NORTH_EAST], city.leaders[NORTH_EAST]):
        shifts(session, member, (time(8), time(20)))
    assert check(session) == []
    shifts(session, city.duty_officer, (time(20), time(6)))
    found = [
        (h.kind, h.ground, h.starts_at.astimezone(ZONE).time(), h.ends_at - h.starts_at)
        for h in check(session, 1)
    ]
    assert found == [
        ("nobody", SUBDISTRICT, time(6), 14 * HOUR),
        ("nobody", NORTH_EAST, time(6), 2 * HOUR),
    ]


def test_only_the_grounds_asked_for_are_listed(session, city):
    on_leave(session, city.members[NORTH_EAST], NOW, NOW + HOUR)
    on_leave(session, city.members[SOUTH_EAST], NOW, NOW + HOUR)
    assert {h.ground for h in check(session, territory=NORTH_EAST[:12])} == {NORTH_EAST}


@pytest.mark.parametrize("days", [0, -1, 93])
def test_an_empty_or_endless_window_is_refused(session, city, days):
    with pytest.raises(Invalid):
        check(session, days)


def test_what_is_found_here_is_what_a_report_meets(session, city):
    """Hour by hour over two days: the post is filled exactly when the member or a stand-in receives."""
    member, stand_in = city.members[NORTH_EAST], city.leaders[SOUTH_EAST]
    shifts(session, member, (time(8), time(20)))
    on_leave(session, member, NOW, NOW + 6 * HOUR, stand_in)
    on_leave(session, stand_in, NOW + 2 * HOUR, NOW + 3 * HOUR)
    on_leave(session, member, NOW + DAY, NOW + DAY + 2 * HOUR)
    open_post = [h for h in check(session, 2, NORTH_EAST) if h.kind == "away"]
    for hour in range(48):
        at = MIDNIGHT + hour * HOUR
        answer = responsible_for(session, NORTH_EAST_PLACE, at=at, zone=ZONE)
        filled = (
            answer.member.id in (member, stand_in)
            and answer.member.post == "member"
            and answer.member.on_duty
        )
        rostered = 8 <= at.hour < 20
        in_a_hole = any(h.starts_at <= at < h.ends_at for h in open_post)
        assert filled == (rostered and not in_a_hole), at


def test_the_decision_keeps_everybody_who_was_considered_and_why_not_them(session, city):
    member, stand_in = city.members[NORTH_EAST], city.leaders[SOUTH_EAST]
    on_leave(session, member, NOW - HOUR, NOW + HOUR, stand_in)
    answer = responsible_for(session, NORTH_EAST_PLACE, at=NOW, zone=ZONE)
    assert answer.member.id == stand_in and answer.member.stand_in_for == member
    considered = {(row["member_id"], row["post"]): row["why"] for row in answer.roster}
    assert considered[member, "member"] == "leave"
    assert considered[stand_in, "member"] == "on_duty"
    assert considered[city.leaders[NORTH_EAST], "leader"] == "on_duty"
    assert considered[city.duty_officer, "subdistrict_duty_officer"] == "on_duty"
    kept = answer.as_kept()
    assert kept["member"] == {"id": stand_in, "post": "member", "on_duty": True}
    assert kept["roster"] == answer.roster
    assert "phone" not in str(kept)
