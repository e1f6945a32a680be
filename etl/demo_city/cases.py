"""Cases of the demo city: a report, its routing and its story, and the rows they become."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from etl.demo_city.reports import DATUM, Placed
from etl.demo_city.routing import Routed
from etl.demo_city.stories import Story
from etl.demo_city.writing import Rows
from gis import crs


@dataclass(slots=True)
class Case:
    """One case: row `row` of `placed`, its route and its story."""

    placed: Placed
    row: int
    route: Routed
    story: Story
    decision: dict[str, object]
    department: str | None

    @property
    def reported_at(self) -> datetime:
        return self.story.at["report"]


def incident_rows(cases: list[Case], generation: str, zone: ZoneInfo) -> list[Rows]:
    """Rows of `incident`, `incident_move`, `case_clock` and `incident_truth`: ids from 1, oldest first."""
    numbers = _numbers(cases, zone)
    return [
        _case_rows(cases, numbers, generation),
        _move_rows(cases),
        _clock_rows(cases),
        _truth_rows(cases),
    ]


def _numbers(cases: list[Case], zone: ZoneInfo) -> list[str]:
    """2026-1123-0001 onwards, counted within the city's day."""
    counted: dict[str, int] = {}
    numbers = []
    for case in cases:
        day = case.reported_at.astimezone(zone).strftime("%Y-%m%d")
        counted[day] = counted.get(day, 0) + 1
        numbers.append(f"{day}-{counted[day]:04d}")
    return numbers


def _case_rows(cases: list[Case], numbers: list[str], generation: str) -> Rows:
    lonlat = np.array([case.placed.lonlat[case.row] for case in cases])
    crs_names = [DATUM.get(case.placed.channel[case.row], crs.STORED) for case in cases]
    source = lonlat.copy()
    shifted = np.array([name == "GCJ-02" for name in crs_names])
    source[shifted] = np.column_stack(crs.wgs84_to_gcj02(*lonlat[shifted].T))
    clocks = [case.story.shown_clock for case in cases]

    def of_placed(name: str) -> list[Any]:
        return [getattr(case.placed, name)[case.row] for case in cases]

    def when(*moves: str) -> list[datetime | None]:
        return [next((case.story.at[m] for m in moves if m in case.story.at), None) for case in cases]

    return Rows(
        "incident",
        number=numbers,
        tracking_code=[hashlib.sha256(f"track {n}".encode()).hexdigest()[:16] for n in numbers],
        report_key=[f"demo-{n}" for n in numbers],
        body_hash=[hashlib.sha256(n.encode()).hexdigest() for n in numbers],
        channel=of_placed("channel"),
        category=[case.story.kind.code for case in cases],
        title=of_placed("title"),
        description=of_placed("description"),
        floor=of_placed("floor"),
        unit=of_placed("unit"),
        stage=[case.story.stage for case in cases],
        version=[case.story.version for case in cases],
        grade=[case.story.kind.grade for case in cases],
        geom=shapely.points(lonlat),
        source_lon=source[:, 0],
        source_lat=source[:, 1],
        source_crs=crs_names,
        accuracy_m=[None if np.isnan(metres) else metres for metres in of_placed("accuracy_m")],
        accuracy_level=of_placed("level"),
        place=of_placed("place"),
        building_id=[_id(case.placed.building[case.row]) for case in cases],
        component_id=[_id(case.placed.component[case.row]) for case in cases],
        generation=[generation] * len(cases),
        cell_code=[case.route.cell_code for case in cases],
        territory=[case.route.territory for case in cases],
        rule=[case.route.rule for case in cases],
        confidence=[case.route.confidence for case in cases],
        border_m=[case.route.border_m for case in cases],
        second_cell=[case.route.second_cell for case in cases],
        second_member_id=[case.route.second_member for case in cases],
        reason_zh=[case.route.reason_zh for case in cases],
        reason_en=[case.route.reason_en for case in cases],
        trace=[json.dumps(case.route.trace, ensure_ascii=False) for case in cases],
        decision=[json.dumps(case.decision, ensure_ascii=False) for case in cases],
        member_id=[case.route.member for case in cases],
        handler_id=[case.story.handler for case in cases],
        department_code=[case.department for case in cases],
        reported_at=when("report"),
        registered_at=when("register", "confirm"),
        dispatched_at=[case.story.at.get("dispatch") if case.story.handler else None for case in cases],
        accepted_at=when("accept"),
        finished_at=[_unless_reworked(case, "finish") for case in cases],
        verified_at=when("verify"),
        closed_at=when("close", "reject", "void"),
        answered_at=when("close", "reject", "void"),
        paused_at=[case.story.paused_at for case in cases],
        due_at=[clock.found.due_at if clock else None for clock in clocks],
        due_soon_at=[clock.found.due_soon_at if clock else None for clock in clocks],
        limit_words_zh=[clock.found.words_zh if clock else None for clock in clocks],
        limit_words_en=[clock.found.words_en if clock else None for clock in clocks],
        supervised_at=[case.story.supervised_at for case in cases],
        review_on=[case.story.review_on for case in cases],
    ).numbered()


def _id(row: int) -> int | None:
    return int(row) + 1 if row >= 0 else None


def _unless_reworked(case: Case, move: str) -> datetime | None:
    """When the work was finished, unless somebody has asked for it again since."""
    at, again = case.story.at.get(move), case.story.at.get("rework")
    return None if at and again and again > at else at


def _move_rows(cases: list[Case]) -> Rows:
    moves = [(i, case.route.territory, move) for i, case in enumerate(cases, 1) for move in case.story.moves]
    return Rows(
        "incident_move",
        incident_id=[i for i, _, _ in moves],
        move=[move.move for _, _, move in moves],
        from_stage=[move.from_stage for _, _, move in moves],
        to_stage=[move.to_stage for _, _, move in moves],
        at=[move.at for _, _, move in moves],
        actor_name=[move.by.name for _, _, move in moves],
        role=[move.by.role for _, _, move in moves],
        member_id=[move.member for _, _, move in moves],
        note=[move.note for _, _, move in moves],
        version=[move.version for _, _, move in moves],
        territory=[territory for _, territory, _ in moves],
    ).numbered()


def _clock_rows(cases: list[Case]) -> Rows:
    clocks = [
        (i, case.route.territory, clock) for i, case in enumerate(cases, 1) for clock in case.story.clocks
    ]
    return Rows(
        "case_clock",
        incident_id=[i for i, _, _ in clocks],
        clock=[clock.clock for _, _, clock in clocks],
        level=["community"] * len(clocks),
        kind=[clock.limit.kind for _, _, clock in clocks],
        value=[clock.limit.value for _, _, clock in clocks],
        started_at=[clock.started_at for _, _, clock in clocks],
        pauses=[json.dumps(clock.pauses) for _, _, clock in clocks],
        due_at=[clock.found.due_at for _, _, clock in clocks],
        due_soon_at=[clock.found.due_soon_at for _, _, clock in clocks],
        words_zh=[clock.found.words_zh for _, _, clock in clocks],
        words_en=[clock.found.words_en for _, _, clock in clocks],
        provisional=[clock.found.provisional for _, _, clock in clocks],
        stopped_at=[clock.stopped_at for _, _, clock in clocks],
        stopped_by=[clock.stopped_by for _, _, clock in clocks],
        territory=[territory for _, territory, _ in clocks],
    ).numbered()


def _truth_rows(cases: list[Case]) -> Rows:
    lonlat = np.array([case.placed.true_lonlat[case.row] for case in cases])
    return Rows(
        "incident_truth",
        incident_id=np.arange(1, len(cases) + 1),
        cell_code=[case.placed.truth[case.row] for case in cases],
        lon=lonlat[:, 0],
        lat=lonlat[:, 1],
        building_id=[_id(case.placed.true_building[case.row]) for case in cases],
    )
