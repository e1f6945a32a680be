"""What became of a file: rows accepted, mended and refused, each with its reason in two languages.

The maker is `loading`, the checker is this report: every row that was read is in exactly one of the two heaps
accepted and refused, and a mended row is an accepted one. Reasons name a row by its number (1 is the first
row after a header) and by the file's own id, never by personal text.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ADDED = ("citygrid_row", "citygrid_reason", "citygrid_原因")
"""What a list of refused rows has before the file's own columns."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row was refused or how it was mended. `code` is the same in every language and release."""

    code: str
    zh: str
    en: str
    remedy_zh: str = ""
    remedy_en: str = ""


@dataclass(frozen=True, slots=True)
class RowNote:
    """A reason at a row; `detail` is a fact that needs no language (a value, a column, a distance)."""

    row: int
    key: str | None
    reason: Reason
    detail: str = ""

    def words(self, language: str) -> str:
        """The reason with its detail, `zh` or `en`."""
        text = self.reason.zh if language == "zh" else self.reason.en
        if not self.detail:
            return text
        return f"{text}：{self.detail}" if language == "zh" else f"{text}: {self.detail}"


@dataclass
class LoadReport:
    """The outcome of one file. `joined` rows are accepted: they became part of the row they repeat."""

    dataset: str
    file: str
    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    joined: int = 0
    repaired: list[RowNote] = field(default_factory=list)
    refused: list[RowNote] = field(default_factory=list)
    remarks: list[tuple[str, str]] = field(default_factory=list)
    """(Chinese, English) about the file as a whole: what was assumed, what was not used."""
    refused_file: Path | None = None
    dry_run: bool = False

    @property
    def accepted(self) -> int:
        """Rows of the file that stand in the city now, whether new, changed or as they were."""
        return self.read - len({note.row for note in self.refused})

    def remark(self, zh: str, en: str) -> None:
        """Say something about the file as a whole, once."""
        if (zh, en) not in self.remarks:
            self.remarks.append((zh, en))

    def as_json(self) -> dict[str, Any]:
        """The report for programs: counts, reasons by code, and the rows with their reasons."""
        return {
            "dataset": self.dataset,
            "file": self.file,
            "dry_run": self.dry_run,
            "read": self.read,
            "accepted": self.accepted,
            "repaired": len({note.row for note in self.repaired}),
            "refused": len({note.row for note in self.refused}),
            "inserted": self.inserted,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "joined": self.joined,
            "reasons": dict(Counter(note.reason.code for note in self.refused)),
            "repairs": dict(Counter(note.reason.code for note in self.repaired)),
            "remarks": [{"zh": zh, "en": en} for zh, en in self.remarks],
            "refused_rows": [_plain(note) for note in self.refused],
            "refused_file": None if self.refused_file is None else str(self.refused_file),
        }

    def lines(self, language: str) -> list[str]:
        """The report for people, a line a fact; equal reasons are counted together."""
        zh = language == "zh"
        head = (
            f"{self.read:,} 行：采纳 {self.accepted:,}，其中修正 {_rows(self.repaired):,}；"
            f"拒绝 {_rows(self.refused):,}"
            if zh
            else f"{self.read:,} rows: {self.accepted:,} accepted ({_rows(self.repaired):,} repaired), "
            f"{_rows(self.refused):,} refused"
        )
        change = (
            f"新增 {self.inserted:,}，更新 {self.updated:,}，未变 {self.unchanged:,}，并入 {self.joined:,}"
            if zh
            else f"{self.inserted:,} new, {self.updated:,} changed, {self.unchanged:,} as they were, "
            f"{self.joined:,} joined to another row"
        )
        lines = [head, change]
        lines += [("注：" if zh else "note: ") + (remark[0] if zh else remark[1]) for remark in self.remarks]
        for title, notes in (
            ("修正" if zh else "repaired", self.repaired),
            ("拒绝" if zh else "refused", self.refused),
        ):
            for reason, count in Counter(note.reason for note in notes).most_common():
                remedy = reason.remedy_zh if zh else reason.remedy_en
                text = f"{title} {count:,} × {reason.zh if zh else reason.en}"
                lines.append(text + ((" → " + remedy) if remedy else ""))
        if self.refused_file is not None:
            lines.append(("拒绝的行写在：" if zh else "refused rows are in ") + str(self.refused_file))
        if self.dry_run:
            lines.append("试运行：什么都没有写入。" if zh else "Dry run: nothing was written.")
        return lines


def write_refused(
    path: Path, notes: Iterable[RowNote], rows: Iterable[tuple[int, Mapping[str, object]]]
) -> None:
    """Write the refused rows with their reasons as CSV that spreadsheets open (UTF-8 with a mark).

    `rows` are the refused rows as the file has them, in file order. Only the owner may read the file: it
    repeats what the input holds, and that may be personal. A row with several faults stands once, with all
    of them. Our columns have names no file has, so that a corrected list can be loaded as it is.
    """
    by_row: dict[int, list[RowNote]] = {}
    for note in notes:
        by_row.setdefault(note.row, []).append(note)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8-sig", newline="") as out:
        writer: csv.DictWriter[str] | None = None
        for number, values in rows:
            if writer is None:
                writer = csv.DictWriter(out, [*ADDED, *values], extrasaction="ignore")
                writer.writeheader()
            en = "; ".join(note.words("en") for note in by_row[number])
            zh = "；".join(note.words("zh") for note in by_row[number])
            added: dict[str, object] = dict(zip(ADDED, (number, en, zh), strict=True))
            writer.writerow(added | {header: _cell(value) for header, value in values.items()})


def _cell(value: object) -> object:
    """A value as a spreadsheet takes it: nothing for absent, no formula where the file had text."""
    if value is None:
        return ""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(value):
        return "'" + value
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _rows(notes: Iterable[RowNote]) -> int:
    return len({note.row for note in notes})


def _plain(note: RowNote) -> dict[str, Any]:
    return {
        "row": note.row,
        "id": note.key,
        "reason": note.reason.code,
        "zh": note.words("zh"),
        "en": note.words("en"),
    }
