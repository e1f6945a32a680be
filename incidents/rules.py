"""Rules of time as data: category x level x channel x grade -> which clock runs, and for how long.

A rule set is what one city agreed on; a case no rule speaks of falls back on its category's own limit. Which
set holds where, and how each of its lines reads, is kept with the time it held: a case lives by the rules of
the moment it was reported. The shipped sets lie in `data/code_tables/`.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Identity, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base, Code
from incidents.calendar import CITY_ZONE, STAMP, Calendar, current_calendar
from incidents.deadlines import KINDS
from incidents.incident import GRADES, LEVELS

CLOCKS = ("record", "dispatch", "handle", "level", "verify")
"""record: receipt to registration; dispatch: registration to dispatch; handle: dispatch to finished; level:
arrival at a level of the ladder to finished there; verify: finished to verified."""


T = TypeVar("T")

_MOMENT = DateTime(timezone=True)


class RuleSet(Base):
    """A city's agreement on time. Exactly one is active: it holds wherever nothing else was chosen."""

    __tablename__ = "rule_set"
    __table_args__ = (
        Index("uq_rule_set_active", "active", unique=True, postgresql_where=text("active")),
        {"info": {"open": True}},
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    source: Mapped[str]
    """Where its numbers come from."""
    office_hours: Mapped[str]
    """08:30-12:00,13:30-17:30; never changed, since old deadlines stand on them: a copy may have others."""
    active: Mapped[bool]


class RuleChoice(Base):
    """The set that a ground (a code prefix, "" the whole city) lived by for a while."""

    __tablename__ = "rule_choice"
    __table_args__ = (
        Index("uq_rule_choice_now", "ground", unique=True, postgresql_where=text("valid_until IS NULL")),
        {"info": {"open": True}},
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    ground: Mapped[str] = mapped_column(Code)
    rule_set: Mapped[str] = mapped_column(ForeignKey("rule_set.code"))
    valid_from: Mapped[datetime] = mapped_column(_MOMENT)
    valid_until: Mapped[datetime | None] = mapped_column(_MOMENT)


class ClockRule(Base):
    """One version of one line of a rule set. An empty column means any; `category` is a code or its start.

    Without `valid_from` it held from the beginning, without `valid_until` it holds now.
    """

    __tablename__ = "clock_rule"
    __table_args__ = (
        Index(
            "uq_clock_rule_now",
            "rule_set",
            "clock",
            "category",
            "level",
            "channel",
            "grade",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("valid_until IS NULL"),
        ),
        CheckConstraint(f"clock IN {CLOCKS}", name="clock_known"),
        CheckConstraint(f"level IN {LEVELS}", name="level_known"),
        CheckConstraint(f"grade IN {GRADES}", name="grade_known"),
        CheckConstraint(f"kind IN {tuple(KINDS)}", name="kind_known"),
        CheckConstraint("value > 0", name="value_positive"),
        {"info": {"open": True}},
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    rule_set: Mapped[str] = mapped_column(ForeignKey("rule_set.code", ondelete="CASCADE"))
    clock: Mapped[str]
    category: Mapped[str | None] = mapped_column(Code)
    level: Mapped[str | None]
    channel: Mapped[str | None]
    grade: Mapped[int | None] = mapped_column(SmallInteger)
    kind: Mapped[str]
    value: Mapped[Decimal]
    valid_from: Mapped[datetime | None] = mapped_column(_MOMENT)
    valid_until: Mapped[datetime | None] = mapped_column(_MOMENT)


@dataclass(frozen=True, slots=True)
class Limit:
    """So much of one kind of time."""

    kind: str
    value: float


class Traits(NamedTuple):
    """What of a case the rules of time look at."""

    category: str
    level: str
    channel: str
    grade: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A `ClockRule` without its table."""

    clock: str
    kind: str
    value: float
    category: str | None = None
    level: str | None = None
    channel: str | None = None
    grade: int | None = None

    def fits(self, clock: str, case: Traits) -> bool:
        return (
            self.clock == clock
            and case.category.startswith(self.category or "")
            and self.level in (None, case.level)
            and self.channel in (None, case.channel)
            and self.grade in (None, case.grade)
        )

    @property
    def weight(self) -> tuple[int, bool, bool, bool]:
        """Of several rules that fit the heaviest holds: the longest category, then grade, channel, level."""
        return (
            len(self.category or ""),
            self.grade is not None,
            self.channel is not None,
            self.level is not None,
        )


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A rule set as it read at one time, with the calendar its office hours lie in: all a clock needs."""

    code: str
    rules: tuple[Rule, ...]
    calendar: Calendar

    def limit(self, clock: str, case: Traits) -> Limit | None:
        """The limit of a clock for such a case, None where no rule speaks of it."""
        fitting = [rule for rule in self.rules if rule.fits(clock, case)]
        if not fitting:
            return None
        heaviest = max(fitting, key=lambda rule: rule.weight)
        return Limit(heaviest.kind, heaviest.value)


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """Something with the time it held; None is open."""

    what: T
    since: datetime | None
    until: datetime | None

    def held(self, at: datetime | None) -> bool:
        """Whether it held at a moment; None means now."""
        if at is None:
            return self.until is None
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Rulebooks:
    """Every rule set of the city at every time. `chosen` pairs a ground with its set, the narrowest first."""

    begun_with: str
    chosen: tuple[Dated[tuple[str, str]], ...]
    rules: tuple[Dated[tuple[str, Rule]], ...]
    calendars: dict[str, Calendar]
    calendar: Calendar
    """For a city without any set."""
    changed_at: tuple[datetime, ...]
    """When anything changed, in order: between two of these every rulebook reads the same."""
    _made: dict[tuple[str, int], Rulebook] = field(default_factory=dict)

    @property
    def know_a_ladder(self) -> bool:
        """Whether any set that holds or held somewhere lets cases climb."""
        used = {self.begun_with} | {dated.what[1] for dated in self.chosen}
        return any(of_set in used and rule.clock == "level" for of_set, rule in (d.what for d in self.rules))

    def of(self, territory: str = "", at: datetime | None = None) -> Rulebook:
        """The rulebook of a ground for a case reported at a moment; None means the newest."""
        code = next(
            (
                rule_set
                for ground, rule_set in (dated.what for dated in self.chosen if dated.held(at))
                if territory.startswith(ground)
            ),
            self.begun_with,
        )
        version = len(self.changed_at) if at is None else bisect_right(self.changed_at, at)
        if (code, version) not in self._made:
            lines = (dated.what for dated in self.rules if dated.held(at))
            rules = tuple(rule for of_set, rule in lines if of_set == code)
            self._made[code, version] = Rulebook(code, rules, self.calendars.get(code, self.calendar))
        return self._made[code, version]


_kept: dict[tuple[str, ZoneInfo], Rulebooks] = {}


def current_rulebooks(session: Session, zone: ZoneInfo = CITY_ZONE, *, stamp: str | None = None) -> Rulebooks:
    """The rulebooks as this transaction sees them; kept like the calendar, by the same stamp."""
    stamp = stamp or session.execute(STAMP).scalar_one()
    kept = _kept.get((stamp, zone))
    if kept is None:
        kept = _read(session, zone, stamp)
        _kept.clear()
        _kept[stamp, zone] = kept
    return kept


def current_rulebook(
    session: Session,
    zone: ZoneInfo = CITY_ZONE,
    *,
    stamp: str | None = None,
    territory: str = "",
    at: datetime | None = None,
) -> Rulebook:
    """The rulebook of a ground for a case reported at a moment, by default the newest of the city."""
    return current_rulebooks(session, zone, stamp=stamp).of(territory, at)


def _read(session: Session, zone: ZoneInfo, stamp: str) -> Rulebooks:
    calendar = current_calendar(session, zone, stamp=stamp)
    sets = session.scalars(sa.select(RuleSet)).all()
    lines = session.scalars(sa.select(ClockRule)).all()
    choices = session.scalars(sa.select(RuleChoice)).all()
    held = [(row.valid_from, row.valid_until) for row in lines]
    held += [(row.valid_from, row.valid_until) for row in choices]
    moments = {moment for span in held for moment in span if moment is not None}
    return Rulebooks(
        begun_with=next((one.code for one in sets if one.active), ""),
        chosen=tuple(
            Dated((row.ground, row.rule_set), row.valid_from, row.valid_until)
            for row in sorted(choices, key=lambda row: -len(row.ground))
        ),
        rules=tuple(Dated((row.rule_set, _rule(row)), row.valid_from, row.valid_until) for row in lines),
        calendars={one.code: replace(calendar, hours=office_hours(one.office_hours)) for one in sets},
        calendar=calendar,
        changed_at=tuple(sorted(moments)),
    )


def _rule(line: ClockRule) -> Rule:
    return Rule(line.clock, line.kind, float(line.value), line.category, line.level, line.channel, line.grade)


def office_hours(words: str) -> tuple[tuple[time, time], ...]:
    """08:30-12:00,13:30-17:30 -> pairs of opening and closing times."""
    spans = [span.split("-") for span in words.split(",")]
    return tuple((time.fromisoformat(opens), time.fromisoformat(shuts)) for opens, shuts in spans)
