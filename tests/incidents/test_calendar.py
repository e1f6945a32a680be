"""The calendar: what a notice names, what it leaves to the week, and when a changed one is seen."""

from __future__ import annotations

from datetime import date

import chinese_calendar
import pytest
import sqlalchemy as sa

from incidents.calendar import Calendar, CalendarDay, current_calendar, published_days

MONDAY, SATURDAY = date(2026, 11, 23), date(2026, 11, 28)


@pytest.mark.parametrize("year", range(2004, 2027))
def test_every_published_year_is_the_packages_own_day_by_day(year):
    calendar = Calendar({row["day"]: (row["is_workday"], row["name"]) for row in published_days()})
    days = [
        date.fromordinal(n) for n in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
    ]
    assert [calendar.workday(day) for day in days] == [chinese_calendar.is_workday(day) for day in days]
    assert not calendar.provisional(year)


def test_without_a_notice_the_week_decides_and_the_year_is_provisional():
    calendar = Calendar()
    assert calendar.workday(MONDAY) and not calendar.workday(SATURDAY)
    assert calendar.provisional(2026)


def test_a_named_day_wins_over_the_week():
    calendar = Calendar({MONDAY: (False, "停电"), SATURDAY: (True, "补班")})
    assert not calendar.workday(MONDAY) and calendar.workday(SATURDAY)
    assert calendar.office_spans(MONDAY) == [] and len(calendar.office_spans(SATURDAY)) == 2


def test_the_migrated_database_knows_the_published_years(session):
    calendar = current_calendar(session)
    assert not calendar.workday(date(2026, 10, 1)) and calendar.named[date(2026, 10, 1)][1] == "国庆节"
    assert calendar.workday(date(2026, 2, 14)), "a Saturday worked for Spring Festival"
    assert calendar.provisional(2027)


def test_a_change_is_seen_at_once_and_a_change_taken_back_is_forgotten(session):
    before = current_calendar(session)
    assert current_calendar(session) is before, "kept, not read again"
    with session.begin_nested() as attempt:
        session.add(CalendarDay(day=MONDAY, is_workday=False, name="停电", source="test"))
        session.flush()
        assert not current_calendar(session).workday(MONDAY)
        attempt.rollback()
    assert current_calendar(session).workday(MONDAY)


def test_a_day_taken_out_is_seen_too(session):
    session.execute(sa.delete(CalendarDay).where(CalendarDay.day == date(2026, 10, 1)))
    assert current_calendar(session).workday(date(2026, 10, 1))
