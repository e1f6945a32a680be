"""The guard on databases of several kinds: ours, one without a superuser, one with an undeclared table."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import psycopg
import pytest
import sqlalchemy as sa

from api.migrations import is_leakproof, upgrade
from api.migrations.guard import keep_guard
from gis.access import Principal
from gis.database import APP_ROLE, Database
from gis.errors import Unavailable
from incidents import workflow
from incidents.calendar import CITY_ZONE
from incidents.workflow import ReportDraft
from tests import toy_city
from tests.conftest import _admin, drop
from tests.toy_city import LAT, LON, NORTH_EAST, NOW, STEP

OWNER = "plain_owner"
NORTH = Principal(1, "n", "", "community_officer", NORTH_EAST[:12])
SOUTH = Principal(2, "s", "", "community_officer", "990101001002")


@pytest.fixture
def plain_url(cluster, template, worker_id) -> Iterator[str]:
    """The URL of an empty database whose owner no policy spares, as on a shared server.

    The administrator has made the extensions and the role there and given the owner the role. The cluster
    lets only its administrator in, so a connection takes on the owner's role first.
    """
    name = f"plain_{worker_id}"
    with _admin(cluster) as admin:
        admin.execute(f"DROP ROLE IF EXISTS {OWNER}")
        admin.execute(f"CREATE ROLE {OWNER} NOSUPERUSER NOBYPASSRLS NOCREATEROLE")
        admin.execute(f"GRANT {APP_ROLE} TO {OWNER}")
        admin.execute(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE template0")
    url = cluster.url(name)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION postgis")
        connection.execute("CREATE EXTENSION pg_trgm")
    yield f"{url}&options={quote(f'-c role={OWNER}')}"
    drop(cluster, name)
    with _admin(cluster) as admin:
        admin.execute(f"DROP ROLE {OWNER}")


def seen(database: Database, who: Principal) -> int:
    with database.unit_of_work(who) as session:
        return session.execute(sa.text("SELECT count(*) FROM incident")).scalar_one()


def test_without_a_superuser_everything_works_and_is_as_closed(plain_url):
    upgrade(plain_url)
    upgrade(plain_url)
    database = Database(plain_url)
    try:
        assert not is_leakproof(database.system_engine)
        with database.system_work() as session:
            assert session.execute(sa.text("SELECT current_user")).scalar_one() == OWNER
            toy_city.build(session)
        draft = ReportDraft("k", LON + STEP / 2, LAT + STEP / 2, "EPSG:4490", "9901")
        with database.unit_of_work(NORTH) as session:
            workflow.report(session, draft, by=NORTH, now=NOW, zone=CITY_ZONE)
        assert (seen(database, NORTH), seen(database, SOUTH)) == (1, 0)
        with database.system_work() as session:
            assert session.execute(sa.text("SELECT count(*) FROM incident_move")).scalar_one() == 3
            assert session.execute(sa.text("UPDATE incident SET title = 'x'")).rowcount == 1
    finally:
        database.dispose()


def test_a_login_that_may_not_take_the_role_is_told_what_to_ask_for(plain_url, cluster):
    with _admin(cluster) as admin:
        admin.execute(f"REVOKE {APP_ROLE} FROM {OWNER}")
    with pytest.raises(Unavailable) as refused:
        upgrade(plain_url)
    assert f"GRANT {APP_ROLE}" in refused.value.remedy_en


def test_a_table_nobody_declared_is_closed(database):
    with database.system_work() as session:
        session.execute(sa.text("CREATE TABLE forgotten (id int)"))
        session.execute(sa.text(f"GRANT ALL ON forgotten TO {APP_ROLE}"))
        session.execute(sa.text("UPDATE guard_state SET digest = 'another'"))
    keep_guard(database.system_engine)
    with pytest.raises(sa.exc.ProgrammingError) as refused, database.unit_of_work(NORTH) as session:
        session.execute(sa.text("SELECT * FROM forgotten"))
    assert "declared in gis.policies" in refused.value.__notes__[0]


def test_a_table_that_is_being_analysed_is_waited_for(database):
    """ANALYZE locks its table and then changes its entry in the catalogue, as a grant does too."""
    with database.system_work() as session:
        session.execute(sa.text("UPDATE guard_state SET digest = 'another'"))
    waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'incident'::regclass AND NOT granted)"
    with ThreadPoolExecutor(1) as beside, database.system_engine.connect() as analysing:
        with analysing.begin():
            analysing.exec_driver_sql("LOCK TABLE incident IN SHARE UPDATE EXCLUSIVE MODE")
            guard = beside.submit(keep_guard, database.system_engine)
            while not analysing.exec_driver_sql(waiting).scalar_one():
                assert not guard.done()
            analysing.exec_driver_sql("GRANT SELECT ON incident TO PUBLIC")
        guard.result(timeout=60)
    with database.system_work() as session:
        session.execute(sa.text("REVOKE SELECT ON incident FROM PUBLIC"))


def test_what_is_as_declared_is_left_alone(database):
    """A restart of the server takes no lock on a table in use; a copy of the database is written once."""

    def written() -> set[str]:
        with database.system_work() as session:
            return set(session.execute(sa.text("SELECT oid::text FROM pg_policy")).scalars())

    copied = written()
    keep_guard(database.system_engine)
    before = written()
    assert not before & copied
    keep_guard(database.system_engine)
    assert written() == before
