"""Which days and hours count: office hours, public holidays and make-up workdays, as the city publishes them.

The table holds the days a year's notice names: the holidays, and the Saturdays and Sundays worked instead
(调休). Every other day follows the week. A year without a single named day has not been published yet:
deadlines that reach into it are provisional (decision 13).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base
from gis.settings import CITY_ZONE

OFFICE_HOURS = ((time(8, 30), time(12)), (time(13, 30), time(17, 30)))
"""The city's ordinary office hours: 3.5 hours before noon, 4 after."""


class CalendarDay(Base):
    """A day named by a year's holiday notice: off on a weekday, or worked on a weekend."""

    __tablename__ = "calendar_day"
    __table_args__ = ({"info": {"open": True}},)

    day: Mapped[date] = mapped_column(primary_key=True)
    is_workday: Mapped[bool]
    name: Mapped[str | None]
    source: Mapped[str]


@dataclass(frozen=True, slots=True)
class Calendar:
    """An immutable picture of the calendar. `named` maps a day of a notice to (is a workday, its name)."""

    named: Mapping[date, tuple[bool, str | None]] = field(default_factory=dict)
    zone: ZoneInfo = CITY_ZONE
    hours: tuple[tuple[time, time], ...] = OFFICE_HOURS
    published: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "published", frozenset(day.year for day in self.named))

    def workday(self, day: date) -> bool:
        """Whether offices are open: what the notice says, else Monday to Friday."""
        return self.named[day][0] if day in self.named else day.weekday() < 5

    def provisional(self, year: int) -> bool:
        """Whether the year's notice is not known yet, so that its days follow the bare week."""
        return year not in self.published

    def unpublished(self, start: datetime, end: datetime) -> list[int]:
        """The provisional years between two moments."""
        first, last = (at.astimezone(self.zone).year for at in (start, end))
        return [year for year in range(first, last + 1) if self.provisional(year)]

    def office_spans(self, day: date) -> list[tuple[datetime, datetime]]:
        """The hours of a day that count as office hours, in order; none on a day off."""
        if not self.workday(day):
            return []
        return [
            (datetime.combine(day, opens, self.zone), datetime.combine(day, shuts, self.zone))
            for opens, shuts in self.hours
        ]

    def whole_day(self, day: date) -> list[tuple[datetime, datetime]]:
        """A workday from midnight to midnight; nothing on a day off."""
        if not self.workday(day):
            return []
        return [
            (
                datetime.combine(day, time(), self.zone),
                datetime.combine(day + timedelta(days=1), time(), self.zone),
            )
        ]


_READ = sa.text(
    "SELECT r.stamp::text, d.day, d.is_workday, d.name"
    " FROM rules_stamp AS r LEFT JOIN calendar_day AS d ON true"
)
STAMP = sa.text("SELECT stamp::text FROM rules_stamp")
"""One fresh random value for every change of the calendar or of the rules of time."""

_kept: dict[tuple[str, ZoneInfo], Calendar] = {}
"""The last picture read, by its stamp. A change, even one rolled back later, has a stamp of its own."""


def current_calendar(session: Session, zone: ZoneInfo = CITY_ZONE, *, stamp: str | None = None) -> Calendar:
    """The calendar as this transaction sees it, read once a process and change.

    Triggers give `rules_stamp` a fresh random value in the transaction of a change, as for the owner map. A
    caller that has just read the stamp with another query passes it and saves the round trip.
    """
    stamp = stamp or session.execute(STAMP).scalar_one()
    kept = _kept.get((stamp, zone))
    if kept is not None:
        return kept
    rows = session.execute(_READ).all()
    calendar = Calendar({row.day: (row.is_workday, row.name) for row in rows if row.day is not None}, zone)
    _kept.clear()
    _kept[rows[0].stamp, zone] = calendar
    return calendar


def published_days() -> list[dict[str, Any]]:
    """Rows of `calendar_day` for every year the chinesecalendar package knows."""
    from chinese_calendar.constants import Holiday, holidays, workdays

    chinese = {holiday.value: holiday.chinese for holiday in Holiday}
    named = [(day, False, name) for day, name in holidays.items()]
    named += [(day, True, name) for day, name in workdays.items()]
    return [
        {"day": day, "is_workday": works, "name": chinese.get(name, name), "source": "chinesecalendar"}
        for day, works, name in named
    ]
