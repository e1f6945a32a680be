"""Work queues: what waits for which move, and one move made with several cases."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from gis.errors import Invalid
from incidents import queries
from incidents.lifecycle import MOVES
from incidents.queries import Filter
from incidents.together import MOST, move_together
from incidents.work_queues import QUEUES, TOGETHER, queues_for
from tests.toy_city import NOW

TODAY = NOW.date()


def waiting(town, name, by, *, now=NOW, today=TODAY):
    """Ids in one queue, as its list and its count see them."""
    wanted = Filter(works=(name,), today=today)
    rows = queries.list_incidents(town.session, wanted, by=by, now=now).rows
    counts = queries.count_work(town.session, Filter(open_only=True), by=by, now=now, today=today)
    assert counts.queues[name] == len(rows)
    return [row.id for row in rows]


def test_a_case_passes_through_the_queues_of_its_life(town):
    told = town.report(town.resident, "c", category="9904", channel="resident")
    assert waiting(town, "confirm", town.officer) == [told.id]
    case = town.report(town.member, "h")
    town.walk(case, ("accept", town.member), ("finish", town.member))
    assert waiting(town, "verify", town.officer) == [case.id]
    town.walk(case, ("verify", town.officer))
    assert waiting(town, "close", town.officer) == [case.id]
    assert all(QUEUES[name].move in MOVES for name in QUEUES)


def test_what_is_handed_back_waits_for_dispatch(town):
    case = town.report(town.member)
    assert waiting(town, "dispatch", town.officer) == []
    town.move(case, "hand_back", town.member, note="不在本格")
    assert waiting(town, "dispatch", town.officer) == [case.id]


def test_an_asked_extension_waits_until_it_is_answered(town):
    case = town.report(town.member)
    town.move(case, "extend", town.member, note="缺配件", amount=2)
    assert waiting(town, "extension", town.officer) == [case.id]
    town.move(case, "grant", town.officer, amount=2)
    assert waiting(town, "extension", town.officer) == []


def test_overdue_waits_for_supervision_once(town):
    case = town.report(town.member)
    late = NOW + timedelta(days=2)
    assert waiting(town, "supervise", town.officer) == []
    assert waiting(town, "supervise", town.officer, now=late) == [case.id]
    town.move(case, "supervise", town.officer, note="催办", now=late)
    assert waiting(town, "supervise", town.officer, now=late) == []


def test_a_parked_case_waits_from_the_day_of_its_review(town):
    case = town.report(town.member)
    town.move(case, "park", town.officer, note="待立项", review_on=date(2026, 12, 1))
    assert waiting(town, "review", town.officer, today=date(2026, 11, 30)) == []
    assert waiting(town, "review", town.officer, today=date(2026, 12, 1)) == [case.id]


def test_an_appeal_waits_though_the_case_has_ended(town):
    told = town.report(town.member)
    town.walk(told, ("finish", town.member), ("verify", town.leader), ("close", town.officer))
    town.move(told, "appeal", town.member, note="不是本格的事")
    assert waiting(town, "appeal", town.officer) == [told.id]
    counts = queries.count_work(town.session, Filter(open_only=True), by=town.officer, now=NOW, today=TODAY)
    assert (counts.total, counts.mine) == (0, 1)
    town.move(told, "dismiss", town.officer, note="属实")
    assert waiting(town, "appeal", town.officer) == []


def test_nobody_is_asked_to_verify_their_own_work(town):
    """The member who did it is not asked; the leader of the same cell and the desk are."""
    case = town.report(town.member)
    town.move(case, "finish", town.member)
    assert waiting(town, "verify", town.member) == []
    assert waiting(town, "verify", town.leader) == [case.id]


def test_my_turn_is_what_my_role_works_off_and_what_i_have(town):
    mine = town.report(town.member, "m")
    asked = town.report(town.resident, "r", category="9904", channel="resident")
    turn = Filter(mine="turn", today=TODAY)
    rows = queries.list_incidents(town.session, turn, by=town.member, now=NOW).rows
    assert {row.id for row in rows} == {mine.id, asked.id}
    counts = queries.count_work(town.session, Filter(), by=town.member, now=NOW, today=TODAY)
    assert counts.mine == 2


def test_each_role_has_the_queues_of_its_moves():
    assert queues_for("community_officer") == list(QUEUES)
    assert queues_for("inspector") == ["confirm", "supervise", "verify"]
    assert queues_for("analyst") == []


# ---- together --------------------------------------------------------------------------------------


def finished(town, n):
    cases = [town.report(town.member, f"k{i}") for i in range(n)]
    for case in cases:
        town.move(case, "finish", town.member)
    return [(case.id, 2) for case in cases]


def test_several_are_verified_with_one_reason(town):
    cases = finished(town, 3)
    outcomes = move_together(town.session, "verify", cases, by=town.officer, now=NOW, note="照片可见已清")
    assert [one.case.stage for one in outcomes] == ["verified"] * 3
    for case, _ in cases:
        last = queries.story(town.session, case)[-1]
        assert (last.move, last.note) == ("verify", "照片可见已清")


def test_one_that_is_refused_leaves_the_others_moved(town):
    cases = finished(town, 3)
    stale = [cases[0], (cases[1][0], 1), cases[2]]
    outcomes = move_together(town.session, "verify", stale, by=town.officer, now=NOW)
    assert [one.case is not None for one in outcomes] == [True, False, True]
    assert "第 2 版" in outcomes[1].refusal.message_zh
    assert town.case(outcomes[2].case).stage == "verified"
    assert len(queries.story(town.session, cases[1][0])) == 4


def test_what_must_be_told_of_each_case_is_not_made_together(town):
    cases = finished(town, 1)
    for name in set(MOVES) - TOGETHER:
        with pytest.raises(Invalid):
            move_together(town.session, name, cases, by=town.officer, now=NOW)
    with pytest.raises(Invalid):
        move_together(town.session, "verify", cases * 2, by=town.officer, now=NOW)
    with pytest.raises(Invalid):
        move_together(town.session, "verify", [(n, 1) for n in range(MOST + 1)], by=town.officer, now=NOW)


def test_moves_made_together_need_nothing_of_the_single_case():
    for name in TOGETHER:
        move = MOVES[name]
        assert not (move.takes_amount or move.takes_date or move.takes_place), name
