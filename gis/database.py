"""The one way to the database: an engine, and a unit of work bound to the person acting."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.rows import namedtuple_row
from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

from gis.access import Principal
from gis.announcements import Announcer

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Code = sa.Text(collation="C")
"""Digits compared byte by byte: a prefix is one index range whatever the database's locale."""


class Base(DeclarativeBase):
    """Every table of the house. A table carries `territory`, or says `info={"open": True}`."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {str: sa.Text()}  # noqa: RUF012 - SQLAlchemy's documented hook


def territory_column(*, nullable: bool = False, index: bool = True) -> Any:
    """The column row policies stand on: the most precise code known for the row."""
    return mapped_column("territory", Code, nullable=nullable, index=index)


class Statement:
    """SQL of a hot path: `:name` parameters as in `sa.text`, run straight through the driver.

    It runs on the session's own connection, in its transaction, and fails with SQLAlchemy's exceptions. What
    it leaves out is SQLAlchemy's work around a statement, four fifths of a short one's time in Python. Rows
    are named tuples with the driver's own types.
    """

    def __init__(self, sql: str) -> None:
        self._sql = re.sub(r"(?<!:):([a-z]\w*)", r"%(\1)s", sql.replace("%", "%%"))

    def one(self, session: Session, params: Mapping[str, Any]) -> Any:
        """The single row. Raises NoResultFound when there is none."""
        row = self.first(session, params)
        if row is None:
            raise sa.exc.NoResultFound("No row was found when one was required")
        return row

    def first(self, session: Session, params: Mapping[str, Any]) -> Any | None:
        """The first row, or None."""
        driver: Any = session.connection().connection.driver_connection
        try:
            with driver.cursor(row_factory=namedtuple_row) as cursor:
                return cursor.execute(self._sql, params).fetchone()
        except psycopg.Error as error:
            raise sa.exc.DBAPIError.instance(self._sql, dict(params), error, psycopg.Error) from error


class Database:
    """An engine and its units of work. Doors make one; rooms below only ever see a session."""

    def __init__(self, url: str, *, pool_size: int = 10, max_overflow: int = 10) -> None:
        self.url = url
        self.engine = sa.create_engine(
            url,
            pool_size=pool_size,
            max_overflow=max_overflow,
            connect_args={"application_name": "citygrid"},
        )
        event.listen(self.engine, "connect", _warm)
        event.listen(self.engine, "checkout", _check_after_rest)
        event.listen(self.engine, "checkin", _note_rest)
        self._announcer = Announcer(self.engine)

    @contextmanager
    def unit_of_work(self, principal: Principal | None = None) -> Iterator[Session]:
        """A session that commits when the block ends and rolls back when it raises.

        The principal's ground is set for this transaction only, so a pooled connection never carries one
        person's rights to the next.
        """
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            if principal is not None:
                bind_principal(session, principal)
            yield session
        if waiting := session.info.get(_WAITING):
            self._announcer.send(waiting)

    def dispose(self) -> None:
        """Close every connection, after what still waits to be announced."""
        self._announcer.close()
        self.engine.dispose()


_WAITING = "announcements"


def announce(session: Session, channel: str, payload: dict[str, Any]) -> None:
    """Tell every open page of a change, once it is committed; a rolled back one is not told.

    The rows are the truth, this is only a nudge: see `gis.announcements`.
    """
    session.info.setdefault(_WAITING, []).append((channel, json.dumps(payload, default=str)))


def binding(territory: str, account: str, member: str, role: str) -> str:
    """SQL that tells PostgreSQL who acts, until the end of the transaction, from four SQL expressions."""
    values = {"territory": territory, "account": account, "member": member, "role": role}
    return ", ".join(f"set_config('app.{name}', {sql}, true) AS bound_{name}" for name, sql in values.items())


_BIND = Statement("SELECT " + binding(":territory", ":account", ":member", ":role"))


def bind_principal(session: Session, principal: Principal) -> None:
    """Tell PostgreSQL who acts, until the end of the transaction."""
    _BIND.one(
        session,
        {
            "territory": "none" if principal.territory is None else principal.territory,
            "account": str(principal.account_id),
            "member": "" if principal.member_id is None else str(principal.member_id),
            "role": principal.role,
        },
    )


REST_S = 2.0
"""A pooled connection that has rested longer is asked whether it still stands before it is used."""


def _note_rest(_connection: Any, record: Any) -> None:
    record.info["rested_since"] = time.monotonic()


def _check_after_rest(connection: Any, record: Any, _proxy: Any) -> None:
    """After a restart of the database the pool is emptied, and nobody's request fails for it.

    Asking before every use would cost every request a round trip; a connection used a moment ago stands.
    """
    rested_since = record.info.get("rested_since")
    if rested_since is None or time.monotonic() - rested_since < REST_S:
        return
    try:
        connection.execute("")
        connection.rollback()
    except psycopg.OperationalError as error:
        raise InvalidatePoolError("the database has been restarted") from error


def _warm(connection: Any, _record: object) -> None:
    """Pay PROJ's start-up (130 ms for the first 4490 -> 3857) when a connection is made, not in a request.

    A parallel query would pay it again in each of its workers, which live for that query only: a tile takes
    twice as long with them as without. A database without PostGIS yet (before the first migration) is not
    warmed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'postgis'")
        if cursor.fetchone():
            cursor.execute("SELECT ST_Transform(ST_SetSRID(ST_MakePoint(113, 23), 4490), 3857)")
    connection.commit()
