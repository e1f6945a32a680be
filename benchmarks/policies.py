"""What the row policies cost the map: its own queries with and without them, for people of every level.

A city of 20 subdistricts, 200 communities and 2,000 cells with 1,000,000 cases, three in a hundred of them
open, and one in a thousand of the ended ones still owed an answer. The queries are those of the product,
through its own functions: tiles of the history, the list of a map window, the queue, the counters over it,
the time bar, features, a search, one case, and tiles and features of the ground. Each is asked in turn under
the policies (`unit_of_work`) and without (`system_work`), by the same principal and so with the same
conditions of its own. What counts is the processor time of our process and of its server process together,
the least of each side: nothing waits for a disk here, and what else the machine does is left out.

Last line: {"policy_worst_ratio": the largest quotient of a query that takes 1 ms or more, ...}.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.migrations import upgrade
from gis.access import Principal
from gis.cluster import PrivateCluster
from gis.database import Database, Session
from incidents import queries
from incidents.calendar import CITY_ZONE
from incidents.history_tiles import history_tile
from incidents.queries import Filter
from layers.addresses import Typed, search
from layers.features import Condition, Wanted, features
from layers.map_tiles import map_tile
from tests import toy_city
from tests.gis.test_tiles import tile_at
from tests.toy_city import NOW

WEST, SOUTH, STEP = 113.0, 22.9, 0.004
"""The city is a sheet of 50 x 40 square cells."""

LEAST_ROUNDS, MOST_ROUNDS = 9, 400
"""The first two of them warm both sides up."""

PEOPLE = {
    "city": Principal(1, "city", "", "command_operator", ""),
    "subdistrict": Principal(2, "subdistrict", "", "subdistrict_officer", "990101011"),
    "community": Principal(3, "community", "", "community_officer", "990101011008"),
    "cell": Principal(4, "cell", "", "leader", "990101011008006", member_id=4301),
}
"""Cells 1070 to 1079 are the community: ten in a row, in the middle of the sheet."""

# Cell number c -> its code: a hundred cells each are a subdistrict, ten a community.
CODE = """'990101' || lpad((1 + c / 100)::text, 3, '0') || lpad((1 + c / 10 % 10)::text, 3, '0')
          || lpad((1 + c % 10)::text, 3, '0')"""
SPOT = """ST_SetSRID(ST_MakePoint(:west + (c % 50 + random()) * :step, :south + (c / 50 + random()) * :step),
                     4490)"""
CASES = f"""
INSERT INTO incident (number, tracking_code, report_key, body_hash, reported_by, channel, category, title,
    description, stage, geom, source_lon, source_lat, source_crs, place, generation, cell_code, territory,
    rule, confidence, reason_zh, reason_en, member_id, handler_id, reported_at, closed_at, answered_at,
    due_at, due_soon_at)
SELECT 'N' || n, md5(n::text), n::text, '', (random() * 20000)::int + 100, 'member', '9901', '暴露垃圾',
    repeat('楼下堆了两天。', 10), CASE WHEN open THEN 'handling' ELSE 'closed' END, {SPOT}, 113, 23,
    'EPSG:4490', '建设大道', 'toy', code, code, 'covered', 0.99, '在网格内', 'inside', c * 4 + 1,
    c * 4 + 1 + n % 4,
    at, CASE WHEN NOT open THEN at + interval '1 day' END,
    CASE WHEN NOT open AND n % 1000 > 0 THEN at + interval '1 day' END, at + interval '1 day',
    at + interval '20 hours'
FROM generate_series(1, :cases) AS n,
LATERAL (SELECT (n * 7919::bigint % 2000)::int AS c, n % 33 = 0 AS open,
                CAST(:now AS timestamptz)
                - random() * make_interval(days => CASE WHEN n % 33 = 0 THEN 2 ELSE 700 END) AS at) AS drawn,
LATERAL (SELECT {CODE} AS code) AS coded
"""
ESTATES = [first + second for first in ("银杏", "金桂", "梧桐", "听涛", "临江") for second in "苑里坊居"]
BUILDINGS = f"""
INSERT INTO building (name, number, style, cell_code, territory, geom)
SELECT (CAST(:estates AS text[]))[1 + n % 20] || ' ' || n || ' 栋', n::text, 'slab', code, code,
    ST_Expand({SPOT}, 0.0001)
FROM generate_series(1, :cases / 10) AS n, LATERAL (SELECT (n * 7919::bigint % 2000)::int AS c) AS drawn,
LATERAL (SELECT {CODE} AS code) AS coded
"""


@contextmanager
def city(cases: int) -> Iterator[Database]:
    """The city in a cluster of its own; only reads are measured, so nothing waits for the disk."""
    tuning = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "8GB", "shared_buffers": "512MB"}
    with tempfile.TemporaryDirectory(prefix="citygrid-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # started as root, the server's own account must be able to walk in
        cluster = PrivateCluster(Path(folder) / "pg", tuning={"jit": "off", **tuning})
        cluster.ensure()
        try:
            cluster.ensure_database("policies")
            upgrade(cluster.url("policies"))
            database = Database(cluster.url("policies"))
            values = {
                "cases": cases,
                "west": WEST,
                "south": SOUTH,
                "step": STEP,
                "now": NOW,
                "estates": ESTATES,
            }
            with database.system_work() as session:
                toy_city.build(session)
                fill(session, values)
            with database.system_engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            ) as connection:
                connection.exec_driver_sql("VACUUM ANALYZE incident, building")
            yield database
            database.dispose()
        finally:
            cluster.stop()


def fill(session: Session, values: dict[str, Any]) -> None:
    """Write the cases and buildings at once: indexes are made afterwards, and foreign keys hold by making."""
    indexes = session.execute(
        sa.text(
            "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS ddl FROM pg_index"
            " WHERE indrelid IN ('incident'::regclass, 'building'::regclass) AND NOT indisunique"
        )
    ).all()
    session.execute(sa.text("SET LOCAL session_replication_role = replica"))
    session.execute(sa.text("SET LOCAL maintenance_work_mem = '512MB'"))
    for index in indexes:
        session.execute(sa.text(f"DROP INDEX {index.name}"))
    for statement in (CASES, BUILDINGS):
        session.execute(sa.text(statement), values)
    for index in indexes:
        session.connection().exec_driver_sql(index.ddl)


def asked(by: Principal, case: int) -> dict[str, Callable[[Session], Any]]:
    """The map's own queries around the middle of the community, as one person asks them."""
    lon, lat = WEST + 25.0 * STEP, SOUTH + 21.5 * STEP
    box = (lon - 0.01, lat - 0.008, lon + 0.01, lat + 0.008)
    own = queries.conditions(Filter(), by)
    mine = Condition(own.on("t"), own.params)
    day = timedelta(days=1)
    listed: dict[str, Any] = {"by": by, "now": NOW}
    return {
        "history tile z13": lambda s: history_tile(s, tile_at(lon, lat, 13), by=by),
        "history tile z15": lambda s: history_tile(s, tile_at(lon, lat, 15), by=by),
        "cases of a window": lambda s: queries.list_incidents(
            s, Filter(bbox=box, open_only=True), limit=1000, **listed
        ),
        "queue": lambda s: queries.list_incidents(s, Filter(open_only=True), **listed),
        "counters": lambda s: queries.counters(s, zone=CITY_ZONE, **listed),
        "time bar": lambda s: queries.time_bar(s, starts_at=NOW - day, ends_at=NOW + day, **listed),
        "features of cases": lambda s: features(s, "incidents", Wanted(bbox=box), role=by.role, visible=mine),
        "one case": lambda s: queries.get_incident(s, case, **listed),
        "building tile z15": lambda s: map_tile(s, "buildings", tile_at(lon, lat, 15)),
        "features of buildings": lambda s: features(s, "buildings", Wanted(bbox=box), role=by.role),
        "search": lambda s: search(s, Typed.parse("银杏苑 77"), lon=lon, lat=lat),
    }


def timed(ask: Callable[[Session], Any], session: Session) -> float:
    """Milliseconds of processor time of one question."""
    driver: Any = session.connection().connection.driver_connection
    server = Path(f"/proc/{driver.info.backend_pid}/schedstat")
    started = time.process_time_ns() + int(server.read_text().split()[0])
    ask(session)
    return (time.process_time_ns() + int(server.read_text().split()[0]) - started) / 1e6


def compare(database: Database, by: Principal, seconds: float) -> Iterator[tuple[str, float, float]]:
    """(query, ms without policies, quotient with) of one person, the two asked in turn for some seconds."""
    with database.unit_of_work(by) as under, database.system_work() as free:
        first = Filter(territory=by.territory or None, open_only=True)
        case = queries.list_incidents(free, first, by=by, now=NOW, limit=1).rows[0].id
        for name, ask in asked(by, case).items():
            pairs: list[tuple[float, float]] = []
            until = time.perf_counter() + seconds
            while len(pairs) < LEAST_ROUNDS or (time.perf_counter() < until and len(pairs) < MOST_ROUNDS):
                pairs.append((timed(ask, free), timed(ask, under)))
            without, with_ = (min(side) for side in zip(*pairs[2:], strict=True))
            yield name, without, with_ / without


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="100,000 cases, and less time for each query")
    cases, seconds = (100_000, 0.5) if arguments.parse_args().quick else (1_000_000, 2.0)
    print(f"{'':24}" + "".join(f"{name:>22}" for name in PEOPLE))
    with city(cases) as database:
        found = {name: list(compare(database, by, seconds)) for name, by in PEOPLE.items()}
    for row in zip(*found.values(), strict=True):
        print(f"{row[0][0]:24}" + "".join(f"{ms:12.2f} ms {ratio:5.2f} x" for _, ms, ratio in row))
    counted = [(ratio, name, who) for who, rows in found.items() for name, ms, ratio in rows if ms >= 1]
    worst, name, who = max(counted)
    middle = statistics.median(ratio for ratio, *_ in counted)
    figures = {"policy_worst_ratio": round(worst, 2), "worst": f"{name}, {who}", "median": round(middle, 2)}
    print(json.dumps({**figures, "cases": cases}))


if __name__ == "__main__":
    main()
