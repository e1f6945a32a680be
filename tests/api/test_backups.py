"""Backup and restore as an operator does it: into a cluster that knows nothing of us, over a running city,
with every fault a file or a machine can have. Whatever fails, the running data are as they were."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from PIL import Image

from api import cli, migrations
from api.account import ROLES, Account
from api.auth import issue_token
from api.backups import archive
from api.backups.making import back_up
from api.backups.places import is_empty
from gis import audit, audit_chain
from gis.cluster import PrivateCluster
from gis.database import Database
from gis.forgetting import MARK
from incidents import photos
from incidents.calendar import CITY_ZONE
from incidents.reporting import ReportDraft, report
from layers.household_reading import From
from layers.subject_rights import erase
from tests import toy_desk
from tests.api.test_guard import plain_url  # noqa: F401 - a fixture
from tests.api.test_row_policies import acting_as, furnishing, not_as_meant, person
from tests.conftest import TEST_TUNING, _admin, clone, drop
from tests.toy_city import LAT, LON, NOW
from tests.toy_desk import ToyDesk

CITYGRID = str(Path(sys.executable).with_name("citygrid"))
LEFT_OUT = "access_token"
TABLES = """
SELECT relname FROM pg_class AS c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e') ORDER BY 1
"""
_OURS = "'public'::regnamespace"
SHAPE = (
    "SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies",
    "SELECT oid::regclass::text, relkind, relrowsecurity, relforcerowsecurity,"
    f" ARRAY(SELECT unnest(relacl)::text ORDER BY 1) FROM pg_class WHERE relnamespace = {_OURS}",
    "SELECT attrelid::regclass::text, attname, attacl::text FROM pg_attribute WHERE attacl IS NOT NULL",
    "SELECT oid::regprocedure::text, prosecdef, provolatile, proleakproof, proacl::text, proconfig::text,"
    f" prosrc FROM pg_proc WHERE pronamespace = {_OURS}",
    "SELECT tgenabled, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    f" WHERE connamespace = {_OURS}",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT extname FROM pg_extension",
)
"""Everything PostgreSQL keeps for us besides rows: policies, grants, marks, functions, triggers, indexes."""


def shape(database: Database) -> list[list[str]]:
    with database.system_engine.connect() as connection:
        return [sorted(str(tuple(row)) for row in connection.exec_driver_sql(one)) for one in SHAPE]


def contents(database: Database) -> dict[str, str]:
    """A digest of the rows of each table."""
    with database.system_engine.connect() as connection:
        tables = connection.exec_driver_sql(TABLES).scalars().all()
        digest = "SELECT md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) FROM \"{}\" AS t"
        return {table: connection.exec_driver_sql(digest.format(table)).scalar_one() for table in tables}


@dataclass
class City:
    """A city at work, a backup of it, and the digest of its rows when it was made."""

    database: Database
    desk: ToyDesk
    home: Path
    photo: int
    file: Path
    rows: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def city(cluster, template, worker_id, tmp_path_factory) -> Iterator[City]:
    """The toy desk with a photograph, a sealed trail and somebody signed in, and its backup."""
    name = f"backed_up_{worker_id}"
    database, home = Database(clone(cluster, template, name)), tmp_path_factory.mktemp("city")
    picture = BytesIO()
    Image.new("RGB", (40, 30), "green").save(picture, "JPEG")
    with database.system_work() as session:
        desk = toy_desk.build(session, NOW)
        audit.record(session, "read", "household", 1, by=desk.people["member"], now=NOW)
        issue_token(session, session.get_one(Account, desk.people["admin"].account_id), now=NOW, kind="web")
        (photo,) = photos.keep(
            session, home / "photos", desk.cases["handling"], [photos.prepare(picture.getvalue(), CITY_ZONE)],
            kind="before", by=desk.people["officer"], now=NOW,
        )  # fmt: skip
    with database.system_work() as session:
        audit_chain.seal(session, NOW)
    migrations.upgrade(database.url)  # the toy city has taken the shipped code tables out
    made = City(database, desk, home, photo.id, home / "city.backup")
    back_up(
        database, made.file, photo_folder=home / "photos", by=desk.people["admin"], now=NOW,
        progress=lambda *told: None,
    )  # fmt: skip
    made.rows = contents(database)
    yield made
    database.dispose()
    drop(cluster, name)


@pytest.fixture(scope="module")
def restored(city, tmp_path_factory) -> Iterator[Database]:
    """The backup restored by the command line on a machine of its own: a new cluster, an empty home."""
    home = Path(tempfile.mkdtemp(prefix="citygrid-restored-"))
    home.chmod(0o711)  # the server's own account has to reach its folder
    cluster = PrivateCluster(home / "cluster", tuning=TEST_TUNING)
    try:
        cluster.ensure()
        words = [CITYGRID, "db", "restore", str(city.file), "--json"]
        done = subprocess.run(words, env=_environment(home), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["old_database"] is None
        database = Database(cluster.url())
        yield database
        database.dispose()
    finally:
        cluster.stop()
        shutil.rmtree(home)


def _environment(home: Path, url: str | None = None) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("CITYGRID_")}
    return plain | {"CITYGRID_LANGUAGE": "en", "CITYGRID_HOME": str(home), "CITYGRID_DATABASE_URL": url or ""}


def test_every_row_is_there_but_nobody_is_signed_in(city, restored):
    found = contents(restored)
    changed = {table for table in city.rows if found[table] != city.rows[table]}
    assert changed <= {"audit_entry", "guard_state", "rules_stamp", LEFT_OUT}
    with restored.system_work() as session:
        assert session.execute(sa.text("SELECT count(*) FROM access_token")).scalar_one() == 0
        actions = session.execute(
            sa.text("SELECT action FROM audit_entry ORDER BY id DESC LIMIT 2")
        ).scalars()
        assert actions.all() == ["restore", "back_up"]


def test_what_postgresql_keeps_is_as_it_was(city, restored):
    """Policies, FORCE, grants, LEAKPROOF and SECURITY DEFINER marks, triggers, indexes, constraints."""
    assert shape(restored) == shape(city.database)
    assert migrations.is_leakproof(restored.system_engine)
    assert migrations.revision(restored.url)[0] == migrations.revision(restored.url)[1]


def test_the_policies_still_bind_every_role(restored):
    with furnishing(restored) as connection:
        for role in ROLES:
            who = person(role)
            with acting_as(connection, who):
                assert not not_as_meant(connection, who)


def test_the_trail_is_intact_and_goes_on(city, restored):
    with restored.system_work() as session:
        verdict = audit_chain.verify(session)
    with archive.opened(city.file) as backup:
        assert (verdict.fault, verdict.hash) == (None, backup.manifest.seal)
    with restored.system_work() as session:
        assert audit_chain.seal(session, NOW)
    with restored.system_work() as session:
        assert audit_chain.verify(session).fault is None


def test_photographs_are_readable_where_the_server_looks(city, restored):
    officer = city.desk.people["officer"]
    home = Path(restored.system_engine.url.query["host"]).parents[1]
    with restored.unit_of_work(officer) as session:
        path = photos.find(session, home / "photos", city.photo, by=officer, now=NOW)
    with Image.open(path) as picture:
        assert picture.size == (40, 30)


def test_numbers_go_on(city, restored):
    officer = city.desk.people["officer"]
    draft = ReportDraft("after the restore", LON + 0.0005, LAT + 0.0005, "EPSG:4490", "9901")
    with restored.unit_of_work(officer) as session:
        report(session, draft, by=officer, now=NOW, zone=CITY_ZONE)
    with restored.system_work() as session:
        numbers = session.execute(sa.text("SELECT number FROM incident ORDER BY id")).scalars().all()
    assert len(numbers) == len(set(numbers)) == len(city.desk.cases) + 1


@pytest.fixture
def running(cluster, template, request) -> Iterator[Database]:
    """Another city at work, which a restore would replace."""
    name = f"running_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**9}"
    database = Database(clone(cluster, template, name))
    with database.system_work() as session:
        toy_desk.build(session, NOW)
    yield database
    database.dispose()
    with _admin(cluster) as admin:
        names = admin.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (name,))
        for (one,) in names.fetchall():
            admin.execute(
                psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(one))
            )


def databases(database: Database) -> list[str]:
    """The databases whose names begin by this one's."""
    with database.system_engine.connect() as connection:
        named = "SELECT datname FROM pg_database WHERE starts_with(datname, current_database()) ORDER BY 1"
        return list(connection.exec_driver_sql(named).scalars())


@dataclass
class Ended:
    """How a command ended, and what it told."""

    status: int
    out: str
    err: str


@pytest.fixture
def db(monkeypatch, capsys, tmp_path) -> Callable[..., Ended]:
    """Run `citygrid db ...` on the database at a URL, with a home of the test's own."""
    monkeypatch.setenv("CITYGRID_HOME", str(tmp_path))
    monkeypatch.setenv("CITYGRID_LANGUAGE", "en")
    monkeypatch.delenv("CITYGRID_DEBUG", raising=False)

    def run(url: str, *words: str) -> Ended:
        monkeypatch.setenv("CITYGRID_DATABASE_URL", url)
        monkeypatch.setattr(sys, "argv", ["citygrid", "db", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return Ended(left.value.code, *capsys.readouterr())

    return run


@dataclass
class Operator:
    """Runs `citygrid db` on the running city; `left_alone` says whether all of it is as it was."""

    running: Database
    home: Path
    before: dict[str, str]
    db: Callable[..., Ended]

    def __call__(self, *words: str) -> Ended:
        return self.db(self.running.url, *words)

    def left_alone(self) -> bool:
        return (
            contents(self.running) == self.before
            and len(databases(self.running)) == 1
            and not (self.home / "photos").exists()
        )


@pytest.fixture
def operate(running, tmp_path, db) -> Operator:
    return Operator(running, tmp_path, contents(running), db)


def rewritten(source: Path, target: Path, **manifest: object) -> Path:
    """A copy whose manifest says something else."""
    with zipfile.ZipFile(source) as given, zipfile.ZipFile(target, "w") as made:
        for name in given.namelist():
            data = given.read(name)
            if name == archive.MANIFEST:
                data = json.dumps(json.loads(data) | manifest).encode()
            made.writestr(name, data)
    return target


def test_a_city_is_not_replaced_by_mistake(city, operate):
    refused = operate("restore", str(city.file))
    assert refused.status == 2 and "The database holds a city." in refused.err
    assert "--force" in refused.err and operate.left_alone()


def test_a_damaged_file_touches_nothing(city, operate, tmp_path):
    data = city.file.read_bytes()
    for name, bad in {
        "cut": data[: len(data) // 2],
        "flipped": data[:5000] + bytes([data[5000] ^ 1]) + data[5001:],
        "no backup": b"hello",
    }.items():
        (tmp_path / name).write_bytes(bad)
        refused = operate("restore", str(tmp_path / name), "--force")
        assert refused.status == 2 and "not a whole backup" in refused.err, name
        assert "Nothing was changed" in refused.err
        assert operate.left_alone()


def test_a_file_of_a_newer_product_is_refused_with_the_remedy(city, operate, tmp_path):
    newer = rewritten(city.file, tmp_path / "newer", revision="9999", product="7.0.0")
    refused = operate("restore", str(newer), "--force")
    assert refused.status == 2 and "newer CityGrid (7.0.0, schema 9999)" in refused.err
    assert "Install that version" in refused.err and operate.left_alone()


def test_a_backup_with_other_rows_than_it_says_is_refused_after_all(city, operate, tmp_path):
    with archive.opened(city.file) as backup:
        rows = backup.manifest.rows | {"incident": 7}
    lying = rewritten(city.file, tmp_path / "lying", rows=rows)
    refused = operate("restore", str(lying), "--force")
    assert refused.status == 2 and "other rows" in refused.err and operate.left_alone()


@pytest.fixture
def broken(cluster, city, worker_id, tmp_path) -> Iterator[Path]:
    """A backup of a copy of the city in whose trail somebody changed an entry."""
    city.database.dispose()
    url = clone(cluster, sa.make_url(city.database.url).database, f"broken_{worker_id}")
    database = Database(url)
    with database.system_work() as session:
        session.execute(sa.text("ALTER TABLE audit_entry DISABLE TRIGGER append_only"))
        session.execute(sa.text("UPDATE audit_entry SET username = 'li' WHERE action = 'read'"))
        wrong = session.execute(sa.text("SELECT id FROM audit_entry WHERE action = 'read'")).scalar_one()
    path = tmp_path / f"broken-{wrong}.backup"
    back_up(
        database, path, photo_folder=city.home / "photos", by=city.desk.people["admin"], now=NOW,
        progress=lambda *told: None,
    )  # fmt: skip
    database.dispose()
    drop(cluster, f"broken_{worker_id}")
    return path


def test_a_broken_trail_is_refused_and_named_unless_it_is_accepted(broken, operate, running):
    entry = broken.stem.partition("-")[2]
    refused = operate("restore", str(broken), "--force")
    assert refused.status == 2 and f"entry {entry} was changed" in refused.err
    assert operate.left_alone()
    taken = operate("restore", str(broken), "--force", "--accept-broken-chain")
    assert taken.status == 1 and f"The trail is broken: entry {entry} was changed" in taken.err
    running.dispose()
    with running.system_work() as session:
        told = session.execute(
            sa.text("SELECT details FROM audit_entry WHERE action = 'restore'")
        ).scalar_one()
    assert told["chain"] == f"entry {entry} was changed"


def test_a_running_city_is_replaced_and_its_data_stay_beside(city, operate, running):
    done = operate("restore", str(city.file), "--force", "--json")
    assert done.status == 0, done.err
    old = json.loads(done.out)["old_database"]
    running.dispose()
    name = running.system_engine.url.database
    assert databases(running) == [name, old]
    assert contents(running)["incident"] == city.rows["incident"]
    before = Database(sa.make_url(running.url).set(database=old).render_as_string(hide_password=False))
    assert contents(before) == operate.before
    before.dispose()
    again = operate("restore", str(city.file), "--force", "--drop-old")
    running.dispose()
    assert again.status == 0 and databases(running) == [name, old]


def test_who_was_forgotten_since_stays_forgotten(city, operate, running):
    """Made nameless after the backup, in the city whose place the backup then takes."""
    assert operate("restore", str(city.file), "--force", "--drop-old").status == 0
    running.dispose()
    named = sa.text("SELECT id, name, phone FROM resident ORDER BY id")
    with running.system_work() as session:
        one, other = session.execute(named).all()
    officer = city.desk.people["officer"]
    with running.unit_of_work(officer) as session:
        assert erase(session, one.id, "deceased", by=officer, now=NOW, where=From("api", None))
    again = operate("restore", str(city.file), "--force", "--drop-old")
    assert again.status == 0 and "Made nameless again, as since the backup: 1" in again.err
    running.dispose()
    with running.system_work() as session:
        assert session.execute(named).all() == [(one.id, MARK, None), other]
        trail = sa.text("SELECT subject_id FROM audit_entry WHERE action = 'erase_resident'")
        assert session.execute(trail).scalars().all() == [str(one.id)]


def test_a_number_of_another_city_is_somebody_else(city, operate, running):
    with running.system_work() as session:
        session.execute(sa.text("UPDATE resident SET erased_at = now()"))
    done = operate("restore", str(city.file), "--force", "--drop-old", "--json")
    assert json.loads(done.out)["forgotten"] == 0
    running.dispose()
    assert contents(running)["resident"] == city.rows["resident"]


def test_a_restore_that_is_killed_leaves_everything_and_the_next_one_works(city, operate, running):
    words = [CITYGRID, "db", "restore", str(city.file), "--force"]
    with subprocess.Popen(
        words, env=_environment(operate.home, running.url), stderr=subprocess.DEVNULL
    ) as child:
        deadline = time.monotonic() + 60
        while not _has_tables(running) and time.monotonic() < deadline and child.poll() is None:
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    assert contents(running) == operate.before
    assert operate("restore", str(city.file), "--force", "--drop-old").status == 0
    running.dispose()
    assert contents(running)["incident"] == city.rows["incident"]
    assert databases(running) == [running.system_engine.url.database]


def _has_tables(running: Database) -> bool:
    """Whether the restore has come as far as making tables beside."""
    draft = sa.make_url(running.url).set(database=f"{running.system_engine.url.database}_restoring")
    try:
        with psycopg.connect(draft.render_as_string().replace("+psycopg", "")) as connection:
            return connection.execute("SELECT to_regclass('incident')").fetchone() != (None,)
    except psycopg.OperationalError:
        return False


def test_an_older_backup_is_upgraded(cluster, city, worker_id, tmp_path, running, operate):
    name = f"older_{worker_id}"
    cluster.ensure_database(name)
    command.upgrade(migrations.config(cluster.url(name)), "0012")
    older = Database(cluster.url(name))
    path = tmp_path / "older.backup"
    made = back_up(
        older, path, photo_folder=tmp_path, by=city.desk.people["admin"], now=NOW, progress=lambda *told: None
    )
    older.dispose()
    drop(cluster, name)
    assert made.revision == "0012"
    assert operate("restore", str(path), "--force").status == 0
    running.dispose()
    assert migrations.revision(running.url)[0] == migrations.revision(running.url)[1]
    assert contents(running)["category"] != operate.before["category"]


def test_without_a_superuser_it_goes_into_an_empty_database_only(city, plain_url, db, tmp_path):  # noqa: F811
    """On a shared server: backed up under the policies, restored in place, and a full one left alone."""
    done = db(plain_url, "restore", str(city.file))
    assert done.status == 0, done.err
    assert "the map is slower" in done.err
    database = Database(plain_url)
    try:
        assert contents(database)["incident"] == city.rows["incident"]
        own = db(plain_url, "backup", str(tmp_path / "own.backup"), "--json")
        assert own.status == 0, own.err
        with archive.opened(city.file) as backup:
            assert json.loads(own.out)["rows"] == backup.manifest.rows | {
                "audit_entry": backup.manifest.rows["audit_entry"] + 2
            }
        before = contents(database)
        refused = db(plain_url, "restore", str(city.file), "--force")
        assert refused.status == 2 and "may make no database" in refused.err
        assert "Ask the administrator for an empty database" in refused.err
        assert contents(database) == before
    finally:
        database.dispose()


def test_a_restore_in_place_that_fails_leaves_it_empty(city, plain_url, db, tmp_path):  # noqa: F811
    with archive.opened(city.file) as backup:
        rows = backup.manifest.rows | {"incident": 7}
    lying = rewritten(city.file, tmp_path / "lying", rows=rows)
    refused = db(plain_url, "restore", str(lying))
    assert refused.status == 2 and "other rows" in refused.err
    assert is_empty(plain_url)
    assert db(plain_url, "restore", str(city.file)).status == 0
    assert not is_empty(plain_url)


def test_a_database_that_was_only_upgraded_is_empty(database):
    assert is_empty(database.url)


def test_a_photograph_that_is_not_on_the_disk_is_told(city, db, tmp_path):
    done = db(city.database.url, "backup", str(tmp_path / "without.backup"))
    assert done.status == 1 and "1 photographs are not on the disk" in done.err
