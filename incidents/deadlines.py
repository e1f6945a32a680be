"""When is it due, and the sum in words: pure arithmetic of four kinds of time over a calendar.

urgent_hours   紧急工作时  hours around the clock
working_hours  工作时      office hours of workdays only
working_days   工作日      workdays from midnight to midnight
calendar_days  自然日      days of 24 hours, whatever the day

One rule serves all four: the time that counts is laid end to end from the start until the limit is used
up, and the deadline is the first moment at which it is. So 3.5 working hours from 08:30 end at 12:00 and
not at 13:30, two working days from Monday 10:00 end on Wednesday 10:00, and one working day from a Saturday
ends with Monday.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gis.errors import Invalid
from incidents.calendar import Calendar
from incidents.deadline_words import BY_WORKDAY, sum_words

KINDS = {
    "urgent_hours": timedelta(hours=1),
    "working_hours": timedelta(hours=1),
    "working_days": timedelta(days=1),
    "calendar_days": timedelta(days=1),
}
"""kind -> counted time of one unit."""

SOON = timedelta(hours=1)
SOON_SHARE = 0.25
"""Due soon: less counted time left than one hour or this share of the limit, whichever is shorter."""

Pauses = Sequence[tuple[datetime, datetime]]
"""Spans in which a clock stood, as (from, to); they do not overlap."""

MAX_VALUE = 1000
"""A larger limit is a mistake in the rules, not a deadline."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The answer: moments with the city's offset, and the sum that leads to them.

    `provisional` says that the calendar of a year it reaches into is not published yet.
    """

    due_at: datetime
    due_soon_at: datetime
    words_zh: str
    words_en: str
    provisional: bool


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time that counts towards the limit, or does not."""

    starts_at: datetime
    ends_at: datetime
    counted: bool


def deadline(
    start: datetime,
    kind: str,
    value: float,
    calendar: Calendar,
    *,
    extended: float = 0.0,
    pauses: Pauses = (),
    started: tuple[str, str] = ("派遣", "Dispatched"),
) -> Deadline:
    """The moment `value` units of `kind`, and `extended` more, are used up after `start`.

    Time in `pauses` does not count, whatever its kind. `started` names in Chinese and English what happened
    at `start`, for the sum. Raises Invalid for an unknown kind or a limit that is not above zero.
    """
    limit = _limit(kind, value + extended)
    start = start.astimezone(calendar.zone)
    soon = limit - min(SOON, SOON_SHARE * limit)
    soon_at, due_at = _after(start, (soon, limit), kind, calendar, pauses)
    words_zh, words_en = sum_words(start, due_at, kind, value, calendar, started, extended, pauses)
    provisional = kind in BY_WORKDAY and bool(calendar.unpublished(start, due_at))
    return Deadline(due_at, soon_at, words_zh, words_en, provisional)


def remaining(now: datetime, due_at: datetime, kind: str, calendar: Calendar) -> timedelta:
    """Counted time from `now` to `due_at`; negative when it is over."""
    if now <= due_at:
        return _counted(now, due_at, kind, calendar)
    return -_counted(due_at, now, kind, calendar)


def stretches(
    start: datetime, end: datetime, kind: str, calendar: Calendar, pauses: Pauses = ()
) -> list[Span]:
    """The time from `start` to `end` in order and without gaps, cut where counting begins or stops."""
    spans: list[Span] = []
    here = start
    for begins, ends in _counting(start, kind, calendar, pauses):
        if begins >= end:
            break
        if begins > here:
            spans.append(Span(here, begins, False))
        here = min(ends, end)
        if spans and spans[-1].counted and spans[-1].ends_at == begins:
            spans[-1] = Span(spans[-1].starts_at, here, True)
        else:
            spans.append(Span(begins, here, True))
        if here == end:
            break
    if here < end:
        spans.append(Span(here, end, False))
    return spans


def _limit(kind: str, value: float) -> timedelta:
    """The limit as counted time."""
    if kind not in KINDS:
        raise Invalid(
            en=f"There is no kind of time {kind}.",
            zh=f"没有计时方式 {kind}。",
            remedy_en="Kinds are " + ", ".join(KINDS) + ".",
            remedy_zh="计时方式为 " + "、".join(KINDS) + "。",
        )
    if not 0 < value <= MAX_VALUE:
        raise Invalid(
            en=f"A limit of {value:g} is not possible.",
            zh=f"时限不能是 {value:g}。",
            remedy_en=f"Give a number above 0 and at most {MAX_VALUE}.",
            remedy_zh=f"请填大于 0、不超过 {MAX_VALUE} 的数。",
        )
    return float(value) * KINDS[kind]


def _counting(
    start: datetime, kind: str, calendar: Calendar, pauses: Pauses = ()
) -> Iterator[tuple[datetime, datetime]]:
    """The spans of counted time from `start` on, in order; without end."""
    for begins, ends in _open_hours(start, kind, calendar):
        for paused, resumed in sorted(pauses):
            if paused < ends and resumed > begins:
                if paused > begins:
                    yield begins, paused
                begins = resumed
                if begins >= ends:
                    break
        if begins < ends:
            yield begins, ends


def _open_hours(start: datetime, kind: str, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    """The same before anything was paused."""
    if kind not in BY_WORKDAY:
        yield start, datetime.max.replace(tzinfo=UTC)
        return
    day = start.astimezone(calendar.zone).date()
    while True:
        spans = calendar.office_spans(day) if kind == "working_hours" else calendar.whole_day(day)
        for begins, ends in spans:
            if ends > start:
                yield max(begins, start), ends
        day += timedelta(days=1)


def _after(
    start: datetime, amounts: Sequence[timedelta], kind: str, calendar: Calendar, pauses: Pauses
) -> list[datetime]:
    """The first moments at which so much counted time has passed since `start`, in the city's zone.

    `amounts` rise.
    """
    found: list[datetime] = []
    passed = timedelta(0)
    for begins, ends in _counting(start, kind, calendar, pauses):
        until = passed + _elapsed(begins, ends)
        while amounts[len(found)] <= until:
            left = amounts[len(found)] - passed
            found.append((begins.astimezone(UTC) + left).astimezone(calendar.zone))
            if len(found) == len(amounts):
                return found
        passed = until
    raise AssertionError("counted time has no end")


def _counted(start: datetime, end: datetime, kind: str, calendar: Calendar) -> timedelta:
    """Counted time between two moments."""
    total = timedelta(0)
    for begins, ends in _counting(start, kind, calendar):
        if begins >= end:
            break
        total += _elapsed(begins, min(ends, end))
        if ends >= end:
            break
    return total


def _elapsed(begins: datetime, ends: datetime) -> timedelta:
    """Real time between two moments: within one zone Python would subtract what the clocks show."""
    return ends.astimezone(UTC) - begins.astimezone(UTC)
