"""Rows by the million into PostgreSQL: columns -> Arrow -> CSV -> COPY, in the caller's transaction.

Arrow turns whole columns into CSV at memory speed, which is some ten times what a loop over rows reaches.
An empty field without quotes is NULL, so an empty text stays a text.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

BATCH = 20_000
"""Rows turned into CSV at a time: bounds the memory, whatever the size of the city."""


class Rows:
    """Rows of one table as equally long columns. Geometries are shapely objects in EPSG:4490.

    A column named with a trailing underscore stands for a Python keyword (`class_`).
    """

    def __init__(self, table: str, **columns: Any) -> None:
        self.table = table
        self.columns = {name.rstrip("_"): column for name, column in columns.items()}
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of {table} differ in length: {lengths}")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def numbered(self) -> Rows:
        """The same rows with ids 1, 2, 3 ... (identity columns of an empty table)."""
        self.columns = {"id": np.arange(1, len(self) + 1), **self.columns}
        return self


def write(session: Session, rows: Rows) -> int:
    """COPY the rows; returns how many. Moves the id sequence past explicit ids."""
    if not len(rows):
        return 0
    connection = session.connection().connection.driver_connection
    assert connection is not None
    names = ", ".join(f'"{name}"' for name in rows.columns)
    with (
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{rows.table}" ({names}) FROM STDIN (FORMAT csv)') as copy,
    ):
        for start in range(0, len(rows), BATCH):
            copy.write(_csv(rows, slice(start, start + BATCH)))
    if "id" in rows.columns:
        session.execute(
            sa.text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :last)"),
            {"table": rows.table, "last": int(np.max(rows.columns["id"]))},
        )
    return len(rows)


def _csv(rows: Rows, part: slice) -> memoryview:
    table = pa.table({name: _array(column[part]) for name, column in rows.columns.items()})
    sink = io.BytesIO()
    pa_csv.write_csv(table, sink, pa_csv.WriteOptions(include_header=False, quoting_style="needed"))
    return sink.getbuffer()


def _array(column: Any) -> pa.Array:
    """A column as Arrow: geometries as hexadecimal EWKB, everything else as it is."""
    first = next((value for value in column if value is not None), None)
    if isinstance(first, shapely.Geometry):
        return pa.array(
            shapely.to_wkb(shapely.set_srid(np.asarray(column, object), 4490), hex=True, include_srid=True)
        )
    return pa.array(column)
