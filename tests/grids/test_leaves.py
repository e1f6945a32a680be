"""Leave: asked for, decided, stood in for, taken back; and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from gis.access import Principal
from gis.errors import Conflict, Denied, Invalid, NotFound
from grids import leaves
from tests import toy_city
from tests.toy_city import NORTH_EAST, NORTH_WEST, NOW, SOUTH_EAST, SUBDISTRICT

DAY = timedelta(days=1)
OFFICER = Principal(9, "officer", "周明", "subdistrict_officer", territory=SUBDISTRICT)
STRANGER = Principal(8, "stranger", "外人", "subdistrict_officer", territory="990101002")


@pytest.fixture
def city(session):
    return toy_city.build(session)


def phone(member_id):
    return Principal(member_id, "member", "王小明", "member", territory=None, member_id=member_id)


def ask(session, member_id, start=1, end=2, **more):
    by = more.pop("by", phone(member_id))
    return leaves.ask(session, member_id, NOW + start * DAY, NOW + end * DAY, by=by, now=NOW, **more)


def test_a_member_asks_and_the_officer_approves_with_a_stand_in(session, city):
    a, b = city.members[NORTH_EAST], city.members[NORTH_WEST]
    leave = ask(session, a, kind="sick")
    assert (leave.status, leave.territory) == ("asked", NORTH_EAST)
    leaves.decide(session, leave.id, True, by=OFFICER, now=NOW, stand_in_id=b)
    (row,) = leaves.leaves(session, NOW, NOW + 7 * DAY, by=OFFICER)
    assert (row.status, row.member, row.stand_in, row.decided_by) == ("approved", "王××", "王××", "周明")
    assert [r.id for r in leaves.leaves(session, NOW, NOW + 7 * DAY, by=phone(a))] == [leave.id]
    assert leaves.leaves(session, NOW, NOW + 7 * DAY, by=STRANGER) == []
    assert leaves.leaves(session, NOW, NOW + 7 * DAY, by=phone(b)) == []


def test_a_decision_is_taken_once(session, city):
    leave = ask(session, city.members[NORTH_EAST])
    leaves.decide(session, leave.id, False, by=OFFICER, now=NOW)
    with pytest.raises(Conflict):
        leaves.decide(session, leave.id, True, by=OFFICER, now=NOW)


def test_only_an_officer_of_the_ground_decides(session, city):
    leave = ask(session, city.members[NORTH_EAST])
    with pytest.raises(NotFound):
        leaves.decide(session, leave.id, True, by=STRANGER, now=NOW)
    with pytest.raises(Denied):
        leaves.decide(session, leave.id, True, by=phone(leave.member_id), now=NOW)


@pytest.mark.parametrize(
    ("start", "end", "more"),
    [(2, 1, {}), (1, 1, {}), (-3, -2, {}), (1, 2, {"kind": "holiday"})],
    ids=["backward", "empty", "past", "unknown kind"],
)
def test_leave_that_cannot_be_is_refused(session, city, start, end, more):
    with pytest.raises(Invalid):
        ask(session, city.members[NORTH_EAST], start, end, **more)


def test_nobody_asks_for_somebody_else_but_the_office_may(session, city):
    a, b = city.members[NORTH_EAST], city.members[NORTH_WEST]
    with pytest.raises(NotFound):
        ask(session, a, by=phone(b))
    assert ask(session, a, by=OFFICER).member_id == a


def test_two_leaves_at_once_are_refused_and_a_taken_back_one_makes_room(session, city):
    a = city.members[NORTH_EAST]
    first = ask(session, a, 1, 3)
    with pytest.raises(Conflict):
        ask(session, a, 2, 4)
    leaves.withdraw(session, first.id, by=phone(a), now=NOW)
    assert ask(session, a, 2, 4).status == "asked"


def test_leave_under_way_is_cut_short_at_the_moment_it_is_taken_back(session, city):
    a = city.members[NORTH_EAST]
    leave = ask(session, a, 0, 3)
    leaves.decide(session, leave.id, True, by=OFFICER, now=NOW)
    leaves.withdraw(session, leave.id, by=phone(a), now=NOW + DAY)
    assert (leave.status, leave.ends_at) == ("approved", NOW + DAY)
    with pytest.raises(Conflict):
        leaves.withdraw(session, leave.id, by=phone(a), now=NOW + 2 * DAY)


def test_a_circle_of_stand_ins_is_refused_and_named(session, city):
    a, b, c = (city.members[ground] for ground in (NORTH_EAST, NORTH_WEST, SOUTH_EAST))
    ask(session, a, 1, 5, stand_in_id=b)
    ask(session, b, 2, 4, stand_in_id=c)
    with pytest.raises(Invalid) as refusal:
        ask(session, c, 3, 6, stand_in_id=a)
    assert refusal.value.details["members"] == [c, a, b, c]


def test_a_chain_that_does_not_meet_in_time_is_no_circle(session, city):
    a, b = city.members[NORTH_EAST], city.members[NORTH_WEST]
    ask(session, a, 1, 2, stand_in_id=b)
    assert ask(session, b, 2, 3, stand_in_id=a).stand_in_id == a


def test_nobody_stands_in_for_themselves_and_only_members_stand_in(session, city):
    leave = ask(session, city.members[NORTH_EAST])
    with pytest.raises(Invalid):
        leaves.assign_stand_in(session, leave.id, leave.member_id, by=OFFICER)
    with pytest.raises(NotFound):
        leaves.assign_stand_in(session, leave.id, 10**6, by=OFFICER)


def test_the_database_itself_refuses_a_member_standing_in_for_themselves(session, city):
    leave = ask(session, city.members[NORTH_EAST])
    with pytest.raises(sa.exc.IntegrityError):
        session.execute(sa.text("UPDATE leave SET stand_in_id = member_id WHERE id = :id"), {"id": leave.id})
