"""Shared fixtures: one cluster a machine, one migrated template, one clone a process, one savepoint a test.

The cluster lives in a temporary folder and is stopped when the last test process leaves. A test that needs a
database asks for `session` (rolled back when it ends) or `database` (a clone of its own, dropped afterwards).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from filelock import FileLock
from hypothesis import settings
from sqlalchemy.orm import Session

from api.migrations import upgrade
from gis.cluster import ADMIN, PORT, PrivateCluster
from gis.database import Database

settings.register_profile("citygrid", deadline=None)  # how long an example takes is the machine's affair
settings.load_profile("citygrid")

TEMPLATE = "citygrid_template"
TEST_TUNING = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}
"""A test's database may be lost with the machine; durability itself is tested on a cluster of its own."""


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[PrivateCluster]:
    """The test run's own cluster, shared by its parallel workers."""
    run = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    root = (
        Path(tempfile.gettempdir())
        / f"citygrid-tests-{run.name}-{os.getuid()}-{os.getppid() if worker_id != 'master' else os.getpid()}"
    )
    with FileLock(str(root) + ".lock"):
        cluster = PrivateCluster(root, tuning=TEST_TUNING)
        cluster.ensure()
        users = root / "users"
        users.mkdir(exist_ok=True)
        (users / worker_id).touch()
    yield cluster
    with FileLock(str(root) + ".lock"):
        (users / worker_id).unlink()
        if not any(users.iterdir()):
            cluster.stop()
            shutil.rmtree(root, ignore_errors=True)
            for lock in (".template.lock", ".lock"):
                Path(str(root) + lock).unlink(missing_ok=True)


@pytest.fixture(scope="session")
def template(cluster: PrivateCluster) -> str:
    """The name of a database migrated to head, made once for all workers; only ever cloned."""
    with FileLock(str(cluster.root) + ".template.lock"):
        done = cluster.root / "template-done"
        if not done.exists():
            cluster.ensure_database(TEMPLATE)
            upgrade(cluster.url(TEMPLATE))
            done.touch()
    return TEMPLATE


def _admin(cluster: PrivateCluster) -> psycopg.Connection:
    return psycopg.connect(
        f"host={cluster.socket_folder} port={PORT} user={ADMIN} dbname=postgres", autocommit=True
    )


def clone(cluster: PrivateCluster, template: str, name: str) -> str:
    """Clone the template under `name`; returns its URL."""
    with FileLock(str(cluster.root) + ".template.lock"), _admin(cluster) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return cluster.url(name)


def drop(cluster: PrivateCluster, name: str) -> None:
    with _admin(cluster) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def worker_database(cluster: PrivateCluster, template: str, worker_id: str) -> Iterator[Database]:
    name = f"worker_{worker_id}"
    database = Database(clone(cluster, template, name))
    yield database
    database.dispose()
    drop(cluster, name)


@pytest.fixture
def session(worker_database: Database) -> Iterator[Session]:
    """A session whose every change, commits included, is gone when the test ends."""
    with worker_database.system_engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            yield session
        outer.rollback()


@pytest.fixture
def database(cluster: PrivateCluster, template: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database of the test's own, for what needs real commits, several connections or NOTIFY."""
    name = f"test_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**9}"
    database = Database(clone(cluster, template, name), system_pool_size=20)
    yield database
    database.dispose()
    drop(cluster, name)
