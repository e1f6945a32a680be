"""Handing over: cases, pieces of work on other people's cases, and posts of whoever leaves."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from gis.errors import Invalid, NotFound
from incidents.calendar import CITY_ZONE
from incidents.handover import HandedOver, hand_over
from incidents.incident import Incident, IncidentMove
from incidents.subtasks import Subtask
from tests.toy_city import NORTH_EAST, NOW


@pytest.fixture
def leaver(town):
    """A member with a case of their own, and two pieces of work on the leader's case, one of them begun."""
    member, leader = town.city.members[NORTH_EAST], town.city.leaders[NORTH_EAST]
    town.report(town.member)
    other = town.report(town.member, "k2")
    town.move(other, "reassign", town.operator, note="由网格长办", member_id=leader)
    for _ in range(2):
        town.move(other, "assist", town.operator, note="封闭现场", member_id=member)
    begun = town.session.scalars(sa.select(Subtask.id).order_by(Subtask.id)).first()
    town.move(other, "assist_accept", town.member, subtask_id=begun)
    return member


def pass_all(town, member, successor):
    return hand_over(town.session, member, successor, by=town.operator, now=NOW, note="离岗", zone=CITY_ZONE)


def test_the_leader_of_the_cell_takes_over_what_is_open(town, leaver):
    leader = town.city.leaders[NORTH_EAST]
    assert pass_all(town, leaver, None) == HandedOver(leader, "刘芳", cases=1, assists=2, posts=1)
    tasks = town.session.execute(sa.select(Subtask.member_id, Subtask.stage)).all()
    assert tasks == [(leader, "open")] * 2


def test_the_story_tells_who_had_a_piece_of_work_before(town, leaver):
    successor = town.city.stand_in
    pass_all(town, leaver, successor)
    told = town.session.scalars(sa.select(IncidentMove).where(IncidentMove.move == "assist_pass")).all()
    assert [(row.member_id, row.details["from_member"], row.note) for row in told] == [
        (successor, leaver, "离岗")
    ] * 2


def test_what_is_finished_stays_with_whoever_did_it(town, leaver):
    first, second = town.session.scalars(sa.select(Subtask).order_by(Subtask.id)).all()
    case = town.session.get_one(Incident, first.incident_id)
    town.move(case, "assist_finish", town.member, subtask_id=first.id)
    assert pass_all(town, leaver, None).assists == 1
    town.session.expire_all()
    assert (first.member_id, second.member_id) == (leaver, town.city.leaders[NORTH_EAST])


@pytest.mark.parametrize("left", [True, False])
def test_work_sent_back_goes_to_whoever_has_the_ground_now_where_its_person_has_left(town, left):
    member, leader = town.city.members[NORTH_EAST], town.city.leaders[NORTH_EAST]
    case = town.report(town.member)
    town.walk(case, ("accept", town.member), ("finish", town.member))
    if left:
        pass_all(town, member, leader)
    town.move(case, "rework", town.operator, note="没清干净")
    row = town.case(case)
    assert (row.handler_id, row.stage) == ((leader, "dispatched") if left else (member, "handling"))
    story = sa.select(IncidentMove.move).where(IncidentMove.incident_id == case.id).order_by(IncidentMove.id)
    told = town.session.scalars(story).all()
    assert told[-2:] == (["rework", "reassign"] if left else ["finish", "rework"])


def test_there_must_be_somebody_to_take_over(town, leaver):
    with pytest.raises(Invalid):
        pass_all(town, leaver, leaver)
    with pytest.raises(NotFound):
        pass_all(town, leaver, 10**6)
