"""What if the cells were drawn otherwise: who would have got the incidents of the last days, case by case.

The cases are asked twice at one moment, on the ground as it is and on the ground on trial, by the same index
and the same rules, with the posts as they are held now. So every difference comes from the drawing alone.

On trial is a generation that is loaded and not active, or the active one with other shapes of some cells, or
with more exceptions, or both. A cell that is given ground takes it from its neighbours; ground that it gives
up and nobody takes is answered for by the rules for ground off every cell, and told as `left_over_m2`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from etl.routing import Decide, Places, Routed, Routing, decide_here
from gis.access import prefix_range
from gis.errors import Invalid
from gis.geometry import in_metres
from grids import exceptions, owner_map
from grids.exceptions import Strip, ground_of
from grids.owner_map import OwnerMap

TRIED = "试划 on trial"
"""The reason of an exception on trial, in the words of a trace."""
MOST_SHAPES = 1_000
"""More changed cells than this are a drawing of their own: load it as a generation."""


@dataclass(frozen=True, slots=True)
class TrialException:
    """Ground given to a cell: a (multi)polygon, or a (multi)line with a buffer, lon/lat in EPSG:4490."""

    cell_code: str
    geom: shapely.Geometry
    buffer_m: float = 0.0
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried: a generation by name (None: the active one), other shapes by code, more exceptions."""

    generation: str | None = None
    shapes: Mapping[str, shapely.Geometry] = field(default_factory=dict)
    exceptions: Sequence[TrialException] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the cases a cell or a member gets before and after, and how many it wins and loses."""

    code: str
    name: str
    before: int
    after: int
    won: int
    lost: int


@dataclass(frozen=True, slots=True)
class MovedCase:
    """A case that would go elsewhere. Cells are None for orphan ground, members for nobody on the roster."""

    id: int
    number: str
    lon: float
    lat: float
    from_cell: str | None
    to_cell: str | None
    from_member: int | None
    to_member: int | None
    rule: str
    confidence: float


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The outcome. `cells` and `members` are those with a difference, the largest first; a member's code is
    its number, its name is masked. A case is `moved` when its cell or its person changes, and `handed` when
    the person does: a new code for the same people moves a case and hands it to nobody else."""

    cases: int
    handed: int
    left_over_m2: float
    cells: list[Share]
    members: list[Share]
    moved: list[MovedCase]


_CASES = sa.text(
    """
    SELECT i.id, i.number, ST_X(i.geom) AS lon, ST_Y(i.geom) AS lat, i.accuracy_m, i.accuracy_level,
           b.cell_code AS building, ST_X(ST_PointOnSurface(b.geom)) AS building_lon,
           ST_Y(ST_PointOnSurface(b.geom)) AS building_lat,
           c.cell_code AS component, ST_X(c.geom) AS component_lon, ST_Y(c.geom) AS component_lat
    FROM incident AS i
    LEFT JOIN building AS b ON b.id = i.building_id
    LEFT JOIN component AS c ON c.id = i.component_id
    WHERE i.reported_at >= :since AND i.reported_at <= :until AND i.territory >= :low AND i.territory < :high
    ORDER BY i.id
    """
)


def what_if(
    session: Session,
    trial: Trial,
    *,
    since: datetime,
    now: datetime,
    zone: ZoneInfo,
    territory: str = "",
    decide: Decide = decide_here,
) -> WhatIf:
    """Who would have got the incidents reported on a territory since a moment, were the trial in force now.

    Raises Invalid for shapes that are no ground and for codes the active generation does not hold, and as
    `owner_map.current` does.
    """
    ground = owner_map.current(session)
    tried, left_over_m2 = _tried(session, trial, now)
    low, high = prefix_range(territory)
    cases = session.execute(_CASES, {"since": since, "until": now, "low": low, "high": high}).all()
    before, after = (_asked(session, city, cases, now, zone, decide) for city in (ground, tried))
    names = _names(tried) | _names(ground)
    moved = [
        MovedCase(
            case.id, case.number, case.lon, case.lat, old.cell, new.cell, old.member_id, new.member_id,
            new.rule, new.confidence,
        )
        for case, old, new in zip(cases, before, after, strict=True)
        if (old.cell, old.member_id) != (new.cell, new.member_id)
    ]  # fmt: skip
    people = {number: a.member for a in (*before, *after) if (number := _number(a)) and a.member}
    return WhatIf(
        cases=len(cases),
        handed=sum(case.from_member != case.to_member for case in moved),
        left_over_m2=left_over_m2,
        cells=_shares([a.cell for a in before], [a.cell for a in after], names),
        members=_shares([_number(a) for a in before], [_number(a) for a in after], people),
        moved=moved,
    )


def _asked(
    session: Session, city: OwnerMap, cases: Sequence[sa.Row], at: datetime, zone: ZoneInfo, decide: Decide
) -> list[Routed]:
    """Every case on one ground, at one moment."""
    places = Places(
        np.array([case.lon for case in cases], float),
        np.array([case.lat for case in cases], float),
        [case.accuracy_m for case in cases],
        at,
        [city.home(c.building, c.building_lon, c.building_lat) if c.building else None for c in cases],
        component=[
            city.home(c.component, c.component_lon, c.component_lat) if c.component else None for c in cases
        ],
        accuracy_level=[case.accuracy_level for case in cases],
    )
    return Routing(session, city, at=at, zone=zone, decide=decide).begin_at(places)()


def _number(answer: Routed) -> str | None:
    return None if answer.member_id is None else str(answer.member_id)


def _names(city: OwnerMap) -> dict[str, str]:
    return dict(zip(city.codes, city.names, strict=True))


def _shares(
    before: Sequence[str | None], after: Sequence[str | None], names: Mapping[str, str]
) -> list[Share]:
    """Those whose cases differ, most changes first."""
    lost = Counter(old for old, new in zip(before, after, strict=True) if old != new)
    won = Counter(new for old, new in zip(before, after, strict=True) if old != new)
    had, gets = Counter(before), Counter(after)
    shares = [
        Share(code, names.get(code, code), had[code], gets[code], won[code], lost[code])
        for code in {*lost, *won}
        if code is not None
    ]
    return sorted(shares, key=lambda share: (-share.won - share.lost, share.code))


def _tried(session: Session, trial: Trial, now: datetime) -> tuple[OwnerMap, float]:
    """The map on trial, and the square metres that an edit leaves to nobody."""
    city = owner_map.current(session, trial.generation)
    if not trial.shapes and not trial.exceptions:
        return city, 0.0
    _refuse_unknown(city, [*trial.shapes, *(one.cell_code for one in trial.exceptions)])
    shapes = _with_neighbours_cut(city, trial.shapes)
    codes = [city.position[code] for code in shapes]
    old, new = city.geoms[codes], np.array(list(shapes.values()), object)
    changed = shapely.symmetric_difference(old, new)
    return (
        city.on_trial(
            shapes=shapes,
            strips=_strips(session, city, trial.exceptions, now),
            buildings=_buildings_on(session, changed),
        ),
        _left_over(city, old, new),
    )


def _refuse_unknown(city: OwnerMap, codes: Iterable[str]) -> None:
    unknown = sorted(set(codes) - city.position.keys())
    if unknown:
        raise Invalid(
            en=f"The cells on trial are not all in {city.generation}: {', '.join(unknown[:5])}.",
            zh=f"版本 {city.generation} 没有这些网格：{'、'.join(unknown[:5])}。",
            remedy_en="Name cells by their code; load a drawing with new cells as a generation.",
            remedy_zh="请用网格编码；含新网格的方案请作为一版导入。",
            unknown=unknown,
        )


def _with_neighbours_cut(
    city: OwnerMap, shapes: Mapping[str, shapely.Geometry]
) -> dict[str, shapely.Geometry]:
    """The shapes given, and what they leave of their neighbours. Raises Invalid for what is no ground."""
    bad = [
        code
        for code, shape in shapes.items()
        if shape.geom_type not in ("Polygon", "MultiPolygon") or shape.is_empty or not shape.is_valid
    ]
    if bad or len(shapes) > MOST_SHAPES:
        raise Invalid(
            en=f"{len(bad)} of {len(shapes)} shapes on trial are no sound polygon, or there are too many.",
            zh=f"{len(shapes)} 个试划图形中有 {len(bad)} 个不是有效的面，或图形过多。",
            remedy_en=f"Give at most {MOST_SHAPES} valid polygons: {', '.join(bad[:5]) or 'fewer'}.",
            remedy_zh=f"请给出不超过 {MOST_SHAPES} 个有效的面：{'、'.join(bad[:5]) or '减少数量'}。",
        )
    result = dict(shapes)
    taken = shapely.union_all(list(shapes.values()))
    for i in shapely.STRtree(city.geoms).query(taken, predicate="intersects") if shapes else ():
        code = city.codes[i]
        if code not in shapes and not city.special[i]:
            left = shapely.difference(city.geoms[i], taken)
            if not shapely.equals(left, city.geoms[i]):
                result[code] = _polygons_of(left)
    return result


def _polygons_of(shape: shapely.Geometry) -> shapely.Geometry:
    """A shape's areal parts: cutting along a border may leave lines."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    return shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon"])


def _strips(session: Session, city: OwnerMap, given: Sequence[TrialException], now: datetime) -> list[Strip]:
    """The exceptions on trial, younger than every one there is. Raises Invalid for what is no ground."""
    youngest = max((strip.id for strip in exceptions.strips(session, city.zone)), default=0)
    strips = []
    for nth, one in enumerate(given, 1):
        exceptions.check(one.geom, one.buffer_m, TRIED)
        shape = ground_of(in_metres(np.array([one.geom], object), city.zone)[0], one.buffer_m)
        strips.append(Strip(youngest + nth, one.cell_code, one.priority, now, None, TRIED, shape))
    return strips


_BUILDINGS = sa.text(
    """
    SELECT DISTINCT ON (b.id) ST_X(ST_PointOnSurface(b.geom)), ST_Y(ST_PointOnSurface(b.geom)),
           ST_AsBinary(b.geom)
    FROM unnest(CAST(:shapes AS bytea[])) AS s(wkb)
    CROSS JOIN LATERAL (SELECT ST_GeomFromWKB(s.wkb, 4490) AS geom) AS changed
    JOIN building AS b ON b.geom && changed.geom AND ST_Intersects(b.geom, changed.geom)
    ORDER BY b.id
    """
)


def _buildings_on(
    session: Session, changed: NDArray[np.object_]
) -> list[tuple[float, float, shapely.Geometry]]:
    """The buildings that stand on ground that changes hands."""
    shapes = [bytes(wkb) for wkb in shapely.to_wkb(changed[~shapely.is_empty(changed)])]
    rows = session.execute(_BUILDINGS, {"shapes": shapes})
    return [(lon, lat, shapely.from_wkb(bytes(wkb))) for lon, lat, wkb in rows]


def _left_over(city: OwnerMap, old: NDArray[np.object_], new: NDArray[np.object_]) -> float:
    """Ground that the cells had together and have no more, in square metres."""
    if not len(old):
        return 0.0
    lost = shapely.difference(shapely.union_all(old), shapely.union_all(new))
    return float(shapely.area(in_metres(np.array([lost], object), city.zone)[0]))
