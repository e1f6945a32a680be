"""`citygrid privacy`: a dry run counts, --run removes and may be killed, a report is recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import timedelta

import sqlalchemy as sa

from layers.households import Household, Resident
from tests import toy_city
from tests.api.test_cli import citygrid  # noqa: F401 - a fixture
from tests.toy_city import NORTH_WEST, NOW

OLD = NOW - timedelta(days=4000)
MANY = 60_000
"""Enough batches of tries that a process is killed between two of them."""


def old_tries(database, many: int) -> None:
    with database.system_work() as session:
        session.execute(
            sa.text(
                "INSERT INTO sign_in_try (kind, key, free_at)"
                " SELECT 'account', decode(md5(n::text), 'hex'), :old FROM generate_series(1, :many) AS n"
            ),
            {"old": OLD, "many": many},
        )


def left(database) -> int:
    with database.system_work() as session:
        return session.execute(sa.text("SELECT count(*) FROM sign_in_try")).scalar_one()


def test_a_dry_run_counts_and_a_run_removes(citygrid, database):  # noqa: F811
    old_tries(database, 3)
    status, told, note = citygrid("privacy", "retention", "--kind", "tries")
    assert status == 0 and "3 due" in told and "Nothing was changed" in note and left(database) == 3
    status, told, _ = citygrid("privacy", "retention", "--kind", "tries", "--run", "--json")
    assert status == 0 and json.loads(told) == [{"kind": "tries", "days": 1, "due": 3, "done": 3}]
    assert left(database) == 0
    with database.system_work() as session:
        who = session.execute(
            sa.text("SELECT username FROM audit_entry WHERE action = 'retention.run'")
        ).scalar_one()
    assert who.startswith("cli:")
    assert citygrid("privacy", "retention", "--kind", "nothing")[0] == 2


def test_a_run_that_was_killed_loses_no_more_than_its_batch(citygrid, database):  # noqa: F811
    """What it had committed is gone, the rest is still due, and the next run takes it."""
    old_tries(database, MANY)
    url = database.url.render_as_string(False) if isinstance(database.url, sa.URL) else database.url
    process = subprocess.Popen(
        [sys.executable, "-c", "from api.cli import main; main()", "privacy", "retention", "--run", "--kind",
         "tries"],
        env={**os.environ, "CITYGRID_DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while left(database) == MANY and process.poll() is None:
            time.sleep(0.005)
    finally:
        process.kill()
        process.wait()
    rest = left(database)
    assert 0 < rest < MANY, "it was killed too early or too late to prove anything"
    assert rest % 500 == 0, "whole batches only"
    assert (
        json.loads(citygrid("privacy", "retention", "--kind", "tries", "--run", "--json")[1])[0]["done"]
        == rest
    )
    assert left(database) == 0


def test_a_report_tells_everything_plainly_and_is_recorded(citygrid, database):  # noqa: F811
    with database.system_work() as session:
        city = toy_city.build(session)
        home = Household(building_id=city.building, door="301", territory=NORTH_WEST)
        session.add(home)
        session.flush()
        person = Resident(
            household_id=home.id, name="孙大圣", phone="10099998888", tags=["独居老人"], territory=NORTH_WEST
        )
        session.add(person)
    asked = ("privacy", "report", "--name", "孙大圣", "--phone", "10099998888", "--purpose", "request")
    status, told, _ = citygrid(*asked)
    assert status == 0
    for words in ("孙大圣", "[personal]", "独居老人", "[sensitive]", "kept until while living there"):
        assert words in told, words
    status, told, _ = citygrid(
        "privacy", "report", "--resident", str(person.id), "--purpose", "inspection", "--json"
    )
    (one,) = json.loads(told)
    assert one["masked"] is False and [look["action"] for look in one["seen"]] == ["report_subject"]
    status, _, note = citygrid("privacy", "report", "--name", "孙", "--phone", "1", "--purpose", "request")
    assert status == 2 and "recorded" in note


def test_nothing_is_published_of_a_city_without_cases(citygrid, database):  # noqa: F811
    status, _, note = citygrid("privacy", "publish")
    assert status == 0 and "No month is due" in note
    assert json.loads(citygrid("privacy", "publish", "--json")[1]) == []
