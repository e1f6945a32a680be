"""Spans of time an indicator is read over, and the spans it is compared with.

A window is half open: [starts_at, ends_at). 环比 compares with the span of the same length before it (for a
month: with the month before), 同比 with the same days a year earlier. A span that still runs is compared with
the same part of the other one: the first ten days of a month with the first ten of the month before.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from gis.errors import Invalid

DAYS = {"7d": 7, "30d": 30, "90d": 90}
MONTHS = {"month": 0, "last_month": -1}
NAMES = (*DAYS, *MONTHS)
LONGEST = timedelta(days=3 * 366)


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time with its two spans of comparison."""

    starts_at: datetime
    ends_at: datetime
    months: int = 0
    """So many whole months it stands for; 0 for a span of days."""

    @property
    def previous(self) -> Window:
        """环比: the span before this one."""
        if self.months:
            return self._moved(-self.months)
        length = self.ends_at - self.starts_at
        if self.starts_at.time() == time():
            # Whole days, the last of them still running: step back by days, not into the middle of one.
            length = timedelta(days=-(-length // timedelta(days=1)))
        return Window(self.starts_at - length, self.ends_at - length)

    @property
    def year_before(self) -> Window:
        """同比: the same days a year earlier."""
        return self._moved(-12)

    def _moved(self, months: int) -> Window:
        """The same span so many months away. A day the other month does not have becomes its last."""
        return Window(_months_away(self.starts_at, months), _months_away(self.ends_at, months), self.months)


def _months_away(at: datetime, months: int) -> datetime:
    index = at.year * 12 + at.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return at.replace(year=year, month=month + 1, day=min(at.day, last))


def named_window(name: str, now: datetime, zone: ZoneInfo) -> Window:
    """A window by its name: the last days up to now, this month so far, the month before.

    Raises Invalid for a name that is none.
    """
    here = now.astimezone(zone)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    if name in DAYS:
        return Window(midnight - timedelta(days=DAYS[name] - 1), here)
    if name in MONTHS:
        first = midnight.replace(day=1)
        if name == "month":
            return Window(first, here, 1)
        return Window(_months_away(first, -1), first, 1)
    raise Invalid(
        en=f"There is no window {name[:40]}.",
        zh=f"没有时段 {name[:40]}。",
        remedy_en="Windows are " + ", ".join(NAMES) + "; or give from and to.",
        remedy_zh="时段有 " + "、".join(NAMES) + "，也可给出起止时间。",
    )


def window_between(starts_at: datetime, ends_at: datetime, zone: ZoneInfo) -> Window:
    """A window of one's own; from the first of a month to the first of another it counts in months.

    Raises Invalid for one that ends before it starts or is longer than three years.
    """
    starts_at, ends_at = starts_at.astimezone(zone), ends_at.astimezone(zone)
    if not timedelta(0) < ends_at - starts_at <= LONGEST:
        raise Invalid(
            en="The window must end after it starts, within three years.",
            zh="时段须先始后终，且不超过三年。",
            remedy_en="Correct from and to.",
            remedy_zh="请更正起止时间。",
        )
    if all((at.day, at.time()) == (1, time()) for at in (starts_at, ends_at)):
        months = (ends_at.year - starts_at.year) * 12 + ends_at.month - starts_at.month
        return Window(starts_at, ends_at, months)
    return Window(starts_at, ends_at)


def weeks(now: datetime, zone: ZoneInfo, count: int = 12) -> list[Window]:
    """The last weeks from Monday to Monday, oldest first; the last one runs up to now."""
    here = now.astimezone(zone)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - timedelta(days=midnight.weekday())
    starts = [monday - timedelta(weeks=n) for n in range(count - 1, -1, -1)]
    return [Window(start, min(start + timedelta(weeks=1), here)) for start in starts]
