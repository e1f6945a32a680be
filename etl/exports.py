"""Layers out of the city into files other programs open, in CGCS2000, with the fields a role may read.

What may leave is decided by `layers.catalog`: a personal field or a layer about people is not in any file.
How much, and with whose consent, is decided by `etl.export_gate`; every file carries its mark and is
registered by its hash, so that a stray copy can be traced.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq
import shapely
import sqlalchemy as sa
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from sqlalchemy.orm import Session

from etl import export_gate
from etl.export_gate import ExportRequest
from etl.export_marks import TITLE, Mark, mark_geojson, mark_of
from etl.loading import Occasion
from etl.preparing import inner_points
from etl.safe_cells import safe_cell
from gis.access import Principal, prefix_range
from gis.crs import STORED
from gis.errors import Denied, Invalid, NotFound
from layers.catalog import Layer, drawable_layer

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees, EPSG:4490."""

Writer = Callable[[gpd.GeoDataFrame, Path, Layer, Mark], None]

TERMINAL_REASON = "命令行导出 at the terminal"

XLSX_ROWS = 1_048_575
"""What a sheet holds besides its header."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: rows, and the file's hash as it stands in the trail."""

    layer: str
    path: Path
    rows: int
    sha256: str
    number: str
    """The number in the file's mark."""


def export(
    session: Session,
    name: str,
    out: Path,
    occasion: Occasion,
    *,
    bbox: Box | None = None,
    territory: str | None = None,
    reason: str = TERMINAL_REASON,
    request: ExportRequest | None = None,
) -> Exported:
    """Write a layer to `out`; the ending tells the format: .gpkg, .geojson, .parquet, .csv or .xlsx.

    `bbox` keeps what touches the box, `territory` what lies on the ground of a code. `request` is the export
    as it was asked for and approved; without one it is asked for here, with `reason`. The file appears whole
    or not at all. Raises NotFound for an unknown layer or code, Denied for a layer about people or more than
    the person may take, Invalid for an ending that is none of these or a sheet that cannot hold the rows.
    """
    layer, write = drawable_layer(name), writer_of(out)
    by = _signed_in(occasion.by)
    frame = read_layer(session, layer, by, bbox=bbox, territory=territory)
    if out.suffix.lower() == ".xlsx" and len(frame) > XLSX_ROWS:
        raise Invalid(
            en=f"{len(frame):,} rows do not fit a sheet of {XLSX_ROWS:,}.",
            zh=f"{len(frame):,} 行超过工作表上限 {XLSX_ROWS:,} 行。",
            remedy_en="Write .csv or .gpkg, or narrow it by --territory.",
            remedy_zh="请改写 .csv 或 .gpkg，或用 --territory 缩小范围。",
        )
    if request is None:
        request = export_gate.ask(
            session, layer.name, what_of(out.suffix, bbox, territory), reason, rows=len(frame), by=by,
            now=occasion.now, ground=territory or None,
        )  # fmt: skip
        request = export_gate.opened(session, request.id, by=by, now=occasion.now)
    export_gate.refuse_more(request, len(frame))
    number = export_gate.new_number()
    mark = mark_of(request, number, rows=len(frame), now=occasion.now, zone=occasion.zone)
    digest = _whole(out, lambda path: write(frame, path, layer, mark))
    export_gate.register(
        session, request, number, digest, rows=len(frame), by=by, now=occasion.now, file_name=out.name
    )
    return Exported(layer.name, out, len(frame), digest, number)


def what_of(ending: str, bbox: Box | None, territory: str | None) -> dict[str, Any]:
    """What of a layer is asked for, as the request keeps it."""
    return {"format": ending.lower(), "bbox": list(bbox) if bbox else None, "ground": territory or None}


def writer_of(out: Path) -> Writer:
    """How a file of this name is written. Raises Invalid for an ending that is no format of ours."""
    write = WRITERS.get(out.suffix.lower())
    if write is None:
        raise Invalid(
            en=f"There is no format {out.suffix or out.name}.",
            zh=f"没有格式 {out.suffix or out.name}。",
            remedy_en="End the file's name in " + ", ".join(WRITERS) + ".",
            remedy_zh="文件名请以 " + "、".join(WRITERS) + " 结尾。",
        )
    return write


def count_rows(
    session: Session, layer: Layer, by: Principal, *, bbox: Box | None = None, territory: str | None = None
) -> int:
    """How many rows `read_layer` would give."""
    where, params = _condition(session, layer, by, bbox, territory)
    return session.execute(
        sa.text(f"SELECT count(*) FROM {layer.table} AS t WHERE {where}"), params
    ).scalar_one()


def read_layer(
    session: Session, layer: Layer, by: Principal, *, bbox: Box | None = None, territory: str | None = None
) -> gpd.GeoDataFrame:
    """A layer as a frame in EPSG:4490, in the order of its key, with the fields the person's role may read.

    A scoped layer (cases) is cut down to the person's own ground; who has none sees none of it.
    """
    fields = layer.fields_for(by.role)
    where, params = _condition(session, layer, by, bbox, territory)
    columns = ", ".join([*(f't."{field.name}"' for field in fields), "ST_AsBinary(t.geom) AS geom"])
    rows = session.execute(
        sa.text(f"SELECT {columns} FROM {layer.table} AS t WHERE {where} ORDER BY t.{layer.key}"), params
    ).all()
    attributes = pd.DataFrame(
        [tuple(row)[:-1] for row in rows], columns=[field.name for field in fields]
    ).convert_dtypes()
    return gpd.GeoDataFrame(
        attributes, geometry=shapely.from_wkb([bytes(row[-1]) for row in rows]), crs=STORED
    )


def _condition(
    session: Session, layer: Layer, by: Principal, bbox: Box | None, territory: str | None
) -> tuple[str, dict[str, Any]]:
    """(condition, parameters) of the rows that are asked for and are the person's to see."""
    parts: list[str] = [layer.where]
    params: dict[str, Any] = {}
    if bbox is not None:
        parts.append(
            "t.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)"
            " AND ST_Intersects(t.geom, ST_MakeEnvelope(:west, :south, :east, :north, 4490))"
        )
        params |= dict(zip(("west", "south", "east", "north"), bbox, strict=True))
    if layer.scoped:
        if by.territory is None or not by.sees_territory:
            parts.append("false")
        else:
            _within(layer, by.territory, "mine", parts, params)
    if territory:
        _known_ground(session, territory)
        _within(layer, territory, "ground", parts, params)
    return " AND ".join(parts), params


def _within(layer: Layer, code: str, name: str, parts: list[str], params: dict[str, Any]) -> None:
    """Rows on the ground of a code: by their own territory, or where they have none by the area's polygon."""
    if any(field.name == "territory" for field in layer.fields):
        params[f"{name}_low"], params[f"{name}_high"] = prefix_range(code)
        parts.append(f"t.territory >= :{name}_low AND t.territory < :{name}_high")
    else:
        params[name] = code
        parts.append(
            f"EXISTS (SELECT 1 FROM area AS a WHERE a.code = :{name} AND a.geom && t.geom"
            " AND ST_Intersects(a.geom, t.geom))"
        )


def _known_ground(session: Session, code: str) -> None:
    low, high = prefix_range(code)
    found = session.execute(
        sa.text(
            "SELECT EXISTS (SELECT 1 FROM area WHERE code >= :low AND code < :high)"
            " OR EXISTS (SELECT 1 FROM cell WHERE code >= :low AND code < :high)"
        ),
        {"low": low, "high": high},
    ).scalar_one()
    if not found:
        raise NotFound(
            en=f"There is no ground with the code {code}.",
            zh=f"没有编码为 {code} 的辖区。",
            remedy_en="Give the code of an area or a cell.",
            remedy_zh="请给出区划或网格的编码。",
        )


def _signed_in(by: Principal | None) -> Principal:
    if by is None:
        raise Denied(
            en="An export needs somebody who makes it.",
            zh="导出须有责任人。",
            remedy_en="Sign in first.",
            remedy_zh="请先登录。",
        )
    return by


def _whole(out: Path, write: Callable[[Path], None]) -> str:
    """Write beside `out` and put in its place when it is complete; returns the file's sha256."""
    if not out.parent.is_dir():
        raise Invalid(
            en=f"There is no folder {out.parent}.",
            zh=f"没有文件夹 {out.parent}。",
            remedy_en="Make it first.",
            remedy_zh="请先建好。",
        )
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".citygrid-") as folder:
        path = Path(folder) / out.name
        write(path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.replace(path, out)
    return digest


def _gpkg(frame: gpd.GeoDataFrame, path: Path, layer: Layer, mark: Mark) -> None:
    about = {"CITYGRID_EXPORT": mark.sentence}
    frame.to_file(
        path, driver="GPKG", layer=layer.name, engine="pyogrio", layer_metadata=about, dataset_metadata=about
    )  # fmt: skip


def _geojson(frame: gpd.GeoDataFrame, path: Path, _layer: Layer, mark: Mark) -> None:
    """RFC 7946 knows WGS 84 only, which CGCS2000 is to within what anybody can tell."""
    frame.set_crs("EPSG:4326", allow_override=True).to_file(path, driver="GeoJSON", engine="pyogrio")
    mark_geojson(path, mark)


def _parquet(frame: gpd.GeoDataFrame, path: Path, _layer: Layer, mark: Mark) -> None:
    """The mark stands beside the metadata that make it a GeoParquet file."""
    frame.to_parquet(path)
    table = pq.read_table(path)
    about = json.dumps(mark.members, ensure_ascii=False).encode()
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"citygrid_export": about}), path)


def _csv(frame: gpd.GeoDataFrame, path: Path, layer: Layer, mark: Mark) -> None:
    """Points as lon and lat, other shapes as WKT in the column geom; the mark as a last line.

    A text that a spreadsheet would run stands behind an apostrophe, which loading takes off again.
    """
    table = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    for name in table.select_dtypes(["object", "string"]):
        table[name] = [safe_cell(value) if isinstance(value, str) else value for value in table[name]]
    if layer.geometry == "point":
        table = table.assign(lon=frame.geometry.x, lat=frame.geometry.y)
    else:
        table = table.assign(geom=frame.geometry.to_wkt(rounding_precision=9))
    table.to_csv(path, index=False, encoding="utf-8-sig")
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow([f"# {mark.sentence}"])


def _xlsx(frame: gpd.GeoDataFrame, path: Path, layer: Layer, mark: Mark) -> None:
    """Moments become text, because a sheet knows no offset; text stays text, though it begins with "=".

    A cell holds too few characters for a polygon: shapes stand by a point on them. The mark has a sheet.
    """
    table = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    points = inner_points(frame.geometry.to_numpy())
    table = table.assign(lon=shapely.get_x(points), lat=shapely.get_y(points))
    book = Workbook(write_only=True)
    sheet = book.create_sheet(layer.title_zh)
    sheet.append(list(table.columns))
    for row in table.itertuples(index=False, name=None):
        sheet.append([_sheet_cell(sheet, value) for value in row])
    about = book.create_sheet(TITLE[0])
    for label, value in mark.lines:
        about.append([label, _sheet_cell(about, value)])
    book.save(path)


def _sheet_cell(sheet: Any, value: Any) -> Any:
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if isinstance(value, str) and value.startswith("="):
        cell = WriteOnlyCell(sheet, value)
        cell.data_type = "s"
        return cell
    return value


WRITERS: dict[str, Writer] = {
    ".gpkg": _gpkg,
    ".geojson": _geojson,
    ".parquet": _parquet,
    ".csv": _csv,
    ".xlsx": _xlsx,
}
