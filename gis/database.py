"""The one way to the database: units of work bound to the person acting, and the house's own work.

Whatever is done for a person runs under the role `APP_ROLE`, which the row policies (`gis.policies`) show
nothing until a principal is bound, and then only what is theirs. What the house does by itself (loading,
migrations, the worker, the operator's commands, checking a password) is `system_work`, and says so.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
import psycopg
import sqlalchemy as sa
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.rows import namedtuple_row
from psycopg.sql import Literal
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

from gis.access import GROUND_ROLES, Principal
from gis.announcements import Announcer
from gis.errors import Unavailable

APP_ROLE = "citygrid_app"
"""The PostgreSQL role of all work for persons: it owns nothing and no policy spares it."""

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
        try:
            return _hot(session).cursor.execute(self._sql, params).fetchone()
        except psycopg.Error as error:
            raise _told_as_sqlalchemy(self._sql, dict(params), error) from error


@dataclass(frozen=True, slots=True)
class _Hot:
    """What statements of a hot path need of the session's transaction, asked of SQLAlchemy once."""

    transaction: object
    connection: Any
    """The driver's own."""
    cursor: Any


def _hot(session: Session) -> _Hot:
    kept: _Hot | None = session.info.get(_HOT)
    if kept is not None and kept.transaction is session.get_transaction():
        return kept
    connection = session.connection().connection.driver_connection
    assert connection is not None, "a session in a transaction has a connection"
    cursor = connection.cursor(row_factory=namedtuple_row)
    session.info[_HOT] = kept = _Hot(session.get_transaction(), connection, cursor)
    return kept


_HOT = "hot"


def rows_changed(session: Session, statement: sa.Executable, params: Mapping[str, Any] | None = None) -> int:
    """Run an INSERT, UPDATE or DELETE; returns how many rows it touched."""
    result = session.execute(statement, params)
    assert isinstance(result, sa.CursorResult), "only statements that write have a count"
    return result.rowcount


def _told_as_sqlalchemy(sql: str, params: dict[str, Any], error: psycopg.Error) -> BaseException:
    return sa.exc.DBAPIError.instance(sql, params, error, psycopg.Error, hide_parameters=True)


class Database:
    """Two engines on one database, and their units of work. Doors make one; rooms below only see a session.

    Every connection of `engine` is under `APP_ROLE` from its first moment: it is the connection's default, so
    that RESET and DISCARD bring it back. `system_engine` stays what the URL signs in as. Neither connects
    before it is used.
    """

    def __init__(
        self, url: str, *, pool_size: int = 10, max_overflow: int = 10, system_pool_size: int = 5
    ) -> None:
        self.url = url
        self.engine = _engine(_as_app_role(url), pool_size, max_overflow)
        event.listen(self.engine, "checkout", _renew_if_shed)
        self.system_engine = _engine(url, system_pool_size, 0)
        self._announcer = Announcer(self.engine)

    @contextmanager
    def unit_of_work(self, principal: Principal) -> Iterator[Session]:
        """A session for one person, that commits when the block ends and rolls back when it raises.

        Their ground is set for this transaction only, so a pooled connection never carries one person's
        rights to the next. Work for nobody in particular is `system_work`.
        """
        with self._work(self.engine) as session:
            bind_principal(session, principal)
            yield session

    @contextmanager
    def unbound_work(self) -> Iterator[Session]:
        """A session for somebody who is not known yet: open tables only, until a token is looked up.

        `api.auth.principal_for_token` binds it to the person in the same statement.
        """
        with self._work(self.engine) as session:
            yield session

    @contextmanager
    def system_work(self) -> Iterator[Session]:
        """A session that no policy restricts: loaders, the worker, the operator's commands, tests' data."""
        with self._work(self.system_engine) as session:
            yield session

    @contextmanager
    def _work(self, engine: sa.Engine) -> Iterator[Session]:
        with Session(engine, expire_on_commit=False) as session:
            try:
                with session.begin():
                    yield session
            except sa.exc.DBAPIError as error:
                if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
                    error.add_note(_REFUSED)
                raise
        if waiting := session.info.get(_WAITING):
            self._announcer.send(waiting)

    def dispose(self) -> None:
        """Close every connection, after what still waits to be announced."""
        self._announcer.close()
        self.engine.dispose()
        self.system_engine.dispose()


_REFUSED = (
    "A row policy or a missing grant refused this (gis.policies). Work for a person goes through"
    " unit_of_work(principal) and stays on their ground; loaders, the worker and data made by tests use"
    " system_work(); a new table is declared in gis.policies.TABLES or OPEN."
)


def _as_app_role(url: str) -> sa.URL:
    """The URL whose connections are under `APP_ROLE` by default, beside the options it may have already."""
    parsed = sa.make_url(url)
    options = " ".join([str(parsed.query.get("options", "")), f"-c role={APP_ROLE}"]).strip()
    return parsed.update_query_dict({"options": options})


def _engine(url: str | sa.URL, pool_size: int, max_overflow: int) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=max_overflow,
        connect_args={"application_name": "citygrid"},
        hide_parameters=True,  # an error's words go to the log; what was written or asked for may be personal
    )
    event.listen(engine, "connect", _warm)
    event.listen(engine, "checkout", _check_after_rest)
    event.listen(engine, "checkin", _note_rest)
    event.listen(engine, "handle_error", _tell_missing_role)
    return engine


def _renew_if_shed(connection: Any, _record: Any, _proxy: Any) -> None:
    """A connection that somebody gave another role is replaced: the server reports by itself what it is."""
    if connection.info.parameter_status("is_superuser") == "on":
        raise DisconnectionError("the connection has lost its role")


def _tell_missing_role(context: Any) -> None:
    """A database without `APP_ROLE` was never upgraded, and every request would fail in riddles."""
    if f'role "{APP_ROLE}" does not exist' in str(context.original_exception):
        raise Unavailable(
            en="The database has no application role yet.",
            zh="数据库中还没有应用角色。",
            remedy_en="Run: citygrid db upgrade",
            remedy_zh="请运行：citygrid db upgrade",
        ) from context.original_exception


_WAITING = "announcements"


def announce(session: Session, channel: str, payload: dict[str, Any]) -> None:
    """Tell every open page of a change, once it is committed; a rolled back one is not told.

    The rows are the truth, this is only a nudge: see `gis.announcements`.
    """
    session.info.setdefault(_WAITING, []).append((channel, orjson.dumps(payload, default=str).decode()))


def binding(territory: str, account: str, member: str, role: str, department: str = "''") -> str:
    """SQL that tells PostgreSQL who acts, until the end of the transaction, from SQL expressions of text.

    `territory` is a code prefix, '' for the whole city and 'none' for none; it is told behind a letter, so
    that the empty setting of an unbound transaction is never the whole city. `member` and `department` are ''
    for an account that is no member's, or no department's.
    """
    values = {
        "app.ground": f"CASE WHEN {role} IN ({_GROUND_ROLES}) AND {territory} <> 'none'"
        f" THEN 'c' || {territory} ELSE '' END",
        "app.account": account,
        "app.member": member,
        "app.role": role,
        "app.department": department,
    }
    told = (f"set_config('{name}', {sql}, true) AS bound_{n}" for n, (name, sql) in enumerate(values.items()))
    return ", ".join(told)


_GROUND_ROLES = ", ".join(f"'{role}'" for role in sorted(GROUND_ROLES))


def bind_principal(session: Session, principal: Principal) -> None:
    """Tell PostgreSQL who acts, until the end of the transaction: `binding` for somebody known already.

    Where no transaction has begun, BEGIN goes along in the same message: every piece of work begins with
    this, and a round trip is a good part of a short one. psycopg sees that one is open and adds none. Plain
    settings are neither planned nor executed as queries: five cost less than one SELECT.
    """
    connection = _hot(session).connection.pgconn
    idle = connection.transaction_status == TransactionStatus.IDLE
    message = (b"BEGIN; " if idle else b"") + _told(principal)
    result = connection.exec_(message)
    if result.status != ExecStatus.COMMAND_OK:
        error = psycopg.OperationalError(result.error_message.decode(errors="replace"))
        raise _told_as_sqlalchemy("BEGIN", {}, error) from error


@lru_cache(maxsize=4096)
def _told(principal: Principal) -> bytes:
    """The binding of one person, its values quoted."""
    has_ground = principal.role in GROUND_ROLES and principal.territory is not None
    values = {
        "app.ground": f"c{principal.territory}" if has_ground else "",
        "app.account": str(principal.account_id),
        "app.member": "" if principal.member_id is None else str(principal.member_id),
        "app.role": principal.role,
        "app.department": principal.department or "",
    }
    settings = (f"SET LOCAL {name} = {Literal(value).as_string()}" for name, value in values.items())
    return "; ".join(settings).encode()


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
