"""The sum of a deadline in words: 派遣 11:18 ＋ 4 工作时（08:30–12:00，13:30–17:30）＝ 16:48."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from incidents.calendar import Calendar

UNITS = {
    "urgent_hours": ("紧急工作时", "urgent hour"),
    "working_hours": ("工作时", "working hour"),
    "working_days": ("工作日", "working day"),
    "calendar_days": ("自然日", "calendar day"),
}
"""kind -> (Chinese, English singular)."""

BY_WORKDAY = ("working_hours", "working_days")
"""Kinds that stand still on days off."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NAMED_BREAKS = 2
"""So many stretches of days off are told one by one; of more, only their days are counted."""


def limit_words(kind: str, value: float) -> tuple[str, str]:
    """4 工作时 / 4 working hours."""
    zh, en = UNITS[kind]
    return f"{value:g} {zh}", f"{value:g} {en}{'' if value == 1 else 's'}"


def sum_words(
    start: datetime,
    due_at: datetime,
    kind: str,
    value: float,
    calendar: Calendar,
    started: tuple[str, str],
    extended: float = 0.0,
    pauses: Sequence[tuple[datetime, datetime]] = (),
) -> tuple[str, str]:
    """Start + limit (what of the time counts) + extension = due, in Chinese and English."""
    limit_zh, limit_en = limit_words(kind, value)
    how_zh, how_en = _how(start, due_at, kind, calendar)
    paused_zh, paused_en = _paused(start, due_at, pauses, calendar)
    how_zh += paused_zh
    how_en += paused_en
    if extended:
        more_zh, more_en = limit_words(kind, extended)
        limit_zh, limit_en = f"{limit_zh} ＋ 延期 {more_zh}", f"{limit_en} + {more_en} of extension"
    (from_zh, from_en), (to_zh, to_en) = _moments(start, due_at, calendar)
    bracket_zh = "（" + "；".join(how_zh) + "）" if how_zh else " "
    bracket_en = " (" + "; ".join(how_en) + ")" if how_en else ""
    return (
        f"{started[0]} {from_zh} ＋ {limit_zh}{bracket_zh}＝ {to_zh}",
        f"{started[1]} {from_en} + {limit_en}{bracket_en} = {to_en}",
    )


def _how(start: datetime, due_at: datetime, kind: str, calendar: Calendar) -> tuple[list[str], list[str]]:
    """What of the time counts: office hours, days off left out, make-up workdays, unpublished years."""
    zh, en = [], []
    if kind == "urgent_hours":
        zh.append("昼夜连续")
        en.append("around the clock")
    if kind == "working_hours":
        zh.append("，".join(f"{opens:%H:%M}–{shuts:%H:%M}" for opens, shuts in calendar.hours))
        en.append(", ".join(f"{opens:%H:%M}-{shuts:%H:%M}" for opens, shuts in calendar.hours))
    if kind in BY_WORKDAY:
        off_zh, off_en = _days_off(start, due_at, calendar)
        years = calendar.unpublished(start, due_at)
        zh += off_zh + [f"{year} 年放假安排未公布，暂定" for year in years]
        en += off_en + [f"the {year} holidays are not published, provisional" for year in years]
    return zh, en


def _days_off(start: datetime, due_at: datetime, calendar: Calendar) -> tuple[list[str], list[str]]:
    """The days off between start and due, each stretch by its dates and its holiday's name."""
    first, last = (at.astimezone(calendar.zone).date() for at in (start, _just_before(due_at)))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    breaks: list[list[date]] = []
    for day in days:
        if calendar.workday(day):
            continue
        if breaks and breaks[-1][-1] == day - timedelta(days=1):
            breaks[-1].append(day)
        else:
            breaks.append([day])
    if len(breaks) > NAMED_BREAKS:
        off = sum(len(stretch) for stretch in breaks)
        return [f"休息日 {off} 天不计"], [f"{off} days off not counted"]
    zh = [f"{_stretch_zh(stretch)}{_holiday(stretch, calendar)}不计" for stretch in breaks]
    en = [f"{_stretch_en(stretch)} not counted" for stretch in breaks]
    for day in days:
        if day.weekday() >= 5 and calendar.workday(day):
            zh.append(f"{_day_zh(day)}调休上班")
            en.append(f"{_day_en(day)} is a make-up workday")
    return zh, en


def _paused(
    start: datetime, due_at: datetime, pauses: Sequence[tuple[datetime, datetime]], calendar: Calendar
) -> tuple[list[str], list[str]]:
    """The pauses between start and due, each by its two moments."""
    held = [(begins, ends) for begins, ends in pauses if begins < due_at and ends > start]
    if len(held) > NAMED_BREAKS:
        return [f"{len(held)} 次暂停不计"], [f"{len(held)} pauses not counted"]
    zh, en = [], []
    for begins, ends in held:
        (from_zh, from_en), (to_zh, to_en) = _moments(begins, ends, calendar)
        zh.append(f"{from_zh} 至 {to_zh} 暂停不计")
        en.append(f"paused {from_en} to {to_en}")
    return zh, en


def _holiday(stretch: list[date], calendar: Calendar) -> str:
    """The name the notice gives the stretch, else the weekend."""
    names = [calendar.named[day][1] for day in stretch if day in calendar.named]
    return next((name for name in names if name), "周末")


def _moments(
    start: datetime, due_at: datetime, calendar: Calendar
) -> tuple[tuple[str, str], tuple[str, str]]:
    """Start and due, with their day where it differs and their year where that differs.

    A deadline at midnight is told as 24:00 of the day that ends, as everybody reads it.
    """
    start, due_at = start.astimezone(calendar.zone), due_at.astimezone(calendar.zone)
    due_day = _just_before(due_at).date()
    due_time = f"{due_at:%H:%M}" if due_at.date() == due_day else "24:00"
    if start.date() == due_day:
        return (f"{start:%H:%M}",) * 2, (due_time,) * 2
    year = start.year != due_day.year
    return (
        (f"{_day_zh(start.date(), year)} {start:%H:%M}", f"{_day_en(start.date(), year)} {start:%H:%M}"),
        (f"{_day_zh(due_day, year)} {due_time}", f"{_day_en(due_day, year)} {due_time}"),
    )


def _just_before(at: datetime) -> datetime:
    return at - timedelta(microseconds=1)


def _day_zh(day: date, year: bool = False) -> str:
    return (f"{day.year}年" if year else "") + f"{day.month}月{day.day}日"


def _day_en(day: date, year: bool = False) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}" + (f" {day.year}" if year else "")


def _stretch_zh(days: list[date]) -> str:
    first, last = days[0], days[-1]
    if first == last:
        return _day_zh(first)
    return f"{_day_zh(first)}至{_day_zh(last) if last.month != first.month else f'{last.day}日'}"


def _stretch_en(days: list[date]) -> str:
    first, last = days[0], days[-1]
    if first == last:
        return _day_en(first)
    return (
        f"{first.day}-{_day_en(last)}" if first.month == last.month else f"{_day_en(first)} - {_day_en(last)}"
    )
