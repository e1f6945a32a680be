"""Rows into the database the fast way: COPY BINARY into a temporary table, then a comparison with the city.

A stage lives and dies with the caller's transaction. It is where rows are looked at as a whole: which ids
come twice, what is new, what has changed. COPY goes to the stage and never to the city's tables, whose row
policies would refuse it; the stage is also what makes a second load of the same file write nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from etl.report import LoadReport, Reason, RowNote

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_TEXT_OID = 25

SRID = 4490

Encode = Callable[[Any], bytes]


def _sized(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _texts(values: Sequence[str]) -> bytes:
    """A one-dimensional text[]; an empty one has no dimension."""
    if not values:
        return _sized(struct.pack(">iii", 0, 0, _TEXT_OID))
    items = b"".join(_sized(value.encode()) for value in values)
    return _sized(struct.pack(">iiiii", 1, 0, _TEXT_OID, len(values), 1) + items)


def _moment(value: datetime) -> bytes:
    since = value - _EPOCH
    return struct.pack(">iq", 8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


ENCODERS: dict[str, Encode] = {
    "text": lambda value: _sized(value.encode()),
    "int4": lambda value: struct.pack(">ii", 4, value),
    "int8": lambda value: struct.pack(">iq", 8, value),
    "float8": lambda value: struct.pack(">id", 8, value),
    "bool": lambda value: b"\0\0\0\1\1" if value else b"\0\0\0\1\0",
    "timestamptz": _moment,
    "text[]": _texts,
    "jsonb": lambda value: _sized(b"\1" + value.encode()),
}
"""PostgreSQL type -> one field of COPY BINARY: its length, then its bytes. Geometries: `_with_srid`."""


@dataclass(frozen=True, slots=True)
class Merged:
    """How many rows of a stage were new to the table, changed there, or as they were."""

    inserted: int
    updated: int
    unchanged: int


class Stage:
    """A temporary table: `row` (the file's row number) and typed columns, filled batch by batch."""

    def __init__(self, session: Session, name: str, columns: Mapping[str, str]) -> None:
        """`columns` maps a name to geometry or a type of `ENCODERS`. Names are ours, never a file's."""
        self.session = session
        self.name = f"stage_{name}"
        self.columns = {"row": "int4", **columns}
        listed = ", ".join(f'"{column}" {kind}' for column, kind in self.columns.items())
        session.execute(sa.text(f"DROP TABLE IF EXISTS pg_temp.{self.name}"))
        session.execute(sa.text(f"CREATE TEMPORARY TABLE {self.name} ({listed}) ON COMMIT DROP"))

    def copy(self, rows: Mapping[str, Iterable[Any]]) -> None:
        """Append rows given column by column; a geometry column holds shapely geometries in EPSG:4490."""
        fields = [_encoded(kind, rows[column]) for column, kind in self.columns.items()]
        lead = struct.pack(">h", len(fields))
        count = len(fields[0])
        body = b"".join(chain.from_iterable(zip([lead] * count, *fields, strict=True)))
        listed = ", ".join(f'"{column}"' for column in self.columns)
        connection = self.session.connection().connection.driver_connection
        assert connection is not None
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY {self.name} ({listed}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.write(_HEADER)
            copy.write(body)
            copy.write(_TRAILER)

    def count(self) -> int:
        """Rows in the stage."""
        return self.session.execute(sa.text(f"SELECT count(*) FROM {self.name}")).scalar_one()

    def refuse(
        self, condition: str, reason: Reason, report: LoadReport, detail: str = "''", **params: Any
    ) -> None:
        """Take the rows of a SQL `condition` (alias s) out of the stage and tell the report why."""
        gone = self.session.execute(
            sa.text(f"DELETE FROM {self.name} AS s WHERE {condition} RETURNING row, source_code, {detail}"),
            params,
        )
        report.refused += [RowNote(row, key, reason, detail) for row, key, detail in gone]

    def fill(self, by: str, values: Mapping[str, Sequence[Any]]) -> None:
        """Write columns of rows that are known by the column `by`: both are given as equally long lists."""
        names = [name for name in values if name != by]
        arrays = ", ".join(f"CAST(:{name} AS {self.columns[name]}[])" for name in values)
        self.session.execute(
            sa.text(
                f"UPDATE {self.name} AS s SET "
                + ", ".join(f'"{name}" = v."{name}"' for name in names)
                + f" FROM unnest({arrays}) AS v({', '.join(values)}) WHERE s.{by} = v.{by}"
            ),
            {name: list(column) for name, column in values.items()},
        )

    def analyze(self) -> None:
        """Tell the planner how large the stage is; it guesses badly about a fresh temporary table."""
        self.session.execute(sa.text(f"ANALYZE {self.name}"))

    def merge(
        self, table: str, key: Sequence[str], columns: Sequence[str], compared: Sequence[str]
    ) -> Merged:
        """Bring the stage's rows into `table`: insert the new, update the changed, leave the rest untouched.

        `key` identifies a row; no two rows of the stage may share one. A new row takes all `columns`; of a
        known one only those `compared` are looked at and written, so that a file without a column of floors
        forgets no floors. Nothing is written at all when nothing differs: no trigger fires, no stamp changes.
        """
        run = self.session.execute
        same_key = " AND ".join(f't."{column}" = {self._theirs(column)}' for column in key)
        ours = ", ".join(f't."{column}"' for column in compared)
        theirs = ", ".join(self._theirs(column) for column in compared)
        run(sa.text(f"ALTER TABLE {self.name} ADD COLUMN same boolean"))
        run(
            sa.text(
                f"UPDATE {self.name} AS s SET same = ROW({ours}) IS NOT DISTINCT FROM ROW({theirs})"
                f" FROM {table} AS t WHERE {same_key}"
            )
        )
        found = run(sa.text(f"SELECT same, count(*) FROM {self.name} GROUP BY same"))
        counts: dict[bool | None, int] = {same: count for same, count in found}
        if counts.get(False):
            assignments = ", ".join(f'"{column}" = s."{column}"' for column in compared)
            run(
                sa.text(
                    f"UPDATE {table} AS t SET {assignments} FROM {self.name} AS s"
                    f" WHERE NOT s.same AND {same_key}"
                )
            )
        if counts.get(None):
            listed = ", ".join(f'"{column}"' for column in (*key, *columns))
            run(
                sa.text(
                    f"INSERT INTO {table} ({listed}) SELECT {listed} FROM {self.name} WHERE same IS NULL"
                    f" ORDER BY {self._order()}"
                )
            )
        return Merged(counts.get(None, 0), counts.get(False, 0), counts.get(True, 0))

    def _theirs(self, column: str) -> str:
        """A stage's column in a comparison; codes and free texts of the city are collated differently."""
        return f's."{column}"' + (' COLLATE "C"' if self.columns[column] == "text" else "")

    def _order(self) -> str:
        """Rows go in along the geometry's space-filling curve: neighbours share pages of table and index."""
        return "geom, row" if "geom" in self.columns else "row"


_SRID_MARK = struct.pack("<I", SRID)


def _with_srid(wkb: bytes) -> bytes:
    """Little-endian WKB as PostGIS's EWKB: a flag in the type, and the system behind it."""
    return wkb[:4] + bytes((wkb[4] | 0x20,)) + _SRID_MARK + wkb[5:]


def _encoded(kind: str, values: Iterable[Any]) -> list[bytes]:
    """One column as fields of COPY BINARY."""
    if kind == "geometry":
        return [
            _NULL if wkb is None else _sized(_with_srid(wkb)) for wkb in shapely.to_wkb(values, byte_order=1)
        ]
    if isinstance(values, np.ndarray):
        values = values.tolist()
    encode = ENCODERS[kind]
    return [_NULL if value is None else encode(value) for value in values]
