"""kill -9 of everything: what was answered with success is there afterwards.

A real server over a real private cluster with PostgreSQL's own durability (the other tests switch it off).
Four people report without pause; in the middle the server and every process of the database are killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from api import migrations
from api.auth import find_account, issue_token
from gis.cluster import DATABASE, PrivateCluster, private_cluster
from gis.database import Database
from gis.settings import Settings
from tests import toy_city
from tests.served_city import add_accounts, report_body

REPORTERS = 4
ANSWERS_BEFORE_THE_KILL = 60
INCIDENTS = "/api/v1/incidents"


@pytest.fixture
def home() -> Iterator[Path]:
    """A home the database's own account can reach (pytest's folders are for our eyes only)."""
    folder = Path(tempfile.mkdtemp(prefix="citygrid-kill-"))
    folder.chmod(0o711)
    yield folder
    private_cluster(Settings(home=folder)).stop()
    shutil.rmtree(folder, ignore_errors=True)


def prepared(cluster: PrivateCluster) -> str:
    """The toy city on a fresh cluster; the token of a member who reports."""
    cluster.ensure()
    cluster.ensure_database(DATABASE)
    migrations.upgrade(cluster.url())
    database = Database(cluster.url())
    with database.system_work() as session:
        add_accounts(session, toy_city.build(session))
        member = find_account(session, "member")
        token = issue_token(session, member, now=datetime.now(UTC), kind="program").token
    database.dispose()
    return token


@contextmanager
def serving(home: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`citygrid serve` as a process of its own; its address and the process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"CITYGRID_HOME": str(home), "CITYGRID_LANGUAGE": "en"}
    environment.pop("CITYGRID_DATABASE_URL", None)
    command = [sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", str(port)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while True:
            assert server.poll() is None and time.monotonic() < deadline, "the server did not start"
            try:
                if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url, server
    finally:
        if server.poll() is None:
            server.terminate()
        server.wait(30)


def report_without_pause(url: str, token: str, name: str, answered: dict[str, int], stop: threading.Event):
    """Report until the server is gone; note each key that was answered with success, and its case."""
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        number = 0
        while not stop.is_set():
            number += 1
            key = f"{name}-{number}"
            try:
                answer = client.post(INCIDENTS, json=report_body(report_key=key))
            except httpx.TransportError:
                return
            if answer.status_code == 201:
                answered[key] = answer.json()["id"]


def kill_everything(server: subprocess.Popen[bytes], cluster: PrivateCluster) -> None:
    """SIGKILL to the server and to every process of this cluster, and to no other."""
    os.kill(server.pid, signal.SIGKILL)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            ours = os.path.samefile(folder / "cwd", cluster.data)
        except OSError:
            continue
        if ours:
            os.kill(int(folder.name), signal.SIGKILL)
    server.wait(30)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="finds the database's processes through /proc")
def test_every_answered_report_survives_kill_9(home):
    cluster = private_cluster(Settings(home=home))
    token = prepared(cluster)
    answered: dict[str, int] = {}
    stop = threading.Event()
    with serving(home) as (url, server):
        reporters = [
            threading.Thread(target=report_without_pause, args=(url, token, f"r{n}", answered, stop))
            for n in range(REPORTERS)
        ]
        for reporter in reporters:
            reporter.start()
        while len(answered) < ANSWERS_BEFORE_THE_KILL and any(r.is_alive() for r in reporters):
            time.sleep(0.01)
        kill_everything(server, cluster)
        stop.set()
        for reporter in reporters:
            reporter.join()
    assert len(answered) >= ANSWERS_BEFORE_THE_KILL
    assert not cluster.running()

    with serving(home) as (url, _):
        database = Database(cluster.url())
        with database.system_engine.connect() as connection:
            kept = dict(connection.execute(sa.text("SELECT report_key, id FROM incident")).all())
            stories = connection.execute(
                sa.text("SELECT incident_id, array_agg(move ORDER BY id) FROM incident_move GROUP BY 1")
            ).all()
        database.dispose()
        assert {key: kept.get(key) for key in answered} == answered
        # What was not answered is whole or not there: no case without its story, no story without its case.
        assert {case for case, _ in stories} == set(kept.values())
        assert {tuple(moves) for _, moves in stories} == {("report", "register", "dispatch")}
        # A phone that got no answer sends the same key again: every case is there exactly once.
        key, case = next(iter(answered.items()))
        again = httpx.post(
            f"{url}{INCIDENTS}",
            json=report_body(report_key=key),
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        assert (again.status_code, again.json()["id"]) == (200, case)
