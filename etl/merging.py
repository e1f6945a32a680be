"""A stage's rows beside the city's: the new are inserted, the changed updated, the rest left alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from etl.staging import Stage

MANY_ROWS = 20_000
"""From so many rows on, an empty table's indexes are made after its rows instead of row by row."""


@dataclass(frozen=True, slots=True)
class Merged:
    """How many rows of a stage were new to the table, changed there, or as they were."""

    inserted: int
    updated: int
    unchanged: int


def merge(
    stage: Stage, table: str, key: Sequence[str], columns: Sequence[str], compared: Sequence[str]
) -> Merged:
    """Bring the stage's rows into `table`.

    `key` identifies a row; no two rows of the stage may share one. A new row takes all `columns`; of a known
    one only those `compared` are looked at and written, so that a file without a column of floors forgets no
    floors. Nothing is written at all when nothing differs: no trigger fires, no stamp changes.
    """
    session = stage.session
    if not session.execute(sa.text(f"SELECT EXISTS (SELECT 1 FROM {table})")).scalar_one():
        return Merged(_fill_empty(stage, table, [*key, *columns]), 0, 0)
    stage.analyze()
    same_key = " AND ".join(f't."{column}" = {_theirs(stage, column)}' for column in key)
    unchanged, changed = _known(stage, table, same_key, compared)
    if changed:
        assignments = ", ".join(f'"{column}" = s."{column}"' for column in compared)
        session.execute(
            sa.text(
                f"UPDATE {table} AS t SET {assignments} FROM {stage.name} AS s"
                f" WHERE NOT s.same AND {same_key}"
            )
        )
    new = stage.count() - unchanged - changed
    if new:
        _insert(stage, table, [*key, *columns], "WHERE same IS NULL")
    return Merged(new, changed, unchanged)


def _known(stage: Stage, table: str, same_key: str, compared: Sequence[str]) -> tuple[int, int]:
    """Mark the rows the city has in the stage's column `same`; returns how many are, how many are not."""
    ours = ", ".join(f't."{column}"' for column in compared)
    theirs = ", ".join(_theirs(stage, column) for column in compared)
    stage.session.execute(sa.text(f"ALTER TABLE {stage.name} ADD COLUMN same boolean"))
    stage.session.execute(
        sa.text(
            f"UPDATE {stage.name} AS s SET same = ROW({ours}) IS NOT DISTINCT FROM ROW({theirs})"
            f" FROM {table} AS t WHERE {same_key}"
        )
    )
    row = stage.session.execute(
        sa.text(f"SELECT count(*) FILTER (WHERE same), count(*) FILTER (WHERE NOT same) FROM {stage.name}")
    ).one()
    return row[0], row[1]


def _theirs(stage: Stage, column: str) -> str:
    """A stage's column in a comparison; codes and free texts of the city are collated differently."""
    return f's."{column}"' + (' COLLATE "C"' if stage.columns[column] == "text" else "")


def _insert(stage: Stage, table: str, columns: Sequence[str], where: str = "") -> None:
    """As they stand in the stage: the file's order, but for rows that were settled. Sorting costs a third."""
    listed = ", ".join(f'"{column}"' for column in columns)
    stage.session.execute(
        sa.text(f"INSERT INTO {table} ({listed}) SELECT {listed} FROM {stage.name} {where}")
    )


def _fill_empty(stage: Stage, table: str, columns: Sequence[str]) -> int:
    """All rows are new: nothing needs comparing, and the indexes of many rows are made at once."""
    count = stage.count()
    if count >= MANY_ROWS:
        with _indexes_afterwards(stage.session, table):
            _insert(stage, table, columns)
    elif count:
        _insert(stage, table, columns)
    return count


_PLAIN_INDEXES = sa.text(
    """
    SELECT i.relname, pg_get_indexdef(i.oid) FROM pg_index AS x
    JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_class AS t ON t.oid = x.indrelid
    WHERE t.oid = CAST(:name AS regclass) AND NOT x.indisunique AND pg_has_role(t.relowner, 'USAGE')
    ORDER BY i.relname
    """
)


@contextmanager
def _indexes_afterwards(session: Session, table: str) -> Iterator[None]:
    """Drop the plain indexes of an empty table and make them again, in the same transaction.

    Readers of the table wait meanwhile; it was empty, so they miss nothing. Indexes behind a constraint stay,
    and so do all where the role does not own the table.
    """
    indexes = session.execute(_PLAIN_INDEXES, {"name": table}).all()
    for name, _ in indexes:
        session.execute(sa.text(f'DROP INDEX "{name}"'))
    yield
    for _, definition in indexes:
        session.execute(sa.text(definition))
