"""The hard cases of routing, one by one: each has a defined answer, told in Chinese and in English.

What the roster and the drawing are asked here, `citygrid cells check` and `citygrid duties check` list
beforehand; the last test holds the two against each other.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from gis.errors import Invalid
from gis.geometry import Fix
from grids.duty_check import holes
from grids.generation_check import check_generation
from grids.leaves import Leave
from grids.responsibility import responsible_for
from tests import toy_city
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, NOW, SOUTH_EAST, STEP

INSIDE = (LON + STEP / 2, LAT + STEP / 2)


@pytest.fixture
def city(session):
    return toy_city.build(session)


def move_cell(session, code, east):
    """Push a cell aside, so that it overlaps one neighbour and leaves a gap beside the other."""
    session.execute(
        sa.text("UPDATE cell SET geom = ST_Translate(geom, :east, 0) WHERE code = :code"),
        {"code": code, "east": east},
    )


def nobody_holds(session, code):
    """A cell without any post of its own."""
    session.execute(sa.text("DELETE FROM duty WHERE ground = :code"), {"code": code})


def on_leave(session, member, *, stand_in=None):
    session.add(
        Leave(
            member_id=member, kind="sick", starts_at=NOW - timedelta(hours=1),
            ends_at=NOW + timedelta(days=1), stand_in_id=stand_in, status="approved",
            asked_at=NOW - timedelta(days=1), territory=NORTH_EAST,
        )
    )  # fmt: skip
    session.flush()


def overlap(session, city):
    move_cell(session, NORTH_WEST, 0.0005)
    return {"lon": LON + 0.0002, "lat": INSIDE[1]}, NORTH_WEST, "covered", city.members[NORTH_WEST]


def gap(session, city):
    move_cell(session, NORTH_EAST, 0.0008)
    place = {"lon": LON + 0.0003, "lat": INSIDE[1]}
    return place, NORTH_WEST, "near", city.members[NORTH_WEST]


def cell_without_a_member(session, city):
    nobody_holds(session, NORTH_EAST)
    return {}, NORTH_EAST, "covered", city.duty_officer


def leave_without_a_stand_in(session, city):
    on_leave(session, city.members[NORTH_EAST])
    return {}, NORTH_EAST, "covered", city.leaders[NORTH_EAST]


def assignment_in_the_past(session, city):
    """The post ended yesterday: nobody holds it today, the leader receives."""
    session.execute(
        sa.text("UPDATE duty SET ends_at = :end WHERE member_id = :id"),
        {"end": NOW - timedelta(days=1), "id": city.members[NORTH_EAST]},
    )
    return {}, NORTH_EAST, "covered", city.leaders[NORTH_EAST]


def accuracy_of_nothing(session, city):
    return {"accuracy_m": 0.0}, NORTH_EAST, "covered", city.members[NORTH_EAST]


def accuracy_of_five_kilometres(session, city):
    return {"accuracy_m": 5_000.0}, NORTH_EAST, "covered", city.members[NORTH_EAST]


def corner_of_four_cells(session, city):
    return {"lon": LON, "lat": LAT}, NORTH_WEST, "shared_edge", city.members[NORTH_WEST]


def the_year_2031(session, city):
    at = datetime(2031, 11, 23, 2, 0, tzinfo=UTC)
    return {"at": at}, NORTH_EAST, "covered", city.members[NORTH_EAST]


CASES = (
    overlap, gap, cell_without_a_member, leave_without_a_stand_in, assignment_in_the_past,
    accuracy_of_nothing, accuracy_of_five_kilometres, corner_of_four_cells, the_year_2031,
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_hard_case_has_its_answer_and_says_why_in_both_languages(session, city, case):
    asked, cell, rule, member = case(session, city)
    fix = Fix(asked.get("lon", INSIDE[0]), asked.get("lat", INSIDE[1]), asked.get("accuracy_m", 8.0))
    answer = responsible_for(session, fix, at=asked.get("at", NOW))
    assert (answer.cell_code, answer.rule, answer.member.id) == (cell, rule, member)
    assert 0.0 <= answer.confidence <= 1.0
    assert answer.reason_zh and answer.reason_en and answer.reason_zh != answer.reason_en
    for step in answer.trace:
        assert step["zh"] and step["en"]


@pytest.mark.parametrize("accuracy", [-1.0, float("nan"), float("inf"), 1e308])
def test_an_accuracy_that_cannot_be_is_refused_with_the_remedy(accuracy):
    with pytest.raises(Invalid) as refusal:
        Fix(*INSIDE, accuracy)
    told = refusal.value
    assert "accuracy_m" in told.remedy_en and "accuracy_m" in told.remedy_zh
    assert told.message_en and "精度" in told.message_zh


def test_what_a_case_would_meet_is_listed_beforehand(session, city):
    nobody_holds(session, SOUTH_EAST)
    on_leave(session, city.members[NORTH_EAST])
    move_cell(session, NORTH_WEST, 0.0005)
    found = check_generation(session, "toy", now=NOW)
    # The pushed cell overlaps its neighbour, leaves a gap behind it, and ends outside nothing: 51 m of it lie
    # on the north-eastern cell, in the same community.
    assert found.counts == {"gap": 1, "overlap": 1, "no_team": 1}
    assert all(fault.words("zh") != fault.words("en") for fault in found.faults)
    open_ = {(hole.ground, hole.post, hole.kind) for hole in holes(session, NOW, NOW + timedelta(hours=2))}
    assert (SOUTH_EAST, "member", "vacant") in open_ and (NORTH_EAST, "member", "away") in open_
