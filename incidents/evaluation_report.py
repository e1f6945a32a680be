"""The report that page, API, command line and notebook show: a line a group, its comparisons and weeks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import CODE_WIDTHS, Principal, prefix_range
from gis.masking import mask_name
from incidents.evaluation import EVERYTHING, GROUND_LEVELS, Scope, evaluate
from incidents.indicators import INDICATORS, Indicator, Ratio
from incidents.windows import Window, weeks

Numbers = dict[str, Ratio]
"""Indicator id -> how many of how many; a missing one is 0 of 0."""


@dataclass(frozen=True, slots=True)
class Line:
    """One group of the report. `weeks` are the last weeks, oldest first, where they were asked for."""

    code: str
    zh: str
    en: str
    now: Numbers
    previous: Numbers
    year_before: Numbers
    weeks: list[Numbers] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """All lines over one window, and the line of them all together."""

    window: Window
    group: str | None
    indicators: tuple[Indicator, ...]
    total: Line
    lines: list[Line]


def evaluation_report(
    session: Session,
    window: Window,
    *,
    by: Principal,
    now: datetime,
    zone: ZoneInfo,
    scope: Scope | None = None,
    group: str | None = None,
    indicators: Sequence[Indicator] = tuple(INDICATORS.values()),
    weeks_back: int = 0,
) -> Report:
    """The indicators over a window, 环比 and 同比 beside it, told apart by `group` if one is given.

    Every ground below the scope has its line, also one in which nothing happened; of people, departments and
    categories those that something is counted for. Raises Invalid for a grouping that does not exist.
    """
    scope = scope or Scope()
    spans = [window, window.previous, window.year_before, *weeks(now, zone, weeks_back)]
    found = evaluate(session, spans, by=by, now=now, scope=scope, group=group, indicators=indicators)
    whole = found.get(EVERYTHING) if group is None else _together(found.values(), len(spans))
    if group == "member":  # what nobody has is not among its lines
        whole = evaluate(session, spans, by=by, now=now, scope=scope, indicators=indicators).get(EVERYTHING)
    nothing: list[Numbers] = [{} for _ in spans]
    lines = []
    if group is not None:
        named = _named(session, group, scope.territory or by.territory or "", set(found))
        lines = [_line(code, zh, en, found.get(code, nothing)) for code, zh, en in named]
    return Report(
        window, group, tuple(indicators), _line(EVERYTHING, "合计", "Total", whole or nothing), lines
    )


def _together(groups: Iterable[Sequence[Numbers]], spans: int) -> list[Numbers]:
    """All groups in one: each judged row is in exactly one of them."""
    found: list[Numbers] = [{} for _ in range(spans)]
    for of_group in groups:
        for whole, numbers in zip(found, of_group, strict=True):
            for id_, ratio in numbers.items():
                whole[id_] = whole.get(id_, Ratio()) + ratio
    return found


def _line(code: str, zh: str, en: str, numbers: Sequence[Numbers]) -> Line:
    now, previous, year_before, *by_week = numbers
    return Line(code, zh, en, now, previous, year_before, by_week)


_AREAS = """
    SELECT code, name, coalesce(name_en, name) FROM area
    WHERE level = :group AND code >= :low AND code < :high ORDER BY code
"""
_CELLS = """
    SELECT c.code, c.name, c.name FROM cell AS c JOIN generation AS g ON g.name = c.generation
    WHERE g.status = 'active' AND c.kind = 'social' AND c.code >= :low AND c.code < :high ORDER BY c.code
"""
_MEMBERS = "SELECT id::text, name, name FROM member WHERE id = ANY(CAST(:codes AS int[])) ORDER BY id"
_DEPARTMENTS = "SELECT code, name_zh, name_en FROM department WHERE code = ANY(:codes) ORDER BY code"
_CATEGORIES = "SELECT code, name_zh, name_en FROM category WHERE code = ANY(:codes) ORDER BY sort, code"

CHANNEL_NAMES = {
    "member": ("网格员上报", "Grid force"),
    "desk": ("坐席登记", "Desk"),
    "resident": ("居民上报", "Residents"),
    "hotline": ("热线", "Hotline"),
    "wechat": ("微信", "WeChat"),
    "sensor": ("感知设备", "Sensors"),
    "import": ("导入", "Imported"),
}
_NOWHERE = ("未归属", "Not assigned")


def _named(session: Session, group: str, territory: str, found: set[str]) -> list[tuple[str, str, str]]:
    """(code, Chinese name, English name) of every line by code; what has no name comes last."""
    if group == "channel":
        named = [(code, *CHANNEL_NAMES[code]) for code in CHANNEL_NAMES if code in found]
    elif group in GROUND_LEVELS:
        sql = _CELLS if group == "cell" else _AREAS
        # A ground above the level asked for has all of them below it; one of that level or lower is itself.
        low, high = prefix_range(territory[: CODE_WIDTHS[group]])
        rows = session.execute(sa.text(sql), {"group": group, "low": low, "high": high})
        named = [(row[0], row[1], row[2]) for row in rows]
    else:
        sql = {"member": _MEMBERS, "department": _DEPARTMENTS, "category": _CATEGORIES}[group]
        codes = [code for code in found if code and (group != "member" or code.isdigit())]
        rows = session.execute(sa.text(sql), {"codes": codes})
        mask = mask_name if group == "member" else str
        named = [(row[0], mask(row[1]), mask(row[2])) for row in rows]
    known = {code for code, _, _ in named}
    rest = sorted(found - known)
    return named + [(code, *_unnamed(code)) for code in rest]


def _unnamed(code: str) -> tuple[str, str]:
    return (f"{_NOWHERE[0]} {code}".strip(), f"{_NOWHERE[1]} {code}".strip())
