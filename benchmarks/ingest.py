"""Reports per second, eight at once: beside a bare INSERT + COMMIT in process, an empty endpoint over HTTP.

A private cluster with its ordinary durability (fsync, synchronous commit) and a demo city. In process, eight
threads call `workflow.report`, each report in a transaction of its own: it is located, routed, written with
its moves, clock and outbox, and announced. Two bare sides insert one row through the same `Database` and
commit: the case's own row, made ready before, into its own table; and the least that a report could be, six
short columns into a table with two keys and nothing else.

Over HTTP, eight kept connections of one client process send whole reports to one server process, then
requests to an endpoint of the same kind (a plain function in the thread pool) that does nothing and asks for
no sign-in. The sides take turns, round by round, for the same time.

Last line, each a ratio of rates: {"vs_bare_insert": reports to bare inserts of the case's own row,
"vs_least_insert": reports to bare inserts of the least row, "http_vs_noop": reports to empty requests}.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.auth import find_account, issue_token
from api.demo_accounts import create_demo_accounts
from api.migrations import upgrade
from etl.demo_city import load_demo
from gis.access import Principal
from gis.cluster import PrivateCluster
from gis.database import Database
from incidents import workflow
from incidents.calendar import CITY_ZONE
from incidents.incident import Incident
from incidents.workflow import ReportDraft

AT_ONCE = 8
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""A Monday at ten in the morning in the city."""
DESCRIPTION = "路口东侧人行道上有一堆建筑垃圾，行人绕行机动车道，附近有学校，请尽快清理。"

LEAST_TABLE = sa.text(
    "CREATE TABLE least (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, report_key text UNIQUE,"
    " lon float, lat float, category text, description text, at timestamptz)"
)
LEAST = sa.text(
    "INSERT INTO least (report_key, lon, lat, category, description, at)"
    " VALUES (:key, :lon, :lat, :category, :description, :at)"
)

OWN_COLUMNS = [column.name for column in Incident.__table__.columns if column.name != "id"]
OWN = sa.text(
    f"INSERT INTO incident ({', '.join(OWN_COLUMNS)})"
    f" VALUES ({', '.join(f':{name}' for name in OWN_COLUMNS)})"
)
"""A case as it stands in its table, every value ready to be sent as it is."""
READY = sa.text(
    f"SELECT {', '.join(f'{name}::text' for name in OWN_COLUMNS)} FROM incident"
    " WHERE report_key LIKE 'process-%' ORDER BY id LIMIT 500"
)

PLACES = sa.text("SELECT ST_X(geom), ST_Y(geom), category FROM incident ORDER BY md5(number) LIMIT 500")

SERVER = """
import sys, uvicorn
from datetime import datetime
from pathlib import Path
from api.app import create_app
from gis.database import Database
from gis.settings import Settings
now = datetime.fromisoformat(sys.argv[4])
app = create_app(Database(sys.argv[1]), Settings(home=Path(sys.argv[2])), clock=lambda: now)
app.add_api_route("/empty", lambda: None)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[3]), loop="uvloop", http="httptools", log_level="error",
            access_log=False)
"""


@dataclass(frozen=True)
class City:
    """Where to connect, who reports, and places of the demo city's own cases with their categories."""

    url: str
    home: Path
    member: Principal
    token: str
    places: list[tuple[float, float, str]]


@contextmanager
def city(size: str) -> Iterator[City]:
    """A demo city in a cluster of its own."""
    with tempfile.TemporaryDirectory(prefix="citygrid-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # started as root, the server's own account must be able to walk in
        cluster = PrivateCluster(Path(folder) / "pg")
        cluster.ensure()
        try:
            cluster.ensure_database("ingest")
            url = cluster.url("ingest")
            upgrade(url)
            database = Database(url)
            with database.system_work() as session:
                summary = load_demo(session, size=size, as_of=NOW, zone=CITY_ZONE)
                create_demo_accounts(session, summary, now=NOW)
                account = find_account(session, "member")
                token = issue_token(session, account, now=NOW, kind="program").token
                session.execute(LEAST_TABLE)
                places = [tuple(row) for row in session.execute(PLACES)]
            member = Principal(
                account.id, "member", account.display_name, "member", account.territory, account.member_id
            )
            database.dispose()
            yield City(url, Path(folder), member, token, places)
        finally:
            cluster.stop()


def in_process(town: City, rounds: int, seconds: float) -> list[list[float]]:
    """Per second of each round: reports, bare inserts of the case's own row, of the least row.

    They take turns through one pool of eight connections.
    """
    database = Database(town.url, pool_size=AT_ONCE, max_overflow=0, system_pool_size=AT_ONCE)

    def report(n: int) -> None:
        lon, lat, category = town.places[n % len(town.places)]
        draft = ReportDraft(f"process-{n}", lon, lat, "EPSG:4490", category, DESCRIPTION, accuracy_m=8.0)
        with database.unit_of_work(town.member) as session:
            workflow.report(session, draft, by=town.member, now=NOW, zone=CITY_ZONE)

    def own(n: int) -> None:
        unique = {"number": f"own-{n}", "tracking_code": f"own-{n}", "report_key": f"own-{n}"}
        with database.system_work() as session:
            session.execute(OWN, ready[n % len(ready)] | unique)

    def least(n: int) -> None:
        lon, lat, category = town.places[n % len(town.places)]
        values = {"key": str(n), "lon": lon, "lat": lat, "category": category, "at": NOW}
        with database.system_work() as session:
            session.execute(LEAST, values | {"description": DESCRIPTION})

    sides = [
        (act, count()) for act in (report, own, least)
    ]  # next() of a counter is one step: threads share it

    def rate(act: Callable[[int], None], numbers: Iterator[int]) -> float:
        started = time.perf_counter()

        def until_the_end(_: int) -> int:
            done = 0
            while time.perf_counter() < started + seconds:
                act(next(numbers))
                done += 1
            return done

        with ThreadPoolExecutor(AT_ONCE) as pool:
            done = sum(pool.map(until_the_end, range(AT_ONCE)))
        return done / (time.perf_counter() - started)

    for _ in town.places:
        report(next(sides[0][1]))  # every place once: the pictures kept in memory are there
    with database.system_work() as session:
        ready = [dict(row) for row in session.execute(READY).mappings()]
    found = [[rate(act, numbers) for act, numbers in sides] for _ in range(rounds)]
    database.dispose()
    return [list(side) for side in zip(*found, strict=True)]


@contextmanager
def server(town: City) -> Iterator[int]:
    """One server process over the city; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-c", SERVER, town.url, str(town.home), str(port), NOW.isoformat()]
    process = subprocess.Popen(command, cwd=root)
    try:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        else:
            raise SystemExit("the server did not start")
        yield port
    finally:
        process.terminate()
        process.wait()


def over_http(town: City, rounds: int, seconds: float) -> tuple[list[float], list[float]]:
    """Whole reports and empty requests per second of each round, in turn; the client is another process."""
    with server(town) as port, multiprocessing.get_context("spawn").Pool(1) as client:

        def rate(round_: int, act: str) -> float:
            return client.apply(_send, (port, town, f"{act}-{round_}", seconds))

        client.apply(_send, (port, town, "report-0", 0.0, len(town.places)))  # every place once
        pairs = [(rate(round_, "report"), rate(round_, "empty")) for round_ in range(1, rounds + 1)]
    reports, empties = zip(*pairs, strict=True)
    return list(reports), list(empties)


EMPTY = b"GET /empty HTTP/1.1\r\nHost: x\r\n\r\n"


def _report_request(town: City, key: str, n: int) -> bytes:
    lon, lat, category = town.places[n % len(town.places)]
    body = json.dumps(
        {
            "report_key": f"{key}-{n}",
            "lon": lon,
            "lat": lat,
            "crs": "EPSG:4490",
            "accuracy_m": 8.0,
            "category": category,
            "description": DESCRIPTION,
        }
    ).encode()
    head = (
        f"POST /api/v1/incidents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {town.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _send(port: int, town: City, key: str, seconds: float, at_least: int = 0) -> float:
    """Requests per second over eight kept connections; every answer must be a success."""
    numbers = count()

    async def connection(ends: float) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        done = 0
        while time.perf_counter() < ends or done * AT_ONCE < at_least:
            writer.write(_report_request(town, key, next(numbers)) if key.startswith("report") else EMPTY)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            body = await reader.readexactly(length)
            if head[9:10] != b"2":
                raise RuntimeError(f"{head[:60]!r} {body[:300]!r}")
            done += 1
        writer.close()
        return done

    async def all_connections() -> float:
        started = time.perf_counter()
        done = await asyncio.gather(*(connection(started + seconds) for _ in range(AT_ONCE)))
        return sum(done) / (time.perf_counter() - started)

    return asyncio.run(all_connections())


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="3 rounds of 2 s, not 8 of 5 s")
    arguments.add_argument(
        "--size", default="sample", help="of the demo city: sample (default), subdistrict ..."
    )
    chosen = arguments.parse_args()
    rounds, seconds = (3, 2.0) if chosen.quick else (8, 5.0)
    with city(chosen.size) as town:
        reports, own_rows, least_rows = in_process(town, rounds, seconds)
        http_reports, empties = over_http(town, rounds, seconds)
    print(
        f"{AT_ONCE} at once, {rounds} rounds in turn, per second{'median':>12}{'slowest':>10}{'fastest':>10}"
    )
    for name, values in (
        ("workflow.report", reports),
        ("bare INSERT + COMMIT of the case's row", own_rows),
        ("bare INSERT + COMMIT of the least row", least_rows),
        ("POST /api/v1/incidents", http_reports),
        ("empty endpoint", empties),
    ):
        print(f"{name:41}{_middle(values):12.0f}{min(values):10.0f}{max(values):10.0f}")
    figures = {
        "vs_bare_insert": round(_middle(reports) / _middle(own_rows), 3),
        "vs_least_insert": round(_middle(reports) / _middle(least_rows), 3),
        "http_vs_noop": round(_middle(http_reports) / _middle(empties), 3),
    }
    print(json.dumps(figures))


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    main()
