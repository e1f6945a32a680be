"""Rows of files without geometries: CSV in its many dialects, and Excel workbooks."""

from __future__ import annotations

import csv
import itertools
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from etl.encodings import text_encoding
from etl.rows import BATCH_ROWS, Batch
from etl.safe_cells import read_cell
from gis.errors import Invalid

DELIMITERS = ",\t;|"
MAX_FIELD_CHARACTERS = 1_000_000
"""A longer value is an unclosed quotation mark or not a table at all."""


class CsvTable:
    """A delimited text file with one header line; the delimiter is the one the header uses most."""

    crs: str | None = None
    drawn = False
    rows: int | None = None

    def __init__(self, path: Path, _layer: str | None, encoding: str | None) -> None:
        self.path = path
        self.encoding = text_encoding(path, encoding)
        self.remarks: list[tuple[str, str]] = []
        if encoding is None and self.encoding == "gb18030":
            self.remarks.append(("文字按 GB18030 读取。", "The text is read as GB18030."))
        with path.open(encoding=self.encoding, newline="") as file, _readable(path):
            line = file.readline()
            self._delimiter = max(DELIMITERS, key=line.count)
            file.seek(0)
            self.headers = _headers(path, next(csv.reader(file, delimiter=self._delimiter), []))
            if next(csv.reader(file, delimiter=self._delimiter), None) is None:
                raise no_rows(path)

    def batches(self, headers: Sequence[str] | None = None) -> Iterator[Batch]:
        with self.path.open(encoding=self.encoding, newline="") as file, _readable(self.path):
            reader = csv.reader(file, delimiter=self._delimiter)
            next(reader)
            rows = (list(map(read_cell, row)) for row in reader if row and not _is_mark(row))
            yield from _in_batches(self.headers, rows, headers)


def _is_mark(row: Sequence[str]) -> bool:
    """The last line of a file we exported tells who took it, and is no row."""
    return row[0].startswith("# 导出人") and "CG-" in row[0]


class XlsxTable:
    """One sheet of a workbook, the first row being the header; formulas are read by their last value."""

    crs: str | None = None
    drawn = False
    rows: int | None = None

    def __init__(self, path: Path, layer: str | None, _encoding: str | None) -> None:
        self.path = path
        self.remarks: list[tuple[str, str]] = []
        with _workbook(path) as book:
            if layer is not None and layer not in book.sheetnames:
                raise Invalid(
                    en=f"{path.name} holds the sheets {', '.join(book.sheetnames)}, not {layer}.",
                    zh=f"{path.name} 含工作表 {'、'.join(book.sheetnames)}，没有 {layer}。",
                    remedy_en="Name one with --layer.",
                    remedy_zh="请用 --layer 指明其一。",
                )
            self._sheet = layer or book.sheetnames[0]
            if layer is None and len(book.sheetnames) > 1:
                self.remarks.append(
                    (
                        f"只读取工作表“{self._sheet}”。",
                        f"Only the sheet {self._sheet} is read; --layer names another.",
                    )
                )
            rows = _sheet_rows(book[self._sheet])
            self.headers = _headers(path, next(rows, []))
            if next(rows, None) is None:
                raise no_rows(path)

    def batches(self, headers: Sequence[str] | None = None) -> Iterator[Batch]:
        with _workbook(self.path) as book:
            rows = _sheet_rows(book[self._sheet])
            next(rows)
            yield from _in_batches(self.headers, rows, headers)


def unreadable(path: Path, why: str) -> Invalid:
    """The refusal of a file whose bytes are not what its name says."""
    return Invalid(
        en=f"{path.name} cannot be read: {why}",
        zh=f"{path.name} 无法读取：{why}",
        remedy_en="Export it again, whole, in a format its name tells.",
        remedy_zh="请重新完整导出，扩展名须与格式一致。",
    )


def no_rows(path: Path) -> Invalid:
    """The refusal of a file that is well formed and holds nothing: hardly ever what was meant."""
    return Invalid(
        en=f"{path.name} holds no rows.",
        zh=f"{path.name} 中没有数据行。",
        remedy_en="Check the filter it was exported with.",
        remedy_zh="请核对导出时的筛选条件。",
    )


def _headers(path: Path, first: Iterable[Any]) -> list[str]:
    """The header line as text. Raises Invalid when there is none or a name stands twice."""
    names = ["" if value is None else str(value).strip() for value in first]
    while names and not names[-1]:
        names.pop()
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if not any(names) or twice:
        raise Invalid(
            en=f"The header of {path.name} " + (f"names {', '.join(twice)} twice." if twice else "is empty."),
            zh=f"{path.name} 的表头" + (f"重复出现：{'、'.join(twice)}。" if twice else "为空。"),
            remedy_en="Give every column one name of its own in the first row.",
            remedy_zh="请在第一行给每一列各起一个名称。",
        )
    return names


def _in_batches(
    headers: list[str], rows: Iterable[Sequence[Any]], wanted: Sequence[str] | None
) -> Iterator[Batch]:
    """Rows as column lists; a row that is too short has nothing in its last columns.

    A row that is too long has lost a quotation mark, so that its values stand under the wrong headers.
    """
    at = {name: i for i, name in enumerate(headers) if name and (wanted is None or name in wanted)}
    width, first, remaining = len(headers), 1, iter(rows)
    while chunk := list(itertools.islice(remaining, BATCH_ROWS)):
        filled = [row if len(row) >= width else [*row, *[None] * (width - len(row))] for row in chunk]
        shifted = frozenset(first + i for i, row in enumerate(chunk) if any(row[width:]))
        columns = {name: [row[i] for row in filled] for name, i in at.items()}
        yield Batch(first, len(chunk), columns, shifted=shifted)
        first += len(chunk)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What csv and the decoder complain about, as Invalid."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    try:
        yield
    except (csv.Error, UnicodeDecodeError) as error:
        raise unreadable(path, str(error)) from error


@contextmanager
def _workbook(path: Path) -> Iterator[Workbook]:
    """An open workbook, read row by row; what is no workbook is Invalid."""
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise unreadable(path, f"not an Excel workbook ({error})") from error
    try:
        yield book
    finally:
        book.close()


def _sheet_rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a sheet that hold anything: people leave blank ones at the end and in between."""
    if hasattr(sheet, "reset_dimensions"):
        sheet.reset_dimensions()
    return (row for row in sheet.iter_rows(values_only=True) if any(v is not None for v in row))
