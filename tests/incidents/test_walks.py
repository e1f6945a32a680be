"""Random walks of moves on a real case: whatever people try, the case, its story and its clocks agree."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from gis.errors import CityGridError
from incidents.clocks import CaseClock
from incidents.incident import ENDED, STAGES, Incident, IncidentMove
from incidents.lifecycle import MOVES, open_moves
from incidents.locating import DeclaredPlace
from incidents.subtask_life import AT_WORK, SUBTASK_MOVES, subtask_moves
from incidents.subtasks import Subtask
from tests.toy_city import LAT, LON, NOW, STEP

PEOPLE = ("member", "leader", "officer", "operator", "inspector", "resident", "stranger", "department")
OPEN_STAGES = [stage for stage in STAGES if stage not in ENDED]
PLACES = [DeclaredPlace(LON + side * STEP / 2, LAT + STEP / 2, "EPSG:4490", 5.0) for side in (1, -1)]
NAMES = sorted(set(MOVES) - {"report"})
BY_THE_SYSTEM = {"report", "recompute", "take_in", "let_go", "redraw"}


def agree(session: Any, case: Incident) -> None:
    """What must be true of a case at all times."""
    moves = session.scalars(
        sa.select(IncidentMove).where(IncidentMove.incident_id == case.id).order_by(IncidentMove.id)
    ).all()
    clocks = session.scalars(sa.select(CaseClock).where(CaseClock.incident_id == case.id)).all()
    running = [clock for clock in clocks if clock.stopped_at is None and clock.subtask_id is None]
    helping = [clock for clock in clocks if clock.stopped_at is None and clock.subtask_id is not None]
    tasks = session.scalars(sa.select(Subtask).where(Subtask.incident_id == case.id)).all()
    at_work = {task.id for task in tasks if task.stage in AT_WORK}
    assert case.stage in STAGES
    assert moves[-1].to_stage == case.stage and moves[-1].version == case.version
    assert [m.from_stage for m in moves[1:]] == [m.to_stage for m in moves[:-1]], "the story has no gap"
    assert len(running) <= 1 and not (running and case.stage in ENDED)
    if running:
        assert (case.due_at, case.due_soon_at) == (running[0].due_at, running[0].due_soon_at)
        assert running[0].held == (case.paused_at is not None)
        assert case.stage in (
            "parked",
            "joined",
            "reported",
            "registered",
            "dispatched",
            "handling",
            "handled",
        )
    assert {clock.subtask_id for clock in helping} == at_work and len(helping) == case.open_subtasks
    assert all(clock.held == (case.paused_at is not None) for clock in helping)
    assert not at_work or case.stage in ("registered", "dispatched", "handling", "parked")
    assert (case.closed_at is not None) == (case.stage in ENDED)
    assert (case.handler_id is not None) or case.stage not in ("dispatched", "handling")
    assert (case.paused_at is not None) or case.stage not in ("parked", "joined")
    assert (case.joined_to is not None) == (case.stage == "joined")
    assert all(clock.territory == case.territory for clock in clocks)


def test_whatever_people_try_the_case_its_story_and_its_clocks_agree(town):
    """Eight walks of sixty tries: mostly the offered move made least often, sometimes any at all."""
    made: Counter[str] = Counter()
    people = [getattr(town, name) for name in PEOPLE]
    for seed in range(8):
        chance = random.Random(seed)
        if chance.random() < 0.5:
            report = town.report(town.resident, f"walk {seed}", channel="resident", category="9904")
        else:
            report = town.report(town.member, f"walk {seed}")
        lead = town.report(town.resident, f"lead {seed}", now=NOW - timedelta(hours=1))
        case, now = town.case(report), NOW
        for _ in range(60):
            now += timedelta(minutes=chance.choice([0, 1, 30, 300, 2000]))
            tasks = town.session.scalars(sa.select(Subtask).where(Subtask.incident_id == case.id)).all()
            open_to = [(name, by, None) for by in people for name in open_moves(case, by, now)]
            open_to += [(n, by, t.id) for by in people for t in tasks for n in subtask_moves(t, case, by)]
            chance.shuffle(open_to)
            name, by, task = min(open_to, key=lambda offer: made[offer[0]])
            if chance.random() < 0.3:
                name, by = chance.choice(NAMES), chance.choice(people)
                task = chance.choice([None, *(task.id for task in tasks)])
            told = {"note": chance.choice([None, "因故", "因故"]), "place": chance.choice(PLACES)}
            told |= {"case_id": lead.id, "subtask_id": task if name in SUBTASK_MOVES else None}
            if chance.random() < 0.5:
                told["member_id"] = town.leader.member_id
            elif chance.random() < 0.7:
                told["department"] = "city_management"
            try:
                with town.session.begin_nested():
                    town.move(case, name, by, now=now, **told)
            except CityGridError:
                pass
            else:
                assert (name, by, told["subtask_id"]) in open_to, f"{name} was carried out but not offered"
                made[name] += 1
            case = town.case(case)
            agree(town.session, case)
    assert set(made) == set(MOVES) - BY_THE_SYSTEM, "the walks go everywhere"
