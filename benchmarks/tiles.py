"""A vector tile through HTTP beside its bare SQL: what do sign-in, revision, compression and HTTP cost?

The ground is a z14 tile of exactly 2,000 six-cornered buildings in the middle of 25 such tiles, in a private
cluster of its own. The bare SQL is the shortest query that makes the same tile, sent over one open connection
by psycopg; the HTTP side is the application under uvicorn with one worker, asked over one kept connection
with a token. Both are asked in turn, so that whatever else the machine does hits both alike.

Last line: {"tile_vs_bare_sql_p95": HTTP p95 / bare p95, "tile_max_kb": the largest tile as made, in kB}.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api import undertaking
from api.auth import add_account, issue_token
from api.migrations import upgrade
from gis.cluster import PrivateCluster
from gis.database import Database

Z, X, Y = 14, 13339, 7107
"""The tile in the middle, near 113.1 E, 23.0 N."""
ADDRESS = f"/tiles/buildings/{Z}/{X}/{Y}.pbf"

GROUND = """
INSERT INTO building (number, style, territory, geom)
SELECT n::text, (ARRAY['slab', 'slab', 'tower', 'village', 'shop'])[1 + n %% 5], '990101001001001',
       ST_Transform(ST_Rotate(ST_Translate(
           'SRID=3857;POLYGON((-12 -7, 12 -7, 12 0, 4 0, 4 7, -12 7, -12 -7))'::geometry, x, y),
           radians(n * 37 %% 90), x, y), 4490)
FROM generate_series(-2, 2) AS column_, generate_series(-2, 2) AS row_, generate_series(0, 1999) AS n,
LATERAL ST_TileEnvelope(14, %(x)s + column_, %(y)s + row_) AS tile,
LATERAL (SELECT ST_XMin(tile) + (0.5 + n %% 50) / 50 * (ST_XMax(tile) - ST_XMin(tile)) AS x,
                ST_YMin(tile) + (0.5 + n / 50) / 40 * (ST_YMax(tile) - ST_YMin(tile)) AS y) AS spot
"""

BARE = """
SELECT ST_AsMVT(t, 'buildings', 4096, 'shape', 'id') FROM (
    SELECT id, style,
           ST_AsMVTGeom(ST_Transform(geom, 3857), ST_TileEnvelope(14, %(x)s, %(y)s), 4096, 64) AS shape
    FROM building
    WHERE geom && ST_Transform(ST_TileEnvelope(14, %(x)s, %(y)s, margin => 0.015625), 4490)) AS t
"""

SERVER = """
import sys, uvicorn
from pathlib import Path
from api.app import create_app
from gis.database import Database
from gis.settings import Settings
app = create_app(Database(sys.argv[1]), Settings(home=Path(sys.argv[2])))
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[3]), log_level="error", timeout_keep_alive=60)
"""


@contextmanager
def city() -> Iterator[tuple[str, Path, str]]:
    """(database URL, home, token) of a migrated database with the buildings and one account."""
    with tempfile.TemporaryDirectory(prefix="citygrid-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # started as root, the server's own account must be able to walk in
        cluster = PrivateCluster(Path(folder) / "pg")
        cluster.ensure()
        try:
            cluster.ensure_database("tiles")
            url = cluster.url("tiles")
            upgrade(url)
            with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
                connection.execute(GROUND, {"x": X, "y": Y})
                connection.execute("VACUUM ANALYZE building")
            database, now = Database(url), datetime.now(UTC)
            with database.system_work() as session:
                account = add_account(session, "bench", "horse correct", role="analyst", now=now)
                account.undertaking_version = undertaking.version()
                token = issue_token(session, account, now=now, kind="program").token
            database.dispose()
            yield url, Path(folder), token
        finally:
            cluster.stop()


@contextmanager
def server(url: str, home: Path, token: str) -> Iterator[Callable[..., tuple[int, bytes]]]:
    """`get(address, **headers)` -> (status, body) from the application in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = Path(__file__).resolve().parent.parent
    process = subprocess.Popen([sys.executable, "-c", SERVER, url, str(home), str(port)], cwd=root)
    try:
        connection = _connected(port, process)

        def get(address: str, **headers: str) -> tuple[int, bytes]:
            connection.request(
                "GET",
                address,
                headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip", **headers},
            )
            answer = connection.getresponse()
            get.tag = answer.headers.get("ETag", "")  # type: ignore[attr-defined]
            return answer.status, answer.read()

        yield get
    finally:
        process.terminate()
        process.wait()


def _connected(port: int, process: subprocess.Popen[bytes]) -> http.client.HTTPConnection:
    while process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            return connection
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the server did not start")


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="60 rounds instead of 400")
    rounds = 60 if arguments.parse_args().quick else 400
    with city() as (url, home, token), server(url, home, token) as get:
        bare = psycopg.connect(url.replace("+psycopg", ""), autocommit=True, prepare_threshold=1)
        bare.execute("SET max_parallel_workers_per_gather = 0")  # each worker would start PROJ anew: 130 ms

        def sql() -> bytes:
            return bytes(bare.execute(BARE, {"x": X, "y": Y}).fetchone()[0])

        status, packed = get(ADDRESS)
        tag = get.tag  # type: ignore[attr-defined]
        tile = gzip.decompress(packed)
        assert status == 200 and abs(len(tile) - len(sql())) < 200, "both sides must make the same tile"
        calls = {
            "bare SQL": sql,
            "HTTP, new": lambda: get(ADDRESS),
            "HTTP, kept copy": lambda: get(ADDRESS, **{"If-None-Match": tag}),
            "HTTP, empty endpoint": lambda: get("/healthz"),
        }
        for call in calls.values():
            for _ in range(10):
                call()
        times = {name: np.empty(rounds) for name in calls}
        for i in range(rounds):
            for name, call in calls.items():
                times[name][i] = timed(call)
        largest = max(
            len(
                _unpacked(
                    get(
                        f"/tiles/buildings/{z}/{X >> 14 - z if z < 14 else X << z - 14}/"
                        f"{Y >> 14 - z if z < 14 else Y << z - 14}.pbf"
                    )[1]
                )
            )
            for z in (14, 15, 16)
        )
        bare.close()
    _print(times, len(tile), len(packed), largest)


def _unpacked(body: bytes) -> bytes:
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def _print(times: dict[str, np.ndarray], made: int, sent: int, largest: int) -> None:
    print(f"2,000 buildings at z14: {made / 1000:.0f} kB as made, {sent / 1000:.0f} kB as sent")
    print(f"{'ms':24}{'p50':>8}{'p95':>8}{'of bare p95':>14}")
    base = np.percentile(times["bare SQL"], 95)
    for name, series in times.items():
        p50, p95 = np.percentile(series, (50, 95))
        print(f"{name:24}{p50:8.2f}{p95:8.2f}{p95 / base:14.2f}")
    ratio = float(np.percentile(times["HTTP, new"], 95) / base)
    print(json.dumps({"tile_vs_bare_sql_p95": round(ratio, 2), "tile_max_kb": round(largest / 1000)}))


if __name__ == "__main__":
    main()
