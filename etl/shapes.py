"""Geometries made fit to be stored: in EPSG:4490, of the right kind, valid; or refused with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.report import Reason, RowNote
from gis import crs as coordinates

NO_PLACE = Reason(
    "no_place",
    "没有坐标",
    "there are no coordinates",
    "请补上坐标后重新导入。",
    "Add its coordinates and load again.",
)
NOT_DEGREES = Reason(
    "not_degrees",
    "坐标不在该坐标系的范围内",
    "the coordinates are not in the declared system",
    "请核对坐标系声明（--crs）。",
    "Check the declared system (--crs).",
)
SWAPPED = Reason(
    "swapped",
    "经纬度写反了",
    "longitude and latitude are swapped",
    "请先经度后纬度地重新导出。",
    "Export it again with the longitude first.",
)
WRONG_KIND = Reason(
    "wrong_kind", "几何类型不符", "a geometry of the wrong kind", "请换成该图层的点、线或面。",
    "Draw it as the layer wants it: point, line or polygon.",
)  # fmt: skip
BROKEN = Reason("broken", "几何无法修复", "the geometry cannot be repaired", "请重新绘制。", "Draw it again.")
MENDED = Reason("mended", "已修复无效几何", "an invalid geometry was repaired")
EXTRACTED = Reason(
    "extracted", "已从几何集合中取出所需部分", "the wanted parts were taken out of a collection"
)
SPLIT = Reason("split", "多部件已拆成多条", "a geometry of several parts was split, a row each")

KINDS = {"polygon": (3, 6), "line": (1, 5), "point": (0, 4)}
"""Wanted kind -> GEOS type numbers of the single and the multiple geometry."""
_COLLECTION = 7
NO_AREA_DEG2 = 1e-13
"""A polygon below this (some 10 square centimetres) is a line that was closed."""

Geometries = NDArray[Any]


@dataclass
class Shaped:
    """Geometries fit to be stored. `position[i]` is the position in the batch that `geometry[i]` came from;
    `part[i]` numbers the parts of a split row from 1 and is 0 for a whole one."""

    geometry: Geometries
    position: NDArray[np.int64]
    part: NDArray[np.int64]
    refused: list[RowNote] = field(default_factory=list)
    repaired: list[RowNote] = field(default_factory=list)


def clean_shapes(raw: Geometries, numbers: range, crs: str, kind: str, *, single: bool = False) -> Shaped:
    """Geometries of a file in `crs` -> geometries in EPSG:4490 of `kind`: polygon, line or point.

    `numbers` are the rows' numbers. Polygons and lines may be of one part or of several; when `single`, a row
    of several parts becomes several. Points must be single. Heights are dropped.
    """
    refused: list[RowNote] = []
    repaired: list[RowNote] = []
    alive = ~(shapely.is_missing(raw) | shapely.is_empty(raw))
    refused += [RowNote(numbers[i], None, NO_PLACE) for i in np.flatnonzero(~alive)]
    position = np.flatnonzero(alive)
    flat = raw[position]
    geometry = _stored(shapely.force_2d(flat) if shapely.has_z(flat).any() else flat, crs)
    placed, swapped = _in_degrees(geometry)
    for i in np.flatnonzero(~placed):
        refused.append(RowNote(numbers[position[i]], None, SWAPPED if swapped[i] else NOT_DEGREES))
    geometry, position = geometry[placed], position[placed]
    geometry = _of_kind(geometry, position, numbers, kind, refused, repaired)
    if kind == "polygon":
        geometry = _valid(geometry, position, numbers, refused, repaired)
    kept = ~shapely.is_missing(geometry)
    geometry, position = geometry[kept], position[kept]
    if kind == "point" or not single:
        return Shaped(geometry, position, np.zeros(len(position), np.int64), refused, repaired)
    parts, source = shapely.get_parts(geometry, return_index=True)
    counts = np.bincount(source, minlength=len(geometry))
    repaired += [
        RowNote(numbers[position[i]], None, SPLIT, str(counts[i])) for i in np.flatnonzero(counts > 1)
    ]
    nth = np.arange(len(parts)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    return Shaped(parts, position[source], np.where(counts[source] > 1, nth, 0), refused, repaired)


def _stored(geometry: Geometries, crs: str) -> Geometries:
    """Coordinates of `crs` -> EPSG:4490; a system that is stored as it is costs nothing."""
    if coordinates.source_system(crs) in coordinates.GEOGRAPHIC:
        return geometry

    def convert(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(coordinates.source_to_stored(xy[:, 0], xy[:, 1], crs))

    return shapely.transform(geometry, convert)


def _in_degrees(geometry: Geometries) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(every coordinate is a degree of longitude and latitude, they would be if they were swapped)."""
    west, south, east, north = shapely.bounds(geometry).T if len(geometry) else np.empty((4, 0))
    finite = np.isfinite(west + south + east + north)
    points, of = shapely.get_coordinates(geometry, return_index=True)
    finite &= np.bincount(of[~np.isfinite(points).all(axis=1)], minlength=len(geometry)) == 0
    with np.errstate(invalid="ignore"):
        placed = finite & (west >= -180) & (east <= 180) & (south >= -90) & (north <= 90)
        swapped = finite & ~placed & (south >= -180) & (north <= 180) & (west >= -90) & (east <= 90)
    return placed, swapped


def _of_kind(
    geometry: Geometries,
    position: NDArray[np.int64],
    numbers: range,
    kind: str,
    refused: list[RowNote],
    repaired: list[RowNote],
) -> Geometries:
    """Geometries of the wanted kind; None where a row holds another."""
    types = shapely.get_type_id(geometry)
    wanted = np.isin(types, KINDS[kind])
    result = geometry.copy()
    for i in np.flatnonzero(~wanted):
        inside = _parts_of_kind(geometry[i], kind) if types[i] == _COLLECTION else None
        if inside is not None:
            repaired.append(RowNote(numbers[position[i]], None, EXTRACTED))
        else:
            refused.append(RowNote(numbers[position[i]], None, WRONG_KIND, geometry[i].geom_type))
        result[i] = inside
    if kind == "point":
        for i in np.flatnonzero(types == KINDS["point"][1]):
            parts = shapely.get_parts(geometry[i])
            if len(parts) > 1:
                refused.append(RowNote(numbers[position[i]], None, WRONG_KIND, "MultiPoint"))
            result[i] = parts[0] if len(parts) == 1 else None
    return result


def _parts_of_kind(collection: shapely.Geometry, kind: str) -> shapely.Geometry | None:
    """The parts of a collection that are of the kind, as one multi-geometry; None when there are none."""
    parts = shapely.get_parts(shapely.get_parts([collection]))
    while np.any(shapely.get_type_id(parts) == _COLLECTION):
        parts = shapely.get_parts(parts)
    parts = shapely.get_parts(parts[np.isin(shapely.get_type_id(parts), KINDS[kind])])
    if not len(parts):
        return None
    if kind == "point":
        return shapely.MultiPoint(list(parts))
    return shapely.MultiPolygon(list(parts)) if kind == "polygon" else shapely.MultiLineString(list(parts))


def _valid(
    geometry: Geometries,
    position: NDArray[np.int64],
    numbers: range,
    refused: list[RowNote],
    repaired: list[RowNote],
) -> Geometries:
    """Valid polygons of some size: what crosses itself is rebuilt; None where nothing is left."""
    present = ~shapely.is_missing(geometry)
    bad = present & ~(shapely.is_valid(geometry) & (shapely.area(geometry) > NO_AREA_DEG2))
    result = geometry.copy()
    for i in np.flatnonzero(bad):
        why = shapely.is_valid_reason(geometry[i])
        result[i] = rebuilt(geometry[i])
        if result[i] is None:
            refused.append(RowNote(numbers[position[i]], None, BROKEN, why))
        else:
            repaired.append(RowNote(numbers[position[i]], None, MENDED, why))
    return result


def rebuilt(shape: shapely.Geometry) -> shapely.Geometry | None:
    """A valid polygon or multipolygon of the ground an invalid one encloses; None where that is nothing.

    GEOS's structure method keeps what a bow tie encloses and drops collapsed spikes, but it may return two
    polygons that share an edge as one invalid multipolygon; their union is what is meant.
    """
    made = _parts_of_kind(
        shapely.GeometryCollection([shapely.make_valid(shape, method="structure", keep_collapsed=False)]),
        "polygon",
    )
    if made is not None and not made.is_valid:
        made = shapely.union_all(shapely.get_parts(made))
    return made if made is not None and made.is_valid and made.area > NO_AREA_DEG2 else None
