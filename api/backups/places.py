"""Where a backup is restored to: a database beside the running one, or an empty one itself.

Beside: nothing of the running city is touched until the restored one is complete; then the two change names
in one transaction. That takes a login that may make databases and extensions. Without it a backup can only be
restored into a database that is empty, and which is left empty when that fails.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime

import psycopg
import sqlalchemy as sa
from psycopg import sql

from gis.dumps import connection_words
from gis.errors import Conflict, Denied

EXTENSIONS = ("postgis", "pg_trgm")
FILLED_BY_AN_UPGRADE = frozenset(
    {
        "alembic_version", "calendar_day", "category", "clock_rule", "department", "guard_state",
        "map_stamp", "owner_map_stamp", "retention_rule", "roster_stamp", "rule_set", "rules_stamp",
        "staged_limit",
    }
)  # fmt: skip
"""Tables that hold rows in a database nobody has used yet."""

_TABLES = """
SELECT c.relname FROM pg_class AS c
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')
"""
_CLEAR = """
DO $$ DECLARE one text; BEGIN
    FOREACH one IN ARRAY ARRAY(
        SELECT CASE c.relkind WHEN 'v' THEN 'VIEW ' WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END
               || 'IF EXISTS ' || c.oid::regclass
        FROM pg_class AS c
        WHERE c.relkind IN ('v', 'r', 'S') AND c.relnamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype IN ('e', 'i'))
        UNION ALL
        SELECT 'FUNCTION IF EXISTS ' || p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e')
    ) LOOP
        EXECUTE 'DROP ' || one || ' CASCADE';
    END LOOP;
END $$
"""
"""Drops everything of ours; extensions and what came with them stay. Identities go with their tables."""
_ATTEMPTS = 5
_LOCK = 0x72657374


class Beside:
    """A database of its own beside the running one, made anew; `url` leads to it."""

    whole = False
    """Whether a dump must be read in one transaction: not into a database that is thrown away on failure."""

    def __init__(self, url: sa.URL, server: psycopg.Connection) -> None:
        self._name, self._server = str(url.database), server
        self._draft = f"{self._name[:50]}_restoring"
        self.url = url.set(database=self._draft).render_as_string(hide_password=False)

    def make(self) -> None:
        """Raises InsufficientPrivilege (the driver's) when the login may not."""
        self.throw_away()
        self._server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(self._identifier()))
        try:
            with psycopg.connect(**connection_words(self.url), autocommit=True) as connection:
                for extension in EXTENSIONS:
                    connection.execute(f"CREATE EXTENSION {extension}")
        except psycopg.errors.InsufficientPrivilege:
            self.throw_away()
            raise

    def throw_away(self) -> None:
        self._server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(self._identifier()))

    def take_over(self, now: datetime, *, keep_old: bool) -> str | None:
        """Give the restored database the running one's name; returns what the old one is called now, or None
        when it was dropped. Whoever is connected to it is disconnected. Raises Conflict when they are back
        sooner than names can change."""
        old = f"{self._name[:40]}_before_{now:%Y%m%d_%H%M%S}"
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(psycopg.errors.ObjectInUse):
                self._change_names(old)
                break
        else:
            raise Conflict(
                en="Somebody keeps connecting to the database, so the restored one could not take its place.",
                zh="一直有程序连接数据库，恢复的数据库无法接替。",
                remedy_en="Nothing was changed. Stop the server and the worker, and restore again.",
                remedy_zh="没有改动任何数据。请先停止服务与后台任务，再恢复。",
            )
        if keep_old:
            return old
        self._server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(old)))
        return None

    def _change_names(self, old: str) -> None:
        name, rename = sql.Identifier(self._name), sql.SQL("ALTER DATABASE {} RENAME TO {}")
        with self._server.transaction():
            self._server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY(%s)",
                ([self._name, self._draft],),
            )
            if _exists(self._server, self._name):
                self._server.execute(rename.format(name, sql.Identifier(old)))
            self._server.execute(rename.format(self._identifier(), name))

    def _identifier(self) -> sql.Identifier:
        return sql.Identifier(self._draft)


class InPlace:
    """The database itself, which holds nothing."""

    whole = True

    def __init__(self, url: sa.URL) -> None:
        self.url = url.render_as_string(hide_password=False)

    def make(self) -> None:
        self.throw_away()

    def throw_away(self) -> None:
        with psycopg.connect(**connection_words(self.url)) as connection:
            connection.execute(_CLEAR)

    def take_over(self, now: datetime, *, keep_old: bool) -> None:
        """It is there already."""


@contextlib.contextmanager
def place_for(url: str, *, empty: bool) -> Iterator[Beside | InPlace]:
    """A made place to restore into, thrown away again when the block fails. `empty`: whether the running
    database is. Raises Conflict when another restore is at work, Denied when the login may make no database
    and the running one is not empty."""
    parsed = sa.make_url(url)
    with contextlib.ExitStack() as stack:
        place: Beside | InPlace = InPlace(parsed)
        try:
            words = connection_words(parsed.set(database="postgres"))
            server = stack.enter_context(psycopg.connect(**words, autocommit=True))
            _take(server, str(parsed.database))
            beside = Beside(parsed, server)
            beside.make()
            place = beside
        except (psycopg.errors.InsufficientPrivilege, psycopg.OperationalError) as refused:
            if not empty:
                raise _may_not(refused) from refused
            place.make()
        try:
            yield place
        except BaseException:
            place.throw_away()
            raise


def exists(url: str) -> bool:
    """Whether there is such a database at all."""
    parsed = sa.make_url(url)
    try:
        with psycopg.connect(**connection_words(parsed)):
            return True
    except psycopg.OperationalError:
        with psycopg.connect(**connection_words(parsed.set(database="postgres"))) as server:
            return _exists(server, str(parsed.database))


def is_empty(url: str) -> bool:
    """Whether the database holds nothing but what an upgrade puts there by itself."""
    if not exists(url):
        return True
    with psycopg.connect(**connection_words(url)) as connection:
        tables = {name for (name,) in connection.execute(_TABLES)} - FILLED_BY_AN_UPGRADE
        filled = (
            sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table))
            for table in sorted(tables)
        )
        return not any(connection.execute(question).fetchone() == (True,) for question in filled)


def _exists(server: psycopg.Connection, name: str) -> bool:
    return server.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None


def _take(server: psycopg.Connection, name: str) -> None:
    """One restore of a database at a time, as long as this connection lives."""
    taken = server.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_LOCK, name)).fetchone()
    if taken != (True,):
        raise Conflict(en="Another restore is at work.", zh="另一次恢复正在进行。")


def _may_not(refused: psycopg.Error) -> Denied:
    reason = str(refused).strip().splitlines()[0]
    return Denied(
        en=f"The database account may make no database beside the running one ({reason}).",
        zh=f"数据库账户无权另建数据库（{reason}）。",
        remedy_en="Ask the administrator for an empty database with postgis and pg_trgm, point"
        " CITYGRID_DATABASE_URL at it, restore there, and let the server use it.",
        remedy_zh="请管理员新建一个装好 postgis 与 pg_trgm 的空数据库，把 CITYGRID_DATABASE_URL 指向它，"
        "恢复后让服务使用它。",
    )
