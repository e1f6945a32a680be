"""When must a clock have been started to be in time, due soon or overdue now?

A clock's state at `now` depends on when it was started, and the later it starts the later it is due. So for
each limit the starts that leave it overdue, due soon or in time are three neighbouring intervals, found by
bisection; a case gets its start from the interval it needs. That works at any hour of any day, because the
rules of time themselves are asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from etl.demo_city.stories import Kind, TimeRules
from incidents.deadlines import Deadline
from incidents.rules import Limit

REACH = timedelta(days=45)
"""No start is looked for further back: the longest limit, twenty working days, with every holiday in it."""
BISECTIONS = 24
RECENT_OVERDUE = timedelta(hours=3)
JUST_NOW = timedelta(minutes=2)
LONGEST_WAIT = timedelta(minutes=50)
"""Nothing waits longer for the desk where it can be helped."""
WAITING = ("reported", "registered")
"""Stages before the dispatch."""


@dataclass(frozen=True, slots=True)
class Want:
    """So many living cases of a stage with a clock state. `today`: reported today, before, or either way."""

    stage: str
    clock: str
    count: int
    today: bool | None = None


@dataclass(frozen=True, slots=True)
class Starts:
    """Between which starts a clock is overdue, due soon and in time now."""

    overdue_until: datetime
    soon_until: datetime

    def of(self, clock: str, now: datetime) -> tuple[datetime, datetime]:
        """(earliest, latest) start for a clock state."""
        if clock == "overdue":
            return self.overdue_until - RECENT_OVERDUE, self.overdue_until - JUST_NOW
        if clock == "due_soon":
            return self.overdue_until, self.soon_until
        return self.soon_until, now - JUST_NOW


class Clockwork:
    """Which start a clock of a limit needs, worked out once for each limit."""

    def __init__(self, rules: TimeRules, now: datetime) -> None:
        """`now` is in the city's own time: its midnight is the city's."""
        self._rules, self._now = rules, now
        self._kept: dict[tuple[Limit, str], Starts] = {}

    def span(self, kind: Kind, channel: str, want: Want) -> tuple[datetime, datetime] | None:
        """(earliest, latest) start of the clock that runs at the wanted stage; None where none fits."""
        stage = {"paused": "handling", "parked": "handling"}.get(want.stage, want.stage)
        wanted = self._rules.clock_at(stage, kind, channel)
        now = self._now
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if wanted is None:  # no clock runs: in time by definition
            span = (now - timedelta(hours=2), now - JUST_NOW)
        else:
            clock = "in_time" if want.clock == "paused" else want.clock
            span = self._starts(*wanted).of(clock, now)
        low, high = span
        if want.stage in WAITING and want.clock == "in_time":
            low = max(low, now - LONGEST_WAIT)
        if want.today is True:
            low = max(low, midnight)
        elif want.today is False:
            high = min(high, midnight - timedelta(minutes=90))
        return (low, high) if low + timedelta(seconds=20) < high else None

    def _starts(self, clock: str, limit: Limit) -> Starts:
        key = (limit, clock)
        if key not in self._kept:
            now = self._now
            self._kept[key] = Starts(
                self._last(limit, clock, lambda found: found.due_at < now),
                self._last(limit, clock, lambda found: found.due_soon_at <= now),
            )
        return self._kept[key]

    def _last(self, limit: Limit, clock: str, holds: Callable[[Deadline], bool]) -> datetime:
        """The last start for which something holds: true before it, false after it."""
        low, high = self._now - REACH, self._now
        for _ in range(BISECTIONS):
            middle = low + (high - low) / 2
            if holds(self._rules.due(middle, clock, limit)):
                low = middle
            else:
                high = middle
        return low
