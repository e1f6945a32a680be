"""Many points at once: who answers for each, as the rows of a file want it.

The work is cut where it can be shared out. What the database knows (the ground, the roster, the buildings
that points are at) is asked here, in one transaction; whose ground each point is, is decided from the owner
map alone, by whoever `decide` hands it to: this process, or the workers of a cluster (`etl.cluster`); the
people and the words are put to it here again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

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


@dataclass(frozen=True, slots=True)
class Places:
    """Points at one moment: lon/lat in EPSG:4490, accuracies in metres with their level, and the cells that
    the ledgers name for each (of the component it is about, of the building it is at), None for none."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    accuracy_m: Sequence[float | None]
    at: datetime
    building: Sequence[str | None]
    component: Sequence[str | None] | None = None
    accuracy_level: Sequence[int | None] | None = None

    def __len__(self) -> int:
        return len(self.lon)

    def part(self, first: int, end: int) -> Places:
        """The points from `first` to before `end`."""
        some = slice(first, end)
        return Places(
            self.lon[some],
            self.lat[some],
            self.accuracy_m[some],
            self.at,
            self.building[some],
            component=self.component and self.component[some],
            accuracy_level=self.accuracy_level and self.accuracy_level[some],
        )

    def fix(self, i: int) -> Fix:
        level = self.accuracy_level[i] if self.accuracy_level else None
        return Fix(float(self.lon[i]), float(self.lat[i]), self.accuracy_m[i], level)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the city will not take a point."""

    zh: str
    en: str


Decided = Decision | Refusal
Decide = Callable[[OwnerMap, Places], Callable[[], list[Decided]]]
"""Begins to decide, and hands out a way to wait for the decisions."""


def decided(city: OwnerMap, places: Places) -> list[Decided]:
    """Whose ground each point is, by the same rules as `responsible_for`.

    A point far inside its cell, with nothing laid over the cell within its reach, needs no rule asked: the
    exact index and one distance answer for all of them together.
    """
    x, y = coordinates.to_metres(places.lon, places.lat, zone=city.zone)
    cells = city.covering(places.lon, places.lat)
    fixes = [places.fix(i) for i in range(len(places))]
    sigma = np.array([fix.sigma_m for fix in fixes])
    certain, border, second = city.at(places.at).certain(x, y, sigma, cells)
    found: list[Decided] = []
    for i in range(len(places)):
        component = places.component[i] if places.component else None
        if certain[i] and places.building[i] is None and component is None:
            nearest = None if second[i] < 0 else int(second[i])
            found.append(Decision("covered", int(cells[i]), Sureness(float(border[i]), 1.0, nearest, 0.0)))
            continue
        question = Question.of(
            city, fixes[i], places.at, component_cell=component, building_cell=places.building[i]
        )
        try:
            found.append(decide(question, Trace()))
        except Invalid as error:
            found.append(Refusal(error.message_zh, error.message_en))
    return found


def decide_here(city: OwnerMap, places: Places) -> Callable[[], list[Decided]]:
    """Decide in this process, when it is waited for."""
    return lambda: decided(city, places)


class Routing:
    """Who answers at one moment, on one drawing of the cells; asked as often as there are batches of points.

    Raises Invalid when no generation of cells is active and none is named.
    """

    def __init__(
        self,
        session: Session,
        city: OwnerMap,
        *,
        at: datetime,
        zone: ZoneInfo,
        decide: Decide = decide_here,
    ) -> None:
        self._session, self._city, self._at, self._decide = session, city, at, decide
        self._people = _People(session, city, at, zone)

    def begin(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64], accuracy_m: Sequence[float | None]
    ) -> Callable[[], list[Routed]]:
        """Begin with some points (lon, lat in EPSG:4490); call the result for the answers."""
        buildings = _building_cells(self._session, self._city, lon, lat, accuracy_m)
        return self.begin_at(Places(lon, lat, accuracy_m, self._at, buildings))

    def begin_at(self, places: Places) -> Callable[[], list[Routed]]:
        """`begin`, for points whose buildings and components are known."""
        wait = self._decide(self._city, places)
        return lambda: [
            self._people.answer(one, float(lon), float(lat))
            for one, lon, lat in zip(wait(), places.lon, places.lat, strict=True)
        ]

    def begin_raw(
        self, raw: NDArray[Any], crs: str | None, accuracy_m: Sequence[float | None]
    ) -> Callable[[], list[Routed]]:
        """`begin`, for points of `raw` (shapely points in the declared `crs`, or None).

        A point that cannot be placed is answered with the rule `refused` and the reason. Raises Invalid for
        an unknown system.
        """
        shaped = clean_shapes(raw, range(len(raw)), source_system(crs or ""), "point")
        positions = shaped.position.tolist()
        wait = self.begin(
            shapely.get_x(shaped.geometry), shapely.get_y(shaped.geometry), [accuracy_m[i] for i in positions]
        )

        def answers() -> list[Routed]:
            all_: list[Routed] = [Routed(REFUSED)] * len(raw)
            for i, answer in zip(positions, wait(), strict=True):
                all_[i] = answer
            for note in shaped.refused:
                all_[note.row] = Routed(REFUSED, reason_zh=note.words("zh"), reason_en=note.words("en"))
            return all_

        return answers


def route(
    session: Session,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    accuracy_m: Sequence[float | None],
    *,
    at: datetime,
    zone: ZoneInfo,
    generation: str | None = None,
    decide: Decide = decide_here,
) -> list[Routed]:
    """What `responsible_for` answers for each point (lon, lat in EPSG:4490)."""
    city = owner_map.current(session, generation)
    return Routing(session, city, at=at, zone=zone, decide=decide).begin(lon, lat, accuracy_m)()


# Several points a statement: what `responsibility.look` asks of the buildings for one.
_BUILDINGS = sa.text(
    """
    SELECT n, b.cell_code, b.lon, b.lat
    FROM unnest(CAST(:lon AS float8[]), CAST(:lat AS float8[]), CAST(:reach AS float8[]))
         WITH ORDINALITY AS given(lon, lat, reach, n)
    CROSS JOIN LATERAL (SELECT ST_SetSRID(ST_MakePoint(given.lon, given.lat), 4490) AS p) AS point
    CROSS JOIN LATERAL (
        SELECT cell_code, ST_Distance(geom::geography, p::geography) AS metres,
               ST_X(ST_PointOnSurface(geom)) AS lon, ST_Y(ST_PointOnSurface(geom)) AS lat
        FROM building
        WHERE geom && ST_Expand(p, reach * 0.00002) AND ST_DWithin(geom, p, reach * 0.00002)
        ORDER BY geom <-> p, id LIMIT 1
    ) AS b
    WHERE b.metres <= reach
    """
)


def _building_cells(
    session: Session,
    city: OwnerMap,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    accuracy_m: Sequence[float | None],
) -> list[str | None]:
    """The cell of the building each point is at, or None."""
    reach = [min(DEFAULT_ACCURACY_M if a is None else a, BUILDING_REACH_M) for a in accuracy_m]
    found: list[str | None] = [None] * len(lon)
    given = {"lon": lon.tolist(), "lat": lat.tolist(), "reach": reach}
    for n, *building in session.execute(_BUILDINGS, given):
        found[n - 1] = city.home(*building)
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

    def answer(self, decision: Decided, lon: float, lat: float) -> Routed:
        """A decision about ground with its person, in words."""
        if isinstance(decision, Refusal):
            return Routed(REFUSED, reason_zh=decision.zh, reason_en=decision.en)
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
