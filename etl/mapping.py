"""From a file's headers to ours: by the tables of `fields`, an operator's mapping file, or a word of command.

A mapping file is TOML and lies in `data/mappings/NAME.toml`, or anywhere when its path is given:

    [roads]
    strict = ["class"]               # refuse a word that is in no list, instead of keeping it
    [roads.headers]
    class = ["kind_detail", "kind"]  # our column = the file's header; of several the first that has a value
    [roads.words.class]
    pier = "lane"                    # the file's word = ours
    ferry = ""                       # "" refuses it
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from etl.fields import DATASETS, Column, Dataset, headers_of, plain, words_of
from gis.errors import Invalid, NotFound
from gis.settings import PROJECT

FOLDER = PROJECT / "data" / "mappings"


@dataclass(frozen=True, slots=True)
class FieldMap:
    """How one file is read: our column -> its header, and our column -> the words of its coded values.

    `others` are headers asked where the first says nothing. `unused` are those nobody asked for.
    """

    headers: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]
    strict: frozenset[str]
    unused: tuple[str, ...]
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def needed(self) -> list[str]:
        """The headers to read from the file."""
        return [*self.headers.values(), *(header for each in self.others.values() for header in each)]


@dataclass(frozen=True, slots=True)
class OperatorMap:
    """What a mapping file says of one dataset; empty where there is none."""

    headers: Mapping[str, str | list[str]] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    strict: frozenset[str] = frozenset()


def operator_map(name: str | None, dataset: Dataset) -> OperatorMap:
    """The operator's mapping of that name, or of that path when it ends in .toml.

    Raises NotFound when there is none, Invalid when it names a dataset or a column that does not exist: a
    spelling mistake in it must not pass for "not in the file".
    """
    if name is None:
        return OperatorMap()
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        known = sorted(file.stem for file in FOLDER.glob("*.toml"))
        raise NotFound(
            en=f"There is no mapping {name}.",
            zh=f"没有映射 {name}。",
            remedy_en="Use one of " + ", ".join(known) + ", or the path of a .toml file.",
            remedy_zh="可用：" + "、".join(known) + "，或给出 .toml 文件的路径。",
        )
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong_map(path, str(error)) from error
    for part, says in content.items():
        _check_part(path, part, says)
    own: dict[str, Any] = content.get(dataset.name, {})
    words = {
        column: {plain(theirs) or theirs: ours for theirs, ours in pairs.items()}
        for column, pairs in own.get("words", {}).items()
    }
    return OperatorMap(own.get("headers", {}), words, frozenset(own.get("strict", ())))


def match(
    dataset: Dataset,
    headers: Sequence[str],
    *,
    operator: OperatorMap | None = None,
    named: Mapping[str, str | None] | None = None,
) -> FieldMap:
    """Find our columns among a file's headers. `named` are headers given by word of command; they win.

    A header serves one column. Raises Invalid when a header that was named is not in the file, or a required
    column is not found; it lists the headers that are there.
    """
    operator = operator or OperatorMap()
    by_plain = {plain(header) or header: header for header in reversed(headers)}
    found: dict[str, str] = {}
    others: dict[str, tuple[str, ...]] = {}
    told = {**operator.headers, **{name: header for name, header in (named or {}).items() if header}}
    for name, said in told.items():
        wanted = [said] if isinstance(said, str) else said
        actual = [header if header in headers else by_plain.get(plain(header)) for header in wanted]
        if None in actual:
            raise _no_header(wanted[actual.index(None)], headers)
        found[name], *more = (header for header in actual if header is not None)
        if more:
            others[name] = tuple(more)
    for column in dataset.columns:
        if column.name not in found:
            free = _first_free(dataset, column, by_plain, set(found.values()))
            if free is not None:
                found[column.name] = free
    missing = [column for column in dataset.columns if column.required and column.name not in found]
    if missing:
        raise _no_column(dataset, missing, headers)
    words = {
        column.name: {**words_of(dataset.name, column), **operator.words.get(column.name, {})}
        for column in dataset.columns
    }
    strict = operator.strict | {column.name for column in dataset.columns if column.strict}
    fields = FieldMap(found, words, strict, (), others)
    unused = tuple(header for header in headers if header and header not in fields.needed)
    return replace(fields, unused=unused)


def _first_free(dataset: Dataset, column: Column, by_plain: Mapping[str, str], taken: set[str]) -> str | None:
    candidates = (by_plain.get(plain(header)) for header in headers_of(dataset.name, column.name))
    return next((header for header in candidates if header is not None and header not in taken), None)


def _check_part(path: Path, part: str, says: object) -> None:
    dataset = DATASETS.get(part)
    if dataset is None or not isinstance(says, dict):
        raise _wrong_map(path, f"[{part}] is no dataset; they are {', '.join(DATASETS)}")
    columns = {column.name for column in dataset.columns}
    named = {*says.get("headers", {}), *says.get("words", {}), *says.get("strict", ())}
    if unknown := sorted(named - columns):
        raise _wrong_map(
            path, f"[{part}] has no column {', '.join(unknown)}; they are {', '.join(sorted(columns))}"
        )


def _wrong_map(path: Path, why: str) -> Invalid:
    return Invalid(
        en=f"The mapping {path.name} is not well formed: {why}.",
        zh=f"映射文件 {path.name} 有误：{why}。",
        remedy_en="See data/mappings/README.md.",
        remedy_zh="写法见 data/mappings/README.md。",
    )


def _no_header(header: str, headers: Sequence[str]) -> Invalid:
    return Invalid(
        en=f"The file has no column {header}.",
        zh=f"文件中没有列“{header}”。",
        remedy_en="Its columns are: " + ", ".join(headers) + ".",
        remedy_zh="它的列有：" + "、".join(headers) + "。",
        headers=list(headers),
    )


def _no_column(dataset: Dataset, missing: Sequence[Column], headers: Sequence[str]) -> Invalid:
    names = [column.name for column in missing]
    known = [" / ".join(headers_of(dataset.name, name)[:6]) for name in names]
    return Invalid(
        en=f"No column of the file holds {', '.join(names)}; it has {', '.join(headers)}.",
        zh=f"文件中找不到 {'、'.join(names)} 所在的列；现有：{'、'.join(headers)}。",
        remedy_en=f"Call it {'; '.join(known)}, or name it in a mapping file (--map).",
        remedy_zh=f"请把列名改为 {'；'.join(known)}，或写一份映射文件（--map）。",
        headers=list(headers),
    )
