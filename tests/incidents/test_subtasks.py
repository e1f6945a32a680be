"""Several forces on one case: parallel work, each with its clock; the first receiver stays responsible."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from gis.access import Principal
from gis.errors import Conflict, Denied, Invalid, NotFound
from incidents import queries, reminders
from incidents.clocks import CaseClock
from incidents.incident import IncidentMove
from incidents.notices import Notice
from incidents.staged_limits import StagedLimit
from incidents.subtask_rows import work_of
from incidents.subtasks import Subtask
from tests.toy_city import NORTH_EAST, NOW, SUBDISTRICT


@pytest.fixture
def police(town):
    return Principal(9, "jing", "赵警", "police_officer", NORTH_EAST, town.city.stand_in)


@pytest.fixture
def case(town):
    """A case the member has accepted."""
    case = town.report(town.member)
    town.move(case, "accept", town.member)
    return case


def asked(town, case, **told) -> Subtask:
    """Ask for help and return the piece of work."""
    by = told.pop("by", town.operator)
    town.move(case, "assist", by, note=told.pop("note", "封闭现场"), **told)
    return town.session.scalars(sa.select(Subtask).order_by(Subtask.id.desc())).first()


def seen(town, case, by):
    return queries.get_incident(town.session, case.id, by=by, now=NOW)


def test_two_forces_work_in_parallel_each_with_its_own_clock(town, case, police):
    """Four working hours from 10:00 end at 15:30; two of them end at 12:00."""
    before = town.case(case).due_at
    asked(town, case, department="city_management")
    asked(town, case, member_id=police.member_id, amount=2)
    shown = seen(town, case, town.operator)
    first, second = shown.subtasks
    assert [one.due_at for one in (first, second)] == [NOW.replace(hour=15, minute=30), NOW.replace(hour=12)]
    assert (first.department_code, second.who) == ("city_management", "冯×")
    assert shown.row.open_subtasks == 2
    assert shown.row.due_at == before, "the case's own clock knows nothing of it"
    assert {clock.clock for clock in shown.clocks} == {"handle"}


def test_all_that_was_asked_for_reaches_whoever_does_it(town, case):
    note = "先断电，再封闭两侧车道。" * 60
    assert asked(town, case, department="city_management", note=note).what == note


def test_whose_move_it_is_is_told(town, case, police):
    task = asked(town, case, member_id=police.member_id)
    with pytest.raises(Conflict, match="sends cases or answers for this one"):
        town.move(case, "assist_cancel", police, subtask_id=task.id, note="不用了")
    with pytest.raises(Denied, match="the force the work was given to"):
        town.move(case, "assist_accept", town.member, subtask_id=task.id)


def test_the_case_is_not_finished_while_another_force_is_at_work(town, case, police):
    task = asked(town, case, member_id=police.member_id)
    with pytest.raises(Conflict) as refusal:
        town.move(case, "finish", town.member)
    assert "协办" in refusal.value.message_zh
    town.move(case, "assist_accept", police, subtask_id=task.id)
    with pytest.raises(Conflict):
        town.move(case, "finish", town.member)
    town.move(case, "assist_finish", police, subtask_id=task.id, note="已劝离")
    assert town.move(case, "finish", town.member).stage == "handled"


def test_every_step_is_a_row_of_the_story_and_stops_the_clock(town, case, police):
    task = asked(town, case, member_id=police.member_id)
    for name in ("assist_accept", "assist_finish"):
        town.move(case, name, police, subtask_id=task.id)
    story = town.session.scalars(
        sa.select(IncidentMove).where(IncidentMove.incident_id == case.id).order_by(IncidentMove.id)
    ).all()
    told = [(row.move, row.details.get("subtask")) for row in story[-3:]]
    assert told == [("assist", task.id), ("assist_accept", task.id), ("assist_finish", task.id)]
    assert story[-3].member_id == police.member_id
    clock = town.session.scalars(sa.select(CaseClock).where(CaseClock.subtask_id == task.id)).one()
    assert (clock.stopped_at, clock.stopped_by) == (NOW, "assist_finish")
    assert [row.stage for row in seen(town, case, town.operator).subtasks] == ["finished"]


def test_what_is_handed_back_or_cancelled_frees_the_case(town, case, police):
    back = asked(town, case, member_id=police.member_id)
    with pytest.raises(Invalid):
        town.move(case, "assist_hand_back", police, subtask_id=back.id)
    town.move(case, "assist_hand_back", police, subtask_id=back.id, note="不属本队")
    away = asked(town, case, department="city_management", by=town.member)
    with pytest.raises(Invalid):
        town.move(case, "assist_cancel", town.member, subtask_id=away.id)
    town.move(case, "assist_cancel", town.member, subtask_id=away.id, note="已不需要")
    rows = seen(town, case, town.operator).subtasks
    assert [(row.stage, row.reply) for row in rows] == [
        ("handed_back", "不属本队"),
        ("cancelled", "已不需要"),
    ]
    assert town.move(case, "finish", town.member).open_subtasks == 0


def test_what_is_passed_on_is_somebody_elses_with_the_same_clock(town, case, police):
    task, leader = asked(town, case, member_id=police.member_id), town.city.leaders[NORTH_EAST]
    town.move(case, "assist_accept", police, subtask_id=task.id)
    due = seen(town, case, town.operator).subtasks[0].due_at
    for told in ({}, {"member_id": police.member_id}):
        with pytest.raises(Invalid):
            town.move(case, "assist_pass", town.operator, subtask_id=task.id, note="请假", **told)
    with pytest.raises(Denied):
        town.move(case, "assist_pass", police, subtask_id=task.id, note="请假", member_id=leader)
    town.move(case, "assist_pass", town.operator, subtask_id=task.id, note="请假", member_id=leader)
    [row] = seen(town, case, town.operator).subtasks
    assert (row.member_id, row.stage, row.accepted_at, row.due_at) == (leader, "open", None, due)
    assert [work.task.id for work in work_of(town.session, by=town.leader, now=NOW)] == [task.id]
    assert work_of(town.session, by=police, now=NOW) == []
    told = town.session.execute(
        sa.select(Notice.kind, Notice.member_id).where(Notice.kind.like("assist%")).order_by(Notice.id)
    ).all()
    assert told[-2:] == [("assist_cancel", police.member_id), ("assist_asked", leader)]


def test_each_force_acts_for_itself_alone(town, case, police):
    task = asked(town, case, department="city_management")
    with pytest.raises(NotFound):
        town.move(case, "assist_accept", police, subtask_id=task.id)
    with pytest.raises(Denied):
        town.move(case, "assist_finish", town.member, subtask_id=task.id)
    with pytest.raises(NotFound):
        town.move(case, "assist_accept", town.department, subtask_id=task.id + 1)
    town.move(case, "assist_accept", town.department, subtask_id=task.id)
    with pytest.raises(Conflict):
        town.move(case, "assist_accept", town.department, subtask_id=task.id)


def test_only_who_is_in_charge_asks_and_it_is_asked_of_one(town, case, police):
    for told in ({}, {"department": "city_management", "member_id": police.member_id}):
        with pytest.raises(Invalid):
            town.move(case, "assist", town.operator, note="请来", **told)
    with pytest.raises(Invalid):
        town.move(case, "assist", town.operator, note="请来", department="nobody")
    asked(town, case, member_id=police.member_id)
    with pytest.raises(Conflict):
        town.move(case, "assist", police, note="请来", department="city_management")


def test_a_department_sees_the_case_it_helps_with_and_no_other(town, case):
    other = Principal(10, "hw", "环卫", "department_handler", SUBDISTRICT[:6], department="sanitation")
    with pytest.raises(NotFound):
        seen(town, case, town.department)
    task = asked(town, case, department="city_management")
    (work,) = work_of(town.session, by=town.department, now=NOW)
    assert (work.task.id, work.task.moves[0], work.number) == (
        task.id,
        "assist_accept",
        town.case(case).number,
    )
    assert work_of(town.session, by=other, now=NOW) == []
    assert seen(town, case, town.department).subtasks[0].mine
    with pytest.raises(NotFound):
        seen(town, case, other)


def test_who_is_asked_is_told_and_reminded(town, case, police):
    asked(town, case, member_id=police.member_id)
    asked(town, case, department="city_management")
    late = NOW + timedelta(hours=24)
    reminders.remind(town.session, late)
    told = town.session.execute(
        sa.select(Notice.kind, Notice.member_id, Notice.department_code).where(
            Notice.kind.in_(("assist_asked", "overdue"))
        )
    ).all()
    member, mine = town.member.member_id, police.member_id
    assert sorted(map(tuple, told), key=str) == sorted(
        [
            ("assist_asked", mine, None), ("assist_asked", None, "city_management"),
            ("overdue", mine, None), ("overdue", None, "city_management"), ("overdue", member, None),
        ],
        key=str,
    )  # fmt: skip


def test_the_clocks_of_helpers_stand_while_the_case_does(town, case, police):
    task = asked(town, case, member_id=police.member_id)
    due_at = seen(town, case, town.operator).subtasks[0].due_at
    town.move(case, "park", town.operator, note="等材料", now=NOW + timedelta(hours=1))
    town.move(case, "resume", town.operator, now=NOW + timedelta(hours=25))
    (row,) = seen(town, case, town.operator).subtasks
    assert (row.id, row.due_at) == (task.id, due_at + timedelta(days=1))


def test_the_end_of_a_case_ends_the_work_on_it(town, case, police):
    task = asked(town, case, member_id=police.member_id)
    town.move(case, "void", town.officer, note="重复登记")
    (row,) = seen(town, case, town.operator).subtasks
    assert (row.id, row.stage, row.reply) == (task.id, "cancelled", "重复登记")
    kinds = town.session.scalars(sa.select(Notice.kind).where(Notice.member_id == police.member_id)).all()
    assert kinds == ["assist_asked", "assist_cancel"]


# ---- a deadline in steps ---------------------------------------------------------------------------------


@pytest.fixture
def staged(town):
    """An unlawful structure: stopped in 4 working hours, fined in 7 working days, gone in 20."""
    town.session.add_all(
        StagedLimit(rule_set="gbt30428", category="9903", step=n, name_zh=zh, name_en=en, kind=kind, value=v)
        for n, zh, en, kind, v in (
            (1, "责令停工", "Stopped", "working_hours", 4),
            (2, "立案处罚", "Fined", "working_days", 7),
            (3, "拆除", "Demolished", "working_days", 20),
        )
    )
    town.session.flush()
    return town


def test_a_staged_deadline_begins_with_the_dispatch(staged):
    """From Monday 2026-11-23 10:00: 4 office hours to 15:30, 7 workdays to 12-02, 20 to 12-21."""
    case = staged.report(staged.member, category="9903")
    rows = seen(staged, case, staged.operator).subtasks
    assert [(row.what, row.what_en, row.due_at) for row in rows] == [
        ("责令停工", "Stopped", NOW.replace(hour=15, minute=30)),
        ("立案处罚", "Fined", NOW.replace(month=12, day=2)),
        ("拆除", "Demolished", NOW.replace(month=12, day=21)),
    ]
    assert all(row.member_id is None and row.department_code is None for row in rows)


def test_its_steps_are_those_of_whoever_has_the_case(staged):
    case = staged.report(staged.member, category="9903")
    stop, fine, demolish = (row.id for row in seen(staged, case, staged.operator).subtasks)
    staged.move(case, "accept", staged.member)
    with pytest.raises(Conflict):
        staged.move(case, "assist_hand_back", staged.member, subtask_id=stop, note="不归我")
    staged.move(case, "assist_finish", staged.member, subtask_id=stop)
    staged.move(case, "reassign", staged.leader, member_id=staged.leader.member_id, note="我来")
    with pytest.raises(NotFound):
        staged.move(case, "assist_finish", Principal(9, "x", "x", "member", None, 999), subtask_id=fine)
    for step in (fine, demolish):
        staged.move(case, "assist_finish", staged.leader, subtask_id=step)
    assert staged.move(case, "finish", staged.leader).stage == "handled"


def test_a_second_dispatch_begins_no_second_row_of_steps(staged):
    case = staged.report(staged.member, category="9903")
    staged.walk(case, ("hand_back", staged.member), ("dispatch", staged.operator))
    assert len(seen(staged, case, staged.operator).subtasks) == 3
    assert staged.case(case).open_subtasks == 3


def test_a_report_that_waits_begins_no_steps(staged):
    staged.session.add(
        StagedLimit(rule_set="gbt30428", category="99", step=1, name_zh="到场", name_en="There",
                    kind="urgent_hours", value=1)
    )  # fmt: skip
    staged.session.flush()
    case = staged.report(staged.resident, channel="resident", category="9904")
    assert seen(staged, case, staged.operator).subtasks == []
    staged.walk(case, ("register", staged.operator), ("dispatch", staged.operator))
    assert [row.what for row in seen(staged, case, staged.operator).subtasks] == ["到场"]
