"""All indicators of 100,000 cases over a month, three spans, cell by cell, beside the same in pandas.

A private cluster with its ordinary settings holds the cases of 90 days with their story and clocks, made by
SQL. Both sides answer the same question: numerator and denominator of four indicators over 30 days, the span
before and the year before, for each of 400 cells. pandas is timed with its frames in memory, and with the
reading it would need. The counts of both must be equal.

Timed too: all indicators of one community of the twenty, and replay: the cases open at a minute in the middle
of the 90 days.

Last line: {"vs_pandas": seconds of pandas with reading / ours, "vs_pandas_in_memory": without it,
"differences": 0, "all_indicators_s": ours for all indicators by cell, "one_community_s": the same of one
community, "replay_ms": median}.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.moves import town
from gis.access import Principal
from incidents.calendar import CITY_ZONE
from incidents.evaluation import Scope, evaluate
from incidents.indicators import INDICATORS
from incidents.replay import replay
from incidents.windows import Window, named_window
from tests.toy_city import NOW

DESK = Principal(0, "desk", "坐席", "analyst", "")
COMMUNITY = "990101001003"
COMPARED = ("handled_on_time", "handled", "rework", "accurate_dispatch")

# Case n is reported in even steps over 90 days. One in 18 is late, one in 30 reworked, one in 40 handed back,
# one in 50 still open. Everything happens minutes after the report, so that a window cuts through all of it.
FILL = """
INSERT INTO incident (number, tracking_code, report_key, body_hash, channel, category, title, description,
                      stage, version, grade, geom, source_lon, source_lat, source_crs, cell_code, territory,
                      rule, confidence, reason_zh, reason_en, member_id, handler_id, reported_at,
                      registered_at, dispatched_at, finished_at, closed_at, due_at, due_soon_at)
SELECT 'b' || n, 'b' || n, 'b' || n, '', 'member', '9901', '暴露垃圾', '',
       CASE WHEN n % 50 = 0 THEN 'dispatched' ELSE 'closed' END, 5, 3,
       ST_SetSRID(ST_MakePoint(113.1 + (n % 997) * 1e-6, 23 + (n % 991) * 1e-6), 4490),
       113.1, 23, 'EPSG:4490', cell, cell, 'covered', 1, '', '', :member, :member, at, at, at,
       CASE WHEN n % 50 > 0 THEN at + '3 h'::interval END, CASE WHEN n % 50 > 0 THEN at + '5 h'::interval END,
       at + '4 h'::interval, at + '3 h'::interval
FROM (SELECT n, CAST(:start AS timestamptz) + n * (interval '90 days' / CAST(:count AS int)) AS at,
             '990101001' || lpad((n % 20)::text, 3, '0') || lpad((n % 400)::text, 3, '0') AS cell
      FROM generate_series(1, CAST(:count AS int)) AS n) AS made;

INSERT INTO incident_move (incident_id, move, from_stage, to_stage, at, actor_name, role, member_id, version,
                           territory)
SELECT i.id, m.move, m.from_stage, m.to_stage, i.reported_at + m.after, '坐席', 'member', m.member, m.version,
       i.territory
FROM incident AS i CROSS JOIN LATERAL (SELECT substr(i.number, 2)::int AS n) AS x CROSS JOIN LATERAL (VALUES
    ('report', NULL, 'reported', '0'::interval, NULL::int, 1, true),
    ('register', 'reported', 'registered', '0'::interval, NULL, 1, true),
    ('dispatch', 'registered', 'dispatched', '0'::interval, :member, 1, true),
    ('hand_back', 'dispatched', 'registered', '20 min'::interval, NULL, 2, x.n % 40 = 0),
    ('dispatch', 'registered', 'dispatched', '40 min'::interval, :member, 3, x.n % 40 = 0),
    ('finish', 'dispatched', 'handled', CASE WHEN x.n % 18 = 0 THEN '6 h' ELSE '3 h' END::interval, NULL, 4,
     x.n % 50 > 0),
    ('rework', 'handled', 'handling', '6 h 10 min'::interval, NULL, 5, x.n % 30 = 0 AND x.n % 50 > 0),
    ('finish', 'handling', 'handled', '6 h 30 min'::interval, NULL, 6, x.n % 30 = 0 AND x.n % 50 > 0),
    ('close', 'handled', 'closed', '7 h'::interval, NULL, 7, x.n % 50 > 0)
) AS m(move, from_stage, to_stage, after, member, version, made) WHERE m.made;

INSERT INTO case_clock (incident_id, clock, level, kind, value, started_at, due_at, due_soon_at, words_zh,
                        words_en, stopped_at, stopped_by, territory)
SELECT i.id, 'handle', 'community', 'urgent_hours', 4, i.reported_at, i.due_at, i.due_soon_at, '', '',
       CASE WHEN n % 50 > 0 THEN i.reported_at + CASE WHEN n % 18 = 0 THEN '6 h' ELSE '3 h' END::interval END,
       CASE WHEN n % 50 > 0 THEN 'finish' END, i.territory
FROM incident AS i CROSS JOIN LATERAL (SELECT substr(i.number, 2)::int AS n) AS x;
"""


def fill(session: Session, count: int, member: int) -> None:
    start = NOW - timedelta(days=90)
    for statement in FILL.split(";\n"):
        if statement.strip():
            session.execute(sa.text(statement), {"start": start, "count": count, "member": member})


def read_frames(session: Session) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What pandas needs: the clocks and the moves, each with its cell."""
    connection = session.connection()
    clocks = pd.read_sql(
        "SELECT incident_id, territory, due_at, stopped_at, stopped_by FROM case_clock"
        " WHERE clock = 'handle'",
        connection,
    )
    moves = pd.read_sql(
        "SELECT id, incident_id, territory, move, version, at FROM incident_move"
        " WHERE move IN ('dispatch', 'hand_back', 'undo', 'finish', 'rework')",
        connection,
    )
    return clocks, moves


def in_pandas(clocks: pd.DataFrame, moves: pd.DataFrame, windows: list[Window]) -> dict[Any, tuple[int, int]]:
    """(cell, window, indicator) -> counts, by the definitions of `incidents.populations`."""
    found: dict[Any, tuple[int, int]] = {}

    def keep(rows: pd.DataFrame, n: int, name: str, flag: str) -> None:
        told = rows.groupby("territory")[flag].agg(["sum", "count"])
        found.update({(code, n, name): (int(a), int(b)) for code, a, b in told.itertuples()})

    for n, window in enumerate(windows):
        start, end = window.starts_at, min(window.ends_at, NOW)
        judged = clocks[["due_at", "stopped_at"]].min(axis=1)
        met = clocks["stopped_by"] == "finish"
        missed = clocks["stopped_at"].isna() | (clocks["due_at"] < clocks["stopped_at"])
        rows = clocks[(judged >= start) & (judged < end) & (met | missed)].copy()
        rows["in_time"] = rows["stopped_at"] <= rows["due_at"]
        rows["done"] = (rows["stopped_by"] == "finish") & (rows["stopped_at"] < end)
        keep(rows, n, "handled_on_time", "in_time")
        keep(rows, n, "handled", "done")
        within = moves[(moves["at"] >= start) & (moves["at"] < end)].sort_values(
            ["incident_id", "version", "id"]
        )
        for name, first, kinds, second in (
            ("rework", "finish", ("finish", "rework"), "rework"),
            ("accurate_dispatch", "dispatch", ("dispatch", "hand_back", "undo"), "hand_back"),
        ):
            some = within[within["move"].isin(kinds)].copy()
            some["next"] = some.groupby("incident_id")["move"].shift(-1)
            some = some[(some["move"] == first) & (some["next"] != "undo")].copy()
            some["flag"] = some["next"] == second if name == "rework" else some["next"] != second
            keep(some, n, name, "flag")
    return found


def timed(act: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """The median of so many runs, and the last answer."""
    spent, answer = [], None
    for _ in range(rounds):
        started = time.perf_counter()
        answer = act()
        spent.append(time.perf_counter() - started)
    return sorted(spent)[len(spent) // 2], answer


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="10,000 cases, one round")
    quick = arguments.parse_args().quick
    count, rounds = (10_000, 1) if quick else (100_000, 3)
    month = named_window("30d", NOW, CITY_ZONE)
    windows = [month, month.previous, month.year_before]
    wanted = [INDICATORS[name] for name in COMPARED]
    with town() as (database, member):
        with database.system_work() as session:
            fill(session, count, member.member_id or 0)
        with database.system_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
        with database.unit_of_work(DESK) as session:
            asked: dict[str, Any] = {"by": DESK, "now": NOW, "group": "cell"}
            ours, counts = timed(lambda: evaluate(session, windows, indicators=wanted, **asked), rounds)
            every, _ = timed(lambda: evaluate(session, windows, **asked), rounds)
            part = Scope(territory=COMMUNITY)
            of_one, _ = timed(lambda: evaluate(session, windows, scope=part, **asked), rounds)
            reading, frames = timed(lambda: read_frames(session), rounds)
            memory, theirs = timed(lambda: in_pandas(*frames, windows), rounds)
            then = NOW - timedelta(days=45)
            past, rows = timed(lambda: replay(session, then, by=DESK), 2 * rounds + 1)
    mine = {
        (code, n, id_): (ratio.numerator, ratio.denominator)
        for code, of_code in counts.items()
        for n, numbers in enumerate(of_code)
        for id_, ratio in numbers.items()
        if ratio.denominator
    }
    differences = sum(mine.get(key) != theirs.get(key) for key in mine.keys() | theirs.keys())
    print(f"{count:,} cases, 3 spans, 400 cells{'seconds':>30}")
    for name, seconds in (
        ("CityGrid, the four compared", ours),
        ("CityGrid, all indicators", every),
        ("CityGrid, all indicators, one community", of_one),
        ("pandas, frames in memory", memory),
        ("pandas, reading included", memory + reading),
    ):
        print(f"{name:44}{seconds:12.2f}")
    print(f"{f'replay of a minute, {len(rows):,} cases open':44}{past:12.3f}")
    print(
        json.dumps(
            {
                "vs_pandas": round((memory + reading) / ours, 2),
                "vs_pandas_in_memory": round(memory / ours, 2),
                "differences": differences,
                "all_indicators_s": round(every, 2),
                "one_community_s": round(of_one, 2),
                "replay_ms": round(1000 * past, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
