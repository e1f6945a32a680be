"""Rows into the database the fast way: COPY BINARY into a temporary table, the stage.

A stage lives and dies with the caller's transaction. It is where rows are looked at as a whole: which ids
come twice, what can be settled only beside the others. COPY goes to the stage and never to the city's tables,
whose row policies would refuse it. What leaves it for the city is decided by `etl.merging`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
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
    "geometry": _sized,
}
"""PostgreSQL type -> one field of COPY BINARY: its length, then its bytes. A geometry comes as `ewkb`."""


class Stage:
    """A temporary table: `row` (the file's row number) and typed columns, filled batch by batch."""

    def __init__(self, session: Session, name: str, columns: Mapping[str, str]) -> None:
        """`columns` maps a name to one of the types of `ENCODERS`. Names are ours, never a file's."""
        self.session = session
        self.name = f"stage_{name}"
        self.columns = {"row": "int4", **columns}
        listed = ", ".join(f'"{column}" {kind}' for column, kind in self.columns.items())
        session.execute(sa.text(f"DROP TABLE IF EXISTS pg_temp.{self.name}"))
        session.execute(sa.text(f"CREATE TEMPORARY TABLE {self.name} ({listed}) ON COMMIT DROP"))

    def encode(self, rows: Mapping[str, Iterable[Any]]) -> bytes:
        """Rows given column by column, as `write` takes them. Touches no database: any thread may do it."""
        fields = [_encoded(kind, rows[column]) for column, kind in self.columns.items()]
        lead = struct.pack(">h", len(fields))
        return b"".join(chain.from_iterable(zip([lead] * len(fields[0]), *fields, strict=True)))

    def copy(self, rows: Mapping[str, Iterable[Any]]) -> None:
        """Append rows given column by column."""
        self.write(self.encode(rows))

    def write(self, encoded: bytes) -> None:
        """Append encoded rows."""
        listed = ", ".join(f'"{column}"' for column in self.columns)
        connection = self.session.connection().connection.driver_connection
        assert connection is not None
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY {self.name} ({listed}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.write(_HEADER)
            copy.write(encoded)
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
        """Tell the planner how large the stage is; it guesses badly about a fresh temporary table.

        The geometries are left out: sampling them costs more than the plan would gain.
        """
        columns = ", ".join(f'"{column}"' for column, kind in self.columns.items() if kind != "geometry")
        self.session.execute(sa.text(f"ANALYZE {self.name} ({columns})"))


def ewkb(geometry: NDArray[Any], *, multi: bool) -> list[bytes]:
    """EPSG:4490 geometries as a stage takes them: PostGIS's binary form, with the system in it.

    When `multi`, a geometry of one part is wrapped as a multi-geometry: the column of the city's table wants
    one, and wrapping bytes costs nothing beside building it.
    """
    plain = shapely.to_wkb(geometry, byte_order=1)
    types = shapely.get_type_id(geometry)
    if multi:
        return [
            _MULTI_HEADS[wkb[1]] + wkb if single else _with_srid(wkb)
            for wkb, single in zip(plain, (types <= 3).tolist(), strict=True)
        ]
    return [_with_srid(wkb) for wkb in plain]


_SRID_MARK = struct.pack("<I", SRID)
_SRID_FLAG = 0x20000000
_MULTI_HEADS = {kind: struct.pack("<BIII", 1, kind + 3 | _SRID_FLAG, SRID, 1) for kind in (1, 2, 3)}
"""WKB type of a single geometry -> the head of a multi-geometry that holds just it."""


def _with_srid(wkb: bytes) -> bytes:
    """Little-endian WKB with the flag in its type and the system behind it."""
    return wkb[:4] + bytes((wkb[4] | 0x20,)) + _SRID_MARK + wkb[5:]


def _encoded(kind: str, values: Iterable[Any]) -> list[bytes]:
    """One column as fields of COPY BINARY."""
    if isinstance(values, np.ndarray):
        values = values.tolist()
    encode = ENCODERS[kind]
    return [_NULL if value is None else encode(value) for value in values]
