"""Moves per second with everything on, beside a bare INSERT + COMMIT by the same client, eight at once.

A private cluster with its ordinary durability (fsync, synchronous commit). Eight threads walk cases of their
own from acceptance to their end: seven moves each, every one in a transaction of its own that locks the case,
asks the table, keeps the clocks, writes the story, the notices and the announcement. The bare side inserts
one row of the story's size and commits. The two take turns, round by round.

Last line: {"vs_bare_insert": moves per second / bare inserts per second}.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.migrations import upgrade
from gis.access import Principal
from gis.cluster import PrivateCluster
from gis.database import Database
from incidents import workflow
from incidents.calendar import CITY_ZONE
from incidents.workflow import ReportDraft
from tests import toy_city
from tests.toy_city import LAT, LON, NORTH_EAST, NOW, STEP

THREADS = 8
WALK = ("accept", "extend", "grant", "supervise", "finish", "verify", "close")

BARE = sa.text(
    "INSERT INTO bare (incident_id, move, at, actor, note) VALUES (:id, 'supervise', now(), '坐席', '抓紧办')"
)


@contextmanager
def town() -> Iterator[tuple[Database, Principal]]:
    """The toy city in a cluster of its own, and its north-east member."""
    with tempfile.TemporaryDirectory(prefix="citygrid-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # started as root, the server's own account must be able to walk in
        cluster = PrivateCluster(Path(folder) / "pg")
        cluster.ensure()
        try:
            cluster.ensure_database("moves")
            url = cluster.url("moves")
            upgrade(url)
            database = Database(url, pool_size=THREADS, max_overflow=0, system_pool_size=THREADS)
            with database.system_work() as session:
                city = toy_city.build(session)
                session.execute(
                    sa.text(
                        "CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
                        " incident_id bigint, move text, at timestamptz, actor text, note text)"
                    )
                )
            member = Principal(1, "wang", "王小明", "member", NORTH_EAST, city.members[NORTH_EAST])
            yield database, member
            database.dispose()
        finally:
            cluster.stop()


def together(act: Callable[[int], int]) -> float:
    """Acts per second of eight threads, each given its number and answering how many acts it did."""
    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        done = sum(pool.map(act, range(THREADS)))
    return done / (time.perf_counter() - started)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="3 rounds of 4 cases a thread, not 8 of 20")
    rounds, cases = (3, 4) if arguments.parse_args().quick else (8, 20)
    desk = Principal(2, "desk", "坐席", "command_operator", "")
    with town() as (database, member):
        people = {name: member for name in ("accept", "extend", "finish")}

        def report(thread: int, round_: int) -> list[int]:
            ids = []
            for n in range(cases):
                draft = ReportDraft(
                    f"{thread}-{round_}-{n}", LON + STEP / 2, LAT + STEP / 2, "EPSG:4490", "9901"
                )
                with database.unit_of_work(member) as session:
                    ids.append(workflow.report(session, draft, by=member, now=NOW, zone=CITY_ZONE).id)
            return ids

        def walk(ids: list[int]) -> int:
            for case_id in ids:
                for version, name in enumerate(WALK, 1):
                    by = people.get(name, desk)
                    with database.unit_of_work(by) as session:
                        workflow.move(session, case_id, name, by=by, now=NOW, version=version, note="抓紧办")
            return len(ids) * len(WALK)

        def bare(thread: int) -> int:
            for _ in range(cases * len(WALK)):
                with database.system_work() as session:
                    session.execute(BARE, {"id": thread})
            return cases * len(WALK)

        moves, inserts = [], []
        for round_ in range(rounds + 1):
            ready = [report(thread, round_) for thread in range(THREADS)]
            moves.append(together(lambda thread, ready=ready: walk(ready[thread])))
            inserts.append(together(bare))
    # The first round warms the caches of both sides.
    _print(moves[1:], inserts[1:])


def _print(moves: list[float], inserts: list[float]) -> None:
    def middle(values: list[float]) -> float:
        return sorted(values)[len(values) // 2]

    print(f"{THREADS} at once, {len(moves)} rounds in turn{'median':>12}{'slowest':>10}{'fastest':>10}")
    for name, values in (("moves per second", moves), ("bare INSERT + COMMIT", inserts)):
        print(f"{name:30}{middle(values):12.0f}{min(values):10.0f}{max(values):10.0f}")
    print(json.dumps({"vs_bare_insert": round(middle(moves) / middle(inserts), 3)}))


if __name__ == "__main__":
    main()
