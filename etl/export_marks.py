"""The mark in a file that went out: who took it, when, what for, and its number; and who a stray file is of.

The data are never altered. The mark stands where each format has room beside them: a last line in CSV, a
sheet of its own in XLSX, a member beside the features in GeoJSON, the metadata of GeoPackage and Parquet.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from etl.export_gate import ExportFile, ExportRequest

TITLE = ("导出说明", "About this export")
_NUMBER = re.compile(rb"CG-[0-9A-F]{20}")
_PIECE = 1 << 20
MAX_PARTS = 10_000
MAX_UNPACKED = 2_000_000_000
"""A workbook that unpacks to more than this is not looked into."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a file says about itself, in both languages."""

    number: str
    lines: tuple[tuple[str, str], ...]
    """(label, value)."""

    @property
    def sentence(self) -> str:
        return " · ".join(f"{label}：{value}" for label, value in self.lines)

    @property
    def members(self) -> dict[str, str]:
        return dict(self.lines)


def mark_of(request: ExportRequest, number: str, *, rows: int, now: datetime, zone: ZoneInfo) -> Mark:
    """The mark of one file."""
    time = now.astimezone(zone).strftime("%Y-%m-%d %H:%M %z")
    return Mark(
        number,
        (
            ("导出人 exported by", f"{request.display_name} ({request.username})"),
            ("时间 at", time),
            ("用途 purpose", request.reason),
            ("行数 rows", f"{rows:,}"),
            ("编号 number", number),
        ),
    )


def mark_geojson(path: Path, mark: Mark) -> None:
    """Put the mark as the first member of the document (RFC 7946 allows members of one's own)."""
    unmarked = path.with_suffix(".unmarked")
    path.rename(unmarked)
    with unmarked.open("rb") as source, path.open("wb") as target:
        assert source.read(1) == b"{"
        target.write(b'{"citygrid_export": ' + json.dumps(mark.members, ensure_ascii=False).encode() + b",")
        shutil.copyfileobj(source, target, _PIECE)
    unmarked.unlink()


@dataclass(frozen=True, slots=True)
class Traced:
    """Whose file it is. `changed` when its mark is ours and its bytes are not what went out."""

    number: str
    username: str
    display_name: str
    role: str
    subject: str
    reason: str
    rows: int
    made_at: datetime
    changed: bool


def trace(session: Session, path: Path) -> Traced | None:
    """Who exported a file, by its hash, else by the number in its mark; None for a file that is not ours."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    found = _registered(session, ExportFile.sha256 == digest)
    if found is not None:
        return _traced(*found, changed=False)
    for number in numbers_in(path):
        found = _registered(session, ExportFile.number == number)
        if found is not None:
            return _traced(*found, changed=True)
    return None


def newest_files(session: Session, *, limit: int) -> list[Traced]:
    """The newest files that went out, of those the reader may know of."""
    rows = session.execute(
        sa.select(ExportFile, ExportRequest)
        .join(ExportRequest, ExportRequest.id == ExportFile.request_id)
        .order_by(ExportFile.made_at.desc())
        .limit(limit)
    )
    return [_traced(file, request, changed=False) for file, request in rows]


def numbers_in(path: Path) -> Iterator[str]:
    """Every number of a mark in a file, looking into the parts of a zipped one (XLSX) too."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as parts:
            infos = parts.infolist()
            if len(infos) > MAX_PARTS or sum(info.file_size for info in infos) > MAX_UNPACKED:
                return
            for info in infos:
                with parts.open(info) as part:
                    yield from _numbers(iter(partial(part.read, _PIECE), b""))
        return
    with path.open("rb") as file:
        yield from _numbers(iter(partial(file.read, _PIECE), b""))


def _numbers(pieces: Iterator[bytes]) -> Iterator[str]:
    before = b""
    for piece in pieces:
        text = before + piece
        for match in _NUMBER.finditer(text):
            yield match.group().decode()
        before = text[-22:]  # a number cut by the border of two pieces


def _registered(
    session: Session, condition: sa.ColumnElement[bool]
) -> tuple[ExportFile, ExportRequest] | None:
    row = session.execute(
        sa.select(ExportFile, ExportRequest)
        .join(ExportRequest, ExportRequest.id == ExportFile.request_id)
        .where(condition)
        .order_by(ExportFile.made_at)
        .limit(1)
    ).first()
    return None if row is None else (row[0], row[1])


def _traced(file: ExportFile, request: ExportRequest, *, changed: bool) -> Traced:
    return Traced(
        file.number,
        request.username,
        request.display_name,
        request.role,
        request.subject,
        request.reason,
        file.rows,
        file.made_at,
        changed,
    )
