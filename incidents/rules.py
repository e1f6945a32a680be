"""Rules of time as data: category x level x channel x grade -> which clock runs, and for how long.

A rule set is what one city agreed on. One is active; a city without a rule for a case falls back on the
category's own limit. The shipped sets lie in `data/code_tables/`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import time
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base, Code
from incidents.calendar import CITY_ZONE, STAMP, Calendar, current_calendar
from incidents.deadlines import KINDS
from incidents.incident import GRADES, LEVELS

CLOCKS = ("record", "dispatch", "handle", "level", "verify")
"""record: receipt to registration; dispatch: registration to dispatch; handle: dispatch to finished; level:
arrival at a level of the ladder to finished there; verify: finished to verified."""


class RuleSet(Base):
    """A city's agreement on time. Exactly one is active."""

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
    """08:30-12:00,13:30-17:30"""
    active: Mapped[bool]


class ClockRule(Base):
    """One line of a rule set. An empty column means any; `category` is a code or the beginning of one."""

    __tablename__ = "clock_rule"
    __table_args__ = (
        UniqueConstraint(
            "rule_set", "clock", "category", "level", "channel", "grade", postgresql_nulls_not_distinct=True
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
    """The active rule set together with the calendar its office hours lie in: all a clock needs to know."""

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


_kept: dict[tuple[str, ZoneInfo], Rulebook] = {}


def current_rulebook(session: Session, zone: ZoneInfo = CITY_ZONE, *, stamp: str | None = None) -> Rulebook:
    """The rulebook as this transaction sees it; kept like the calendar, by the same stamp."""
    stamp = stamp or session.execute(STAMP).scalar_one()
    kept = _kept.get((stamp, zone))
    if kept is None:
        kept = _read(session, zone, stamp)
        _kept.clear()
        _kept[stamp, zone] = kept
    return kept


def _read(session: Session, zone: ZoneInfo, stamp: str) -> Rulebook:
    calendar = current_calendar(session, zone, stamp=stamp)
    active = session.execute(sa.select(RuleSet).where(RuleSet.active)).scalar_one_or_none()
    if active is None:
        return Rulebook("", (), calendar)
    lines = session.scalars(sa.select(ClockRule).where(ClockRule.rule_set == active.code))
    rules = tuple(
        Rule(line.clock, line.kind, float(line.value), line.category, line.level, line.channel, line.grade)
        for line in lines
    )
    return Rulebook(active.code, rules, replace(calendar, hours=office_hours(active.office_hours)))


def office_hours(words: str) -> tuple[tuple[time, time], ...]:
    """08:30-12:00,13:30-17:30 -> pairs of opening and closing times."""
    spans = [span.split("-") for span in words.split(",")]
    return tuple((time.fromisoformat(opens), time.fromisoformat(shuts)) for opens, shuts in spans)
