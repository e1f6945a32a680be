"""Is a file in the system it declares? Its points against what the city already knows (`gis.crs_guard`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from etl import known_ground
from etl.fields import headers_of, plain
from etl.loading import source_crs
from etl.report import LoadReport
from etl.rows import Batch
from etl.sources import Source, open_source
from gis.crs_guard import Verdict
from gis.errors import Invalid

AGAINST = {"buildings": "building", "shops": "shop", "components": "component"}
"""What points may be laid over -> its table."""

MOST = 2000
"""Rows of a file that are looked at: an even spread."""


def check_file(
    session: Session,
    path: Path,
    *,
    crs: str | None,
    against: str,
    lon_field: str | None = None,
    lat_field: str | None = None,
    layer: str | None = None,
) -> Verdict:
    """Test the system of a file's points against a layer of the city; of lines and polygons, their centroids.

    `crs` is what the operator declares; absent, what the file says. Raises Invalid when neither says
    anything, the file has no coordinates, or the system is none of the city's own.
    """
    if against not in AGAINST:
        raise Invalid(
            en=f"There is no layer {against} to check against.",
            zh=f"没有可对照的图层 {against}。",
            remedy_en="Use one of " + ", ".join(AGAINST) + ".",
            remedy_zh="可用：" + "、".join(AGAINST) + "。",
        )
    with open_source(path, layer=layer) as source:
        declared = source_crs(source, crs, LoadReport("crs", path.name))
        x, y = _numbers(source, lon_field, lat_field)
    there = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    chosen = there[np.linspace(0, len(there) - 1, min(len(there), MOST)).astype(int)]
    return known_ground.against(session, AGAINST[against], x[chosen], y[chosen], declared)


def _numbers(
    source: Source, lon_field: str | None, lat_field: str | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The raw coordinates of every row, NaN where a row has none."""
    columns = None if source.drawn else (_column(source, "lon", lon_field), _column(source, "lat", lat_field))
    pairs = [_batch_numbers(batch, columns) for batch in source.batches(columns or ())]
    x, y = (np.concatenate(part) for part in zip(*pairs, strict=True))
    return x, y


def _batch_numbers(
    batch: Batch, columns: tuple[str, str] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if columns is None:
        points = shapely.centroid(batch.geometry)
        return shapely.get_x(points), shapely.get_y(points)
    x, y = (np.array([_number(value) for value in batch.columns[name]], float) for name in columns)
    return x, y


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return float("nan")


def _column(source: Source, axis: str, named: str | None) -> str:
    wanted = [named] if named else headers_of("incidents", axis)
    by_plain = {plain(header): header for header in source.headers}
    found = next((by_plain[plain(name)] for name in wanted if plain(name) in by_plain), None)
    if found is None:
        raise Invalid(
            en=f"No column of {axis} was found; the file has: {', '.join(source.headers)}.",
            zh=f"没有找到 {axis} 列；文件中有：{'、'.join(source.headers)}。",
            remedy_en=f"Name it with --{axis}.",
            remedy_zh=f"请用 --{axis} 指明。",
        )
    return found
