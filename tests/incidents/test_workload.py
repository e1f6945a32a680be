"""Open cases per member, and whom a dispatch may name, lightest first."""

from datetime import timedelta

import sqlalchemy as sa

from grids.duties import Duty
from grids.members import Member
from incidents.calendar import CITY_ZONE
from incidents.case_file import people_by_id
from incidents.workload import Load, candidates, loads
from tests.toy_city import NORTH_EAST, NORTH_WEST, NOW

HOUR = timedelta(hours=1)


def test_loads_count_open_cases_by_their_clock(town):
    member = town.city.members[NORTH_EAST]
    cases = [town.report(town.member, f"k{n}") for n in range(3)]
    town.walk(cases[0], ("accept", town.member), ("finish", town.member), ("verify", town.inspector))
    town.move(cases[0], "close", town.officer)
    assert loads(town.session, [member, town.city.leaders[NORTH_EAST]], now=NOW) == {
        member: Load(open=2),
        town.city.leaders[NORTH_EAST]: Load(),
    }
    # Four working hours from ten o'clock, with the noon break, are over by half past three.
    assert loads(town.session, [member], now=NOW + 9 * HOUR)[member] == Load(open=2, overdue=2)


def test_pieces_of_work_on_other_peoples_cases_count_too(town):
    helper, theirs = town.city.leaders[NORTH_EAST], town.report(town.member)
    for amount in (2, 40):
        town.move(theirs, "assist", town.operator, note="封闭现场", member_id=helper, amount=amount)
    assert loads(town.session, [helper], now=NOW)[helper] == Load(open=2, assists=2)
    # Two working hours from ten o'clock are over at noon.
    assert loads(town.session, [helper], now=NOW + 3 * HOUR)[helper] == Load(open=2, overdue=1, assists=2)
    town.move(theirs, "pause", town.operator, note="等备件")
    assert loads(town.session, [helper], now=NOW)[helper] == Load(open=2, paused=2, assists=2)
    shown = people_by_id(town.session, {helper})[helper]
    assert (shown.open_cases, shown.assists) == (0, 2)
    town.move(theirs, "void", town.operator, note="误报")
    assert loads(town.session, [helper], now=NOW)[helper] == Load()


def test_the_proposed_come_first_then_those_on_duty_with_the_least_to_do(town):
    extra = Member(name="郑和", role="property_manager", territory=NORTH_EAST)
    town.session.add(extra)
    town.session.flush()
    town.session.add(
        Duty(
            post="property_manager",
            member_id=extra.id,
            ground=NORTH_EAST,
            starts_at=NOW - HOUR,
            territory=NORTH_EAST,
        )
    )
    member, leader = town.city.members[NORTH_EAST], town.city.leaders[NORTH_EAST]
    town.session.flush()
    town.report(town.member)
    found = candidates(town.session, NORTH_EAST, None, now=NOW, zone=CITY_ZONE)
    assert [c.member_id for c in found] == [leader, extra.id, member]
    assert found[-1].load == Load(open=1) and found[0].name == "刘×"
    assert candidates(town.session, NORTH_EAST, member, now=NOW, zone=CITY_ZONE)[0].proposed
    town.session.execute(sa.update(Member).where(Member.id == leader).values(on_duty=False))
    assert candidates(town.session, NORTH_EAST, None, now=NOW, zone=CITY_ZONE)[-1].why == "switch"


def test_ground_without_a_cell_has_no_team_to_choose_from(town):
    assert candidates(town.session, None, town.city.members[NORTH_WEST], now=NOW, zone=CITY_ZONE) == []
