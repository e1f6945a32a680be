"""Migrations: the lowest room that sees every table, accounts included (decision 17)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from api.migrations.guard import keep_guard
from incidents.code_tables import fill_code_tables


def config(url: str) -> Config:
    """Alembic's configuration for one database; there is no alembic.ini to keep in step."""
    settings = Config()
    settings.set_main_option("script_location", "api:migrations")
    settings.attributes["url"] = url
    return settings


def upgrade(url: str) -> None:
    """Bring the database to the newest revision, with the shipped code tables in it.

    Safe to run again, and from two processes at once.

    `geometry_overlaps` is marked LEAKPROOF on every run where we may (superuser): an upgrade of PostGIS
    forgets it, and without it a row policy would keep the map from its GiST index. The policies themselves
    are put in place after the last revision (`guard`).
    """
    command.upgrade(config(url), "head")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        if connection.exec_driver_sql("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").scalar():
            connection.exec_driver_sql("ALTER FUNCTION geometry_overlaps(geometry, geometry) LEAKPROOF")
    keep_guard(engine)
    with Session(engine) as session, session.begin():
        fill_code_tables(session)
    engine.dispose()


def revision(url: str) -> tuple[str | None, str | None]:
    """(revision of the database, newest revision of the code)."""
    head = ScriptDirectory.from_config(config(url)).get_current_head()
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    return current, head


def is_leakproof(engine: sa.Engine) -> bool:
    """Whether the map's box queries may use their index under a policy; else they are slow, and as safe."""
    with engine.connect() as connection:
        return bool(
            connection.exec_driver_sql(
                "SELECT proleakproof FROM pg_proc"
                " WHERE oid = 'geometry_overlaps(geometry, geometry)'::regprocedure"
            ).scalar()
        )
