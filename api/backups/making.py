"""Making a backup: the database as of one moment, and the photographs it names.

The dump, the counts and the list of photographs are of one snapshot, taken while everybody goes on working.
Signed-in devices are left out: a token that was ended after the backup would live again in the restored city.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

from api.backups import archive
from gis import audit, dumps
from gis.access import Principal
from gis.database import Database
from gis.errors import Conflict, Unavailable
from incidents.photos import path_of

WITHOUT_DATA = ("access_token",)

Progress = Callable[[str, int, int | None], None]
"""Hears the phase, how much of it is done, and of how much."""

OUR_TABLES = """
SELECT c.relname, pg_table_size(c.oid) AS bytes
FROM pg_class AS c
WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.relnamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname
"""
"""Tables that are kept: not those of an extension, nor unlogged ones."""

_SPARED = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
_SHUT = """
SELECT c.relname FROM pg_class AS c
WHERE c.relrowsecurity AND c.relforcerowsecurity AND NOT EXISTS (
    SELECT FROM pg_policy AS p JOIN pg_roles AS r ON r.oid = ANY(p.polroles)
    WHERE p.polrelid = c.oid AND p.polname = 'system' AND r.rolname = current_user)
ORDER BY c.relname
"""
"""Tables of which a login under the policies might see a part only."""


def back_up(
    database: Database, path: Path, *, photo_folder: Path, by: Principal, now: datetime, progress: Progress
) -> archive.Manifest:
    """Write a backup of the database and of the photographs below `photo_folder` to `path`.

    It goes into the trail first, for no export of personal data is larger. Raises Conflict when there is such
    a file or nothing to back up, Unavailable when pg_dump or the disk fails.
    """
    engine = database.system_engine.execution_options(isolation_level="REPEATABLE READ")
    with archive.writing(path) as writing:
        with engine.connect() as connection:
            revision = _revision(connection)
        with database.system_work() as session:
            audit.record(session, "back_up", "database", by=by, now=now, face="cli", file=path.name)
        with engine.connect() as connection:
            told = {
                "product": version("citygrid"),
                "revision": revision,
                "made_at": now.isoformat(),
                "postgres": connection.exec_driver_sql("SHOW server_version_num").scalar_one()[:-4],
                "rows": row_counts(connection),
                "seal": last_seal(connection),
            }
            told["postgres"] = int(told["postgres"])
            told |= _dump(connection, database.url, writing, told["postgres"], progress)
            told["photos_missing"] = _photos(connection, photo_folder, writing, progress)
        return writing.finish(**told)


def row_counts(connection: sa.Connection, tables: list[str] | None = None) -> dict[str, int]:
    """Rows of each table that is kept with its data."""
    if tables is None:
        tables = [row.relname for row in connection.exec_driver_sql(OUR_TABLES)]
    counts = (f"SELECT '{t}', count(*) FROM \"{t}\"" for t in tables if t not in WITHOUT_DATA)
    return {name: rows for name, rows in connection.exec_driver_sql(" UNION ALL ".join(counts))}


def last_seal(connection: sa.Connection) -> str:
    """The hash of the trail's last seal, hexadecimal; empty when there is none."""
    found = connection.exec_driver_sql(
        "SELECT encode(hash, 'hex') FROM audit_seal ORDER BY id DESC LIMIT 1"
    ).scalar()
    return found or ""


def _revision(connection: sa.Connection) -> str:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        raise Conflict(
            en="The database was never set up; there is nothing to back up.",
            zh="数据库尚未建立，没有可备份的内容。",
        )
    return revision


def _dump(
    connection: sa.Connection, url: str, writing: archive.Writing, server: int, progress: Progress
) -> dict[str, object]:
    spared = connection.exec_driver_sql(_SPARED).scalar_one()
    if not spared and (shut := connection.exec_driver_sql(_SHUT).scalars().all()):
        raise Unavailable(
            en=f"The database account would see a part of {', '.join(shut)} only.",
            zh=f"数据库账户只能看到 {', '.join(shut)} 的一部分。",
            remedy_en="Run citygrid db upgrade with this account first.",
            remedy_zh="请先用该账户运行 citygrid db upgrade。",
        )
    sizes = {row.relname: row.bytes for row in connection.exec_driver_sql(OUR_TABLES)}
    begun: list[str] = []

    def heard(table: str) -> None:
        """Each table's share counts when the next one begins."""
        progress("dump", sum(sizes.get(one, 0) for one in begun), sum(sizes.values()))
        begun.append(table)

    with writing.dump() as part:
        dumps.dump(
            url, part, server=server, under_policies=not spared, without_data=WITHOUT_DATA, heard=heard,
            snapshot=connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one(),
        )  # fmt: skip
    return {"dump_sha256": part.sha256, "dump_bytes": part.bytes}


def _photos(connection: sa.Connection, folder: Path, writing: archive.Writing, progress: Progress) -> int:
    """Copy each photograph the database names; returns how many the disk does not have."""
    named = connection.exec_driver_sql("SELECT DISTINCT sha256 FROM incident_photo ORDER BY 1").scalars()
    hashes, missing = named.all(), 0
    for done, sha256 in enumerate(hashes):
        progress("photos", done, len(hashes))
        try:
            jpeg = path_of(folder, sha256).read_bytes()
        except FileNotFoundError:
            missing += 1
        else:
            writing.photo(sha256, jpeg)
    return missing
