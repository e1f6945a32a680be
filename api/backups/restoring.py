"""The way back: a backup checked, read beside the running city, brought up to date, and put in its place.

In this order, so that every fault is found while the running data are still as they were: the file against
its manifest, the product against the file, the dump, its counts, the upgrade (which writes roles, grants,
policies and LEAKPROOF marks anew), the trail's chain, who has been forgotten since, the photographs, and last
the change of names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from alembic.script import ScriptDirectory

from api import migrations
from api.audit_words import fault_words
from api.backups import archive, places
from api.backups.forgotten import forget_again, forgotten_in
from api.backups.making import Progress, row_counts
from gis import audit, audit_chain, dumps
from gis.access import Principal
from gis.database import Database
from gis.errors import Conflict, Invalid
from incidents.photos import path_of, write_jpeg


@dataclass(frozen=True, slots=True)
class Restored:
    """What stands now. `old_database` is the name of what was there before, None when nothing was or it was
    dropped."""

    made_at: str
    rows: int
    photos: int
    seal: str
    trail: audit_chain.Verdict
    old_database: str | None
    leakproof: bool
    forgotten: int
    """People made nameless again, because they were in the city that was replaced."""


class BrokenChain(Conflict):
    """The trail in the backup is not as it was sealed."""


def restore(
    url: str,
    path: Path,
    *,
    photo_folder: Path,
    by: Principal,
    now: datetime,
    progress: Progress,
    force: bool = False,
    accept_broken_chain: bool = False,
    keep_old: bool = True,
) -> Restored:
    """Make the database at `url` what the backup holds, and put its photographs below `photo_folder`.

    `force` replaces a city that is there, which stays under another name with `keep_old`. Raises
    DamagedBackup, Invalid for a file of a newer product, BrokenChain unless it is accepted, Conflict for a
    database that is not empty, Denied where the login may not; whatever is raised, the running data are as
    they were.
    """
    with archive.opened(path) as backup:
        backup.check(_counting(progress, "check", backup.size))
        _refuse_newer(backup.manifest, url)
        empty = places.is_empty(url)
        if not empty and not force:
            raise _not_empty()
        forgotten = {} if empty else forgotten_in(url, backup.manifest.seal)
        with places.place_for(url, empty=empty) as place:
            dumps.restore(
                place.url, backup.chunks, version=backup.manifest.postgres, whole=place.whole,
                fed=_counting(progress, "restore", backup.manifest.dump_bytes),
            )  # fmt: skip
            leakproof, trail = _bring_up_to_date(
                place.url, backup.manifest, path, by, now, accept_broken_chain
            )
            again = _forget(place.url, forgotten, by, now)
            _write_photos(backup, photo_folder, progress)
            old = place.take_over(now, keep_old=keep_old and not empty)
    manifest = backup.manifest
    return Restored(
        manifest.made_at, sum(manifest.rows.values()), manifest.photos, manifest.seal, trail, old, leakproof,
        again,
    )  # fmt: skip


def _forget(url: str, forgotten: dict[int, datetime], by: Principal, now: datetime) -> int:
    database = Database(url)
    try:
        with database.system_work() as session:
            return forget_again(session, forgotten, by=by, now=now)
    finally:
        database.dispose()


def _counting(progress: Progress, phase: str, total: int) -> archive.Fed:
    done = 0

    def fed(more: int) -> None:
        nonlocal done
        done += more
        progress(phase, done, total)

    return fed


def _refuse_newer(manifest: archive.Manifest, url: str) -> None:
    known = {one.revision for one in ScriptDirectory.from_config(migrations.config(url)).walk_revisions()}
    if manifest.revision not in known:
        raise Invalid(
            en=f"The backup is of a newer CityGrid ({manifest.product}, schema {manifest.revision}).",
            zh=f"该备份来自更新的 CityGrid（{manifest.product}，结构 {manifest.revision}）。",
            remedy_en="Install that version or a newer one, and restore again. Nothing was changed.",
            remedy_zh="请安装该版本或更新的版本后再恢复。没有改动任何数据。",
        )


def _bring_up_to_date(
    url: str, manifest: archive.Manifest, path: Path, by: Principal, now: datetime, accept_broken_chain: bool
) -> tuple[bool, audit_chain.Verdict]:
    """Check what was read, upgrade it, and write into its trail that it was restored.

    Returns whether the map's box queries are LEAKPROOF, and what the check of the trail found.
    """
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        if row_counts(connection, sorted(manifest.rows)) != manifest.rows:
            raise archive.DamagedBackup(
                en="The database read from the backup has other rows than its manifest says.",
                zh="从备份读出的行数与清单不符。",
                remedy_en="Nothing was changed. Take the backup before it.",
                remedy_zh="没有改动任何数据。请使用更早的备份。",
            )
    migrations.upgrade(url)
    database = Database(url)
    try:
        with database.system_work() as session:
            verdict = audit_chain.verify(session)
            zh, en = fault_words(verdict)
            if en and not accept_broken_chain:
                raise _broken(en, zh)
            audit.record(
                session, "restore", "database", by=by, now=now, face="cli", file=path.name,
                made_at=manifest.made_at, seal=manifest.seal, chain=en or "intact",
            )  # fmt: skip
        with database.system_engine.connect() as connection, connection.begin():
            connection.exec_driver_sql("ANALYZE")  # a dump has no statistics, and plans stand on them
        return migrations.is_leakproof(database.system_engine), verdict
    finally:
        database.dispose()
        engine.dispose()


def _write_photos(backup: archive.Backup, folder: Path, progress: Progress) -> None:
    """Each photograph under its hash; one that is there and whole stays."""
    for done, (sha256, jpeg) in enumerate(backup.photos()):
        progress("photos", done, backup.manifest.photos)
        path = path_of(folder, sha256)
        if not path.exists() or path.read_bytes() != jpeg:
            write_jpeg(folder, sha256, jpeg)


def _not_empty() -> Conflict:
    return Conflict(
        en="The database holds a city.",
        zh="数据库里已有城市。",
        remedy_en="--force restores beside it and then takes its place; the old data stay under another name."
        " Or point CITYGRID_DATABASE_URL or CITYGRID_HOME elsewhere.",
        remedy_zh="加 --force 会在旁边恢复再接替，旧数据改名保留；也可把 CITYGRID_DATABASE_URL 或"
        " CITYGRID_HOME 指向别处。",
    )


def _broken(en: str, zh: str) -> BrokenChain:
    return BrokenChain(
        en=f"The trail in the backup is broken: {en}.",
        zh=f"备份中的留痕链已断：{zh}。",
        remedy_en="Nothing was changed. Take another backup and find out who could write to this one, or"
        " restore with --accept-broken-chain, which is written into the trail.",
        remedy_zh="没有改动任何数据。请换一份备份并查明谁能改动它；或加 --accept-broken-chain 恢复，"
        "此事会记入留痕。",
    )
