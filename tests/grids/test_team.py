"""The team of a cell as its card shows it."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
import sqlalchemy as sa

from grids.duties import Duty, Shift, team
from grids.leaves import Leave
from tests import toy_city
from tests.toy_city import NORTH_EAST, NOW, SOUTH_EAST

HOUR = timedelta(hours=1)


@pytest.fixture
def city(session):
    return toy_city.build(session)


def post_of(session, ground, post, at=NOW):
    return next(p for p in team(session, ground, at=at) if p.post == post)


def test_leader_first_masked_and_present(session, city):
    leader, member = team(session, NORTH_EAST, at=NOW)
    assert (leader.post, leader.name, leader.phone, leader.on_duty) == ("leader", "刘×", "100****5678", True)
    assert (member.post, member.member_id, member.stand_in) == ("member", city.members[NORTH_EAST], None)


def test_somebody_signed_off_shows_who_stands_in(session, city):
    member = post_of(session, SOUTH_EAST, "member")
    assert (member.on_duty, member.why, member.stand_in) == (False, "switch", "冯×")


def test_leave_shows_its_stand_in_and_a_shift_its_end(session, city):
    member = city.members[NORTH_EAST]
    duty = session.scalars(sa.select(Duty).where(Duty.member_id == member)).one()
    session.add(Shift(duty_id=duty.id, weekday=0, starts=time(8), ends=time(18), territory=NORTH_EAST))
    session.flush()
    assert post_of(session, NORTH_EAST, "member").ends_at == NOW + 8 * HOUR  # Monday, ten o'clock
    assert post_of(session, NORTH_EAST, "member", NOW + 9 * HOUR).why == "off_shift"
    session.add(
        Leave(
            member_id=member, starts_at=NOW, ends_at=NOW + HOUR, stand_in_id=city.leaders[NORTH_EAST],
            status="approved", asked_at=NOW, territory=NORTH_EAST,
        )
    )  # fmt: skip
    session.flush()
    away = post_of(session, NORTH_EAST, "member")
    assert (away.on_duty, away.why, away.stand_in) == (False, "leave", "刘×")
    assert post_of(session, NORTH_EAST, "member", NOW + HOUR).on_duty
