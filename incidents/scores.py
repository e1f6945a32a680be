"""Scores of posts and departments: weighted means of indicators, and their grade from A to E.

The weights are those of the common implementation of GB/T 30428.4. A part over an empty denominator has no
points to give or to lose: its weight falls to the others, and where none is left there is no score. So nobody
is marked down for having had nothing to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from incidents.indicators import Ratio

GRADES = ((90.0, "A"), (75.0, "B"), (60.0, "C"), (40.0, "D"), (0.0, "E"))

CASELOAD = ((50, 10.0), (100, 9.0), (200, 7.5), (500, 6.0), (1000, 4.0))
"""Points of a department for its registered cases, of 10: few cases, many points; above the last one none."""
CASELOAD_OF = 10.0
REGISTERED = "accurate_registration"
"""The indicator whose denominator is the number of registered cases."""


@dataclass(frozen=True, slots=True)
class Part:
    """One indicator with its weight; `lost` where a high rate is bad and 100 less the rate counts."""

    indicator: str
    weight: float
    lost: bool = False

    def points(self, ratio: Ratio) -> float | None:
        """0 to 100."""
        if ratio.value is None:
            return None
        return 100 * (1 - ratio.value if self.lost else ratio.value)


@dataclass(frozen=True, slots=True)
class Score:
    """A post's or a department's score."""

    id: str
    zh: str
    en: str
    parts: tuple[Part, ...]
    caseload: bool = False
    """Whether the number of registered cases gives points too."""

    def of(self, numbers: Mapping[str, Ratio]) -> float | None:
        """0 to 100, rounded to a tenth; None where nothing could be scored."""
        scored = []
        for part in self.parts:
            points = part.points(numbers.get(part.indicator, Ratio()))
            if points is not None:
                scored.append((part.weight, points))
        if not scored:
            return None
        if self.caseload:
            cases = numbers.get(REGISTERED, Ratio()).denominator
            scored.append((CASELOAD_OF, 100 * caseload_points(cases) / CASELOAD_OF))
        total = sum(weight for weight, _ in scored)
        return round(sum(weight * points for weight, points in scored) / total, 1)


SCORES = {
    score.id: score
    for score in (
        Score(
            "inspector",
            "监督员",
            "Inspectors",
            (
                Part("valid_reports", 40),
                Part("missed_by_patrol", 20, lost=True),
                Part("confirmed_on_time", 20),
                Part("verified_on_time", 20),
            ),
        ),
        Score(
            "shift_head",
            "值班长",
            "Head of shift",
            (
                Part("registered_on_time", 25),
                Part("accurate_registration", 40),
                Part("closed_on_time", 35),
            ),
        ),
        Score(
            "dispatcher",
            "派遣员",
            "Dispatchers",
            (Part("dispatched_on_time", 40), Part("accurate_dispatch", 40)),
        ),
        Score(
            "department",
            "部门",
            "Department",
            (Part("closed", 30), Part("handled_on_time", 30), Part("rework", 30, lost=True)),
            caseload=True,
        ),
    )
}


def caseload_points(cases: int) -> float:
    """Points of ten for so many registered cases."""
    return next((points for most, points in CASELOAD if cases <= most), 0.0)


def grade(score: float | None) -> str | None:
    """A from 90, B from 75, C from 60, D from 40, else E; None for no score."""
    return None if score is None else next(name for least, name in GRADES if score >= least)
