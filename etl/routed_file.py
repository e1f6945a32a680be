"""A table of points with who answers for each written behind every row: `citygrid route`.

No row is lost: one that cannot be placed is kept, with the rule `refused` and the reason.
"""

from __future__ import annotations

import csv
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy.orm import Session

from etl.cleaning import clean_values
from etl.fields import Column, Dataset
from etl.loading import FileRequest, Occasion, check_drawn, source_crs
from etl.mapping import FieldMap, match
from etl.preparing import raw_points
from etl.report import LoadReport, RowNote
from etl.routing import REFUSED, Decide, Routed, Routing, decide_here
from etl.rows import Batch
from etl.sources import Source, open_source
from gis.errors import Invalid
from grids import owner_map

POINTS = Dataset(
    "points",
    "",
    "point",
    (Column("lon", "number"), Column("lat", "number"), Column("accuracy", "number", low=0, high=100_000)),
)
APPENDED: dict[str, pa.DataType] = {
    "cell": pa.string(),
    "member": pa.int64(),
    "cell_source": pa.string(),
    "rule": pa.string(),
    "confidence": pa.float64(),
    "border_m": pa.float64(),
    "second_cell": pa.string(),
    "second_member": pa.int64(),
    "reason": pa.string(),
}
"""What is written behind each row. Members stand by their number; their masked name is in the reason."""

BEGUN = 8
"""Batches begun before the first is waited for: a cluster has something to do meanwhile."""

Write = Callable[[Sequence[Sequence[Any]]], None]


@dataclass
class RoutedFile:
    """How many rows went by which rule; those refused are among them."""

    out: Path
    rows: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    remarks: list[tuple[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "out": str(self.out),
            "rows": self.rows,
            "refused": self.rules[REFUSED],
            "rules": dict(self.rules.most_common()),
            "remarks": [{"zh": zh, "en": en} for zh, en in self.remarks],
        }


def route_file(
    session: Session,
    request: FileRequest,
    out: Path,
    occasion: Occasion,
    *,
    at: datetime,
    language: str,
    generation: str | None = None,
    decide: Decide = decide_here,
) -> RoutedFile:
    """Route every row of a file at the moment `at` and write it to `out` (.csv or .parquet).

    The reason is in `language`, zh or en. `decide` tells who decides, a cluster for instance. A column of
    the file that is called like one of ours is renamed NAME_input. Raises Invalid as `loading.load` does, and
    when no generation of cells is active.
    """
    with open_source(request.path, layer=request.layer, encoding=request.encoding) as source:
        report = LoadReport("points", request.path.name)
        fields = match(POINTS, source.headers, named=request.headers)
        check_drawn(source, POINTS, fields)
        crs = source_crs(source, request.crs, report)
        headers = [f"{name}_input" if name in APPENDED else name for name in source.headers if name]
        result = RoutedFile(out, remarks=[*source.remarks, *report.remarks])
        city = owner_map.current(session, generation)
        routing = Routing(session, city, at=at, zone=occasion.zone, decide=decide)
        begun: deque[tuple[Batch, Callable[[], list[Routed]]]] = deque()
        with _writer(out, headers) as write:

            def finish() -> None:
                batch, wait = begun.popleft()
                found = wait()
                write(_rows(source, batch, found, language))
                result.rows += batch.size
                result.rules.update(answer.rule for answer in found)
                occasion.progress("route", result.rows, source.rows)

            for batch in source.batches():
                begun.append((batch, _begin(routing, batch, fields, crs, occasion)))
                if len(begun) == BEGUN:
                    finish()
            while begun:
                finish()
    return result


def _begin(
    routing: Routing, batch: Batch, fields: FieldMap, crs: str, occasion: Occasion
) -> Callable[[], list[Routed]]:
    """Begin with every row of the batch. A row without a readable place is refused; an accuracy that cannot
    be is taken as unknown, and the reason says so."""
    values, refused, unread = clean_values(batch, POINTS, fields, occasion.zone)
    wait = routing.begin_raw(raw_points(batch, values), crs, values["accuracy"])

    def answers() -> list[Routed]:
        found = wait()
        for note in refused:
            why = Routed(REFUSED, reason_zh=note.words("zh"), reason_en=note.words("en"))
            found[note.row - batch.first] = why
        for note in unread:
            found[note.row - batch.first] = _with_remark(found[note.row - batch.first], note)
        return found

    return answers


def _with_remark(answer: Routed, note: RowNote) -> Routed:
    zh, en = note.words("zh"), note.words("en")
    return replace(answer, reason_zh=f"{answer.reason_zh}（{zh}）", reason_en=f"{answer.reason_en} ({en})")


def _rows(source: Source, batch: Batch, found: list[Routed], language: str) -> list[list[Any]]:
    columns = [batch.columns[name] for name in source.headers if name]
    return [
        [
            *(column[i] for column in columns),
            answer.cell,
            answer.member_id,
            answer.cell_source,
            answer.rule,
            None if answer.rule == REFUSED else answer.confidence,
            answer.border_m,
            answer.second_cell,
            answer.second_member_id,
            answer.reason_zh if language == "zh" else answer.reason_en,
        ]
        for i, answer in enumerate(found)
    ]


@contextmanager
def _writer(out: Path, headers: list[str]) -> Iterator[Write]:
    """Write rows to a file that takes its place only when it is complete."""
    makers = {".csv": _csv, ".parquet": _parquet}
    make = makers.get(out.suffix.lower())
    if make is None or not out.parent.is_dir():
        raise Invalid(
            en=f"{out} cannot be written: a .csv or .parquet in a folder that exists is wanted.",
            zh=f"无法写入 {out}：须为已有文件夹中的 .csv 或 .parquet。",
            remedy_en="Give --out another name.",
            remedy_zh="请更改 --out。",
        )
    part = out.with_name(f".{out.name}.part")
    try:
        with make(part, headers) as write:
            yield write
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _csv(path: Path, headers: list[str]) -> Iterator[Write]:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*headers, *APPENDED])
        yield writer.writerows


@contextmanager
def _parquet(path: Path, headers: list[str]) -> Iterator[Write]:
    """The file's own columns as text, whatever they are: one bad value must not change a column's type."""
    schema = pa.schema([*((name, pa.string()) for name in headers), *APPENDED.items()])
    with pq.ParquetWriter(path, schema) as writer:

        def write(rows: Sequence[Sequence[Any]]) -> None:
            columns = list(zip(*rows, strict=True))
            arrays = [
                pa.array([None if v is None else str(v) for v in column], pa.string())
                if nth < len(headers)
                else pa.array(column, schema.types[nth])
                for nth, column in enumerate(columns)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))

        yield write
