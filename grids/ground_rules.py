"""Whose ground is it? The rules in order (decision 6), each a small step that names a cell or passes on.

    component > building > special cell > exception > covering cell > shared edge > nearest > orphan

`RULES` is the order and the only place that knows it. A step is asked a `Question` (the fix, the map, what
the database knows of the place) and answers a `Claim`, or None to pass on. What was asked in vain and what
decided is written into the trace, in Chinese and English.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import shapely

from gis.errors import Invalid
from gis.geometry import Fix
from grids.final_ground import FinalGround, Sureness
from grids.owner_map import OwnerMap
from grids.reasons import Trace

BUILDING_REACH_M = 5.0
"""A point within min(accuracy, this) of a footprint is taken as being at the building."""
ORPHAN_LIMIT_M = 2000.0
"""How far outside the city a point still gets an owner (decision 1)."""
EDGE_M = 0.01
"""A point nearer to a border than this is asked whether it lies exactly on it."""
CHOSEN_CONFIDENCE = 0.95
"""How far a person on the spot is believed about the side of the road."""


@dataclass(frozen=True, slots=True)
class Question:
    """One fix on one map at one moment, with the cells of the component and the building it is about."""

    city: OwnerMap
    ground: FinalGround
    fix: Fix
    point: shapely.Point
    component_cell: str | None = None
    building_cell: str | None = None

    @classmethod
    def of(
        cls,
        city: OwnerMap,
        fix: Fix,
        at: datetime,
        *,
        component_cell: str | None = None,
        building_cell: str | None = None,
    ) -> Question:
        return cls(city, city.at(at), fix, city.point(fix.lon, fix.lat), component_cell, building_cell)


@dataclass(frozen=True, slots=True)
class Claim:
    """A rule's answer: the owning cell (None: nobody's), and for an exception its number and reason."""

    cell: int | None
    exception_id: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class GroundRule:
    """One step: its name (the public `rule`), its words, and what it asks."""

    name: str
    zh: str
    en: str
    ask: Callable[[Question], Claim | None]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whose ground it is, by which rule, and how sure that is."""

    rule: str
    cell: int | None
    sureness: Sureness
    exception_id: int | None = None


def _component(question: Question) -> Claim | None:
    return _registered(question, question.component_cell)


def _building(question: Question) -> Claim | None:
    return _registered(question, question.building_cell)


def _registered(question: Question, code: str | None) -> Claim | None:
    """The cell a ledger names, where the map has it."""
    cell = question.city.position.get(code) if code else None
    return None if cell is None else Claim(cell)


def _special(question: Question) -> Claim | None:
    cell = question.city.special_at(question.fix.lon, question.fix.lat)
    return None if cell < 0 else Claim(cell)


def _exception(question: Question) -> Claim | None:
    found = question.ground.exceptions_at(question.point)
    if not found:
        return None
    owner, strip = found[0]
    return Claim(owner, exception_id=strip.id, why=strip.reason)


def _covered(question: Question) -> Claim | None:
    cell = question.city.social_at(question.fix.lon, question.fix.lat)
    return None if cell < 0 or _on_shared_edge(question, cell) else Claim(cell)


def _shared_edge(question: Question) -> Claim | None:
    cell = question.city.social_at(question.fix.lon, question.fix.lat)
    return None if cell < 0 else Claim(cell)


def _on_shared_edge(question: Question, cell: int) -> bool:
    if question.ground.border_m(cell, question.point) >= EDGE_M:
        return False
    return len(question.city.social_all_at(question.fix.lon, question.fix.lat)) > 1


def _near(question: Question) -> Claim | None:
    x, y = question.point.x, question.point.y
    if not np.isfinite([x, y]).all():
        return None
    cell = int(question.ground.near.nearest(np.array([x]), np.array([y]))[0])
    return None if cell < 0 else Claim(cell)


def _orphan(question: Question) -> Claim:
    _refuse_far_outside(question.city, question.fix)
    return Claim(None)


RULES = (
    GroundRule("component", "部件归属", "component", _component),
    GroundRule("building", "楼栋归属", "building", _building),
    GroundRule("special", "专属网格", "special cell", _special),
    GroundRule("exception", "例外地段", "exception", _exception),
    GroundRule("covered", "落在网格内", "inside a cell", _covered),
    GroundRule("shared_edge", "共用边界，取编码小者", "shared edge, lowest code", _shared_edge),
    GroundRule("near", "就近", "nearest cell", _near),
    GroundRule("orphan", "属地兜底", "orphan ground", _orphan),
)


def decide(question: Question, trace: Trace) -> Decision:
    """Ask the rules in order; the first claim decides. Raises Invalid far outside the city."""
    passed = []
    for rule in RULES:
        claim = rule.ask(question)
        if claim is None:
            passed.append(rule)
            continue
        if passed:
            trace.note(
                "passed",
                "不适用：" + "、".join(r.zh for r in passed) + "。",
                "Do not apply: " + ", ".join(r.en for r in passed) + ".",
            )
        name = "附近没有网格" if claim.cell is None else question.city.names[claim.cell]
        name_en = "no cell near" if claim.cell is None else name
        why_zh, why_en = (f"（{claim.why}）", f" ({claim.why})") if claim.why else ("", "")
        trace.note(rule.name, f"{rule.zh}：{name}{why_zh}。", f"By {rule.en}: {name_en}{why_en}.")
        return Decision(rule.name, claim.cell, _sureness(question, rule.name, claim), claim.exception_id)
    raise AssertionError("the orphan rule always answers")


def _sureness(question: Question, rule: str, claim: Claim) -> Sureness:
    """How sure the owner is. A component is named, not located: wherever the phone is, it is certain."""
    if rule == "component" and claim.cell is not None:
        return Sureness(question.ground.border_m(claim.cell, question.point), 1.0, None, 0.0)
    return question.ground.sureness(question.point, question.fix.sigma_m, claim.cell)


def as_chosen(city: OwnerMap, decision: Decision, chosen: str, trace: Trace) -> Decision:
    """The decision after the reporter has said which side of the border they stand on.

    Only the owner and the second candidate can be chosen; anything else counts for nothing.
    """
    picked = city.position.get(chosen)
    sure = decision.sureness
    if picked is None or picked not in (decision.cell, sure.second):
        return decision
    name = city.names[picked]
    trace.note("chosen", f"上报人指认在 {name}。", f"The reporter says it is in {name}.")
    if picked == decision.cell:
        return replace(decision, sureness=replace(sure, confidence=max(sure.confidence, CHOSEN_CONFIDENCE)))
    swapped = replace(
        sure, confidence=CHOSEN_CONFIDENCE, second=decision.cell, second_confidence=1.0 - CHOSEN_CONFIDENCE
    )
    return replace(decision, cell=picked, sureness=swapped)


def _refuse_far_outside(city: OwnerMap, fix: Fix) -> None:
    outside_m = city.metres_outside(fix.lon, fix.lat)
    if outside_m <= ORPHAN_LIMIT_M:
        return
    west, south, east, north = city.bounds
    swapped = west <= fix.lat <= east and south <= fix.lon <= north
    hint_en = " lon and lat look swapped: send lon first." if swapped else ""
    hint_zh = "经纬度似乎写反了：请先经度后纬度。" if swapped else ""
    raise Invalid(
        en=f"The point lies {outside_m / 1000:,.1f} km outside the city.{hint_en}",
        zh=f"该点在城区以外 {outside_m / 1000:,.1f} 公里。{hint_zh}",
        remedy_en=f"Check lon, lat and crs; the city spans {west:.4f},{south:.4f} to {east:.4f},{north:.4f}.",
        remedy_zh=f"请核对经纬度和坐标系；本市范围 {west:.4f},{south:.4f} 至 {east:.4f},{north:.4f}。",
        outside_m=round(outside_m),
        swapped=swapped,
    )
