"""Whose ground, and who is that now: the rules one by one, on the toy city."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from gis.errors import Invalid
from gis.geometry import Fix
from grids import owner_map
from grids.members import Member
from grids.responsibility import responsible_for
from tests import toy_city
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, NOW, SOUTH_EAST, STEP

METRE = STEP / 222.0
"""One metre of latitude in degrees, near enough for placing points."""


@pytest.fixture
def city(session):
    return toy_city.build(session)


def ask(session, lon, lat, **more):
    accuracy = more.pop("accuracy_m", 10.0)
    return responsible_for(session, Fix(lon, lat, accuracy), at=more.pop("at", NOW), **more)


def test_well_inside_a_cell_its_member_answers_and_is_sure(session, city):
    answer = ask(session, LON + STEP / 2, LAT + STEP / 2)
    assert (answer.rule, answer.cell_code, answer.member.id) == (
        "covered",
        NORTH_EAST,
        city.members[NORTH_EAST],
    )
    assert answer.confidence >= 0.99
    assert answer.border_m == pytest.approx(102.4, abs=1.0)  # half of 0.002 degrees at 23 N: 0.001 * 102.4 km
    assert answer.territory == NORTH_EAST
    assert "102 米" in answer.reason_zh and "王××" in answer.reason_zh and "102 m" in answer.reason_en


def test_on_a_shared_edge_the_lower_code_answers_every_time(session, city):
    answers = {ask(session, LON, LAT + STEP / 2).cell_code for _ in range(3)}
    answer = ask(session, LON, LAT + STEP / 2)
    assert answers == {NORTH_WEST}
    assert (answer.rule, answer.second_cell) == ("shared_edge", NORTH_EAST)
    assert answer.confidence == pytest.approx(0.5, abs=0.01)


def test_on_the_corner_of_four_cells_the_lowest_code_answers(session, city):
    answer = ask(session, LON, LAT)
    assert (answer.rule, answer.cell_code) == ("shared_edge", NORTH_WEST)
    assert answer.confidence == pytest.approx(0.25, abs=0.01)


def test_near_a_border_the_second_candidate_has_the_rest(session, city):
    answer = ask(session, LON + 10 * METRE, LAT + STEP / 2, accuracy_m=20.0)
    assert (answer.cell_code, answer.second_cell) == (NORTH_EAST, NORTH_WEST)
    assert 0.6 < answer.confidence < 0.9
    assert answer.confidence + answer.second_confidence == pytest.approx(1.0, abs=0.01)


def test_the_reporter_may_say_which_of_the_two_sides(session, city):
    answer = ask(session, LON + 5 * METRE, LAT + STEP / 2, accuracy_m=28.0, chosen_cell=NORTH_WEST)
    assert (answer.cell_code, answer.second_cell) == (NORTH_WEST, NORTH_EAST)
    assert any(step["step"] == "chosen" for step in answer.trace)
    elsewhere = ask(session, LON + STEP / 2, LAT + STEP / 2, chosen_cell=SOUTH_EAST)
    assert elsewhere.cell_code == NORTH_EAST, "a cell that is no candidate cannot be chosen"


def test_at_a_building_its_cell_answers(session, city):
    answer = ask(session, LON - 0.0003, LAT + 0.00105)
    assert (answer.rule, answer.cell_code, answer.building_id) == ("building", NORTH_WEST, city.building)
    assert answer.place == "银杏苑 3 栋"


def test_off_every_cell_the_nearest_within_fifty_metres_answers(session, city):
    answer = ask(session, LON + STEP + 20 * METRE, LAT + STEP / 2)
    assert (answer.rule, answer.cell_code) == ("near", NORTH_EAST)
    assert answer.border_m == pytest.approx(18.5, abs=2.0)  # 20 * 222/205 narrower degrees of longitude


def test_farther_out_the_duty_officer_answers_and_the_reason_says_so(session, city):
    answer = ask(session, LON + STEP + 300 * METRE, LAT + STEP / 2)
    assert (answer.rule, answer.cell_code, answer.member.id) == ("orphan", None, city.duty_officer)
    assert "属地兜底" in answer.reason_zh and "orphan" in answer.reason_en
    assert answer.territory.startswith("990101001")


def test_beyond_two_kilometres_the_report_is_refused_with_the_remedy(session, city):
    with pytest.raises(Invalid) as refusal:
        ask(session, LON + 0.1, LAT)
    assert "km" in refusal.value.message_en and "113.09" in refusal.value.remedy_zh


def test_swapped_axes_are_named(session, city):
    with pytest.raises(Invalid) as refusal:
        ask(session, LAT, LON)
    assert refusal.value.details["swapped"] is True


def test_an_absent_member_is_stood_in_for(session, city):
    answer = ask(session, LON + STEP / 2, LAT - STEP / 2)
    assert (answer.cell_code, answer.member.id) == (SOUTH_EAST, city.stand_in)
    assert any("代班" in step["zh"] for step in answer.trace)


def test_nobody_on_duty_still_names_somebody_and_says_so(session, city):
    session.execute(sa.update(Member).values(on_duty=False))
    answer = ask(session, LON + STEP / 2, LAT + STEP / 2)
    assert answer.member.id == city.members[NORTH_EAST] and not answer.member.on_duty
    assert any("无人值班" in step["zh"] for step in answer.trace)


def test_before_the_assignment_began_nobody_held_the_post(session, city):
    answer = ask(session, LON + STEP / 2, LAT + STEP / 2, at=NOW - timedelta(days=60))
    assert answer.member is None and "无人值班" in answer.reason_zh


def test_a_category_of_another_role_names_its_handler_beside_the_owner(session, city):
    answer = ask(session, LON + STEP / 2, LAT + STEP / 2, category="9903")
    assert answer.member.id == city.members[NORTH_EAST]
    assert answer.department == "city_management"


def test_an_unknown_category_is_refused(session, city):
    with pytest.raises(Invalid):
        ask(session, LON, LAT, category="nonsense")


def test_without_an_active_generation_the_remedy_is_told(session):
    with pytest.raises(Invalid) as refusal:
        ask(session, LON, LAT)
    assert "citygrid cells activate" in refusal.value.remedy_en


def test_a_redrawn_cell_is_seen_at_once(session, city):
    place = LON + STEP / 2, LAT + STEP / 2
    assert ask(session, *place).cell_code == NORTH_EAST
    session.execute(
        sa.text("UPDATE cell SET geom = ST_Translate(geom, 0, 1) WHERE code = :code AND generation = 'toy'"),
        {"code": NORTH_EAST},
    )
    assert ask(session, *place).cell_code != NORTH_EAST


def test_every_point_of_the_city_has_exactly_one_owner(session, city):
    picture = owner_map.current(session)
    lons = [LON + STEP * i / 10 for i in range(-10, 11)]
    lats = [LAT + STEP * i / 10 for i in range(-10, 11)]
    owners = [picture.covering_one(lon, lat) for lon in lons for lat in lats]
    assert all(owner >= 0 for owner in owners)
