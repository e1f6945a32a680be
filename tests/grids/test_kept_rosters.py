"""Rosters kept by a stamp answer as a fresh reading does, and never outlive a change."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from grids import kept_rosters, roster
from grids.duties import Duty, Shift
from grids.leaves import Leave
from grids.members import Member
from grids.reasons import Trace
from grids.receivers import considered, first_receiver
from tests import toy_city
from tests.toy_city import BEIJING, NORTH_WEST, NOW, SUBDISTRICT

GROUNDS = (NORTH_WEST, SUBDISTRICT)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def city(session):
    return toy_city.build(session)


def stamp(session):
    session.flush()
    return session.execute(sa.text("SELECT stamp::text FROM roster_stamp")).scalar_one()


def kept(session, at):
    return kept_rosters.at_stamp(session, stamp(session), GROUNDS, at, zone=roster.CITY_ZONE)


def told(people, at):
    """Everything a decision takes from a roster: who receives, in which words, and who was considered."""
    trace = Trace()
    return first_receiver(people, GROUNDS, at, trace), trace.steps, considered(people, GROUNDS, at)


def told_by_kept(session, at):
    """The same, asked twice, after a step of another rule: nothing that is shared may change."""
    one = kept(session, at)
    one.first_receiver(GROUNDS, at, Trace())
    trace = Trace()
    trace.note("covered", "", "")
    receiver = one.first_receiver(GROUNDS, at, trace)
    return receiver, trace.steps[1:], one.considered(GROUNDS, at)


def test_at_every_minute_of_two_hours_it_says_what_a_fresh_reading_says(session, city):
    """An hour with a handover, a leave with a stand-in, a stand-in's own duty and a shift that ends in it."""
    member, leader = city.members[NORTH_WEST], city.leaders[NORTH_WEST]
    newcomer = Member(name="新人", phone=None, role="member", on_duty=True, territory=NORTH_WEST)
    session.add(newcomer)
    session.flush()
    first = session.scalars(sa.select(Duty).where(Duty.member_id == member)).one()
    first.ends_at = NOW + 37 * MINUTE
    handed_over = Duty(
        post="member",
        member_id=newcomer.id,
        ground=NORTH_WEST,
        starts_at=NOW + 37 * MINUTE,
        territory=NORTH_WEST,
    )
    session.add(handed_over)
    session.flush()
    session.add_all(
        [
            Shift(
                duty_id=handed_over.id, weekday=0, starts=(NOW + 37 * MINUTE).time(),
                ends=(NOW + 80 * MINUTE).time(), territory=NORTH_WEST,
            ),
            Leave(
                member_id=leader, starts_at=NOW + 12 * MINUTE, ends_at=NOW + 95 * MINUTE, stand_in_id=member,
                status="approved", asked_at=NOW, territory=NORTH_WEST,
            ),
        ]
    )  # fmt: skip
    for minute in range(-5, 125):
        at = (NOW + minute * MINUTE).astimezone(BEIJING)
        fresh = roster.at_instant(session, GROUNDS, at)
        assert told_by_kept(session, at) == told(fresh, at), at


def test_a_roster_is_read_once_an_hour(session, city, monkeypatch):
    readings = []
    real = kept_rosters.load
    monkeypatch.setattr(kept_rosters, "load", lambda *a, **k: readings.append(1) or real(*a, **k))
    for minute in (0, 1, 59):
        kept(session, NOW + minute * MINUTE)
    assert len(readings) == 1
    kept(session, NOW + 60 * MINUTE)
    assert len(readings) == 2


CHANGES = {
    "a switch": "UPDATE member SET on_duty = false WHERE id = :member",
    "a name": "UPDATE member SET name = '王大明' WHERE id = :member",
    "a duty that ends": "UPDATE duty SET ends_at = now() - interval '1 year' + interval '1 year'"
    " WHERE member_id = :leader",
    "a new leave": "INSERT INTO leave (member_id, starts_at, ends_at, status, asked_at, territory)"
    " VALUES (:member, :now, CAST(:now AS timestamptz) + interval '1 day', 'approved', :now, '9901')",
    "a new shift": "INSERT INTO shift (duty_id, weekday, starts, ends, territory)"
    " SELECT id, 6, '08:00', '09:00', '9901' FROM duty WHERE member_id = :member",
}


@pytest.mark.parametrize("what", CHANGES)
def test_no_change_is_missed(session, city, what):
    ids = {"member": city.members[NORTH_WEST], "leader": city.leaders[NORTH_WEST], "now": NOW}
    before = stamp(session)
    told_by_kept(session, NOW)
    session.execute(sa.text(CHANGES[what]), {k: v for k, v in ids.items() if f":{k}" in CHANGES[what]})
    assert stamp(session) != before
    assert told_by_kept(session, NOW) == told(roster.at_instant(session, GROUNDS, NOW), NOW)
