"""Open a file of the outside world and hand out its rows in batches, as the file has them.

Every format ends as the same two things: columns under their own headers, and geometries in the file's own
coordinates. What cannot be read at all (no file, zero bytes, a broken archive, text in an unknown encoding)
is Invalid here, before anything is written; what is wrong with single rows is for `cleaning`.

Vector files go through GDAL (pyogrio) as Arrow batches, tables through `etl.tables`. A .zip is unpacked into
a temporary folder for as long as the source is open.
"""

from __future__ import annotations

import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyogrio.raw import open_arrow

from etl.encodings import dbf_encoding
from etl.rows import BATCH_ROWS, Batch
from etl.tables import CsvTable, XlsxTable, no_rows, unreadable
from gis.errors import Invalid

IN_A_ZIP = (
    ".shp", ".gpkg", ".geojson", ".json", ".geojsonl", ".fgb", ".kml", ".gml", ".tab", ".mif", ".gdb", ".osm",
    ".csv", ".xlsx",
)  # fmt: skip
"""Looked for inside a .zip; outside one, whatever GDAL recognises is read."""


class Source(Protocol):
    """An open file. `crs` is what the file itself says of its coordinates, None where it says nothing.

    `drawn` is whether rows have geometries of their own. `rows` is None where the format does not know it
    before it has been read. `remarks` are (Chinese, English)
    things an operator should know about how the file was read.
    """

    path: Path
    headers: list[str]
    crs: str | None
    drawn: bool
    rows: int | None
    remarks: list[tuple[str, str]]

    def batches(self, headers: Sequence[str] | None = None) -> Iterator[Batch]:
        """The rows in file order, from the first each time; only the `headers` asked for."""
        ...


@contextmanager
def open_source(path: Path, *, layer: str | None = None, encoding: str | None = None) -> Iterator[Source]:
    """Open a vector file, a CSV, a spreadsheet, or a .zip that holds one of them.

    `layer` names the layer or sheet of a file that has several, `encoding` the text encoding where the file
    does not tell it. Raises Invalid, with the remedy, for whatever cannot be read.
    """
    _check_exists(path)
    with ExitStack() as kept:
        inner = path
        if path.suffix.lower() == ".zip":
            folder = kept.enter_context(tempfile.TemporaryDirectory(prefix="citygrid-"))
            inner = _unpacked(path, Path(folder), layer)
        if inner.suffix.lower() == ".xls":
            raise Invalid(
                en=f"{path.name} is in the old Excel format.",
                zh=f"{path.name} 是旧版 Excel 格式。",
                remedy_en="Save it as .xlsx.",
                remedy_zh="请另存为 .xlsx。",
            )
        reader = READERS.get(inner.suffix.lower(), VectorFile)
        source = reader(inner, layer, encoding)
        if source.rows == 0:
            raise no_rows(path)
        yield source


class VectorFile:
    """One layer of a file GDAL reads."""

    def __init__(self, path: Path, layer: str | None, encoding: str | None) -> None:
        self.path = path
        self.remarks: list[tuple[str, str]] = []
        with _readable(path):
            self._layer = _one_layer(path, layer)
        self._encoding = self._text_encoding(encoding)
        with _readable(path):
            info = pyogrio.read_info(path, layer=self._layer, encoding=self._encoding)
        self.headers = [str(name) for name in info["fields"]]
        self.crs: str | None = info["crs"]
        self.drawn = info["geometry_type"] is not None
        self.rows: int | None = info["features"] if info["features"] >= 0 else None

    def batches(self, headers: Sequence[str] | None = None) -> Iterator[Batch]:
        first = 1
        with (
            _readable(self.path),
            open_arrow(
                self.path, layer=self._layer, encoding=self._encoding, batch_size=BATCH_ROWS,
                columns=None if headers is None else list(headers), use_pyarrow=True,
            ) as (meta, reader),
        ):  # fmt: skip
            geometry_name = meta["geometry_name"] or "wkb_geometry"
            for record in reader:
                yield _batch(record, geometry_name, first)
                first += len(record)

    def _text_encoding(self, declared: str | None) -> str | None:
        """What to tell GDAL: only a shapefile's attribute table leaves its encoding open."""
        table = next((p for p in _beside(self.path, ".dbf")), None)
        if self.path.suffix.lower() != ".shp" or table is None:
            return declared
        cpg = next((p.read_text("ascii", "ignore").strip() for p in _beside(self.path, ".cpg")), None)
        encoding, guessed = dbf_encoding(table, declared, cpg or None)
        if guessed and encoding != "utf-8":
            self.remarks.append(
                (
                    f"没有 .cpg 文件，文字按 {encoding} 读取。",
                    f"There is no .cpg file; the text is read as {encoding}.",
                )
            )
        return encoding


READERS: dict[str, Callable[[Path, str | None, str | None], Source]] = {
    ".csv": CsvTable,
    ".tsv": CsvTable,
    ".txt": CsvTable,
    ".xlsx": XlsxTable,
    ".xlsm": XlsxTable,
}
"""By the name's ending; everything else is a vector file."""


def _batch(record: pa.RecordBatch, geometry_name: str, first: int) -> Batch:
    """An Arrow batch as plain columns and shapely geometries; what is no geometry at all becomes None."""
    columns: dict[str, list[Any]] = {}
    geometry = np.full(len(record), None, object)
    for name, column in zip(record.schema.names, record.columns, strict=True):
        if name == geometry_name and pa.types.is_binary(column.type):
            wkb = column.to_numpy(zero_copy_only=False)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                geometry = shapely.from_wkb(wkb, on_invalid="ignore")
        else:
            columns[name] = column.to_pylist()
    return Batch(first, len(record), columns, geometry)


def _one_layer(path: Path, wanted: str | None) -> str:
    """The layer asked for, or the only one with a geometry, or the only one. Raises Invalid otherwise."""
    layers = [(str(name), kind) for name, kind in pyogrio.list_layers(path)]
    names = [name for name, _ in layers]
    if wanted is not None and wanted in names:
        return wanted
    drawn = [name for name, kind in layers if kind]
    if wanted is None and len(drawn or names) == 1:
        return (drawn or names)[0]
    raise Invalid(
        en=f"{path.name} holds the layers {', '.join(names)}" + (f", not {wanted}." if wanted else "."),
        zh=f"{path.name} 含图层 {'、'.join(names)}" + (f"，没有 {wanted}。" if wanted else "。"),
        remedy_en="Name one with --layer.",
        remedy_zh="请用 --layer 指明其一。",
        layers=names,
    )


def _unpacked(path: Path, folder: Path, wanted: str | None) -> Path:
    """The one readable file of an archive, unpacked. Raises Invalid when there is none, or no single one."""
    try:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
    except (zipfile.BadZipFile, RuntimeError, OSError) as error:
        raise unreadable(path, str(error)) from error
    found = sorted(
        file for file in folder.rglob("*") if file.suffix.lower() in IN_A_ZIP and "__MACOSX" not in file.parts
    )
    chosen = [p for p in found if p.stem == wanted] or found
    if len(chosen) == 1:
        return chosen[0]
    names = [p.stem for p in found]
    raise Invalid(
        en=f"{path.name} holds {len(found)} readable files: {', '.join(names) or 'none'}.",
        zh=f"{path.name} 中有 {len(found)} 个可读文件：{'、'.join(names) or '无'}。",
        remedy_en="Name one with --layer."
        if found
        else "Zip the whole set: .shp, .shx, .dbf and .prj together.",
        remedy_zh="请用 --layer 指明其一。" if found else "请把 .shp、.shx、.dbf、.prj 一起压缩。",
        layers=names,
    )


def _check_exists(path: Path) -> None:
    if not path.exists():
        raise Invalid(
            en=f"There is no file {path}.",
            zh=f"没有文件 {path}。",
            remedy_en="Check the path.",
            remedy_zh="请核对路径。",
        )
    if path.is_file() and path.stat().st_size == 0:
        raise Invalid(
            en=f"{path.name} is empty: 0 bytes.",
            zh=f"{path.name} 是空文件：0 字节。",
            remedy_en="Export or copy it again.",
            remedy_zh="请重新导出或复制。",
        )


def _beside(path: Path, suffix: str) -> Iterator[Path]:
    """The sibling file of a shapefile with this suffix, whatever its case."""
    return (p for p in path.parent.glob(path.stem + ".*") if p.suffix.lower() == suffix)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """GDAL's complaints about a file as Invalid; what it says of repeated feature ids is no matter here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            yield
    except (DataSourceError, DataLayerError, pa.ArrowException, UnicodeDecodeError) as error:
        raise unreadable(path, str(error).split("; It might help")[0]) from error
