"""Many points at once: who answers for each, as the rows of a file want it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from etl.loading import Progress, silent
from etl.shapes import clean_shapes
from gis import crs as coordinates
from gis.crs import source_system
from gis.errors import Invalid
from gis.geometry import DEFAULT_ACCURACY_M, Fix
from grids import owner_map, receivers, roster
from grids.final_ground import Sureness
from grids.ground_rules import BUILDING_REACH_M, Decision, Question, decide
from grids.owner_map import OwnerMap
from grids.reasons import Trace, sentence


@dataclass(frozen=True, slots=True)
class Routed:
    """One point's answer. `rule` is refused for a point the city will not take; then `reason` says why."""

    rule: str
    cell: str | None = None
    cell_source: str | None = None
    territory: str = ""
    confidence: float = 0.0
    border_m: float | None = None
    second_cell: str | None = None
    member_id: int | None = None
    member: str | None = None
    second_member: str | None = None
    second_member_id: int | None = None
    generation: str = ""
    reason_zh: str = ""
    reason_en: str = ""


REFUSED = "refused"


def answers(
    session: Session,
    raw: NDArray[Any],
    crs: str | None,
    accuracy_m: Sequence[float | None],
    *,
    at: datetime,
    zone: ZoneInfo,
    generation: str | None = None,
) -> list[Routed]:
    """An answer for every point of `raw` (shapely points in the declared `crs`, or None), in their order.

    A point that cannot be placed is answered with the rule `refused` and the reason. Raises Invalid for an
    unknown system, and when no generation of cells is active.
    """
    shaped = clean_shapes(raw, range(len(raw)), source_system(crs or ""), "point")
    found = route(
        session,
        shapely.get_x(shaped.geometry),
        shapely.get_y(shaped.geometry),
        [accuracy_m[i] for i in shaped.position.tolist()],
        at=at,
        zone=zone,
        generation=generation,
    )
    all_: list[Routed] = [Routed(REFUSED)] * len(raw)
    for i, answer in zip(shaped.position.tolist(), found, strict=True):
        all_[i] = answer
    for note in shaped.refused:
        all_[note.row] = Routed(REFUSED, reason_zh=note.words("zh"), reason_en=note.words("en"))
    return all_


def route(
    session: Session,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    accuracy_m: Sequence[float | None],
    *,
    at: datetime,
    zone: ZoneInfo,
    generation: str | None = None,
    progress: Progress = silent,
) -> list[Routed]:
    """What `responsible_for` answers for each point (lon, lat in EPSG:4490), by the same rules.

    A point far inside its cell, with nothing laid over the cell within its reach, needs no rule asked: the
    exact index and one distance answer for all of them together.
    """
    city = owner_map.current(session, generation)
    people = _People(session, city, at, zone)
    buildings = _building_cells(session, lon, lat, accuracy_m)
    x, y = coordinates.to_metres(lon, lat, zone=city.zone)
    cells = city.covering(lon, lat)
    sigma = np.array([Fix(0.0, 0.0, accuracy).sigma_m for accuracy in accuracy_m])
    certain, border, second = city.at(at).certain(x, y, sigma, cells)
    answers: list[Routed] = []
    for i in range(len(lon)):
        if certain[i] and buildings[i] is None:
            nearest = None if second[i] < 0 else int(second[i])
            decision = Decision("covered", int(cells[i]), Sureness(float(border[i]), 1.0, nearest, 0.0))
        else:
            fix = Fix(float(lon[i]), float(lat[i]), accuracy_m[i])
            question = Question.of(city, fix, at, building_cell=buildings[i])
            try:
                decision = decide(question, Trace())
            except Invalid as error:
                answers.append(Routed(REFUSED, reason_zh=error.message_zh, reason_en=error.message_en))
                continue
        answers.append(people.answer(decision, float(lon[i]), float(lat[i])))
        if i % 1000 == 0:
            progress("route", i, len(lon))
    return answers


# Several points a statement: what `responsibility.look` asks of the buildings for one.
_BUILDINGS = sa.text(
    """
    SELECT n, b.cell_code
    FROM unnest(CAST(:lon AS float8[]), CAST(:lat AS float8[]), CAST(:reach AS float8[]))
         WITH ORDINALITY AS given(lon, lat, reach, n)
    CROSS JOIN LATERAL (SELECT ST_SetSRID(ST_MakePoint(lon, lat), 4490) AS p) AS point
    CROSS JOIN LATERAL (
        SELECT cell_code, ST_Distance(geom::geography, p::geography) AS metres FROM building
        WHERE geom && ST_Expand(p, reach * 0.00002) AND ST_DWithin(geom, p, reach * 0.00002)
        ORDER BY geom <-> p, id LIMIT 1
    ) AS b
    WHERE b.metres <= reach
    """
)


def _building_cells(
    session: Session, lon: NDArray[np.float64], lat: NDArray[np.float64], accuracy_m: Sequence[float | None]
) -> list[str | None]:
    """The cell of the building each point is at, or None."""
    reach = [min(DEFAULT_ACCURACY_M if a is None else a, BUILDING_REACH_M) for a in accuracy_m]
    found: list[str | None] = [None] * len(lon)
    given = {"lon": lon.tolist(), "lat": lat.tolist(), "reach": reach}
    for n, cell_code in session.execute(_BUILDINGS, given):
        found[n - 1] = cell_code
    return found


_SOURCES = sa.text(
    "SELECT code, source_code FROM cell WHERE generation = :generation AND kind IN ('social', 'special')"
)


class _People:
    """Who receives on each ground at one moment, worked out once a ground."""

    def __init__(self, session: Session, city: OwnerMap, at: datetime, zone: ZoneInfo) -> None:
        self._city, self._at = city, at
        grounds = {ground for code in city.codes for ground in receivers.grounds_of(code, code)}
        grounds |= {ground for code, _ in city.areas for ground in receivers.grounds_of(None, code)}
        self._roster = roster.at_instant(session, sorted(grounds), at, zone=zone)
        self._known: dict[tuple[str, ...], receivers.Person | None] = {}
        rows = session.execute(_SOURCES, {"generation": city.generation})
        self._source: dict[str, str | None] = {code: source for code, source in rows}

    def answer(self, decision: Decision, lon: float, lat: float) -> Routed:
        """A decision about ground with its person, in words."""
        city, sure = self._city, decision.sureness
        code = None if decision.cell is None else city.codes[decision.cell]
        second = None if sure.second is None else city.codes[sure.second]
        territory = city.territory_of(decision.cell, lon, lat)
        person = self._receiver(receivers.grounds_of(code, territory))
        other = self._receiver(receivers.grounds_of(second, second)) if second else None
        border_m = None if decision.rule == "orphan" else round(sure.border_m, 1)
        shown = None if person is None else (person.shown_name, person.on_duty)
        reason_zh, reason_en = sentence(decision.rule, code, border_m, sure.confidence, shown)
        return Routed(
            rule=decision.rule,
            cell=code,
            cell_source=self._source.get(code) if code else None,
            territory=territory,
            confidence=round(sure.confidence, 4),
            border_m=border_m,
            second_cell=second,
            member_id=person.id if person else None,
            member=person.shown_name if person else None,
            second_member=other.shown_name if other else None,
            second_member_id=other.id if other else None,
            generation=city.generation,
            reason_zh=reason_zh,
            reason_en=reason_en,
        )

    def _receiver(self, grounds: tuple[str, ...]) -> receivers.Person | None:
        if grounds not in self._known:
            self._known[grounds] = receivers.first_receiver(self._roster, grounds, self._at, Trace())
        return self._known[grounds]
