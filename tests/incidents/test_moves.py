"""Moves on a case: what each changes, what each refuses, and that a refusal writes nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from gis.access import Principal
from gis.errors import Conflict, Denied, Invalid, NotFound
from grids.members import Member
from incidents import workflow
from incidents.incident import IncidentMove
from incidents.locating import DeclaredPlace
from incidents.notices import Notice
from incidents.overrides import DispatchOverride
from incidents.queries import get_incident
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, NOW, STEP


def story(town, case):
    wanted = sa.select(IncidentMove).where(IncidentMove.incident_id == case.id).order_by(IncidentMove.id)
    return town.session.scalars(wanted).all()


def notices(town, case, since=0):
    wanted = sa.select(Notice).where(Notice.incident_id == case.id).order_by(Notice.id)
    return [(n.kind, n.member_id) for n in town.session.scalars(wanted)][since:]


@pytest.fixture
def waiting(town):
    """A resident's report that waits for confirmation."""
    return town.report(town.resident, channel="resident", category="9904")


@pytest.fixture
def task(town):
    """A case dispatched to the north-east member."""
    return town.report(town.member)


def test_a_case_walks_from_a_residents_report_to_its_end(town, waiting):
    town.walk(waiting, ("confirm", town.member), ("dispatch", town.operator), ("accept", town.member))
    town.walk(waiting, ("finish", town.member), ("verify", town.inspector), ("close", town.officer))
    case = town.case(waiting)
    assert (case.stage, case.version) == ("closed", 7)
    moments = (case.registered_at, case.dispatched_at, case.accepted_at, case.finished_at, case.verified_at)
    assert None not in moments and case.closed_at is not None
    told = [m.move for m in story(town, case)]
    assert told == ["report", "confirm", "dispatch", "accept", "finish", "verify", "close"]
    assert [m.version for m in story(town, case)] == [1, 2, 3, 4, 5, 6, 7]


def test_every_row_tells_who_when_where_and_why(town, task):
    town.move(task, "accept", town.member, now=NOW + timedelta(minutes=9), here=(LON, LAT), note="马上去")
    last = story(town, task)[-1]
    assert (last.move, last.from_stage, last.to_stage) == ("accept", "dispatched", "handling")
    assert (last.at, last.account_id, last.actor_name, last.role) == (
        NOW + timedelta(minutes=9), town.member.account_id, "王小明", "member",
    )  # fmt: skip
    assert (last.lon, last.lat, last.note, last.version) == (LON, LAT, "马上去", 2)


def test_a_server_clock_that_was_set_back_does_not_turn_the_story_around(town, task):
    town.move(task, "pause", town.officer, now=NOW + timedelta(hours=1), note="等")
    town.move(task, "go_on", town.officer, now=NOW - timedelta(days=1))
    assert [m.at for m in story(town, task)[-2:]] == [NOW + timedelta(hours=1)] * 2
    assert town.case(task).due_at == NOW.replace(hour=15, minute=30), "an empty pause costs nothing"


def test_the_story_cannot_be_rewritten(town, task):
    for change in (sa.update(IncidentMove).values(note="改"), sa.delete(IncidentMove)):
        with pytest.raises(sa.exc.ProgrammingError, match="append-only"), town.session.begin_nested():
            town.session.execute(change)


def test_notices_go_to_who_gets_and_who_loses_a_task(town, task):
    before = len(notices(town, task))
    town.move(task, "hand_back", town.member, note="不归我管")
    assert notices(town, task, before) == [("task_taken", town.member.member_id), ("case_arrived", None)]
    town.move(task, "dispatch", town.officer, member_id=town.leader.member_id, note="请您看看")
    assert notices(town, task, before + 2) == [("task_arrived", town.leader.member_id)]
    town.move(task, "supervise", town.inspector, note="抓紧")
    assert notices(town, task, before + 3) == [("supervise", town.leader.member_id)]


def test_a_dispatch_goes_to_whom_the_routing_found_unless_somebody_else_is_named(town, waiting):
    town.walk(waiting, ("register", town.operator), ("dispatch", town.operator))
    assert town.case(waiting).handler_id == town.member.member_id
    assert not town.session.scalars(sa.select(DispatchOverride)).all()


def test_choosing_another_than_proposed_needs_a_reason_and_is_kept(town, waiting):
    town.walk(waiting, ("register", town.operator))
    with pytest.raises(Invalid), town.session.begin_nested():
        town.move(waiting, "dispatch", town.operator, member_id=town.leader.member_id)
    assert town.case(waiting).stage == "registered"
    town.move(waiting, "dispatch", town.operator, member_id=town.leader.member_id, note="网格员在培训")
    (kept,) = town.session.scalars(sa.select(DispatchOverride))
    assert (kept.proposed_id, kept.chosen_id) == (town.member.member_id, town.leader.member_id)


def test_a_reassigned_case_keeps_its_clock_and_waits_to_be_accepted(town, task):
    town.walk(task, ("accept", town.member))
    due_at = town.case(task).due_at
    town.move(
        task, "reassign", town.leader, member_id=town.leader.member_id, note="我来", now=NOW.replace(hour=11)
    )
    case = town.case(task)
    assert (case.stage, case.handler_id, case.accepted_at) == ("dispatched", town.leader.member_id, None)
    assert case.due_at == due_at
    assert story(town, task)[-1].details == {"from_member": town.member.member_id}


def test_a_dispatch_can_be_undone_within_a_minute(town, waiting):
    town.walk(waiting, ("register", town.operator))
    due_to_dispatch = town.case(waiting).due_at
    town.move(waiting, "dispatch", town.operator, now=NOW + timedelta(minutes=10))
    town.move(waiting, "undo", town.operator, now=NOW + timedelta(minutes=10, seconds=50))
    case = town.case(waiting)
    assert (case.stage, case.handler_id, case.dispatched_at) == ("registered", None, None)
    assert case.due_at == due_to_dispatch, "the desk's own clock was never stopped"
    town.move(waiting, "dispatch", town.operator, now=NOW + timedelta(minutes=11))
    with pytest.raises(Conflict):
        town.move(waiting, "undo", town.operator, now=NOW + timedelta(minutes=12, seconds=1))


def test_a_moved_pin_routes_again_and_keeps_the_old_place_in_the_story(town, task):
    west = DeclaredPlace(LON - STEP / 2, LAT + STEP / 2, "EPSG:4490", 5.0)
    town.walk(task, ("accept", town.member))
    due_at = town.case(task).due_at
    town.move(task, "relocate", town.officer, place=west, note="定位偏到路对面")
    case = town.case(task)
    west_member = town.city.members[NORTH_WEST]
    assert (case.cell_code, case.territory, case.member_id) == (NORTH_WEST, NORTH_WEST, west_member)
    assert (case.stage, case.handler_id, case.due_at) == ("dispatched", west_member, due_at)
    moved, reassigned = story(town, task)[-2:]
    assert (moved.move, reassigned.move) == ("relocate", "reassign")
    assert moved.details["from"]["cell_code"] == NORTH_EAST
    assert moved.details["from"]["lon"] == pytest.approx(LON + STEP / 2)
    assert moved.details["from"]["decision"]["member"]["id"] == town.member.member_id
    shown = get_incident(town.session, case.id, by=town.officer, now=NOW)
    assert shown.row.lon == pytest.approx(LON - STEP / 2)
    assert "decision" not in next(m for m in shown.story if m.move == "relocate").details["from"]


def test_a_pin_moved_within_the_same_cell_leaves_the_person_in_charge(town, task):
    town.walk(task, ("accept", town.member))
    place = DeclaredPlace(LON + STEP / 3, LAT + STEP / 3, "EPSG:4490", 5.0)
    town.move(task, "relocate", town.officer, place=place, note="更准")
    assert (town.case(task).stage, town.case(task).handler_id) == ("handling", town.member.member_id)


def test_a_pin_cannot_be_moved_out_of_the_city_or_to_nowhere(town, task):
    for place in (None, DeclaredPlace(LON + 1, LAT, "EPSG:4490"), DeclaredPlace(LON, LAT, None)):
        with pytest.raises(Invalid), town.session.begin_nested():
            town.move(task, "relocate", town.officer, place=place, note="挪")
        assert town.case(task).cell_code == NORTH_EAST


def test_a_parked_case_has_a_review_date_and_goes_back_where_it_was(town, task):
    town.walk(task, ("accept", town.member))
    town.move(task, "park", town.officer, note="等雨季过后", review_on=date(2027, 3, 1))
    case = town.case(task)
    assert (case.stage, case.review_on) == ("parked", date(2027, 3, 1))
    town.walk(task, ("resume", town.officer))
    assert (town.case(task).stage, town.case(task).review_on) == ("handling", None)
    town.walk(task, ("park", town.officer))
    assert town.case(task).review_on == date(2026, 12, 23), "in thirty days if nobody says when"


@pytest.mark.parametrize("day", [date(2026, 11, 23), date(2020, 1, 1), date(2031, 1, 1)])
def test_a_review_in_the_past_or_in_a_far_future_is_refused(town, task, day):
    with pytest.raises(Invalid), town.session.begin_nested():
        town.move(task, "park", town.officer, note="挂", review_on=day)
    assert town.case(task).stage == "dispatched"


def test_a_reopened_case_keeps_its_number_and_starts_over(town, task):
    town.walk(task, ("finish", town.member), ("verify", town.leader), ("close", town.officer))
    number = town.case(task).number
    town.move(task, "reopen", town.officer, note="又堆上了", now=NOW + timedelta(days=1))
    case = town.case(task)
    assert (case.number, case.stage, case.handler_id) == (number, "registered", None)
    assert (case.closed_at, case.finished_at, case.verified_at) == (None, None, None)


def test_an_appeal_waits_until_it_is_answered(town, task):
    town.walk(task, ("finish", town.member), ("verify", town.leader), ("close", town.officer))
    with pytest.raises(Conflict):
        town.move(task, "dismiss", town.officer, note="没有申诉")
    town.move(task, "appeal", town.member, note="超期不是我的原因")
    assert (town.case(task).stage, town.case(task).appealed_at) == ("closed", NOW)
    town.move(task, "dismiss", town.officer, note="记录无误")
    assert town.case(task).appealed_at is None


def test_a_resident_may_reopen_their_own_report_and_no_other(town, task):
    mine = town.report(town.resident, "mine", channel="resident")
    for case in (mine, task):
        town.walk(case, ("finish", town.member), ("verify", town.leader), ("close", town.officer))
    town.move(mine, "reopen", town.resident, note="没清干净")
    assert town.case(mine).stage == "registered"
    with pytest.raises(NotFound):
        town.move(task, "reopen", town.resident, note="没清干净")


# ---- refusals --------------------------------------------------------------------------------------


def refused(town, case, kind, name, by, **told):
    """The move is refused with this kind of error, and nothing at all has been written."""
    before = (vars(town.case(case)).copy(), len(story(town, case)), len(notices(town, case)))
    with pytest.raises(kind) as refusal, town.session.begin_nested():
        town.move(case, name, by, **told)
    after = (vars(town.case(case)).copy(), len(story(town, case)), len(notices(town, case)))
    for state, _, _ in (before, after):
        state.pop("_sa_instance_state")
        state["geom"] = str(state["geom"])
    assert after == before
    assert refusal.value.message_zh and refusal.value.remedy_zh and refusal.value.remedy_en
    return refusal.value


def test_a_stage_that_does_not_allow_the_move(town, task):
    refusal = refused(town, task, Conflict, "close", town.officer)
    assert "supervise" in refusal.details["open"] and "督办" in refusal.remedy_zh


def test_a_role_that_may_not(town, task):
    refused(town, task, Denied, "close", town.member)


def test_another_members_task(town, task):
    other = town.city.members[NORTH_WEST]
    neighbour = Principal(9, "lin", "邻居", "member", NORTH_WEST, other)
    refused(town, task, NotFound, "accept", neighbour)


def test_verifying_ones_own_work(town, task):
    town.walk(task, ("finish", town.member))
    refused(town, task, Denied, "verify", town.member)


@pytest.mark.parametrize("note", [None, "", "  \n"])
def test_a_missing_reason(town, task, note):
    refused(town, task, Invalid, "hand_back", town.member, note=note)


@pytest.mark.parametrize("note", ["字" * 4001, "a\x00b", "\ud83d"])
def test_a_note_that_cannot_be_kept(town, task, note):
    refused(town, task, Invalid, "accept", town.member, note=note)


def test_a_person_who_does_not_exist(town, task):
    town.walk(task, ("hand_back", town.member))
    refused(town, task, Invalid, "dispatch", town.officer, member_id=999_999_999)


def test_a_name_that_is_no_move(town, task):
    refused(town, task, Invalid, "explode", town.officer)


def test_a_case_on_other_ground_is_not_found(town, task):
    refused(town, task, NotFound, "supervise", town.stranger, note="看看")


def test_a_desk_does_not_move_what_it_only_reported_elsewhere(town):
    case = town.report(town.stranger, channel="desk")
    assert town.case(case).territory == NORTH_EAST
    refused(town, case, Denied, "supervise", town.stranger, note="看看")


def test_a_stale_version(town, task):
    town.walk(task, ("accept", town.member))
    with pytest.raises(Conflict) as refusal:
        workflow.move(town.session, task.id, "finish", by=town.member, now=NOW, version=1)
    assert refusal.value.details["version"] == 2
    assert town.case(task).stage == "handling"


def test_an_empty_roster_leaves_the_desk_to_name_somebody(town):
    town.session.execute(sa.text("DELETE FROM duty"))
    case = town.report(town.officer, channel="desk")
    assert town.case(case).stage == "registered"
    refused(town, case, Invalid, "dispatch", town.officer)
    somebody = town.session.scalars(sa.select(Member.id)).first()
    town.move(case, "dispatch", town.officer, member_id=somebody)
    assert town.case(case).handler_id == somebody
