"""The rules of time as a person looks at them: each set with its lines in words, and who lives by which.

Each line carries an example: what the deadline of a case would be whose clock started now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import Principal
from incidents.calendar import CITY_ZONE, Calendar
from incidents.categories import Category
from incidents.clocks import STARTED
from incidents.deadline_words import limit_words
from incidents.deadlines import deadline
from incidents.rule_settings import LineKey
from incidents.rules import CLOCKS, ClockRule, RuleChoice, RuleSet, current_rulebooks
from layers.areas import Area

GROUND_LEVELS = ("city", "district")
"""Whose rule set is chosen one by one; what lies below follows, unless somebody chose for it already."""


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line as it reads now. `category_zh` and its English are names where the code is a whole one."""

    key: str
    clock: str
    category: str | None
    category_zh: str | None
    category_en: str | None
    level: str | None
    channel: str | None
    grade: int | None
    kind: str
    value: float
    limit_zh: str
    limit_en: str
    example_zh: str
    example_en: str
    provisional: bool
    since: datetime | None


@dataclass(frozen=True, slots=True)
class SetRow:
    """One rule set with its lines, in the order of a case's life."""

    code: str
    name_zh: str
    name_en: str
    source: str
    office_hours: str
    used: bool
    """Some ground lives by it now."""
    lines: list[LineRow]


@dataclass(frozen=True, slots=True)
class GroundRow:
    """A ground and the set it lives by; `chosen` is False where it follows the ground around it."""

    code: str
    level: str
    name: str
    name_en: str | None
    rule_set: str
    chosen: bool
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    sets: list[SetRow]
    grounds: list[GroundRow]


def overview(session: Session, *, by: Principal, now: datetime, zone: ZoneInfo = CITY_ZONE) -> Overview:
    """All rule sets, and the grounds a person sees: the city, and the districts of their own territory."""
    books = current_rulebooks(session, zone)
    grounds = _grounds(session, by)
    choices = {
        row.ground: row
        for row in session.scalars(sa.select(RuleChoice).where(RuleChoice.valid_until.is_(None)))
    }
    known = {code for code, *_ in grounds}
    named = sa.select(Area.code, Area.name, Area.name_en).where(Area.code.in_(choices))
    names = {code: (name, name_en) for code, name, name_en in session.execute(named)}
    more = [
        (code, "other", *names.get(code, (code, None)))
        for code in sorted(choices)
        if code not in known and by.covers(code)
    ]
    shown = [
        GroundRow(
            code, level, name, name_en, books.of(code).code, code in choices,
            choices[code].valid_from if code in choices else None,
        )
        for code, level, name, name_en in [*grounds, *more]
    ]  # fmt: skip
    used = {books.of().code, *(row.rule_set for row in choices.values())}
    categories = {row.code: row for row in session.scalars(sa.select(Category))}
    sets = [
        _set_row(session, one, one.code in used, books.calendars[one.code], categories, now)
        for one in session.scalars(sa.select(RuleSet).order_by(RuleSet.active.desc(), RuleSet.code))
    ]
    return Overview(sets, shown)


def _grounds(session: Session, by: Principal) -> list[tuple[str, str, str, str | None]]:
    """(code, level, name, English name): the whole city as "", then its districts."""
    areas = session.execute(
        sa.select(Area.code, Area.level, Area.name, Area.name_en)
        .where(Area.level.in_(GROUND_LEVELS))
        .order_by(Area.code)
    ).all()
    city = next(((one.name, one.name_en) for one in areas if one.level == "city"), ("", None))
    districts = [tuple(one) for one in areas if one.level == "district" and by.covers(one.code)]
    return [("", "city", *city), *districts]


def _set_row(
    session: Session,
    one: RuleSet,
    used: bool,
    calendar: Calendar,
    categories: dict[str, Category],
    now: datetime,
) -> SetRow:
    lines = session.scalars(
        sa.select(ClockRule).where(ClockRule.rule_set == one.code, ClockRule.valid_until.is_(None))
    ).all()
    ordered = sorted(
        lines,
        key=lambda line: (
            CLOCKS.index(line.clock), line.category or "", line.level or "", line.channel or "",
            line.grade or 0,
        ),
    )  # fmt: skip
    rows = [_line_row(line, calendar, categories, now) for line in ordered]
    return SetRow(one.code, one.name_zh, one.name_en, one.source, one.office_hours, used, rows)


def _line_row(line: ClockRule, calendar: Calendar, categories: dict[str, Category], now: datetime) -> LineRow:
    due = deadline(now, line.kind, float(line.value), calendar, started=STARTED[line.clock])
    limit_zh, limit_en = limit_words(line.kind, float(line.value))
    named = categories.get(line.category or "")
    key = LineKey(line.rule_set, line.clock, line.category, line.level, line.channel, line.grade)
    return LineRow(
        key=str(key),
        clock=line.clock,
        category=line.category,
        category_zh=named.name_zh if named else None,
        category_en=named.name_en if named else None,
        level=line.level,
        channel=line.channel,
        grade=line.grade,
        kind=line.kind,
        value=float(line.value),
        limit_zh=limit_zh,
        limit_en=limit_en,
        example_zh=due.words_zh,
        example_en=due.words_en,
        provisional=due.provisional,
        since=line.valid_from,
    )
