"""Small files of every format and defect, made by the tests that read them."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from openpyxl import Workbook
from pyogrio.raw import write

KINDS = {"Point": "Point", "Polygon": "Polygon", "MultiPolygon": "MultiPolygon", "LineString": "LineString"}


def vector(
    path: Path,
    geometry: Sequence[shapely.Geometry | None],
    columns: Mapping[str, Sequence[Any]] | None = None,
    *,
    crs: str | None = "EPSG:4490",
    encoding: str | None = None,
) -> Path:
    """A vector file in the format its ending tells; with several kinds of geometry the layer's is unknown."""
    kinds = {shape.geom_type for shape in geometry if shape is not None}
    columns = columns or {"id": list(range(1, len(geometry) + 1))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write(
            path,
            shapely.to_wkb(np.array(geometry, object)),
            [_column(values) for values in columns.values()],
            list(columns),
            geometry_type=KINDS[kinds.pop()] if len(kinds) == 1 else "Unknown",
            crs=crs,
            encoding=encoding,
        )
    return path


def _column(values: Sequence[Any]) -> Any:
    present = [value for value in values if value is not None]
    if len(present) == len(values) and all(isinstance(value, int) for value in values):
        return np.array(values, np.int64)
    if all(isinstance(value, int | float) for value in present):
        return np.array([np.nan if value is None else value for value in values], float)
    return np.array(values, object)


def table(
    path: Path, rows: Sequence[Sequence[Any]], *, encoding: str = "utf-8", delimiter: str = ","
) -> Path:
    """A delimited text file; the first row is the header."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]]) -> Path:
    """An Excel workbook with the given sheets."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def refused_rows(path: Path) -> list[dict[str, str]]:
    """The list of refused rows beside an input."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
