"""Ground under dispute: exceptions given, and the strips that misroutes suggest; as GeoJSON for the map."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import orjson
import shapely
from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, Field

from api import parameters
from api.gate import SignedInDoor
from api.parameters import MAX_ID, Moment, TerritoryText
from api.schemas import Body
from gis.errors import Invalid
from grids import exceptions
from grids.misroutes import Strip
from incidents.misroutes import EVIDENCE_DAYS, disputed_strips

router = APIRouter(prefix="/api/v1", tags=["responsibility"])


class ExceptionBody(Body):
    """Ground given to a cell: a GeoJSON (multi)polygon, or a (multi)line with `buffer_m`; EPSG:4490."""

    geometry: dict[str, Any]
    cell_code: Annotated[str, Field(max_length=15)]
    reason: Annotated[str, Field(min_length=1, max_length=400)]
    buffer_m: Annotated[float, Field(ge=0, le=exceptions.MAX_BUFFER_M)] = 0.0
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None


@router.get("/misroutes", response_class=Response)
def misroutes(
    door: SignedInDoor,
    since: Annotated[Moment | None, Query(description=f"Left out: {EVIDENCE_DAYS} days ago.")] = None,
    territory: TerritoryText = None,
) -> Response:
    """Strips along borders where cases were handed back and done by the neighbours, most evidence first.

    Each is a polygon with the exception it suggests (`cell_code`), how many misroutes that would have
    prevented and how many reports that were right would have moved.
    """
    with door.open() as (session, by, now):
        ground = parameters.own_ground(by, territory)
        from_ = since or now - timedelta(days=EVIDENCE_DAYS)
        found = disputed_strips(session, from_, now=now, territory=ground)
    return _collection([_strip_feature(strip) for strip in found])


@router.get("/exceptions", response_class=Response)
def list_exceptions(door: SignedInDoor, at: Moment | None = None) -> Response:
    """The exceptions in force at a moment (left out: now) on one's ground, in the order they win."""
    with door.open() as (session, by, now):
        ground = parameters.own_ground(by, None)
        found = exceptions.in_force(session, at or now, ground)
    return _collection(
        [
            {
                "type": "Feature",
                "id": exception.id,
                "geometry": shapely.geometry.mapping(shape),
                "properties": {
                    "cell_code": exception.cell_code,
                    "priority": exception.priority,
                    "buffer_m": exception.buffer_m,
                    "starts_at": exception.starts_at,
                    "ends_at": exception.ends_at,
                    "reason": exception.reason,
                    "created_by": exception.created_by,
                },
            }
            for exception, shape in found
        ]
    )


@router.post("/exceptions", status_code=201)
def add_exception(door: SignedInDoor, body: ExceptionBody) -> dict[str, int]:
    """Give ground to a cell, from now or from `starts_at` on."""
    with door.open() as (session, by, now):
        added = exceptions.add(
            session,
            shape_of(body.geometry),
            body.cell_code,
            body.reason,
            by=by,
            now=now,
            buffer_m=body.buffer_m,
            priority=body.priority,
            starts_at=body.starts_at,
            ends_at=body.ends_at,
        )
        return {"id": added.id}


@router.delete("/exceptions/{exception_id}", status_code=204)
def end_exception(door: SignedInDoor, exception_id: Annotated[int, Path(ge=1, le=MAX_ID)]) -> None:
    """End an exception now; what it decided stays decided."""
    with door.open() as (session, by, now):
        exceptions.end(session, exception_id, by=by, now=now)


def _strip_feature(strip: Strip) -> dict[str, Any]:
    zh, en = strip.reasons
    return {
        "type": "Feature",
        "id": strip.key,
        "geometry": shapely.geometry.mapping(strip.shape),
        "properties": {
            "from_cell": strip.from_cell,
            "cell_code": strip.to_cell,
            "misroutes": len(strip.incidents),
            "incidents": list(strip.incidents),
            "prevented": strip.prevented,
            "moved": strip.moved,
            "advised": strip.advised,
            "length_m": round(strip.length_m, 1),
            "depth_m": round(strip.depth_m, 1),
            "reason_zh": zh,
            "reason_en": en,
        },
    }


def shape_of(geometry: dict[str, Any]) -> shapely.Geometry:
    """The shape of a GeoJSON geometry. Raises Invalid for what is none."""
    try:
        return shapely.from_geojson(orjson.dumps(geometry))
    except (shapely.errors.GEOSException, orjson.JSONEncodeError) as error:
        raise Invalid(
            en="The geometry is no GeoJSON.",
            zh="图形不是 GeoJSON。",
            remedy_en="Send a Polygon or a LineString with lon, lat pairs.",
            remedy_zh="请发送以经纬度为坐标的 Polygon 或 LineString。",
        ) from error


def _collection(features: list[dict[str, Any]]) -> Response:
    content = {"type": "FeatureCollection", "features": features}
    return Response(orjson.dumps(content), media_type="application/geo+json")
