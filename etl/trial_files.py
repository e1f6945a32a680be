"""A drawing on trial out of frames or files: other shapes of cells, more exceptions."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import geopandas as gpd
from pyogrio.errors import DataSourceError

from etl.what_if import Trial, TrialException
from gis.crs import STORED
from gis.errors import Invalid


def trial_of(
    generation: str | None, cells: gpd.GeoDataFrame | None = None, exceptions: gpd.GeoDataFrame | None = None
) -> Trial:
    """The trial of frames in any system they declare.

    `cells` has the column code, `exceptions` cell_code and perhaps buffer_m and priority. Raises Invalid for
    a frame without its system or its column.
    """
    return Trial(
        generation,
        {str(row["code"]): row["geometry"] for row in _rows(cells, "code")},
        [
            TrialException(
                str(row["cell_code"]),
                row["geometry"],
                _number(row.get("buffer_m")),
                int(_number(row.get("priority"))),
            )
            for row in _rows(exceptions, "cell_code")
        ],
    )


def trial_of_files(generation: str | None, cells: Path | None, exceptions: Path | None) -> Trial:
    """`trial_of` vector files. Raises Invalid for one that cannot be read."""
    return trial_of(generation, _frame(cells), _frame(exceptions))


def _frame(path: Path | None) -> gpd.GeoDataFrame | None:
    if path is None:
        return None
    try:
        return gpd.read_file(path)
    except (DataSourceError, OSError) as error:
        raise Invalid(
            en=f"{path.name} cannot be read: {error}",
            zh=f"无法读取 {path.name}：{error}",
            remedy_en="Give a GeoJSON, GeoPackage or Shapefile.",
            remedy_zh="请给出 GeoJSON、GeoPackage 或 Shapefile 文件。",
        ) from error


def _rows(frame: gpd.GeoDataFrame | None, code: str) -> list[dict[str, Any]]:
    """The rows of a frame as they stand in EPSG:4490."""
    if frame is None:
        return []
    if code not in frame.columns or frame.crs is None or frame.geometry.isna().any():
        raise Invalid(
            en=f"Shapes on trial need the column {code}, a coordinate system and a geometry in every row.",
            zh=f"试划图形须有 {code} 列、坐标系，且每行都有图形。",
            remedy_en="Rename the column, set the system (set_crs), drop rows without a shape.",
            remedy_zh="请更改列名、声明坐标系（set_crs）、去掉没有图形的行。",
        )
    placed = frame.set_geometry(frame.geometry.rename("geometry")).to_crs(STORED)
    return placed.to_dict("records")


def _number(value: Any) -> float:
    """A number that may be absent, as a frame's cells are."""
    return 0.0 if value is None or (isinstance(value, float) and math.isnan(value)) else float(value)
