"""Values made fit to be stored, or their rows refused with the reason.

A value that cannot be read refuses its row only where the row would mean something else without it (required
or strict columns); elsewhere it is left empty and the row counts as repaired. Nothing is cut off or guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from etl.fields import Column, Dataset, plain
from etl.mapping import FieldMap
from etl.report import Reason, RowNote
from etl.rows import Batch

MISSING = Reason(
    "missing", "缺少必填项", "a required value is missing", "请补齐后重新导入。", "Fill it in and load again."
)
NOT_LISTED = Reason(
    "not_listed",
    "取值不在可用词表中",
    "the word is in no list",
    "请更正，或在映射文件中说明其含义。",
    "Correct it, or say in a mapping file what it means.",
)
NOT_WANTED = Reason("not_wanted", "映射文件排除了该取值", "the mapping file leaves this value out")
BAD_VALUE = Reason(
    "bad_value", "无法识别的取值", "a value that cannot be read", "请按该列的类型填写。",
    "Write it as the column wants it: a number, a date, yes or no.",
)  # fmt: skip
TOO_LONG = Reason("too_long", "文字过长", "a text is too long", "请缩短。", "Shorten it.")
LEFT_EMPTY = Reason("left_empty", "无法识别的取值已留空", "a value that cannot be read was left empty")
CONTROL = Reason("control_characters", "已去除控制字符", "control characters were taken out")
SHIFTED = Reason(
    "shifted",
    "该行的值比表头多，可能缺引号",
    "the row has more values than the header: a quotation mark may be missing",
    "请核对引号和分隔符。",
    "Check quotation marks and separators.",
)

NOTHING = frozenset({"", "null", "<null>", "none", "nan", "n/a", "na", "-", "--", "/", "nat"})
"""What exports write where there is nothing."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NUMBER = re.compile(r"([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)\s*(?:米|m|层|户|人|个|平方米)?")
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_DATE = re.compile(
    r"(\d{4})[年./-](\d{1,2})[月./-](\d{1,2})日?"
    r"(?:[T\s]*(\d{1,2})[:时点](?:(\d{1,2})(?:[:分](?:(\d{1,2})秒?)?)?)?)?"
)
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_AMERICAN = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p")
_TAG_BREAK = re.compile(r"[,;、|，；\s]+")

Read = Callable[[Any], Any]


class _Unreadable(ValueError):
    """A value its column cannot take, with the reason."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason


def clean_values(
    batch: Batch, dataset: Dataset, fields: FieldMap, zone: ZoneInfo
) -> tuple[dict[str, list[Any]], list[RowNote], list[RowNote]]:
    """Our columns of a batch, the rows refused and the rows mended.

    Moments without an offset are the city's (`zone`). A refused row keeps its place, so that the columns
    stay in step with the geometries; the caller leaves it out. Values of people are never quoted in a reason.
    """
    refused = [RowNote(row, None, SHIFTED) for row in sorted(batch.shifted)]
    repaired: list[RowNote] = []
    cleaned: dict[str, list[Any]] = {}
    for column in dataset.columns:
        header = fields.headers.get(column.name)
        if header is None:
            cleaned[column.name] = [column.default] * batch.size
            continue
        read = reader(column, fields.words[column.name], column.name in fields.strict, zone)
        hard = column.required or column.name in fields.strict
        values = batch.columns[header]
        for other in fields.others.get(column.name, ()):
            spare = batch.columns[other]
            values = [b if a is None or a == "" else a for a, b in zip(values, spare, strict=True)]
        try:
            out = [None if value is None else read(value) for value in values]
        except _Unreadable:
            quoted = header if dataset.geometry else None
            out = _one_by_one(batch, values, read, hard, header, quoted, refused, repaired)
        if column.required and None in out:
            told = {note.row for note in refused}
            refused += [
                RowNote(row, None, MISSING, header)
                for row, value in zip(batch.numbers, out, strict=True)
                if value is None and row not in told
            ]
        if column.default is not None:
            out = [column.default if value is None else value for value in out]
        cleaned[column.name] = out
    return cleaned, refused, repaired


def _one_by_one(
    batch: Batch,
    values: Sequence[Any],
    read: Read,
    hard: bool,
    header: str,
    quoted: str | None,
    refused: list[RowNote],
    repaired: list[RowNote],
) -> list[Any]:
    """A column some of whose values cannot be read: each fault becomes a note on its row."""
    out: list[Any] = []
    for row, value in zip(batch.numbers, values, strict=True):
        if isinstance(value, str) and _CONTROL.search(value):
            value = _CONTROL.sub("", value)
            repaired.append(RowNote(row, None, CONTROL, header))
        try:
            out.append(None if value is None else read(value))
        except _Unreadable as error:
            out.append(None)
            detail = f"{header} = {str(value)[:60]}" if quoted else header
            if hard or error.reason in (TOO_LONG, NOT_WANTED):
                refused.append(RowNote(row, None, error.reason, detail))
            else:
                repaired.append(RowNote(row, None, LEFT_EMPTY, detail))
    return out


def reader(column: Column, words: Mapping[str, str], strict: bool, zone: ZoneInfo) -> Read:
    """The function that reads one value of a column; it raises `_Unreadable`, and gives None for nothing."""
    if column.kind == "text" and (words or strict):
        return _Words(words, strict, column.longest)
    if column.kind == "text":
        return partial(_text, column.longest)
    if column.kind == "flag":
        return partial(_flag, words)
    if column.kind == "tags":
        return _tags
    if column.kind == "moment":
        return partial(_moment, zone)
    return partial(_number, column.kind, column.low, column.high)


def as_text(value: Any) -> str | None:
    """A value as text, without the ".0" a spreadsheet puts behind a code; None for nothing."""
    if isinstance(value, str):
        if not value.isprintable() and _CONTROL.search(value):
            raise _Unreadable(CONTROL)
        value = value.strip()
        return None if value.lower() in NOTHING else value
    if isinstance(value, float):
        if value != value:
            return None
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _text(longest: int, value: Any) -> str | None:
    text = as_text(value)
    if text is not None and len(text) > longest:
        raise _Unreadable(TOO_LONG)
    return text


class _Words:
    """Reads a coded column. Such a column has few different values, so each is looked up once."""

    def __init__(self, words: Mapping[str, str], strict: bool, longest: int) -> None:
        self._words = words
        self._strict = strict
        self._longest = longest
        self._met: dict[Any, str | None] = {}

    def __call__(self, value: Any) -> str | None:
        if value not in self._met:
            self._met[value] = self._look_up(value)
        return self._met[value]

    def _look_up(self, value: Any) -> str | None:
        text = _text(self._longest, value)
        if text is None:
            return None
        ours = self._words.get(plain(text) or text)
        if ours == "":
            raise _Unreadable(NOT_WANTED)
        if ours is None and self._strict:
            raise _Unreadable(NOT_LISTED)
        return ours or text


def _flag(words: Mapping[str, str], value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    text = as_text(value)
    if text is None:
        return None
    found = words.get(plain(text) or text)
    if found is None:
        raise _Unreadable(NOT_LISTED)
    return found == "true"


def _tags(value: Any) -> tuple[str, ...]:
    return tuple(tag for tag in _TAG_BREAK.split(as_text(value) or "") if tag)


def _number(kind: str, low: float | None, high: float | None, value: Any) -> float | int | None:
    """A number, or the year of a date; a unit behind it and commas between thousands are understood."""
    if isinstance(value, datetime | date):
        number = float(value.year) if kind == "year" else None
    elif isinstance(value, int | float):
        number = None if value != value else float(value)
        if number is None:
            return None
    else:
        text = as_text(value)
        if text is None:
            return None
        number = _year(text) if kind == "year" else _parsed(text)
    if number is None or abs(number) == float("inf"):
        raise _Unreadable(BAD_VALUE)
    if (low is not None and number < low) or (high is not None and number > high):
        raise _Unreadable(BAD_VALUE)
    if kind == "number":
        return number
    if not number.is_integer():
        raise _Unreadable(BAD_VALUE)
    return int(number)


def _parsed(text: str) -> float | None:
    if _THOUSANDS.fullmatch(text):
        return float(text.replace(",", ""))
    found = _NUMBER.fullmatch(text)
    return float(found[1]) if found else None


def _year(text: str) -> float | None:
    found = _DATE.match(text) or _COMPACT_DATE.fullmatch(text)
    return float(found[1]) if found else _parsed(text.removesuffix("年"))


def _moment(zone: ZoneInfo, value: Any) -> datetime | None:
    """A moment with an offset. Day and month are never guessed: 3/4/2024 without AM or PM is unreadable."""
    if isinstance(value, datetime):
        found: datetime | None = value
    elif isinstance(value, date):
        found = datetime(value.year, value.month, value.day)
    else:
        text = as_text(value)
        if text is None:
            return None
        found = _parsed_moment(text)
    if found is None:
        raise _Unreadable(BAD_VALUE)
    return found.replace(tzinfo=zone) if found.tzinfo is None else found


def _parsed_moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    if found := _DATE.fullmatch(text):
        try:
            return datetime(*(int(part or 0) for part in found.groups()))  # type: ignore[arg-type]  # no zone among them
        except ValueError:
            return None
    for american in _AMERICAN:
        try:
            return datetime.strptime(text, american)
        except ValueError:
            continue
    return None
