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
from gis.crs import source_system
from gis.errors import Invalid
from gis.geometry import Fix
from grids import ground_rules, owner_map, receivers, roster
from grids.reasons import Trace, sentence

SURE_SIGMAS = 6.0


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
    city = owner_map.current(session, generation)
    sources: dict[str, str | None] = dict(
        session.execute(
            sa.text(
                "SELECT code, source_code FROM cell WHERE generation = :g AND kind IN ('social', 'special')"
            ),
            {"g": city.generation},
        ).all()
    )
    found = city.covering(lon, lat)
    x, y = np.array([(p.x, p.y) for p in (city.point(a, b) for a, b in zip(lon, lat, strict=True))]).T
    lines = shapely.get_parts(shapely.boundary(city._metric))
    coordinates = [shapely.get_coordinates(line) for line in lines]
    segments = np.concatenate([shapely.linestrings(np.stack([c[:-1], c[1:]], 1)) for c in coordinates])
    tree = shapely.STRtree(segments)
    _, border = tree.query_nearest(shapely.points(x, y), return_distance=True, all_matches=False)
    reach = np.array([SURE_SIGMAS * Fix(0.0, 0.0, accuracy).sigma_m for accuracy in accuracy_m])
    clear = city.at(at).clear_of_overlays(x, y, reach)
    people: dict[tuple[str, ...], receivers.Person | None] = {}
    grounds = {g for code in city.codes for g in receivers.grounds_of(code, code)}
    everybody = roster.at_instant(session, sorted(grounds), at, zone=zone)
    answers: list[Routed] = []
    for i in range(len(lon)):
        fix = Fix(float(lon[i]), float(lat[i]), accuracy_m[i])
        cell = int(found[i])
        if cell >= 0 and clear[i] and border[i] > reach[i]:
            rule, metres, confidence, second = (
                ("special" if city.special[cell] else "covered"),
                float(border[i]),
                1.0,
                None,
            )
        else:
            try:
                decision = ground_rules.decide(ground_rules.Question.of(city, fix, at), Trace())
            except Invalid as error:
                answers.append(Routed("refused", reason_zh=error.message_zh, reason_en=error.message_en))
                continue
            rule, second = decision.rule, decision.sureness.second
            metres, confidence = decision.sureness.border_m, decision.sureness.confidence
            cell = -1 if decision.cell is None else decision.cell
        code = city.codes[cell] if cell >= 0 else None
        territory = code or city.area_at(fix.lon, fix.lat) or city.codes[0][:4]
        own = receivers.grounds_of(code, territory)
        if own not in people:
            people[own] = receivers.first_receiver(everybody, own, at, Trace())
        person = people[own]
        border_m = None if rule == "orphan" else round(metres, 1)
        shown = None if person is None else (person.shown_name, person.on_duty)
        zh, en = sentence(rule, code, border_m, confidence, shown)
        answers.append(
            Routed(
                rule, code, sources.get(code) if code else None, territory, round(confidence, 4), border_m,
                None if second is None else city.codes[second],
                person.id if person else None, person.shown_name if person else None, None, None,
                city.generation, zh, en,
            )
        )  # fmt: skip
        if i % 1000 == 0:
            progress("route", i, len(lon))
    return answers
