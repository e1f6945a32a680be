"""The map's own endpoints: vector tiles, the catalogue, features of a layer, and search."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import asdict
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from api import parameters
from api.gate import SignedInDoor
from api.parameters import BboxText, TerritoryText
from gis.access import Principal
from gis.tiles import Tile
from grids.cells import cell_facts
from grids.duties import team
from incidents.case_rows import conditions
from incidents.history_tiles import history_tile
from incidents.queries import Filter, Row, list_incidents
from layers import addresses
from layers.catalog import LAYERS, layer
from layers.features import EVERYTHING, Condition, Wanted, feature, features
from layers.map_tiles import map_tile

router = APIRouter(tags=["map"])

TILE_TYPE = "application/vnd.mapbox-vector-tile"
GEOJSON_TYPE = "application/geo+json"
MAX_FEATURES = 5000
MAX_RESULTS = 12
MAX_CASES_FOUND = 4

GZIP_LEVEL = 1
"""Tiles are many small numbers: level 6 takes four times as long for a tenth less."""
WORTH_GZIP = 400


@router.get("/tiles/{name}/{z}/{x}/{y}.pbf", response_class=Response)
def tile(door: SignedInDoor, request: Request, name: str, z: int, x: int, y: int) -> Response:
    """One vector tile. The browser keeps its copy and asks each time: 304 while it is still right."""
    address = Tile(z, x, y)
    known = request.headers.get("if-none-match", "").removeprefix("W/").strip('"') or None
    with door.open() as (session, by, _):
        if name == "incidents":
            data: bytes | None = history_tile(session, address, by=by)
            revision = hashlib.sha256(data or b"").hexdigest()[:32]
            data = None if revision == known else data
        else:
            made = map_tile(session, name, address, known=known)
            revision, data = made.revision, made.data
    return _tile_response(data, revision, request)


def _tile_response(data: bytes | None, revision: str, request: Request) -> Response:
    headers = {
        "ETag": f'W/"{revision}"',
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Encoding, Cookie, Authorization",
    }
    if data is None:
        return Response(status_code=304, headers=headers)
    if not data:
        return Response(status_code=204, headers=headers)
    if len(data) >= WORTH_GZIP and "gzip" in request.headers.get("accept-encoding", ""):
        data = gzip.compress(data, GZIP_LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(data, headers=headers, media_type=TILE_TYPE)


@router.get("/api/v1/layers")
def catalogue(door: SignedInDoor) -> dict[str, Any]:
    """Which layers there are, with their fields' names in both languages and their privacy classes."""
    with door.open():
        return {
            "layers": [
                {
                    "name": entry.name,
                    "title_zh": entry.title_zh,
                    "title_en": entry.title_en,
                    "geometry": entry.geometry,
                    "from_zoom": entry.from_zoom,
                    "fields": [
                        {"name": field.name, "zh": field.zh, "en": field.en, "privacy": field.privacy}
                        for field in entry.fields
                    ],
                }
                for entry in LAYERS.values()
            ]
        }


@router.get("/api/v1/layers/{name}/features", response_class=Response)
def layer_features(
    door: SignedInDoor,
    request: Request,
    name: str,
    bbox: BboxText = None,
    territory: TerritoryText = None,
    limit: Annotated[int, Query(ge=1, le=MAX_FEATURES)] = 500,
    after: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """A page of a layer as GeoJSON (lon, lat in EPSG:4490); any other parameter is a field with its value."""
    wanted = Wanted(
        bbox=parameters.bounds(bbox),
        equals={
            field: value
            for field, value in request.query_params.items()
            if field not in ("bbox", "territory", "limit", "after")
        },
        territory=parameters.territory(territory),
        limit=limit,
        after=after,
    )
    with door.open() as (session, by, _):
        page = features(session, name, wanted, role=by.role, visible=_visible(name, by))
    return _geojson({"type": "FeatureCollection", "features": page.features, "next": page.next})


@router.get("/api/v1/layers/{name}/features/{key}", response_class=Response)
def layer_feature(door: SignedInDoor, name: str, key: str) -> Response:
    """One feature of a layer by its id; an area by its code."""
    with door.open() as (session, by, _):
        return _geojson(feature(session, name, key, role=by.role, visible=_visible(name, by)))


def _visible(name: str, by: Principal) -> Condition:
    """Which rows of a layer the person may see: all, but of the cases only their own ground and tasks."""
    if not layer(name).scoped:
        return EVERYTHING
    own = conditions(Filter(), by)
    return Condition(own.on("t"), own.params)


def _geojson(content: dict[str, Any]) -> Response:
    return Response(orjson.dumps(content), media_type=GEOJSON_TYPE)


@router.get("/api/v1/cells/{code}")
def cell(door: SignedInDoor, code: Annotated[str, Path(max_length=15)]) -> dict[str, Any]:
    """A social cell of the active generation: what stands on it, counted, and its team, masked."""
    with door.open() as (session, _, now):
        return {
            **asdict(cell_facts(session, code)),
            "team": [asdict(post) for post in team(session, code, at=now, zone=door.means.settings.zone)],
        }


ORDER = (*addresses.ORDER[:4], "incident", *addresses.ORDER[4:])
"""Among equally good finds: areas, cells, estates and roads, then cases, then single buildings and shops."""


@router.get("/api/v1/search")
def search(
    door: SignedInDoor,
    q: Annotated[str, Query(max_length=200)] = "",
    lon: Annotated[float | None, Query(ge=-180, le=180)] = None,
    lat: Annotated[float | None, Query(ge=-90, le=90)] = None,
) -> dict[str, Any]:
    """Places and cases that fit a few characters, best first; `lon`, `lat` is where the map looks."""
    typed = addresses.Typed.parse(q)
    with door.open() as (session, by, now):
        found = [
            (place.rank, ORDER.index(place.kind), _place(place))
            for place in addresses.search(session, typed, lon=lon, lat=lat)
        ]
        if typed.words:
            page = list_incidents(
                session, Filter(q=typed.text), by=by, now=now, order="number", limit=MAX_CASES_FOUND
            )
            found += [
                (typed.rank(row.number, row.title, row.place), ORDER.index("incident"), _case(row))
                for row in page.rows
            ]
    found.sort(key=lambda find: find[:2])
    return {"results": [result for _, _, result in found[:MAX_RESULTS]]}


def _place(place: addresses.Found) -> dict[str, Any]:
    result = {
        "kind": place.kind,
        "id": place.id,
        "code": place.code,
        "title": place.title,
        "subtitle": place.subtitle,
        "lon": place.lon,
        "lat": place.lat,
        "bbox": place.bbox,
    }
    return {name: value for name, value in result.items() if value is not None}


def _case(row: Row) -> dict[str, Any]:
    return {
        "kind": "incident",
        "id": row.id,
        "code": row.number,
        "title": row.title,
        "subtitle": " · ".join(part for part in (row.number, row.place) if part),
        "lon": row.lon,
        "lat": row.lat,
    }
