"""A year nobody has published: deadlines are given and marked, and worked out again when it is entered."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import sqlalchemy as sa

from gis.access import Principal
from gis.audit import AuditEntry
from gis.errors import Denied, Invalid
from incidents.calendar import CITY_ZONE, current_calendar
from incidents.calendar_year import Wanted, enter_year, recompute_provisional, years_wanted
from incidents.categories import Category
from incidents.queries import get_incident

EVE = datetime(2026, 12, 31, 10, 0, tzinfo=CITY_ZONE)
"""A Thursday. Two working days later, by the bare week, is Monday 4 January at 10:00."""
ADMIN = Principal(8, "admin", "管理员", "admin", "")
OFF = {date(2027, 1, day): "元旦" for day in (1, 2, 3)}
WORKED = [date(2027, 1, 9)]


def when(day: int, hour: int = 10) -> datetime:
    return datetime(2027, 1, day, hour, 0, tzinfo=CITY_ZONE)


@pytest.fixture
def case(town):
    town.session.execute(sa.update(Category).values(limit_kind="working_days", limit_value=2))
    return town.report(town.member, now=EVE)


def test_nothing_is_refused_and_the_deadline_is_marked(town, case):
    detail = get_incident(town.session, case.id, by=town.officer, now=EVE)
    assert detail.row.due_at == when(4)
    assert detail.clock.provisional and "2027 年放假安排未公布" in detail.clock.words_zh
    assert years_wanted(town.session) == [Wanted(2027, 1)]


def test_when_the_year_is_entered_the_deadline_is_worked_out_again_and_the_story_says_so(town, case):
    """With 1 January off, the second working day is Monday the 4th: due on Tuesday the 5th at 10:00."""
    assert enter_year(town.session, 2027, OFF, WORKED, by=ADMIN, now=EVE) == [case.id]
    detail = get_incident(town.session, case.id, by=town.officer, now=EVE)
    assert detail.row.due_at == when(5) and detail.row.version == 2
    assert not detail.clock.provisional and "元旦不计" in detail.clock.words_zh
    last = detail.story[-1]
    assert (last.move, last.role, last.actor_name) == ("recompute", "system", "系统")
    assert last.note == "放假安排已公布，时限由 2027-01-04 10:00 改为 2027-01-05 10:00。"
    assert years_wanted(town.session) == []


def test_a_second_pass_changes_nothing(town, case):
    enter_year(town.session, 2027, OFF, WORKED, by=ADMIN, now=EVE)
    assert recompute_provisional(town.session, 2027, EVE) == []


def test_a_clock_that_has_stopped_keeps_the_deadline_people_worked_by(town, case):
    town.move(case, "finish", town.member, now=EVE)
    assert enter_year(town.session, 2027, OFF, WORKED, by=ADMIN, now=EVE) == []
    town.move(case, "verify", town.leader, now=EVE)
    town.move(case, "close", town.officer, now=EVE)
    assert town.case(case).due_at == when(4)


def test_the_year_replaces_what_was_known_and_is_kept_in_the_trail(town):
    enter_year(town.session, 2027, OFF, WORKED, by=ADMIN, now=EVE)
    enter_year(town.session, 2027, {date(2027, 1, 1): "元旦"}, [], by=ADMIN, now=EVE)
    calendar = current_calendar(town.session)
    assert not calendar.workday(date(2027, 1, 1)) and not calendar.workday(date(2027, 1, 9))
    assert not calendar.provisional(2027) and calendar.provisional(2028)
    trail = town.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "enter_calendar")).all()
    assert [(entry.subject_id, entry.details) for entry in trail] == [
        ("2027", {"off": 3, "worked": 1}),
        ("2027", {"off": 1, "worked": 0}),
    ]


@pytest.mark.parametrize(
    ("off", "worked"),
    [
        ({}, []),
        ({date(2026, 1, 1): "元旦"}, []),
        (OFF, [date(2027, 1, 2)]),
        (OFF, [date(2027, 1, 5)]),
        (OFF, [date(2028, 1, 8)]),
    ],
)
def test_a_notice_that_cannot_be_is_refused(session, off, worked):
    with pytest.raises(Invalid):
        enter_year(session, 2027, off, worked, by=ADMIN, now=EVE)
    assert current_calendar(session).provisional(2027)


def test_all_faults_of_a_notice_are_told_at_once(session):
    with pytest.raises(Invalid) as refusal:
        enter_year(session, 2027, {date(2026, 5, 1): "五一"}, [date(2027, 1, 5)], by=ADMIN, now=EVE)
    assert "2026-05-01" in refusal.value.message_zh and "2027-01-05" in refusal.value.message_zh


def test_only_the_city_enters_a_calendar(town):
    with pytest.raises(Denied):
        enter_year(town.session, 2027, OFF, WORKED, by=town.officer, now=EVE)
