"""The rosters of the ground that reports come from, kept in memory by a stamp like the owner map.

Duties, shifts, leave and the on-duty switch change a few times a day and are asked about with every report.
Triggers give `roster_stamp` a fresh random value in the transaction of a change; a decision reads the stamp
together with its first query, and a roster is good only for the stamp it was read under. Within an hour it is
also cut wherever a duty, a shift or a leave begins or ends: a kept roster says the same at every instant of
its piece, and what `roster.at_instant` would read.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from grids import receivers
from grids.reasons import Trace
from grids.receivers import Person
from grids.roster import Absence, Roster, load
from grids.spans import Spans

WINDOW = timedelta(hours=1)
MOST_KEPT = 5000
"""Rosters of some kB each: half a city's cells."""


class Kept:
    """A roster in whose piece of time nothing changes, and what has been worked out of it already."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self._considered: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        self._receivers: dict[tuple[str, ...], tuple[Person | None, Trace]] = {}

    def considered(self, grounds: tuple[str, ...], at: datetime) -> list[dict[str, Any]]:
        """`receivers.considered`, shared by all decisions of the piece: not to be changed."""
        if grounds not in self._considered:
            self._considered[grounds] = receivers.considered(self.roster, grounds, at)
        return self._considered[grounds]

    def first_receiver(self, grounds: tuple[str, ...], at: datetime, trace: Trace) -> Person | None:
        """`receivers.first_receiver`, worked out once a piece; its steps are shared as well."""
        if grounds not in self._receivers:
            told = Trace()
            self._receivers[grounds] = receivers.first_receiver(self.roster, grounds, at, told), told
        person, told = self._receivers[grounds]
        trace.steps += told.steps
        return person


_Key = tuple[str, ZoneInfo, tuple[str, ...], int | None, datetime]
_kept: OrderedDict[_Key, _Hour] = OrderedDict()
_lock = threading.Lock()


class _Hour:
    """One hour of some grounds: the extract, and its pieces as they are asked for."""

    def __init__(self, extract: Roster, since: datetime) -> None:
        self._extract = extract
        window = Spans.of([(since, since + WINDOW)])
        hours = [window, *(extract.hours(holder, window) for holder in extract.holders)]
        away = [Spans.of([(a.starts_at, a.ends_at)]) & window for a in extract.absences]
        spans = [span for held in (*hours, *away) for span in held]
        self._edges = sorted({edge for span in spans for edge in span})
        self._pieces: dict[int, Kept] = {}

    def at(self, at: datetime) -> Kept:
        piece = bisect_right(self._edges, at) - 1
        if piece not in self._pieces:
            self._pieces[piece] = Kept(self._cut(self._edges[piece], self._edges[piece + 1]))
        return self._pieces[piece]

    def _cut(self, start: datetime, end: datetime) -> Roster:
        """What is assigned throughout a piece; a switch turned off is an absence of its whole length."""
        whole = self._extract
        holders = [
            h for h in whole.holders if h.starts_at <= start and (h.ends_at is None or h.ends_at > start)
        ]
        absences = [a for a in whole.absences if a.starts_at <= start < a.ends_at]
        switched_off = [
            Absence(person.id, start, end, cause="switch")
            for person in whole.people.values()
            if not person.switched_on
        ]
        return Roster(holders, [*absences, *switched_off], whole.people, whole.zone)


def at_stamp(
    session: Session,
    stamp: str,
    grounds: Sequence[str],
    at: datetime,
    *,
    zone: ZoneInfo,
    building_id: int | None = None,
) -> Kept:
    """The roster at one instant, for a stamp already read in this transaction."""
    since = at.replace(minute=0, second=0, microsecond=0)
    key = (stamp, zone, tuple(grounds), building_id, since)
    with _lock:
        hour = _kept.get(key)
        if hour is not None:
            _kept.move_to_end(key)
    if hour is None:
        window = Spans.of([(since, since + WINDOW)])
        hour = _Hour(load(session, grounds, window, zone=zone, building_id=building_id), since)
        with _lock:
            _kept[key] = hour
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
    return hour.at(at)
