"""Two people at once, over real connections: one wins, the other is told, and nothing is written twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.errors import CityGridError, Conflict
from incidents import ladder, workflow
from incidents.calendar import CITY_ZONE
from incidents.incident import Incident, IncidentMove
from incidents.notices import Notice
from incidents.rules import RuleSet
from incidents.workflow import ReportDraft
from tests.toy_city import LAT, LON, NOW, STEP


@pytest.fixture
def town(database, settle):
    """The toy city, committed to a database of the test's own."""
    with Session(database.system_engine, expire_on_commit=False) as session:
        built = settle(session)
        session.commit()
        yield built


def at_once(database, *acts):
    """Run acts in threads of their own, each in its own transaction, started together; results or errors."""
    gate = threading.Barrier(len(acts))

    def run(act):
        with Session(database.system_engine) as session:
            session.execute(sa.text("SELECT 1"))
            gate.wait()
            try:
                with session.begin_nested():
                    result = act(session)
                session.commit()
                return result
            except CityGridError as error:
                return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def count(database, model):
    with Session(database.system_engine) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model))


def draft(key="k"):
    return ReportDraft(key, LON + STEP / 2, LAT + STEP / 2, "EPSG:4490", "9901", accuracy_m=10.0)


def test_of_two_moves_at_once_one_wins_and_the_other_gets_conflict(database, town):
    case = town.report(town.member)
    town.session.commit()

    def accept(session):
        return workflow.move(session, case.id, "accept", by=town.member, now=NOW, version=1).version

    results = at_once(database, accept, accept, accept)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Conflict", "int"]
    with Session(database.system_engine) as session:
        assert session.get(Incident, case.id).version == 2
        moves = session.scalars(sa.select(IncidentMove.move).where(IncidentMove.version == 2)).all()
        assert moves == ["accept"]


def test_two_different_moves_at_once_do_not_both_happen(database, town):
    case = town.report(town.member)
    town.session.commit()
    results = at_once(
        database,
        lambda s: workflow.move(s, case.id, "finish", by=town.member, now=NOW, version=1).stage,
        lambda s: workflow.move(s, case.id, "void", by=town.operator, now=NOW, version=1, note="重复").stage,
    )
    assert sum(isinstance(result, Conflict) for result in results) == 1
    with Session(database.system_engine) as session:
        assert session.get(Incident, case.id).stage in ("handled", "void")


def test_a_phone_that_sends_a_report_many_times_makes_one_case(database, town):
    results = at_once(
        database,
        *[lambda s: workflow.report(s, draft(), by=town.member, now=NOW, zone=CITY_ZONE)] * 6,
    )
    assert len({result.id for result in results}) == 1
    assert sum(result.created for result in results) == 1
    assert (count(database, Incident), count(database, IncidentMove), count(database, Notice)) == (1, 3, 1)


def test_many_reports_at_once_get_numbers_of_their_own(database, town):
    acts = [
        lambda s, n=n: workflow.report(s, draft(f"k{n}"), by=town.member, now=NOW, zone=CITY_ZONE).number
        for n in range(12)
    ]
    numbers = at_once(database, *acts)
    assert len(set(numbers)) == 12 and all(number.startswith("2026-1123-") for number in numbers)


def test_two_workers_climb_the_ladder_together_and_each_case_climbs_once(database, town):
    town.session.execute(sa.update(RuleSet).values(active=False))
    town.session.execute(sa.update(RuleSet).where(RuleSet.code == "wuzhou").values(active=True))
    cases = [town.report(town.member, f"k{n}").id for n in range(12)]
    town.session.commit()
    tomorrow = NOW + timedelta(days=1)
    done = at_once(database, *[lambda session: ladder.climb(session, tomorrow, limit=8)] * 2)
    climbed = (
        sorted(done[0] + done[1]) + at_once(database, lambda session: ladder.climb(session, tomorrow))[0]
    )
    assert sorted(climbed) == cases, "what two workers leave over, the next sweep takes; nothing twice"
    assert count(database, IncidentMove) == 12 * 4


def test_a_failed_unit_of_work_leaves_no_trace(database, town):
    case = town.report(town.member)
    town.session.commit()
    before = [count(database, model) for model in (Incident, IncidentMove, Notice)]
    with pytest.raises(RuntimeError), database.unit_of_work(town.operator) as session:
        workflow.move(session, case.id, "supervise", by=town.operator, now=NOW, version=1, note="抓紧")
        workflow.report(session, draft("other"), by=town.operator, now=NOW, zone=CITY_ZONE)
        raise RuntimeError("the power went out")
    assert [count(database, model) for model in (Incident, IncidentMove, Notice)] == before
