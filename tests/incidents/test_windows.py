"""Windows and what they are compared with: days, months, years, and spans that still run."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gis.errors import Invalid
from incidents.calendar import CITY_ZONE
from incidents.windows import named_window, weeks, window_between

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=CITY_ZONE)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=CITY_ZONE)


def span(window):
    return window.starts_at, window.ends_at


def test_days_end_now_and_are_compared_with_the_same_part_of_the_days_before():
    week = named_window("7d", NOW, CITY_ZONE)
    assert span(week) == (at(2026, 11, 17), NOW)
    assert span(week.previous) == (at(2026, 11, 10), at(2026, 11, 16, 10, 30))


def test_a_month_so_far_is_compared_with_as_much_of_the_month_before():
    month = named_window("month", NOW, CITY_ZONE)
    assert span(month) == (at(2026, 11, 1), NOW)
    assert span(month.previous) == (at(2026, 10, 1), at(2026, 10, 23, 10, 30))
    assert span(month.year_before) == (at(2025, 11, 1), at(2025, 11, 23, 10, 30))


def test_a_whole_month_is_compared_with_a_whole_month_of_another_length():
    march = named_window("last_month", at(2027, 4, 2), CITY_ZONE)
    assert span(march) == (at(2027, 3, 1), at(2027, 4, 1))
    assert span(march.previous) == (at(2027, 2, 1), at(2027, 3, 1))


def test_a_day_the_other_month_does_not_have_becomes_its_last():
    assert named_window("month", at(2027, 3, 31, 9), CITY_ZONE).previous.ends_at == at(2027, 2, 28, 9)
    leap = window_between(at(2028, 2, 29), at(2028, 3, 5), CITY_ZONE)
    assert span(leap.year_before) == (at(2027, 2, 28), at(2027, 3, 5))


def test_months_given_by_their_ends_count_as_months():
    quarter = window_between(at(2026, 7, 1), at(2026, 10, 1), CITY_ZONE)
    assert span(quarter.previous) == (at(2026, 4, 1), at(2026, 7, 1))
    assert span(quarter.previous.previous) == (at(2026, 1, 1), at(2026, 4, 1))


def test_weeks_go_from_monday_to_monday_without_gaps_and_end_now():
    found = weeks(NOW, CITY_ZONE, 4)
    assert [w.starts_at for w in found] == [
        at(2026, 11, 2),
        at(2026, 11, 9),
        at(2026, 11, 16),
        at(2026, 11, 23),
    ]
    assert [w.ends_at for w in found[:-1]] == [w.starts_at for w in found[1:]]
    assert found[-1].ends_at == NOW


@pytest.mark.parametrize("ends_at", [NOW, NOW - timedelta(days=1), NOW + timedelta(days=1100)])
def test_a_window_that_cannot_be_is_refused(ends_at):
    with pytest.raises(Invalid):
        window_between(NOW, ends_at, CITY_ZONE)


def test_an_unknown_name_is_refused():
    with pytest.raises(Invalid, match="fortnight"):
        named_window("fortnight", NOW, CITY_ZONE)
