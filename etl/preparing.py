"""A batch of a file made ready for the stage: values, geometry, ground and key of every row that is fit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.cleaning import clean_values
from etl.fields import Dataset
from etl.grounds import FAR_M, Grounds
from etl.mapping import FieldMap
from etl.report import Reason, RowNote
from etl.rows import Batch
from etl.shapes import SWAPPED, Shaped, clean_shapes
from etl.staging import ewkb

FAR = Reason(
    "far_outside",
    "在城区以外 2 公里之外",
    "it lies more than 2 km outside the city",
    "请核对坐标和坐标系声明。",
    "Check the coordinates and the declared system.",
)
PLACE = frozenset({"lon", "lat"})
"""Columns that become the geometry and are not kept."""
CONTENT_MARK = "#"
"""Begins the key of a row whose file gives it none: the hash of what it says."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the batches of a file are read. `crs` is None for people, `grounds` where no city is asked."""

    dataset: Dataset
    fields: FieldMap
    crs: str | None
    zone: ZoneInfo
    grounds: Grounds | None


@dataclass(frozen=True, slots=True)
class Ready:
    """Rows fit for the stage, column by column, and what became of the others; `read` counts them all."""

    read: int
    rows: Mapping[str, Sequence[Any]]
    refused: list[RowNote]
    repaired: list[RowNote]


def prepare(batch: Batch, reading: Reading) -> Ready:
    """Clean one batch. A row is refused for all its faults at once."""
    dataset = reading.dataset
    values, refused, repaired = clean_values(batch, dataset, reading.fields, reading.zone)
    faulty = {note.row for note in refused}
    shaped = _shapes(batch, values, reading)
    if shaped is None:
        position, part, geometry = np.arange(batch.size), np.zeros(batch.size, np.int64), None
    else:
        position, part, geometry = shaped.position, shaped.part, shaped.geometry
        refused += shaped.refused
        repaired += shaped.repaired
    if faulty:
        fit = np.array([batch.first + i not in faulty for i in position.tolist()], bool)
        position, part = position[fit], part[fit]
        geometry = None if geometry is None else geometry[fit]
    columns: dict[str, Any] = {"row": (position + batch.first).tolist()}
    for column in dataset.columns:
        if geometry is None or column.name not in PLACE:
            columns[column.name] = _picked(values[column.name], position)
    if geometry is not None:
        columns["geom"] = geometry
        if dataset.traced:
            came = raw_points(batch, values)[position]
            columns |= {"source_lon": shapely.get_x(came), "source_lat": shapely.get_y(came)}
    columns["source_code"] = _keys(columns, part, dataset.named_by)
    if geometry is not None and reading.grounds is not None:
        columns = _on_ground(columns, reading.grounds, dataset.grounded, refused)
    if geometry is not None:
        multi = dataset.geometry != "point" and not dataset.single
        columns["geom"] = ewkb(columns["geom"], multi=multi)
    return _told(Ready(batch.size, columns, refused, repaired), values["source_code"], batch)


def _shapes(batch: Batch, values: Mapping[str, list[Any]], reading: Reading) -> Shaped | None:
    """The rows' geometries, from the file's own or from its columns of coordinates; None for people."""
    dataset = reading.dataset
    if dataset.geometry is None or reading.crs is None:
        return None
    raw = raw_points(batch, values) if batch.geometry is None else batch.geometry
    return clean_shapes(raw, batch.numbers, reading.crs, dataset.geometry, single=dataset.single)


def raw_points(batch: Batch, values: Mapping[str, list[Any]]) -> NDArray[Any]:
    """The rows' points as they came, from the file's geometries or its columns; None where absent."""
    if batch.geometry is not None:
        return batch.geometry
    lon, lat = (np.array(values[axis], float) for axis in ("lon", "lat"))
    points = np.full(batch.size, None, object)
    there = np.isfinite(lon) & np.isfinite(lat)
    points[there] = shapely.points(lon[there], lat[there])
    return points


def _picked(values: list[Any], position: NDArray[np.int64]) -> list[Any]:
    """The values at the positions; the list itself when nothing was left out or repeated."""
    if len(position) == len(values) and (position[1:] > position[:-1]).all():
        return values
    return [values[i] for i in position.tolist()]


def _keys(
    columns: Mapping[str, Sequence[Any]], part: NDArray[np.int64], named_by: Sequence[str]
) -> list[str]:
    """The file's own ids, a split row's with the part's number; where there is none, names or the content."""
    keys = list(columns["source_code"])
    for i in np.flatnonzero(part).tolist():
        keys[i] = None if keys[i] is None else f"{keys[i]}/{part[i]}"
    for i in [i for i, key in enumerate(keys) if key is None and named_by]:
        names = [str(columns[name][i]) for name in named_by if columns[name][i] is not None]
        keys[i] = "/".join(names) or None
    nameless = [i for i, key in enumerate(keys) if key is None]
    if nameless:
        facts = [columns[name] for name in columns if name not in ("row", "geom", "source_code")]
        wkb = shapely.to_wkb(columns["geom"]) if "geom" in columns else None
        for i in nameless:
            digest = hashlib.sha1(repr([column[i] for column in facts]).encode())
            if wkb is not None:
                digest.update(wkb[i])
            keys[i] = CONTENT_MARK + digest.hexdigest()[:20]
    return keys


def _on_ground(
    columns: dict[str, Any], grounds: Grounds, grounded: bool, refused: list[RowNote]
) -> dict[str, Any]:
    """The rows without those far outside the city; grounded ones with the cell and territory they stand on.

    Where something stands is asked of a point inside it; whether it is far off, of the middle of its box.
    """
    geometry = np.asarray(columns["geom"], object)
    if grounded:
        points = inner_points(geometry)
        lon, lat = shapely.get_x(points), shapely.get_y(points)
    else:
        west, south, east, north = shapely.bounds(geometry).T
        lon, lat = (west + east) / 2, (south + north) / 2
    standing = grounds.at(lon, lat)
    far = standing.outside_m > FAR_M
    if far.any():
        swapped = grounds.holds(lat, lon)
        refused += [
            RowNote(columns["row"][i], None, SWAPPED)
            if swapped[i]
            else RowNote(columns["row"][i], None, FAR, f"{standing.outside_m[i] / 1000:,.1f} km")
            for i in np.flatnonzero(far).tolist()
        ]
    if grounded:
        columns |= {"cell_code": standing.cell, "territory": standing.territory}
    if not far.any():
        return columns
    near = np.flatnonzero(~far).tolist()
    return {
        name: column[~far] if isinstance(column, np.ndarray) else [column[i] for i in near]
        for name, column in columns.items()
    }


def inner_points(geometry: NDArray[Any]) -> NDArray[Any]:
    """A point on each geometry: of a polygon well inside, of a line its middle, of a point itself."""
    types = shapely.get_type_id(geometry)
    if np.isin(types, (1, 5)).any():
        return shapely.line_interpolate_point(shapely.get_geometry(geometry, 0), 0.5, normalized=True)
    return geometry if (types == 0).all() else shapely.point_on_surface(geometry)


def _told(ready: Ready, keys: Sequence[Any], batch: Batch) -> Ready:
    """The notes with the file's own ids; a repair of a row that is refused all the same is not told."""
    gone = {note.row for note in ready.refused}

    def with_key(note: RowNote) -> RowNote:
        key = keys[note.row - batch.first]
        return note if key is None else replace(note, key=key)

    return Ready(
        ready.read,
        ready.rows,
        [with_key(note) for note in ready.refused],
        [with_key(note) for note in ready.repaired if note.row not in gone],
    )
