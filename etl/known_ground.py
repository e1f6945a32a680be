"""A file's points beside what the city already knows: are they in the system they declare?"""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from etl.staging import Stage
from gis import crs as coordinates
from gis.crs_guard import READINGS, Verdict, check, refusal

GUARDED = frozenset({"shops", "components", "incidents"})
"""Datasets of points that stand at or between buildings."""

SAMPLED = 400
"""Rows of a file that are looked at: an even spread."""
REACH_DEGREES = 0.002
"""References are fetched this far around each place a point may mean: farther than `crs_guard` pushes it."""

Floats = NDArray[np.float64]


def refuse_mix_up(stage: Stage, crs: str) -> None:
    """Raise Invalid, naming the system and the offset, when the staged points contradict their declaration.

    The stage holds stored coordinates; the numbers as they came are made again by the forward formulas. A
    declaration that is none of the city's own systems (a national grid abroad) is not tested.
    """
    if crs not in coordinates.GEOGRAPHIC | coordinates.WEB_DATUMS | coordinates.GAUSS_KRUGER:
        return
    rows = stage.session.execute(
        sa.text(
            f"SELECT ST_X(geom), ST_Y(geom) FROM (SELECT geom, row_number() OVER (ORDER BY row) AS n,"
            f" count(*) OVER () AS all_rows FROM {stage.name} WHERE geom IS NOT NULL) AS s"
            f" WHERE n % greatest(all_rows / {SAMPLED}, 1) = 0"
        )
    ).all()
    lon, lat = np.array([tuple(row) for row in rows], float).reshape(-1, 2).T
    verdict = against(stage.session, "building", *coordinates.from_stored(lon, lat, crs), crs)
    if verdict.agrees is False:
        raise refusal(verdict)


def against(session: Session, table: str, x: Floats, y: Floats, declared: str) -> Verdict:
    """The verdict on raw numbers over the things of a table, by their centroids."""
    return check(x, y, declared, *_references(session, table, x, y, declared))


def _references(session: Session, table: str, x: Floats, y: Floats, declared: str) -> tuple[Floats, Floats]:
    """Centroids of the table's things around every place the points may mean, lon/lat in EPSG:4490."""
    lon, lat = x, y
    if declared in coordinates.GAUSS_KRUGER:
        lon, lat = coordinates.to_stored(x, y, declared)
    places = np.concatenate([np.column_stack(coordinates.to_stored(lon, lat, name)) for name in READINGS])
    places = places[np.isfinite(places).all(axis=1)]
    rows = session.execute(
        sa.text(
            f"SELECT ST_X(c), ST_Y(c) FROM (SELECT DISTINCT t.id, ST_Centroid(t.geom) AS c"
            " FROM unnest(CAST(:lon AS float8[]), CAST(:lat AS float8[])) AS p(lon, lat)"
            f" JOIN {table} AS t ON t.geom && ST_Expand(ST_SetSRID(ST_MakePoint(p.lon, p.lat), 4490), :reach)"
            ") AS found"
        ),
        {"lon": places[:, 0].tolist(), "lat": places[:, 1].tolist(), "reach": REACH_DEGREES},
    ).all()
    found = np.array([tuple(row) for row in rows], float).reshape(-1, 2)
    return found[:, 0], found[:, 1]
