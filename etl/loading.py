"""One file into one table: read, clean, stage, compare, write; all in the caller's transaction.

The order is the same for every dataset. What is special about one (codes that must be made up, a building
that must be found by its name) is a `settle` step between staging and writing, told by `pipelines`.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from etl.fields import Dataset
from etl.grounds import Grounds
from etl.known_ground import GUARDED, refuse_mix_up
from etl.mapping import FieldMap, match, operator_map
from etl.merging import Merged, merge
from etl.preparing import PLACE, Reading, Ready, prepare
from etl.report import LoadReport, write_refused
from etl.rows import Batch
from etl.shapes import SWAPPED
from etl.sources import Source, open_source
from etl.staging import Stage
from etl.twins import resolve_twins
from gis import audit
from gis import crs as coordinates
from gis.access import Principal
from gis.errors import Invalid

STAGE_TYPES = {
    "text": "text",
    "integer": "int4",
    "year": "int4",
    "number": "float8",
    "flag": "bool",
    "moment": "timestamptz",
    "tags": "text[]",
}
UNGROUNDED = frozenset({"areas", "cells"})
"""These make the city's ground and are not measured by it."""

UNUSED_NAMED = 8
"""Columns not used are named up to here and counted from here."""

Progress = Callable[[str, int, int | None], None]
"""Told (phase, rows done, rows in all or None)."""


def silent(_phase: str, _done: int, _total: int | None) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class FileRequest:
    """A file and how to read it. `headers` are given by word of command: our column -> the file's header."""

    path: Path
    crs: str | None = None
    mapping: str | None = None
    layer: str | None = None
    encoding: str | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    refused_file: Path | None = None
    """Where refused rows go; absent: beside the input."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who loads, when, in which time zone moments without an offset are meant, and who watches."""

    by: Principal | None
    now: datetime
    zone: ZoneInfo
    progress: Progress = silent
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What is special about a dataset.

    `columns` are written, `key` tells rows apart in the city's table, and `twin_key` in the file. `extra` are
    stage columns (name -> type) that `settle` fills before the stage is written. `write` takes the place of
    the ordinary merge; it too may still refuse rows. `finish` comes last.
    """

    dataset: Dataset
    columns: tuple[str, ...]
    key: tuple[str, ...] = ("source_code",)
    twin_key: tuple[str, ...] = ("source_code",)
    extra: Mapping[str, str] = field(default_factory=dict)
    settle: Callable[[Stage, LoadReport], None] | None = None
    write: Callable[[Stage, LoadReport, Reading], Merged] | None = None
    finish: Callable[[Stage], None] | None = None


def load(session: Session, request: FileRequest, plan: Plan, occasion: Occasion) -> LoadReport:
    """Load one file in the caller's transaction and say what became of each row.

    One dataset is loaded by one at a time: a second load waits. A dry run does the same work; it is the
    caller who rolls back. Raises Invalid when the file as a whole cannot be taken; then nothing is written.
    """
    dataset = plan.dataset
    report = LoadReport(dataset.name, request.path.name, dry_run=occasion.dry_run)
    session.execute(
        sa.text("SELECT pg_advisory_xact_lock(hashtext(:what))"), {"what": f"load {dataset.name}"}
    )
    with open_source(request.path, layer=request.layer, encoding=request.encoding) as source:
        fields = match(
            dataset,
            source.headers,
            operator=operator_map(request.mapping, dataset),
            named=request.headers,
        )
        _remark_on(report, source, dataset, fields)
        crs = None
        if dataset.geometry:
            check_drawn(source, dataset, fields)
            crs = source_crs(source, request.crs, report)
        grounds = Grounds.of_city(session) if dataset.geometry and dataset.name not in UNGROUNDED else None
        reading = Reading(dataset, fields, crs, occasion.zone, grounds)
        stage = Stage(session, dataset.name, {**_stage_columns(dataset), **plan.extra})
        _read(source, reading, stage, plan.extra, report, occasion.progress)
        occasion.progress("write", 0, None)
        stage.analyze()
        resolve_twins(stage, dataset, report, plan.twin_key)
        if crs is not None and dataset.name in GUARDED:
            refuse_mix_up(stage, crs)
        if plan.settle:
            plan.settle(stage, report)
        merged = plan.write(stage, report, reading) if plan.write else _merge(stage, plan, fields)
        report.inserted, report.updated, report.unchanged = merged.inserted, merged.updated, merged.unchanged
        if plan.finish:
            plan.finish(stage)
        keep_refused(source, request, report)
    leave_trail(session, request, report, occasion)
    return report


def check_drawn(source: Source, dataset: Dataset, fields: FieldMap) -> None:
    """Raises Invalid when a file without geometries is to become a layer and has no columns that place it."""
    if source.drawn or {"lon", "lat"} <= fields.headers.keys():
        return
    points = dataset.geometry == "point"
    raise Invalid(
        en=f"{source.path.name} holds no geometries" + (" and no columns of coordinates." if points else "."),
        zh=f"{source.path.name} 中没有几何" + ("，也没有坐标列。" if points else "。"),
        remedy_en="Name its columns lon and lat." if points else "Load a .gpkg, .shp or .geojson.",
        remedy_zh="请把坐标列命名为 lon、lat（经度、纬度）。"
        if points
        else "请导入 .gpkg、.shp 或 .geojson。",
    )


def source_crs(source: Source, declared: str | None, report: LoadReport) -> str:
    """The system of a file's coordinates: what the operator declares, else what the file itself says.

    Where both speak and differ the operator is believed, and the report says so. Raises Invalid when neither
    does: a guess would be some 600 m off for half of the maps in China.
    """
    own = coordinates.source_system(source.crs) if source.crs and declared is None else source.crs
    if declared is None and own is None:
        raise Invalid(
            en=f"{source.path.name} does not say which coordinate system it is in.",
            zh=f"{source.path.name} 没有说明坐标系。",
            remedy_en=("Put its .prj file beside it, or declare" if source.drawn else "Declare")
            + " --crs EPSG:4490, EPSG:4326, GCJ-02, BD-09 or the EPSG code it was made in.",
            remedy_zh=("请把 .prj 文件放在旁边，或" if source.drawn else "请")
            + "用 --crs 声明：EPSG:4490、EPSG:4326、GCJ-02、BD-09 或制作时的 EPSG 代码。",
        )
    if declared is None:
        assert own is not None
        return own
    chosen = coordinates.source_system(declared)
    if own is not None and _differs(own, chosen):
        report.remark(
            f"文件自称 {_short(own)}，按声明的 {chosen} 读取。",
            f"The file says {_short(own)}; it is read as {chosen}, as declared.",
        )
    return chosen


def _differs(own: str, chosen: str) -> bool:
    try:
        return coordinates.source_system(own) != chosen
    except Invalid:
        return True


def _short(crs: str) -> str:
    return crs if len(crs) < 30 else crs[:27] + "..."


def keep_refused(source: Source, request: FileRequest, report: LoadReport) -> None:
    """Write the refused rows as the file has them; where none is refused, take an older list away."""
    path = request.refused_file or request.path.with_name(request.path.stem + ".refused.csv")
    if not report.refused:
        path.unlink(missing_ok=True)
        return
    wanted = {note.row for note in report.refused}
    report.refused.sort(key=lambda note: note.row)

    def rows() -> Iterator[tuple[int, Mapping[str, Any]]]:
        for batch in source.batches():
            for i in (row - batch.first for row in batch.numbers if row in wanted):
                yield batch.first + i, {header: column[i] for header, column in batch.columns.items()}

    write_refused(path, report.refused, rows())
    report.refused_file = path


def leave_trail(session: Session, request: FileRequest, report: LoadReport, occasion: Occasion) -> None:
    """One audit row a load: which file by its hash, and the counts; nothing of what is in it."""
    audit.record(
        session,
        "load",
        report.dataset,
        request.path.name,
        by=occasion.by,
        now=occasion.now,
        sha256=_digest(request.path),
        read=report.read,
        inserted=report.inserted,
        updated=report.updated,
        refused=len(report.refused),
    )


def _digest(path: Path) -> str | None:
    """The hash of a file; None for a folder that is one dataset (.gdb)."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(
    source: Source,
    reading: Reading,
    stage: Stage,
    extra: Mapping[str, str],
    report: LoadReport,
    progress: Progress,
) -> None:
    """All batches of the file into the stage. Raises Invalid when most rows have their axes swapped."""
    swapped = 0

    def encode(ready: Ready) -> bytes:
        nothing = [None] * len(ready.rows["row"])
        return stage.encode({**ready.rows, **dict.fromkeys(extra, nothing)})

    batches = source.batches(reading.fields.needed)
    for ready, encoded in _prepared(batches, reading, encode):
        stage.write(encoded)
        report.read += ready.read
        report.refused += ready.refused
        report.repaired += ready.repaired
        swapped += sum(note.reason is SWAPPED for note in ready.refused)
        progress("read", report.read, source.rows)
    if swapped * 2 > report.read:
        raise Invalid(
            en=f"{source.path.name} has longitude and latitude swapped: {swapped:,} of {report.read:,} rows.",
            zh=f"{source.path.name} 的经纬度写反了（{report.read:,} 行中的 {swapped:,} 行）。",
            remedy_en=SWAPPED.remedy_en,
            remedy_zh=SWAPPED.remedy_zh,
            swapped=swapped,
        )


WORKERS = 2
"""Batches made ready at a time, besides the one the database takes in."""


def _prepared(
    batches: Iterator[Batch], reading: Reading, encode: Callable[[Ready], bytes]
) -> Iterator[tuple[Ready, bytes]]:
    """The batches made ready and encoded, in order, while those before are taken in by the database.

    Checking geometries leaves Python's lock alone, so it really runs side by side. The file is read in this
    thread: GDAL tells its errors to the thread that opened it.
    """

    def ready(batch: Batch) -> tuple[Ready, bytes]:
        prepared = prepare(batch, reading)
        return prepared, encode(prepared)

    with ThreadPoolExecutor(WORKERS) as workers:
        waiting: deque[Future[tuple[Ready, bytes]]] = deque()
        for batch in batches:
            waiting.append(workers.submit(ready, batch))
            if len(waiting) > WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _merge(stage: Stage, plan: Plan, fields: FieldMap) -> Merged:
    """The ordinary way: what the file has no column for is filled in for new rows, left alone in others."""
    absent = {column.name for column in plan.dataset.columns} - fields.headers.keys()
    compared = [column for column in plan.columns if column not in absent]
    return merge(stage, plan.dataset.table, plan.key, plan.columns, compared)


def _stage_columns(dataset: Dataset) -> dict[str, str]:
    columns = {
        column.name: STAGE_TYPES[column.kind]
        for column in dataset.columns
        if dataset.geometry is None or column.name not in PLACE
    }
    if dataset.geometry:
        columns["geom"] = "geometry"
    if dataset.grounded:
        columns |= {"cell_code": "text", "territory": "text"}
    if dataset.traced:
        columns |= {"source_lon": "float8", "source_lat": "float8"}
    return columns


def _remark_on(report: LoadReport, source: Source, dataset: Dataset, fields: FieldMap) -> None:
    """What an operator should know: how the text was read, what is not used, whether rows have an id."""
    report.remarks += source.remarks
    if fields.unused:
        more = len(fields.unused) - UNUSED_NAMED
        names = ", ".join(fields.unused[:UNUSED_NAMED]) + (f" … +{more}" if more > 0 else "")
        report.remark(f"未使用的列：{names}", f"columns not used: {names}")
    if "source_code" not in fields.headers and not dataset.named_by:
        report.remark(
            "文件没有编码列：按内容识别每一条，改动过的会作为新增。",
            "The file has no id column: rows are known by what they say, and a changed one comes in as new.",
        )
