"""A report: one case, its person, its clock and its notices, all in one transaction, once for each key."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from gis.errors import Conflict, Invalid
from incidents.categories import Category
from incidents.clocks import CaseClock
from incidents.incident import Incident, IncidentMove
from incidents.locating import DeclaredPlace
from incidents.notices import Notice
from tests.toy_city import LAT, LON, NORTH_EAST, NOW, SOUTH_EAST, STEP


def rows(session, model, case_id):
    wanted = sa.select(model).where(model.incident_id == case_id).order_by(model.id)
    return session.scalars(wanted).all()


def count(session, model=Incident):
    return session.scalar(sa.select(sa.func.count()).select_from(model))


def test_a_members_report_is_registered_and_dispatched_at_once(town):
    reported = town.report(town.member, description="垃圾堆了两天")
    case = town.case(reported)
    assert (reported.stage, reported.version, reported.created) == ("dispatched", 1, True)
    assert (case.member_id, case.handler_id) == (town.city.members[NORTH_EAST],) * 2
    assert case.registered_at == case.dispatched_at == case.reported_at == NOW
    assert case.territory == case.cell_code == NORTH_EAST
    assert case.number == "2026-1123-0001"
    story = rows(town.session, IncidentMove, case.id)
    assert [(m.move, m.from_stage, m.to_stage) for m in story] == [
        ("report", None, "reported"),
        ("register", "reported", "registered"),
        ("dispatch", "registered", "dispatched"),
    ]
    assert story[-1].member_id == case.handler_id


def test_the_handling_clock_starts_with_the_dispatch(town):
    """10:00 + 4 working hours: two until noon, two from 13:30."""
    case = town.case(town.report(town.member))
    assert case.due_at == NOW.replace(hour=15, minute=30)
    assert case.due_soon_at == NOW.replace(hour=14, minute=30)
    assert case.limit_words_zh == "派遣 10:00 ＋ 4 工作时（08:30–12:00，13:30–17:30）＝ 15:30"
    (clock,) = rows(town.session, CaseClock, case.id)
    assert (clock.clock, clock.kind, clock.due_at, clock.stopped_at) == (
        "handle", "working_hours", case.due_at, None,
    )  # fmt: skip


def test_the_notices_are_written_with_the_case(town):
    reported = town.report(town.member)
    (notice,) = rows(town.session, Notice, reported.id)
    assert (notice.kind, notice.member_id) == ("task_arrived", town.city.members[NORTH_EAST])


def test_a_residents_report_waits_for_confirmation_where_the_category_says_so(town):
    waiting = town.case(town.report(town.resident, channel="resident", category="9904"))
    assert (waiting.stage, waiting.handler_id) == ("reported", None)
    assert waiting.member_id == town.city.members[NORTH_EAST], "the owner of the ground is named all the same"
    assert waiting.due_at == NOW + timedelta(hours=24), "the record clock of the shipped rule set"
    (notice,) = rows(town.session, Notice, waiting.id)
    assert (notice.kind, notice.member_id) == ("confirm_wanted", waiting.member_id)
    at_once = town.report(town.resident, "k2", channel="resident", category="9901")
    assert at_once.stage == "dispatched"


def test_the_same_key_is_answered_with_the_first_result(town):
    first = town.report(town.resident, channel="resident", description="一")
    again = town.report(town.resident, channel="resident", description="一", now=NOW + timedelta(minutes=5))
    assert not again.created
    assert as_shown(again) == as_shown(first)
    assert count(town.session) == 1 and count(town.session, Notice) == 1


def as_shown(reported):
    """All of an answer that is shown of it, but for whether it is the first."""
    found = reported.responsibility
    people = {name: getattr(found, name) for name in ("member", "handler", "building_head", "second_member")}
    shown = {key: who and (who.id, who.name, who.phone, who.post, who.on_duty) for key, who in people.items()}
    plain = replace(found, **dict.fromkeys(people))
    return replace(reported, created=True, responsibility=plain), shown


def test_the_first_result_is_told_again_whatever_has_become_of_the_case(town):
    """Handed back, its pin put on other ground, twice: who had it and why is told as it was."""
    first = town.report(town.member)
    town.move(first, "hand_back", town.member, note="不在辖区")
    for steps in (-1, 1):
        place = DeclaredPlace(LON + steps * STEP / 2, LAT - STEP / 2, "EPSG:4490", 5.0)
        town.move(first, "relocate", town.operator, place=place, note="定位有误")
    assert town.case(first).cell_code not in (NORTH_EAST, None)
    again = town.report(town.member, now=NOW + timedelta(hours=1))
    assert (again.created, again.stage, again.version) == (False, "dispatched", 1)
    assert as_shown(again) == as_shown(first)


def test_a_decision_of_before_they_were_kept_is_told_without(town):
    first = town.report(town.member)
    town.session.execute(sa.update(Incident).values(decision={}))
    again = town.report(town.member)
    assert (again.id, again.stage, again.responsibility) == (first.id, "dispatched", None)


def test_a_retry_is_answered_even_when_the_report_would_be_refused_by_now(town):
    first = town.report(town.resident, channel="resident")
    town.session.execute(sa.update(Category).where(Category.code == "9901").values(active=False))
    assert town.report(town.resident, channel="resident").id == first.id
    with pytest.raises(Invalid):
        town.report(town.resident, "k2", channel="resident")


def test_the_same_key_with_another_body_is_a_conflict(town):
    first = town.report(town.member, description="一")
    with pytest.raises(Conflict) as refusal:
        town.report(town.member, description="二")
    assert refusal.value.details["incident"] == first.id
    assert count(town.session) == 1


def test_two_reporters_may_use_the_same_key(town):
    assert town.report(town.member).id != town.report(town.operator, channel="desk").id


@pytest.mark.parametrize(
    "fault",
    [
        {"key": ""},
        {"key": "k" * 81},
        {"description": "字" * 4001},
        {"title": "题" * 61},
        {"description": "a\x00b"},
        {"unit": "\ud83d"},
        {"key": "k\x00"},
        {"category": "nonsense"},
        {"category": "99\x0001"},
        {"crs": ""},
        {"crs": "EPSG:9999"},
        {"lon": float("nan")},
        {"lon": 23.0, "lat": 113.1},
        {"lon": LON + 1.0},
        {"accuracy_m": -1.0},
    ],
    ids=str,
)
def test_a_report_that_cannot_be_is_refused_in_both_languages_and_writes_nothing(town, fault):
    with pytest.raises(Invalid) as refusal:
        town.report(town.member, **fault)
    assert refusal.value.message_en and refusal.value.message_zh
    assert refusal.value.remedy_en and refusal.value.remedy_zh
    assert [count(town.session, m) for m in (Incident, IncidentMove, Notice, CaseClock)] == [0, 0, 0, 0]


def test_several_faults_are_told_at_once(town):
    with pytest.raises(Invalid) as refusal:
        town.report(town.member, title="题" * 61, description="字" * 4001)
    assert "title" in refusal.value.message_en and "description" in refusal.value.message_en


def test_an_absent_member_is_stood_in_for_and_the_stand_in_gets_the_task(town):
    case = town.case(town.report(town.operator, channel="desk", lat=23.0 - STEP / 2))
    assert case.territory == SOUTH_EAST and case.handler_id == town.city.stand_in


def test_the_reporters_word_on_the_side_of_the_road_counts(town):
    near = {"lon": LON + 0.00003, "accuracy_m": 30.0}
    unasked = town.case(town.report(town.member, **near))
    other = unasked.second_cell
    chosen = town.case(town.report(town.member, "k2", chosen_cell=other, **near))
    assert (chosen.cell_code, chosen.second_cell) == (other, unasked.cell_code)


def test_an_urgent_category_makes_an_urgent_case(town):
    town.session.execute(sa.update(Category).where(Category.code == "9901").values(urgent=True))
    assert town.case(town.report(town.member)).grade == 1


def test_the_day_of_a_number_is_the_citys_own(town):
    """16:30 UTC on the 23rd is half past midnight on the 24th in the city."""
    late = NOW.replace(hour=23) + timedelta(hours=1, minutes=30)
    assert town.report(town.member, now=late).number.startswith("2026-1124-")
