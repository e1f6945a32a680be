"""Indicators: their definitions, their numbers over a window, the cases behind each; and the map's past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from api import parameters
from api.gate import SignedInDoor
from api.parameters import Moment, TerritoryText
from gis.errors import Invalid
from incidents.evaluation import GROUPINGS, Entry, Part, Scope, entries
from incidents.evaluation_report import Line, Numbers, Report, evaluation_report
from incidents.indicators import GROUPS, INDICATORS, NOT_AVAILABLE, Indicator, Ratio, indicator_named
from incidents.queries import Row
from incidents.replay import past_moment, replay
from incidents.scores import SCORES, grade
from incidents.windows import NAMES, Window, named_window, window_between

router = APIRouter(prefix="/api/v1", tags=["evaluation"])

GroupText = Annotated[str | None, Query(max_length=40, description="One of: " + ", ".join(GROUPINGS))]
WindowText = Annotated[
    str, Query(max_length=40, description=", ".join(NAMES) + "; `from` and `to` together win over it.")
]
IndicatorId = Annotated[str, Path(max_length=40, description="As in /indicators/definitions.")]
CategoryList = Annotated[list[str] | None, Query(description="One or more, by comma or repeated.")]
Code = Annotated[str | None, Query(max_length=40)]
PersonId = Annotated[int | None, Query(ge=1, le=parameters.MAX_ID, description="Whoever had the case.")]


class DefinitionShown(BaseModel):
    """One indicator: what is divided by what, and when a row is judged."""

    id: str
    zh: str
    en: str
    group: str
    group_zh: str
    group_en: str
    numerator_zh: str
    numerator_en: str
    denominator_zh: str
    denominator_en: str
    judged_zh: str
    judged_en: str
    basis: str
    unit: str
    better: Literal["high", "low"]
    personal: bool
    note_zh: str
    note_en: str

    @classmethod
    def of(cls, one: Indicator) -> DefinitionShown:
        return cls(
            id=one.id,
            zh=one.zh,
            en=one.en,
            group=one.group,
            group_zh=GROUPS[one.group][0],
            group_en=GROUPS[one.group][1],
            numerator_zh=one.numerator_words[0],
            numerator_en=one.numerator_words[1],
            denominator_zh=one.denominator_words[0],
            denominator_en=one.denominator_words[1],
            judged_zh=one.basis.when[0],
            judged_en=one.basis.when[1],
            basis=one.population,
            unit=one.unit,
            better=one.better,
            personal=one.basis.personal,
            note_zh=one.note[0],
            note_en=one.note[1],
        )


class RatioShown(BaseModel):
    """How many of how many. Over an empty denominator `percent` is null and `text` says so."""

    numerator: int
    denominator: int
    percent: float | None
    text: str

    @classmethod
    def of(cls, ratio: Ratio) -> RatioShown:
        return cls(
            numerator=ratio.numerator,
            denominator=ratio.denominator,
            percent=ratio.percent,
            text=ratio.words("en"),
        )


class ScoreShown(BaseModel):
    id: str
    score: float | None
    grade: str | None


class LineShown(BaseModel):
    """One group: indicator id -> number, now and in the two spans of comparison, and week by week."""

    code: str
    name_zh: str
    name_en: str
    now: dict[str, RatioShown]
    previous: dict[str, RatioShown]
    year_before: dict[str, RatioShown]
    weeks: list[dict[str, RatioShown]]
    scores: list[ScoreShown]


class SpanShown(BaseModel):
    starts_at: datetime
    ends_at: datetime


class ReportShown(BaseModel):
    """The numbers. `not_available` is what an empty denominator reads, in Chinese and in English."""

    window: SpanShown
    previous: SpanShown
    year_before: SpanShown
    by: str | None
    not_available: tuple[str, str]
    total: LineShown
    lines: list[LineShown]


class EntriesShown(BaseModel):
    """The cases behind one number, the latest judged first."""

    indicator: str
    part: Part
    entries: list[Entry]
    next: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What an endpoint is asked about: a span of time, and which cases. `from_` and `to` go together."""

    window: str
    from_: datetime | None
    to: datetime | None
    scope: Scope

    def span(self, now: datetime, zone: ZoneInfo) -> Window:
        """Raises Invalid for a window that is none."""
        if self.from_ is not None and self.to is not None:
            return window_between(self.from_, self.to, zone)
        if self.from_ is not None or self.to is not None:
            raise Invalid(
                en="`from` and `to` go together.",
                zh="from 与 to 须同时给出。",
                remedy_en="Give both, or a window by its name.",
                remedy_zh="请同时给出，或用 window 给出时段名。",
            )
        return named_window(self.window, now, zone)


def _asked(
    window: WindowText = "30d",
    from_: Annotated[Moment | None, Query(alias="from", description="Judged at or after.")] = None,
    to: Annotated[Moment | None, Query(description="Judged before.")] = None,
    territory: TerritoryText = None,
    category: CategoryList = None,
    department: Code = None,
    channel: Code = None,
    member: PersonId = None,
) -> Asked:
    scope = Scope(
        territory=parameters.territory(territory),
        categories=parameters.listed(category),
        department=department,
        channel=channel,
        member=member,
    )
    return Asked(window, from_, to, scope)


Question = Annotated[Asked, Depends(_asked)]


@router.get("/indicators")
def indicators(
    door: SignedInDoor,
    asked: Question,
    by: GroupText = None,
    id: Annotated[list[str] | None, Query(description="Only these indicators.")] = None,
    weeks: Annotated[int, Query(ge=0, le=26, description="So many weeks back, one by one.")] = 0,
) -> ReportShown:
    """The indicators of what I may see, over a window, with the previous span and the year before."""
    wanted = [indicator_named(one) for one in parameters.listed(id)] or list(INDICATORS.values())
    zone = door.means.settings.zone
    with door.open() as (session, principal, now):
        report = evaluation_report(
            session,
            asked.span(now, zone),
            by=principal,
            now=now,
            zone=zone,
            scope=asked.scope,
            group=by,
            indicators=wanted,
            weeks_back=weeks,
        )
    return _report_shown(report)


def _report_shown(report: Report) -> ReportShown:
    def span(window: Window) -> SpanShown:
        return SpanShown(starts_at=window.starts_at, ends_at=window.ends_at)

    def ratios(numbers: Numbers) -> dict[str, RatioShown]:
        return {one.id: RatioShown.of(numbers.get(one.id, Ratio())) for one in report.indicators}

    def line(of: Line) -> LineShown:
        scores = [(score.id, score.of(of.now)) for score in SCORES.values()]
        return LineShown(
            code=of.code,
            name_zh=of.zh,
            name_en=of.en,
            now=ratios(of.now),
            previous=ratios(of.previous),
            year_before=ratios(of.year_before),
            weeks=[ratios(week) for week in of.weeks],
            scores=[ScoreShown(id=id_, score=points, grade=grade(points)) for id_, points in scores],
        )

    return ReportShown(
        window=span(report.window),
        previous=span(report.window.previous),
        year_before=span(report.window.year_before),
        by=report.group,
        not_available=NOT_AVAILABLE,
        total=line(report.total),
        lines=[line(of) for of in report.lines],
    )


@router.get("/indicators/definitions")
def definitions(door: SignedInDoor) -> list[DefinitionShown]:
    """What every indicator divides by what, when a row is judged, and the trap it avoids."""
    with door.open():
        return [DefinitionShown.of(one) for one in INDICATORS.values()]


@router.get("/indicators/{indicator_id}/cases")
def cases(
    door: SignedInDoor,
    indicator_id: IndicatorId,
    asked: Question,
    part: Annotated[Part, Query(description="All that count, the numerator's, or the rest.")] = "denominator",
    by: GroupText = None,
    code: Annotated[str | None, Query(max_length=40, description="Of this group of `by` alone.")] = None,
    after: Annotated[str | None, Query(max_length=200, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> EntriesShown:
    """The cases behind a number, by the conditions it was counted with: as many as it says."""
    indicator = indicator_named(indicator_id)
    zone = door.means.settings.zone
    with door.open() as (session, principal, now):
        page = entries(
            session,
            indicator,
            asked.span(now, zone),
            part,
            by=principal,
            now=now,
            scope=asked.scope,
            group=(by, code) if by is not None and code is not None else None,
            limit=limit,
            after=after,
        )
    return EntriesShown(indicator=indicator.id, part=part, entries=page.entries, next=page.next)


class ReplayShown(BaseModel):
    """The cases open at a minute, as a list would have shown them then."""

    at: datetime
    incidents: list[Row]


@router.get("/replay")
def past(
    door: SignedInDoor,
    at: Annotated[Moment, Query(description="A moment that is not ahead of us.")],
    territory: TerritoryText = None,
    category: CategoryList = None,
    stage: Annotated[list[str] | None, Query(description="At this stage then.")] = None,
    clock: Annotated[list[str] | None, Query(description="With this clock then.")] = None,
) -> ReplayShown:
    """The cases open at a past minute: where they lay, with whom, at which stage, with how much time left."""
    with door.open() as (session, principal, now):
        rows = replay(
            session,
            past_moment(at, now),
            by=principal,
            territory=parameters.territory(territory),
            categories=parameters.listed(category),
            stages=parameters.listed(stage),
            clocks=parameters.listed(clock),
            zone=door.means.settings.zone,
        )
    return ReplayShown(at=at, incidents=rows)
