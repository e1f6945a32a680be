"""Evaluation: the numbers of the indicators over windows, by ground or people, and the cases behind each.

One statement counts all indicators of a population for every window and group at once; the list behind a
number is the same population under the same conditions, so the two cannot differ. What a person may not see
is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis import cursors
from gis.access import CODE_WIDTHS, Principal, prefix_range
from gis.errors import Invalid
from incidents.case_rows import Where, visible_to
from incidents.indicators import INDICATORS, Indicator, Ratio
from incidents.populations import POPULATIONS
from incidents.windows import Window

GROUND_LEVELS = ("district", "subdistrict", "community", "cell")
GROUPINGS = {
    **{level: f"left(i.territory, {CODE_WIDTHS[level]})" for level in GROUND_LEVELS},
    "member": "e.member_id::text",
    "department": "i.department_code",
    "category": "i.category",
    "channel": "i.channel",
}
"""What numbers can be told apart by -> the code a row falls under."""

PARTS = ("denominator", "numerator", "rest")
"""Which cases of a number: all that count, those that are counted as its numerator, or the others."""
Part = Literal["denominator", "numerator", "rest"]

EVERYTHING = ""
"""The group of numbers that are not told apart."""

Counts = dict[str, list[dict[str, Ratio]]]
"""Group -> for each window -> indicator id -> how many of how many."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which cases count: those of a territory, of categories, of a department or channel, of one person."""

    territory: str | None = None
    categories: Sequence[str] = ()
    department: str | None = None
    channel: str | None = None
    member: int | None = None

    def cases(self, by: Principal) -> Where:
        """Conditions on the case `i` alone."""
        found = visible_to(by)
        if self.territory:
            low, high = prefix_range(self.territory)
            found.add("i.territory >= :low AND i.territory < :high", low=low, high=high)
        if self.categories:
            found.add("i.category = ANY(:categories)", categories=list(self.categories))
        if self.department is not None:
            found.add("i.department_code = :department", department=self.department)
        if self.channel is not None:
            found.add("i.channel = :channel", channel=self.channel)
        return found

    def where(self, by: Principal) -> Where:
        """Conditions on the case `i` and on the judged row `e`."""
        found = self.cases(by)
        if self.member is not None:
            found.add("e.member_id = :member", member=self.member)
        return found


def evaluate(
    session: Session,
    windows: Sequence[Window],
    *,
    by: Principal,
    now: datetime,
    scope: Scope | None = None,
    group: str | None = None,
    indicators: Iterable[Indicator] = INDICATORS.values(),
) -> Counts:
    """Numerators and denominators for every window, told apart by `group` if one is given.

    A window that runs past `now` ends there. By member only indicators with a person are counted. A group
    nothing falls under is missing, and so is an indicator over nothing: both stand for 0 of 0. Raises Invalid
    for a grouping that does not exist.
    """
    where, here = _asked(session, scope or Scope(), by)
    found: Counts = {}
    for population, wanted in _by_population(indicators, group).items():
        rows = session.execute(
            sa.text(here + _count_sql(population, wanted, group, where)),
            {**where.params, **_spans(windows, now)},
        )
        for row in rows:
            of_group = found.setdefault(row[0] or EVERYTHING, [{} for _ in windows])
            for k, indicator in enumerate(wanted):
                of_group[row[1]][indicator.id] = Ratio(row[3 + 2 * k], row[2 + 2 * k])
    return found


def _grouping(group: str | None) -> str:
    if group is None:
        return "''"
    if group not in GROUPINGS:
        raise Invalid(
            en=f"Numbers cannot be told apart by {group[:40]}.",
            zh=f"不能按 {group[:40]} 分组。",
            remedy_en="Group by " + ", ".join(GROUPINGS) + ".",
            remedy_zh="可按 " + "、".join(GROUPINGS) + " 分组。",
        )
    return GROUPINGS[group]


def _by_population(indicators: Iterable[Indicator], group: str | None) -> Mapping[str, list[Indicator]]:
    found: dict[str, list[Indicator]] = {}
    for indicator in indicators:
        if group != "member" or indicator.basis.personal:
            found.setdefault(indicator.population, []).append(indicator)
    return found


def _spans(windows: Sequence[Window], now: datetime) -> dict[str, Any]:
    return {
        "starts": [window.starts_at for window in windows],
        "ends": [min(window.ends_at, now) for window in windows],
    }


_WINDOWS = """
    (SELECT (u.n - 1)::int AS n, u.starts_at, u.as_of
     FROM unnest(CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]))
          WITH ORDINALITY AS u(starts_at, as_of, n)) AS w
"""


PICKED_OUT = 20_000
"""So many cases are counted from their own moves; more, from all moves of the window."""
_OF_THESE = "WHERE incident_id IN (SELECT unnest(CAST(:here AS int[])))"


def _asked(session: Session, scope: Scope, by: Principal) -> tuple[Where, str]:
    """The conditions on rows, and the WITH that tells the populations which steps and clocks to look at.

    A subdistrict's month in a large city would else be judged in all of the city's moves, to keep a hundredth
    of them. Its cases are picked out first, and PostgreSQL knows how many they are.
    """
    where, cases = scope.where(by), scope.cases(by)
    picked = sa.text(f"SELECT i.id FROM incident AS i{cases.sql} LIMIT {PICKED_OUT + 1}")
    here = session.scalars(picked, cases.params).all()
    few = len(here) <= PICKED_OUT
    if few:
        where.params["here"] = list(here)
    of_these = _OF_THESE if few else ""
    return where, (
        f"WITH step_here AS NOT MATERIALIZED (SELECT * FROM story_step {of_these}),"
        f" clock_here AS NOT MATERIALIZED (SELECT * FROM clock_span {of_these}) "
    )


def _from(population: str, where: Where, more: str = "") -> str:
    rows = POPULATIONS[population].sql
    return (
        f"FROM {_WINDOWS} CROSS JOIN LATERAL ({rows}) AS e JOIN incident AS i ON i.id = e.incident_id"
        f" {more} {where.sql}"
    )


def _count_sql(population: str, wanted: Sequence[Indicator], group: str | None, where: Where) -> str:
    counts = ", ".join(
        f"count(*) FILTER (WHERE {one.counted(group)}),"
        f" count(*) FILTER (WHERE ({one.counted(group)}) AND ({one.numerator}))"
        for one in wanted
    )
    return f"SELECT {_grouping(group)} AS code, w.n, {counts} {_from(population, where)} GROUP BY 1, 2"


@dataclass(frozen=True, slots=True)
class Entry:
    """One judged row behind a number: its case, when it was judged, and whether the numerator has it.

    A case may stand there twice where its population judges it twice (two dispatches, two levels of the
    ladder): the list is as long as the number says.
    """

    incident_id: int
    number: str
    title: str
    category_zh: str
    category_en: str
    icon: str
    stage: str
    place: str | None
    territory: str
    cell_name: str | None
    at: datetime
    counted: bool


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries, the latest judged first, and the cursor of the next page (None at the end)."""

    entries: list[Entry]
    next: str | None


_CONDITION = {"denominator": "{d}", "numerator": "({d}) AND ({n})", "rest": "({d}) AND NOT ({n})"}


def entries(
    session: Session,
    indicator: Indicator,
    window: Window,
    part: Part,
    *,
    by: Principal,
    now: datetime,
    scope: Scope | None = None,
    group: tuple[str, str] | None = None,
    limit: int = 200,
    after: str | None = None,
) -> EntryPage:
    """The cases behind one number, by the very conditions it was counted with.

    `group` is a grouping and the code of one group of it. Raises Invalid for a cursor that is none.
    """
    where, here = _asked(session, scope or Scope(), by)
    counted = indicator.counted(group[0] if group else None)
    where.add(_CONDITION[part].format(d=counted, n=indicator.numerator))
    if group is not None:
        where.add(f"{_grouping(group[0])} = :group_code", group_code=group[1])
    if after is not None:
        at, id_ = cursors.read_moment(after)
        where.add("(e.at, i.id) < (:after_at, :after_id)", after_at=at, after_id=id_)
    rows = session.execute(
        sa.text(
            f"""
            {here}
            SELECT i.id, i.number, i.title, k.name_zh, k.name_en, k.icon, i.stage, i.place, i.territory,
                   c.name, e.at, ({indicator.numerator}) AS counted
            {_from(indicator.population, where, _NAMES)}
            ORDER BY e.at DESC, i.id DESC LIMIT :limit
            """
        ),
        {**where.params, **_spans([window], now), "limit": limit + 1},
    ).all()
    found = [Entry(*row) for row in rows[:limit]]
    more = len(rows) > limit
    last = cursors.written(found[-1].at.isoformat(), found[-1].incident_id) if more else None
    return EntryPage(found, last)


_NAMES = """
    JOIN category AS k ON k.code = i.category
    LEFT JOIN cell AS c ON c.generation = i.generation AND c.kind = 'social' AND c.code = i.cell_code
"""
