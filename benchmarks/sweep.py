"""What a round of the worker costs over a city full of open cases, of which few are due.

The toy city with 1,000, 10,000 and 100,000 open cases, each with its clock: one in ten long overdue at the
top of the ladder and told of, one in a hundred overdue while it is paused. At each size 50 become due between
one round and the next. A round is what `api.worker` does every few seconds: reminders, reviews of parked
points, the ladder. Shown are its statements, its time, and the rows PostgreSQL read for it in the tables of
cases and clocks: with nothing due, and with the fifty.

Last line: {"statements_idle", "ms_idle", "rows_read_idle", "ms_due", "rows_read_due"} at the largest size.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.migrations import upgrade
from api.worker import Worker
from gis.cluster import PrivateCluster
from gis.database import Database, Statement
from gis.settings import Settings
from tests import toy_city
from tests.toy_city import LAT, LON, NORTH_EAST, STEP

SIZES = (1_000, 10_000, 100_000)
DUE = 50
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)

FILL = """
    INSERT INTO incident (number, tracking_code, report_key, body_hash, channel, category, title, description,
        stage, geom, source_lon, source_lat, source_crs, generation, cell_code, territory, rule, confidence,
        reason_zh, reason_en, member_id, handler_id, reported_at, registered_at, dispatched_at, due_at,
        due_soon_at, level, paused_at)
    SELECT 'S' || n, 'S' || n, 'S' || n, '', 'import', '9901', '测试', '', 'dispatched',
        ST_SetSRID(ST_MakePoint(:lon + random() * :step, :lat + random() * :step), 4490), 0, 0, 'EPSG:4490',
        'toy', :cell, :cell, 'covered', 1, '', '', :member, :member, :now, :now, :now,
        due_at, due_at - interval '1 hour', CASE WHEN n % 10 = 0 THEN 'city' ELSE 'community' END,
        CASE WHEN n % 100 = 1 THEN due_at - interval '1 day' END
    FROM (SELECT n, :now + n * interval '1 s' + CASE WHEN n % 10 = 0 OR n % 100 = 1 THEN interval '-9 days'
                                                     ELSE interval '2 days' END AS due_at
          FROM generate_series(:low + 1, :high) AS n) AS made
"""
CLOCKS = """
    INSERT INTO case_clock (incident_id, clock, level, kind, value, started_at, due_at, due_soon_at, words_zh,
                            words_en, territory, pauses)
    SELECT i.id, 'handle', i.level, 'urgent_hours', 48, i.dispatched_at, i.due_at, i.due_soon_at, '', '',
           i.territory, CASE WHEN i.paused_at IS NULL THEN '[]'
                             ELSE jsonb_build_array(jsonb_build_array(i.paused_at, NULL)) END
    FROM incident AS i LEFT JOIN case_clock AS c ON c.incident_id = i.id WHERE c.id IS NULL
"""
COME_DUE = """
    WITH chosen AS (SELECT id FROM incident WHERE due_at > :now ORDER BY random() LIMIT :due),
         clocks AS (UPDATE case_clock AS c SET due_at = :now - interval '1 minute',
                           due_soon_at = :now - interval '1 hour' FROM chosen WHERE c.incident_id = chosen.id)
    UPDATE incident AS i SET due_at = :now - interval '1 minute' FROM chosen WHERE i.id = chosen.id
"""
READ = """
    SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint
    FROM pg_stat_user_tables WHERE relname IN ('incident', 'case_clock')
"""


@contextmanager
def town() -> Iterator[tuple[Database, int]]:
    """The toy city in a cluster of its own, and its north-east member."""
    with tempfile.TemporaryDirectory(prefix="citygrid-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # started as root, the server's own account must be able to walk in
        cluster = PrivateCluster(Path(folder) / "pg")
        cluster.ensure()
        try:
            cluster.ensure_database("sweep")
            upgrade(cluster.url("sweep"))
            database = Database(cluster.url("sweep"))
            with database.system_work() as session:
                city = toy_city.build(session)
                session.execute(sa.text("UPDATE rule_set SET active = code = 'wuzhou'"))
            yield database, city.members[NORTH_EAST]
            database.dispose()
        finally:
            cluster.stop()


class Meter:
    """Statements, milliseconds and rows read by one round of a worker."""

    def __init__(self, database: Database) -> None:
        self._database, self._statements = database, 0
        sa.event.listen(database.system_engine, "before_cursor_execute", self._count)
        straight = Statement.first

        def counted(statement: Statement, *args: Any) -> Any:
            self._count()
            return straight(statement, *args)

        Statement.first = counted  # type: ignore[method-assign, assignment]  # it goes past SQLAlchemy's events

    def _count(self, *_: object) -> None:
        self._statements += 1

    def round(self, now: datetime) -> tuple[int, float, int]:
        worker = Worker(self._database, Settings(), {}, lambda: now)
        before = self._rows_read()
        with self._database.system_work():
            pass  # the connection is there before the clock runs
        self._statements = 0
        started = time.perf_counter()
        worker.keep_deadlines(threading.Event())
        seconds, statements = time.perf_counter() - started, self._statements
        return statements, seconds * 1000, self._rows_read() - before

    def _rows_read(self) -> int:
        """Asked of PostgreSQL's own statistics, once every connection has passed on what it knows."""
        self._database.system_engine.dispose()
        seen: list[int] = []
        while len(seen) < 4 or len(set(seen[-4:])) > 1:
            time.sleep(0.25)
            with self._database.system_engine.connect() as connection:
                seen.append(int(connection.exec_driver_sql(READ).scalar_one()))
        return seen[-1]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="up to 10,000 cases")
    sizes = SIZES[:2] if arguments.parse_args().quick else SIZES
    print(f"{'open cases':>12}{'':>6}{'statements':>12}{'ms':>10}{'rows read':>12}")
    figures: dict[str, float] = {}
    with town() as (database, member):
        meter, low = Meter(database), 0
        for size in sizes:
            values = {
                "lon": LON, "lat": LAT, "step": STEP, "cell": NORTH_EAST, "member": member, "now": NOW,
                "low": low, "high": size,
            }  # fmt: skip
            with database.system_work() as session:
                session.execute(sa.text(FILL), values)
                session.execute(sa.text(CLOCKS))
            low = size
            meter.round(NOW)  # tells of what is long overdue
            with database.system_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as bare:
                bare.exec_driver_sql("VACUUM ANALYZE incident, case_clock")
            meter.round(NOW)  # warms the plans
            idle = meter.round(NOW + timedelta(seconds=1))
            with database.system_work() as session:
                session.execute(sa.text(COME_DUE), {"now": NOW, "due": DUE})
            due = meter.round(NOW + timedelta(seconds=2))
            for name, (statements, ms, rows) in (("idle", idle), ("due", due)):
                print(f"{size:>12,}{name:>6}{statements:>12}{ms:>10.1f}{rows:>12,}")
            figures = {
                "statements_idle": idle[0],
                "ms_idle": round(idle[1], 1),
                "rows_read_idle": idle[2],
                "ms_due": round(due[1], 1),
                "rows_read_due": due[2],
            }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
