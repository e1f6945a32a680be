"""Deadlines against a minute counter for every hour of two years, golden sums in words, and properties."""

from __future__ import annotations

import itertools
from datetime import date, datetime, time, timedelta

import chinese_calendar
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import Invalid
from incidents.calendar import CITY_ZONE, Calendar, published_days
from incidents.deadline_words import UNITS
from incidents.deadlines import KINDS, deadline, remaining, stretches

CALENDAR = Calendar({row["day"]: (row["is_workday"], row["name"]) for row in published_days()})
FIRST, LAST = date(2025, 1, 1), date(2026, 12, 31)
"""Two years across the Spring Festivals of 2025 and 2026."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CITY_ZONE)


class MinuteCounter:
    """Counts minutes one by one, on the package's own answer to "is this a workday", not on our table."""

    def __init__(self, kind: str) -> None:
        days = (LAST - FIRST).days + 1 + 60
        minutes = [self._of_day(FIRST + timedelta(days=n), kind) for n in range(days)]
        self.total = np.concatenate([[0], np.cumsum(np.concatenate(minutes))])

    @staticmethod
    def _of_day(day: date, kind: str) -> np.ndarray:
        minute = np.arange(24 * 60)
        if kind in ("urgent_hours", "calendar_days"):
            return np.ones_like(minute)
        works = chinese_calendar.is_workday(day) if day <= LAST else day.weekday() < 5
        if kind == "working_days":
            return np.full_like(minute, works)
        morning = (minute >= 8 * 60 + 30) & (minute < 12 * 60)
        afternoon = (minute >= 13 * 60 + 30) & (minute < 17 * 60 + 30)
        return ((morning | afternoon) & works).astype(int)

    def due(self, start: int, limit: int) -> int:
        """The first minute by which `limit` minutes have been counted since the minute `start`."""
        return int(np.searchsorted(self.total, self.total[start] + limit, side="left"))


EPOCH = datetime.combine(FIRST, time(), CITY_ZONE)


def minute_of(moment: datetime) -> int:
    return round((moment - EPOCH) / timedelta(minutes=1))


@pytest.mark.parametrize(
    ("kind", "value"),
    [("urgent_hours", 2), ("working_hours", 4), ("working_days", 5), ("calendar_days", 7)],
)
def test_every_hour_of_two_years_equals_the_minute_counter(kind, value):
    counter = MinuteCounter(kind)
    limit = round(value * KINDS[kind] / timedelta(minutes=1))
    soon = limit - min(60, limit // 4)
    for hour in range(((LAST - FIRST).days + 1) * 24):
        found = deadline(EPOCH + timedelta(hours=hour), kind, value, CALENDAR)
        assert minute_of(found.due_at) == counter.due(hour * 60, limit), found.words_en
        assert minute_of(found.due_soon_at) == counter.due(hour * 60, soon), found.words_en


# The two halves of a working day: 08:30 to 12:00 is 3.5 hours, 13:30 to 17:30 is 4. 11:18 to 12:00 uses 42
# minutes of 4 hours, and 3 h 18 min after 13:30 is 16:48: the sum of the design.
GOLDEN = [
    ("2026-11-23 11:18", "working_hours", 4, "派遣 11:18 ＋ 4 工作时（08:30–12:00，13:30–17:30）＝ 16:48"),
    # 1.5 hours are left on Friday, 2.5 more from 08:30 on Monday.
    (
        "2026-11-27 16:00", "working_hours", 4,
        "派遣 11月27日 16:00 ＋ 4 工作时（08:30–12:00，13:30–17:30；11月28日至29日周末不计）"
        "＝ 11月30日 11:00",
    ),
    # Over National Day 2026 (1 to 7 October): 1.5 hours before it, 3.5 in the morning after, 3 from 13:30.
    (
        "2026-09-30 16:00", "working_hours", 8,
        "派遣 9月30日 16:00 ＋ 8 工作时（08:30–12:00，13:30–17:30；10月1日至7日国庆节不计）＝ 10月8日 16:30",
    ),
    # A Saturday counts nothing: one working day is the whole Monday.
    (
        "2026-11-28 10:00", "working_days", 1,
        "派遣 11月28日 10:00 ＋ 1 工作日（11月28日至29日周末不计）＝ 11月30日 24:00",
    ),
    # Spring Festival 2026 is 15 to 23 February; Saturday the 14th and the 28th are worked instead.
    (
        "2026-02-13 10:00", "working_days", 2,
        "派遣 2月13日 10:00 ＋ 2 工作日（2月15日至23日春节不计；2月14日调休上班）＝ 2月24日 10:00",
    ),
    (
        "2026-11-23 23:30", "urgent_hours", 2,
        "派遣 11月23日 23:30 ＋ 2 紧急工作时（昼夜连续）＝ 11月24日 01:30",
    ),
    ("2026-11-23 11:18", "calendar_days", 3, "派遣 11月23日 11:18 ＋ 3 自然日 ＝ 11月26日 11:18"),
    (
        "2026-12-30 10:00", "working_days", 3,
        "派遣 2026年12月30日 10:00 ＋ 3 工作日（1月2日至3日周末不计；2027 年放假安排未公布，暂定）"
        "＝ 2027年1月4日 10:00",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("start", "kind", "value", "words"), GOLDEN)
def test_the_sum_is_told_in_words(start, kind, value, words):
    assert deadline(at(start), kind, value, CALENDAR).words_zh == words


def test_the_sum_in_english_is_that_of_the_design():
    found = deadline(at("2026-11-23 11:18"), "working_hours", 4, CALENDAR)
    assert found.words_en == "Dispatched 11:18 + 4 working hours (08:30-12:00, 13:30-17:30) = 16:48"


def test_half_a_day_of_work_ends_at_noon_and_not_after_lunch():
    assert deadline(at("2026-11-23 08:30"), "working_hours", 3.5, CALENDAR).due_at == at("2026-11-23 12:00")


def test_due_soon_is_the_shorter_of_an_hour_and_a_quarter():
    short = deadline(at("2026-11-23 14:00"), "urgent_hours", 2, CALENDAR)
    long = deadline(at("2026-11-23 14:00"), "calendar_days", 7, CALENDAR)
    assert short.due_at - short.due_soon_at == timedelta(minutes=30)
    assert long.due_at - long.due_soon_at == timedelta(hours=1)


@pytest.mark.parametrize(
    ("kind", "provisional"),
    [("working_hours", True), ("working_days", True), ("urgent_hours", False), ("calendar_days", False)],
)
def test_a_year_without_a_calendar_makes_a_deadline_provisional_where_days_off_matter(kind, provisional):
    start = at("2031-05-01 10:00")  # Labour Day of a year nobody has published
    assert deadline(start, kind, 2, CALENDAR).provisional is provisional


def test_a_deadline_within_a_published_year_is_not_provisional():
    assert not deadline(at("2026-12-28 10:00"), "working_days", 2, CALENDAR).provisional


@pytest.mark.parametrize(("kind", "value"), [("lunar_days", 1), ("working_hours", 0), ("working_days", -1)])
def test_a_limit_that_cannot_be_is_refused(kind, value):
    with pytest.raises(Invalid):
        deadline(at("2026-11-23 11:18"), kind, value, CALENDAR)


def test_every_kind_has_its_unit_in_both_languages():
    assert UNITS.keys() == KINDS.keys()


# ---- properties ------------------------------------------------------------------------------------

kinds = st.sampled_from(list(KINDS))
limits = st.sampled_from([0.25, 1, 2, 4, 7.5, 11])
minutes = st.integers(0, ((LAST - FIRST).days + 1) * 24 * 60)
moments = minutes.map(lambda n: EPOCH + timedelta(minutes=n))
breaks = st.lists(st.integers(0, 20 * 24 * 60), max_size=6, unique=True).map(sorted)


def pauses_after(start: datetime, cuts: list[int]) -> list[tuple[datetime, datetime]]:
    """Pauses that do not overlap, from an even number of cuts after the start."""
    ends = [start + timedelta(minutes=n) for n in cuts[: len(cuts) // 2 * 2]]
    return list(zip(ends[::2], ends[1::2], strict=True))


@given(moments, kinds, limits, breaks)
def test_a_pause_never_brings_a_deadline_nearer_and_counts_for_nothing(start, kind, value, cuts):
    pauses = pauses_after(start, cuts)
    plain = deadline(start, kind, value, CALENDAR)
    held = deadline(start, kind, value, CALENDAR, pauses=pauses)
    assert held.due_at >= plain.due_at
    counted = sum(
        (s.ends_at - s.starts_at for s in stretches(start, held.due_at, kind, CALENDAR, pauses) if s.counted),
        timedelta(0),
    )
    assert counted == value * KINDS[kind]


@given(moments, kinds, limits, st.integers(1, 60 * 24 * 9))
def test_a_pause_after_the_end_changes_nothing(start, kind, value, later):
    plain = deadline(start, kind, value, CALENDAR)
    pause = (plain.due_at, plain.due_at + timedelta(minutes=later))
    assert deadline(start, kind, value, CALENDAR, pauses=[pause]).due_at == plain.due_at


@given(moments, kinds, limits, limits)
def test_an_extension_is_a_longer_limit(start, kind, value, more):
    extended = deadline(start, kind, value, CALENDAR, extended=more)
    assert extended.due_at == deadline(start, kind, value + more, CALENDAR).due_at


@given(moments, moments, kinds)
def test_stretches_tile_their_span_and_agree_with_what_remains(one, other, kind):
    start, end = min(one, other), max(one, other)
    spans = stretches(start, end, kind, CALENDAR)
    assert all(a.ends_at == b.starts_at and a.counted != b.counted for a, b in itertools.pairwise(spans))
    if spans:
        assert (spans[0].starts_at, spans[-1].ends_at) == (start, end)
    counted = sum((s.ends_at - s.starts_at for s in spans if s.counted), timedelta(0))
    assert counted == remaining(start, end, kind, CALENDAR) == -remaining(end, start, kind, CALENDAR)


@given(moments, kinds, limits)
def test_when_it_is_due_nothing_remains_and_a_minute_before_something_does(start, kind, value):
    due_at = deadline(start, kind, value, CALENDAR).due_at
    assert remaining(start, due_at, kind, CALENDAR) == value * KINDS[kind]
    before = due_at - timedelta(minutes=1)
    assert remaining(before, due_at, kind, CALENDAR) == timedelta(minutes=1)
