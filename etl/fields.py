"""What we want to know of each kind of row, and what files call it.

The shape of the datasets stands here; the Chinese and English headers they are found under and the words of
coded fields stand in `data/imports/`, where an operator can read and extend them. Headers are compared
without case, spaces and punctuation. What only one city calls so goes into a mapping file (`etl.mapping`).
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gis.settings import PROJECT

TABLES = PROJECT / "data" / "imports"

Kind = Literal["text", "integer", "number", "flag", "moment", "year", "tags"]
EVERY = "*"
"""In the tables: any dataset."""

LONG = 4000


@dataclass(frozen=True, slots=True)
class Column:
    """One thing we want to know. `low`, `high` bound a number; `longest` is a text's limit in characters.

    A `strict` column refuses what cannot be read or is not among its words; else an unknown word is kept and
    an unreadable value left empty.
    """

    name: str
    kind: Kind = "text"
    required: bool = False
    default: object = None
    strict: bool = False
    low: float | None = None
    high: float | None = None
    longest: int = 200


@dataclass(frozen=True, slots=True)
class Dataset:
    """One kind of file. `geometry` is what a row must be: polygon, line or point; None for people.

    `single` polygons are stored part by part (a building is one footprint). `grounded` rows carry the cell
    and the territory they stand on; `traced` ones the coordinates as they came. A row without an id is known
    by the columns `named_by`, else by its content.
    """

    name: str
    table: str
    geometry: str | None
    columns: tuple[Column, ...]
    single: bool = False
    grounded: bool = False
    traced: bool = False
    named_by: tuple[str, ...] = ()


_ID = Column("source_code")
_NAME = Column("name")
_NAMED = Column("name", required=True)
_NAME_EN = Column("name_en")
_ADDRESS = Column("address")
_LON, _LAT = Column("lon", "number"), Column("lat", "number")
_PHONE = Column("phone", longest=40)

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            "areas",
            "area",
            "polygon",
            (_ID, _NAMED, _NAME_EN, Column("parent")),
            named_by=("parent", "name"),
        ),
        Dataset("cells", "cell", "polygon", (_ID, _NAME), named_by=("name",)),
        Dataset(
            "estates", "estate", "polygon", (_ID, _NAMED, Column("kind", default="estate")), grounded=True
        ),
        Dataset(
            "buildings",
            "building",
            "polygon",
            (
                _ID,
                _NAME,
                Column("number", longest=40),
                Column("estate"),
                _ADDRESS,
                Column("use", default="other"),
                Column("style"),
                Column("floors", "integer", low=0, high=200),
                Column("units", "integer", low=0, high=100),
                Column("height_m", "number", low=0, high=1000),
                Column("households_count", "integer", default=0, low=0, high=20_000),
            ),
            single=True,
            grounded=True,
        ),
        Dataset(
            "roads",
            "road",
            "line",
            (
                _ID,
                _NAME,
                _NAME_EN,
                Column("class", default="local", strict=True),
                Column("width_m", "number", low=0, high=300),
                Column("bridge", "flag", default=False),
            ),
        ),
        Dataset(
            "shops",
            "shop",
            "point",
            (_ID, _NAMED, Column("category", default="其他"), _ADDRESS, _LON, _LAT),
            grounded=True,
        ),
        Dataset(
            "components",
            "component",
            "point",
            (
                _ID,
                Column("kind", required=True),
                Column("code"),
                _NAME,
                Column("department_code"),
                Column("state", default="good", strict=True),
                _LON,
                _LAT,
            ),
            grounded=True,
        ),
        Dataset("land", "land", "polygon", (_ID, Column("kind", required=True), _NAME)),
        Dataset("water", "water", "polygon", (_ID, Column("kind", default="water"), _NAME)),
        Dataset(
            "exceptions",
            "exception",
            "polygon",
            (
                _ID,
                Column("cell", required=True),
                Column("reason", required=True),
                Column("priority", "integer", default=0, low=-1000, high=1000),
                Column("buffer_m", "number", default=0.0, low=0, high=200),
                Column("starts_at", "moment"),
                Column("ends_at", "moment"),
            ),
        ),
        Dataset(
            "households",
            "household",
            None,
            (
                _ID,
                Column("building", required=True),
                Column("estate"),
                Column("unit", longest=40),
                Column("floor", "integer", low=-10, high=200),
                Column("door", longest=40),
                Column("residents_count", "integer", default=0, low=0, high=200),
            ),
        ),
        Dataset(
            "residents",
            "resident",
            None,
            (
                _ID,
                Column("household", required=True),
                _NAMED,
                Column("gender", strict=True),
                Column("birth_year", "year", low=1890, high=2100),
                _PHONE,
                Column("is_head", "flag", default=False),
                Column("tags", "tags", default=()),
            ),
        ),
        Dataset(
            "members",
            "member",
            None,
            (
                _ID,
                _NAMED,
                Column("role", default="member", strict=True),
                _PHONE,
                Column("ground", required=True),
                Column("building"),
                Column("starts_at", "moment"),
                Column("ends_at", "moment"),
            ),
        ),
        Dataset(
            "incidents",
            "incident",
            "point",
            (
                _ID,
                _LON,
                _LAT,
                Column("category"),
                Column("title", longest=LONG),
                Column("description", longest=LONG),
                Column("place"),
                Column("reported_at", "moment", strict=True),
                Column("closed_at", "moment", strict=True),
                Column("due_at", "moment", strict=True),
            ),
            traced=True,
        ),
    )
}


def plain(text: str) -> str:
    """A header or a word as it is compared: full width made half, lower case, letters and digits only."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).lower()


def headers_of(dataset: str, column: str) -> tuple[str, ...]:
    """The headers a column is found under, best first: our own name, the dataset's, everybody's."""
    table = _headers()
    return (column, *table.get((dataset, column), ()), *table.get((EVERY, column), ()))


def words_of(dataset: str, column: Column) -> Mapping[str, str]:
    """Plain word of a file -> our word, for a coded column; empty for a free one."""
    table = _words()
    if column.kind == "flag":
        return {**table[EVERY, "flag"], **table.get((dataset, column.name), {})}
    return table.get((dataset, column.name), {})


@lru_cache
def _headers() -> dict[tuple[str, str], tuple[str, ...]]:
    return {(row["dataset"], row["column"]): tuple(row["headers"].split("|")) for row in _rows("headers")}


@lru_cache
def _words() -> dict[tuple[str, str], dict[str, str]]:
    words: dict[tuple[str, str], dict[str, str]] = {}
    for row in _rows("words"):
        known = words.setdefault((row["dataset"], row["column"]), {})
        known |= {plain(theirs) or theirs: row["ours"] for theirs in (row["ours"], *row["theirs"].split("|"))}
    return words


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
