"""How much of `GET /api/v1/responsible` is geometry: one request after the other, and the same step alone.

The generated cells are the active generation of a private cluster; the application serves them from a process
of its own over one kept connection. The geometric step is everything that decides whose ground a fix is (the
rules, the distance to the border, the confidence), measured in this process on the same fixes.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import shapely
import sqlalchemy as sa

from api import undertaking
from api.auth import add_account, issue_token
from api.migrations import upgrade
from benchmarks.own_cluster import own_cluster
from benchmarks.routing_peers import Layer
from benchmarks.tiles import server
from gis.database import Database
from gis.geometry import Fix, areas_m2
from grids import owner_map
from grids.ground_rules import Question, decide
from grids.reasons import Trace

FIXES, ROUNDS = 100, 5
ACCURACY_M = 8.0

_CELLS = sa.text(
    """
    INSERT INTO cell (generation, kind, code, name, area_m2, geom, territory)
    SELECT 'bench', 'social', code, code, area, ST_Multi(ST_GeomFromWKB(wkb, 4490)), code
    FROM unnest(CAST(:codes AS text[]), CAST(:areas AS float8[]), CAST(:wkbs AS bytea[]))
         AS c(code, area, wkb)
    """
)
_POSTS = sa.text(
    """
    WITH people AS (
        INSERT INTO member (name, role, territory) SELECT '甲', 'member', code FROM cell
        RETURNING id, territory
    )
    INSERT INTO duty (post, member_id, ground, starts_at, territory)
    SELECT 'member', id, territory, '2020-01-01', territory FROM people
    """
)


def geometric_share(layer: Layer, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Median microseconds of a request and of its geometric step, each fix asked once before it counts."""
    places = list(zip(x[:FIXES].tolist(), y[:FIXES].tolist(), strict=True))
    with _city(layer) as (url, home, token), server(url, home, token) as get:
        # While the server warms up, this process makes its own picture of the same ground.
        database, now = Database(url), datetime.now(UTC)
        with database.system_work() as session:
            city = owner_map.current(session)
        database.dispose()

        def step(lon: float, lat: float) -> None:
            decide(Question.of(city, Fix(lon, lat, ACCURACY_M), now), Trace())

        def request(lon: float, lat: float) -> None:
            address = "/api/v1/responsible?crs=EPSG:4490"
            status, body = get(f"{address}&lon={lon}&lat={lat}&accuracy_m={ACCURACY_M}")
            assert status == 200, body

        return {name: _median_us(ask, places) for name, ask in (("request", request), ("step", step))}


def _median_us(ask, places) -> float:
    times = []
    for round_ in range(1 + ROUNDS):
        for place in places:
            start = time.perf_counter_ns()
            ask(*place)
            if round_:
                times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1e3


@contextmanager
def _city(layer: Layer) -> Iterator[tuple[str, Path, str]]:
    """(database URL, home, token) of a city whose active generation is the layer, one member a cell."""
    cluster = own_cluster()
    cluster.ensure_database("request")
    url = cluster.url("request")
    upgrade(url)
    database, now = Database(url), datetime.now(UTC)
    with database.system_work() as session:
        session.execute(sa.text("INSERT INTO generation (name, label) VALUES ('bench', 'bench')"))
        codes = [f"990101001{n:06d}" for n in range(len(layer))]
        wkbs = [bytes(wkb) for wkb in shapely.to_wkb(layer)]
        session.execute(_CELLS, {"codes": codes, "areas": areas_m2(layer).tolist(), "wkbs": wkbs})
        session.execute(_POSTS)
        session.execute(sa.text("UPDATE generation SET status = 'active', activated_at = now()"))
        account = add_account(session, "bench", "horse correct", role="analyst", now=now)
        account.undertaking_version = undertaking.version()
        token = issue_token(session, account, now=now, kind="program").token
    database.dispose()
    with tempfile.TemporaryDirectory(prefix="citygrid-bench-") as home:
        yield url, Path(home), token
