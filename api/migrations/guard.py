"""What PostgreSQL itself keeps for us, put in place after every upgrade: the application role, its policies
and grants (`gis.policies`), and the functions that look beyond them.

None of it is history, so it is no migration: it is the present declaration, written again when it differs
from what the database was given last. A table that a migration added is closed until it is declared.
"""

from __future__ import annotations

import hashlib

import psycopg
import sqlalchemy as sa

from api.migrations.functions import DEFINERS, FUNCTIONS
from api.migrations.views import VIEWS
from gis.database import APP_ROLE
from gis.errors import Unavailable
from gis.policies import protected, statements

LOCK = 0x67756172
_STATE = """
CREATE TABLE IF NOT EXISTS guard_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), digest text NOT NULL)
"""
_TABLES = """
SELECT c.relname, ARRAY(SELECT quote_ident(attname) FROM pg_attribute
                         WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum)
FROM pg_class AS c
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
"""
"""Our tables with their columns: not those that came with an extension."""

_PLACE = f"""
SELECT (SELECT oid FROM pg_database WHERE datname = current_database()),
       (SELECT oid FROM pg_roles WHERE rolname = '{APP_ROLE}')
"""
"""A database that was restored or copied is another one: what a backup left out is written there again."""

_SYSTEM_POLICY = """
CREATE POLICY system ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)
"""


def keep_guard(engine: sa.Engine) -> None:
    """Write role, policies, grants and functions, if they differ from what was written last.

    Each table is one short transaction, because its lock waits for everybody who is using it; a table is
    never seen without its policies. Raises Unavailable when the role is missing and we may not make it.
    """
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
        connection.commit()
        try:
            _keep(connection)
        finally:
            connection.rollback()
            connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
            connection.commit()


def _keep(connection: sa.Connection) -> None:
    with connection.begin():
        _make_role(connection)
        connection.exec_driver_sql(_STATE)
        tables = {table: columns for table, columns in connection.exec_driver_sql(_TABLES)}
        spared = connection.exec_driver_sql(
            "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        ).scalar_one()
        place = connection.exec_driver_sql(_PLACE).one()
        done = connection.exec_driver_sql("SELECT digest FROM guard_state").scalar()
    work = {table: _of_table(table, columns, bool(spared)) for table, columns in tables.items()}
    digest = hashlib.sha256(repr((tuple(place), work, FUNCTIONS, DEFINERS, VIEWS)).encode()).hexdigest()
    if digest == done:
        return
    with connection.begin():
        for statement in (*FUNCTIONS, *DEFINERS, *VIEWS):
            connection.exec_driver_sql(statement)
    for ddl in work.values():
        with connection.begin():
            for statement in ddl:
                connection.exec_driver_sql(statement)
    with connection.begin():
        connection.execute(
            sa.text(
                "INSERT INTO guard_state (digest) VALUES (:digest)"
                " ON CONFLICT (one) DO UPDATE SET digest = excluded.digest"
            ),
            {"digest": digest},
        )


def _of_table(table: str, columns: list[str], spared: bool) -> list[str]:
    """The DDL of a table. An owner under the policies too (FORCE, no superuser) gets one of its own.

    The table is locked first: a grant would change its entry in the catalogue without the lock, and whoever
    is analysing the table meanwhile would wait for the entry while we wait for the table.
    """
    ddl = [f"LOCK TABLE {table}", *statements(table, columns)]
    if table in protected():
        ddl.append(f"DROP POLICY IF EXISTS system ON {table}")
        if not spared:
            ddl.append(_SYSTEM_POLICY.format(table=table))
    return ddl


_WANTED = f"CREATE ROLE {APP_ROLE} NOLOGIN; GRANT {APP_ROLE} TO"


def _make_role(connection: sa.Connection) -> None:
    """The role, and our membership in it; another database of the cluster may have made it before."""
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(
                f"""
                DO $$ BEGIN
                    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
                        CREATE ROLE {APP_ROLE} NOLOGIN NOBYPASSRLS;
                    END IF;
                    IF NOT pg_has_role(current_user, '{APP_ROLE}', 'MEMBER') THEN
                        GRANT {APP_ROLE} TO CURRENT_USER;
                    END IF;
                EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
                END $$
                """
            )
    except sa.exc.ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        raise Unavailable(
            en="The database account may not make the role that requests run under.",
            zh="数据库账户无权创建请求所用的角色。",
            remedy_en=f"Ask its administrator for: {_WANTED} <our account>;",
            remedy_zh=f"请数据库管理员执行：{_WANTED} <本账户>;",
        ) from error
