"""Who is that now: duties, weekly shifts, leave and stand-ins, read once and answered by interval arithmetic.

A `Roster` is an immutable extract of the tables for some grounds over a window of time. One rule decides both
"who receives at this instant" and "where are the holes of the coming days", because an instant is only a very
short window:

    hours(duty)    the duty's span, cut down to its weekly shifts where it has any
    away(member)   the member's approved leave, and for the present instant a phone switched off duty
    held(duty)     hours less the holder's absence, plus every part of it in which a stand-in is present

A stand-in takes over the hours of the post, not their own, and may be stood in for in turn: A away, B
stands in; B away too, C does. A chain that comes back to somebody already in it ends there, so a circle
covers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gis.database import Statement
from gis.masking import mask_name
from gis.settings import CITY_ZONE
from grids.spans import NOTHING, Spans

FOREVER = datetime.max.replace(tzinfo=UTC)

INSTANT = timedelta(microseconds=1)
"""An instant as a window: the shortest span the clock can tell."""


@dataclass(frozen=True, slots=True)
class Holder:
    """One duty: this member holds this post on this ground from `starts_at` until `ends_at` (None: open).

    `shifts` are (weekday, starts, ends) in the city's wall clock, Monday = 0; none means around the clock.
    `stand_in_for` is set on the duty of somebody who holds another member's post meanwhile.
    """

    duty_id: int
    member_id: int
    post: str
    ground: str
    building_id: int | None
    starts_at: datetime
    ends_at: datetime | None
    stand_in_for: int | None = None
    shifts: tuple[tuple[int, time, time], ...] = ()
    unit: str | None = None
    floors: tuple[int | None, int | None] = (None, None)
    """The part of the building a head holds: a unit, floors from .. to; None is open."""

    def holds_door(self, unit: str | None, floor: int | None) -> bool:
        """Whether a door of the building may be in the holder's part. What is not told of it is no bar."""
        low, high = self.floors
        fits_unit = self.unit is None or unit is None or self.unit == unit
        fits_floor = floor is None or ((low is None or low <= floor) and (high is None or floor <= high))
        return fits_unit and fits_floor

    def nearness(self, unit: str | None, floor: int | None) -> tuple[bool, int]:
        """How well a door fits the part, the largest value answering: surely within it, then how narrow it is
        (0 for the whole building, a unit and each bound of the floors count 1)."""
        surely = (self.unit is None or unit is not None) and (
            self.floors == (None, None) or floor is not None
        )
        return surely, (self.unit is not None) + sum(bound is not None for bound in self.floors)


@dataclass(frozen=True, slots=True)
class Absence:
    """A span in which a member is away, and who stands in (None: nobody named).

    `cause` is leave, or switch for a phone switched off duty.
    """

    member_id: int
    starts_at: datetime
    ends_at: datetime
    stand_in_id: int | None = None
    cause: str = "leave"


@dataclass(frozen=True, slots=True)
class Someone:
    """A member as the roster knows them. `phone` is masked: nobody is told a member's number in full."""

    id: int
    name: str
    phone: str | None = None
    switched_on: bool = True

    @property
    def shown_name(self) -> str:
        """The name as shown in a sentence: surname and crosses (王××)."""
        return mask_name(self.name)


@dataclass(frozen=True)
class Roster:
    """The duties of some grounds, with the absences and the people they can lead to."""

    holders: Sequence[Holder]
    absences: Sequence[Absence]
    people: dict[int, Someone]
    zone: ZoneInfo = CITY_ZONE
    _away: dict[int, list[Absence]] = field(init=False, repr=False, compare=False)
    _own: dict[tuple[str, str], list[Holder]] = field(init=False, repr=False, compare=False)
    _standing_in: dict[tuple[int, str], list[Holder]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        own = [h for h in self.holders if h.stand_in_for is None]
        standing_in = [h for h in self.holders if h.stand_in_for is not None]
        object.__setattr__(self, "_away", _grouped(self.absences, lambda a: a.member_id))
        object.__setattr__(self, "_own", _grouped(own, lambda h: (h.ground, h.post)))
        object.__setattr__(self, "_standing_in", _grouped(standing_in, lambda h: (h.stand_in_for, h.ground)))

    def of(self, ground: str, post: str) -> list[Holder]:
        """Those who hold a post in their own right, newest assignment first."""
        return self._own.get((ground, post), [])

    def term(self, holder: Holder, window: Spans) -> Spans:
        """The part of `window` in which the duty is assigned at all."""
        return window & Spans.of([(holder.starts_at, holder.ends_at or FOREVER)])

    def hours(self, holder: Holder, window: Spans) -> Spans:
        """When the duty is to be held: its span and shifts, within `window`."""
        term = self.term(holder, window)
        return term & self._shifts(holder, term) if holder.shifts else term

    def away(self, member_id: int) -> Spans:
        """When a member is away, whatever the cause."""
        return Spans.of((a.starts_at, a.ends_at) for a in self._away.get(member_id, ()))

    def held(self, holder: Holder, window: Spans) -> Spans:
        """When somebody is there for the duty: the holder, or a stand-in somewhere along the chain."""
        hours = self.hours(holder, window)
        return hours & self._present(holder.member_id, holder, hours, frozenset())

    def stand_ins(self, holder: Holder, at: datetime) -> Iterator[Someone]:
        """Those asked to stand in for an absent holder at `at`, nearest first, present or not."""
        seen = {holder.member_id}
        waiting = [holder.member_id]
        while waiting:
            absent = waiting.pop(0)
            if at not in self.away(absent):
                continue
            for member_id, asked in self._named_for(absent, holder.ground, moment(at)):
                if asked and member_id not in seen:
                    seen.add(member_id)
                    waiting.append(member_id)
                    yield self.people[member_id]

    def is_present(self, member_id: int, at: datetime) -> bool:
        return at not in self.away(member_id)

    def on_shift(self, holder: Holder, at: datetime) -> bool:
        """Whether `at` lies in the hours of the duty, whoever is away."""
        if at < holder.starts_at or (holder.ends_at is not None and at >= holder.ends_at):
            return False
        return not holder.shifts or bool(self.hours(holder, moment(at)))

    def who_is_there(self, holder: Holder, at: datetime) -> Someone | None:
        """The one who is there for a duty within its hours: the holder, else the nearest stand-in present."""
        if self.is_present(holder.member_id, at):
            return self.people[holder.member_id]
        return next((p for p in self.stand_ins(holder, at) if self.is_present(p.id, at)), None)

    def pieces(self, holder: Holder, window: Spans) -> Iterator[tuple[datetime, datetime]]:
        """The hours of a duty, cut so that who is there does not change within a piece."""
        cuts = {edge for a in self.absences for edge in (a.starts_at, a.ends_at)}
        for (_, ground), duties in self._standing_in.items():
            if ground == holder.ground:
                cuts |= {edge for duty in duties for span in self.hours(duty, window) for edge in span}
        for start, end in self.hours(holder, window):
            edges = [start, *sorted(cut for cut in cuts if start < cut < end), end]
            yield from pairwise(edges)

    def shift_end(self, holder: Holder, at: datetime) -> datetime | None:
        """When the shift that runs at `at` ends; None between shifts and where the duty has none."""
        if not holder.shifts:
            return None
        hours = self.hours(holder, Spans.of([(at, at + timedelta(days=8))]))
        return next((end for start, end in hours if start <= at < end), None)

    def why(self, holder: Holder, member_id: int, at: datetime) -> str:
        """How a member stands to a duty at `at`: on_duty, leave, switch, or off_shift."""
        cause = self.absence_cause(member_id, at)
        return cause or ("on_duty" if self.on_shift(holder, at) else "off_shift")

    def absence_cause(self, member_id: int, at: datetime) -> str | None:
        """Why a member is away at `at`: leave, switch, or None for somebody present."""
        return next((a.cause for a in self._away.get(member_id, ()) if a.starts_at <= at < a.ends_at), None)

    def _present(self, member_id: int, holder: Holder, window: Spans, seen: frozenset[int]) -> Spans:
        """When `member_id` is there, or somebody down their chain is; `seen` breaks circles."""
        away = self.away(member_id) & window
        present = window - away
        seen = seen | {member_id}
        if not away:
            return present
        for stand_in, asked in self._named_for(member_id, holder.ground, away):
            if stand_in not in seen and asked:
                present |= self._present(stand_in, holder, asked, seen)
        return present

    def _named_for(self, absent: int, ground: str, window: Spans) -> Iterator[tuple[int, Spans]]:
        """(stand-in, when they are asked) of a member away in `window`: by their leave, then by a duty."""
        for absence in self._away.get(absent, ()):
            if absence.stand_in_id is not None:
                yield absence.stand_in_id, window & Spans.of([(absence.starts_at, absence.ends_at)])
        for duty in self._standing_in.get((absent, ground), ()):
            yield duty.member_id, self.hours(duty, window)

    def _shifts(self, holder: Holder, window: Spans) -> Spans:
        """The weekly hours as instants, on every local date that could reach into the window."""
        if not window:
            return NOTHING
        first = window.intervals[0][0].astimezone(self.zone).date() - timedelta(days=1)
        last = window.intervals[-1][1].astimezone(self.zone).date()
        spans = []
        for n in range((last - first).days + 1):
            day = first + timedelta(days=n)
            for weekday, starts, ends in holder.shifts:
                if day.weekday() == weekday:
                    end_day = day if ends > starts else day + timedelta(days=1)
                    start = datetime.combine(day, starts, self.zone)
                    spans.append(
                        (start.astimezone(UTC), datetime.combine(end_day, ends, self.zone).astimezone(UTC))
                    )
        return Spans.of(spans)


def _grouped(items: Iterable[Any], key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def moment(at: datetime) -> Spans:
    """The instant `at` as a window."""
    return Spans.of([(at, at + INSTANT)])


# One round trip: the duties that touch the window, everybody their leave can lead to, and all their absences.
# UNION, not UNION ALL, ends a circle of stand-ins.
_LOAD = Statement(
    """
    WITH RECURSIVE held AS MATERIALIZED (
        SELECT d.* FROM duty AS d
        WHERE d.ground = ANY(:grounds) AND d.starts_at < :until AND (d.ends_at IS NULL OR d.ends_at > :since)
          AND (d.post <> 'building_head' OR d.building_id = :building_id OR :every_building)
    ), absent AS NOT MATERIALIZED (
        SELECT l.* FROM leave AS l
        WHERE l.status = 'approved' AND l.starts_at < :until AND l.ends_at > :since
    ), reached (id) AS (
        SELECT member_id FROM held
        UNION
        SELECT a.stand_in_id FROM reached AS r JOIN absent AS a ON a.member_id = r.id
        WHERE a.stand_in_id IS NOT NULL
    )
    SELECT (SELECT json_agg(json_build_array(
                       h.id, h.member_id, h.post, h.ground, h.building_id, h.starts_at, h.ends_at,
                       h.stand_in_for, h.unit, h.floor_from, h.floor_to,
                       (SELECT json_agg(json_build_array(s.weekday, s.starts, s.ends) ORDER BY s.id)
                        FROM shift AS s WHERE s.duty_id = h.id)
                   ) ORDER BY h.starts_at DESC, h.id) FROM held AS h) AS duties,
           (SELECT json_agg(json_build_array(a.member_id, a.starts_at, a.ends_at, a.stand_in_id)
                            ORDER BY a.id)
            FROM reached AS r JOIN absent AS a ON a.member_id = r.id) AS leaves,
           (SELECT json_agg(json_build_array(m.id, m.name, shown_phone(m.id), m.on_duty))
            FROM reached AS r JOIN member AS m ON m.id = r.id) AS members
    """
)


def load(
    session: Session,
    grounds: Sequence[str],
    window: Spans,
    *,
    zone: ZoneInfo = CITY_ZONE,
    building_id: int | None = None,
    every_building: bool = False,
) -> Roster:
    """The roster of some grounds over a window, in one statement.

    Building heads come only for `building_id`, or for `every_building`: there may be dozens in a cell. The
    phone's on-duty switch is not looked at here, because it says nothing about tomorrow; `at_instant` adds
    it.
    """
    since, until = window.intervals[0][0], window.intervals[-1][1]
    found = _LOAD.one(
        session,
        {
            "grounds": list(grounds),
            "since": since,
            "until": until,
            "building_id": building_id,
            "every_building": every_building,
        },
    )
    return Roster(
        [_holder(*row) for row in found.duties or ()],
        [
            Absence(m, _parsed(start), _parsed(end), stand_in)
            for m, start, end, stand_in in found.leaves or ()
        ],
        {row[0]: Someone(*row) for row in found.members or ()},
        zone,
    )


def at_instant(
    session: Session,
    grounds: Sequence[str],
    at: datetime,
    *,
    zone: ZoneInfo = CITY_ZONE,
    building_id: int | None = None,
    every_building: bool = False,
) -> Roster:
    """The roster at one instant. A member whose phone is switched off duty is away, with or without leave."""
    roster = load(
        session, grounds, moment(at), zone=zone, building_id=building_id, every_building=every_building
    )
    switched_off = [
        Absence(person.id, at, at + INSTANT, cause="switch")
        for person in roster.people.values()
        if not person.switched_on
    ]
    return Roster(roster.holders, [*roster.absences, *switched_off], roster.people, zone)


def _holder(
    duty_id: int,
    member_id: int,
    post: str,
    ground: str,
    building_id: int | None,
    starts_at: str,
    ends_at: str | None,
    stand_in_for: int | None,
    unit: str | None,
    floor_from: int | None,
    floor_to: int | None,
    shifts: list[tuple[int, str, str]] | None,
) -> Holder:
    hours = tuple(
        (day, time.fromisoformat(start), time.fromisoformat(end)) for day, start, end in shifts or ()
    )
    end = None if ends_at is None else _parsed(ends_at)
    return Holder(
        duty_id, member_id, post, ground, building_id, _parsed(starts_at), end, stand_in_for, hours, unit,
        (floor_from, floor_to),
    )  # fmt: skip


def _parsed(text: str) -> datetime:
    return datetime.fromisoformat(text)
