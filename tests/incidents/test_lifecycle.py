"""The table of moves by itself: every walk stays in it, every refusal tells what is open instead."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.access import Principal
from gis.errors import Conflict, Denied, Invalid
from gis.settings import PROJECT
from incidents import lifecycle_page
from incidents.incident import ENDED, STAGES
from incidents.lifecycle import (
    BEFORE,
    DESK,
    EVERYBODY,
    FACTS,
    MOVES,
    SAME,
    facts_of,
    is_with,
    moves_open_to,
    next_stage,
)
from tests.toy_city import NOW

OPEN_STAGES = [stage for stage in STAGES if stage not in ENDED]


def test_the_table_holds_the_moves_that_were_decided():
    decided = (
        "report confirm register reject dispatch accept finish verify close hand_back rework extend supervise"
        " park resume void appeal reopen"
    )
    assert set(decided.split()) <= MOVES.keys()


@pytest.mark.parametrize("name", MOVES)
def test_every_row_speaks_of_stages_roles_and_facts_that_exist(name):
    move = MOVES[name]
    assert set(move.from_stages) <= set(STAGES)
    assert move.to_stage in (*STAGES, SAME, BEFORE)
    assert move.roles and move.roles <= EVERYBODY
    assert {move.needs, move.unless} <= {None, *FACTS}
    assert move.zh and move.en


def test_every_stage_is_reached_and_every_open_stage_is_left():
    reached = {move.to_stage for move in MOVES.values()}
    assert set(STAGES) <= reached
    for stage in OPEN_STAGES:
        leaving = [m for m in MOVES.values() if stage in m.from_stages and m.to_stage not in (SAME, stage)]
        assert leaving, stage


def test_the_main_road_from_report_to_close():
    stage = None
    for name, role, is_handler in (
        ("report", "resident", False),
        ("confirm", "member", False),
        ("dispatch", "command_operator", False),
        ("accept", "member", True),
        ("finish", "member", True),
        ("verify", "inspector", False),
        ("close", "community_officer", False),
    ):
        stage = next_stage(stage, name, role, is_handler=is_handler)
    assert stage == "closed"


@pytest.mark.parametrize(
    ("stage", "role", "is_handler", "first"),
    [
        ("reported", "command_operator", False, "register"),
        ("reported", "member", False, "confirm"),
        ("registered", "leader", False, "dispatch"),
        ("dispatched", "member", True, "accept"),
        ("handling", "member", True, "finish"),
        ("handled", "inspector", False, "verify"),
        ("verified", "community_officer", False, "close"),
        ("parked", "leader", False, "resume"),
        ("closed", "community_officer", False, "reopen"),
    ],
)
def test_the_next_step_is_offered_first(stage, role, is_handler, first):
    assert moves_open_to(stage, role, is_handler=is_handler)[0] == first


@pytest.mark.parametrize("role", sorted(MOVES["verify"].roles))
def test_nobody_verifies_their_own_work(role):
    assert next_stage("handled", "verify", role) == "verified"
    with pytest.raises(Denied):
        next_stage("handled", "verify", role, is_handler=True)
    assert "verify" not in moves_open_to("handled", role, is_handler=True)


def test_only_who_has_the_case_accepts_and_finishes_it():
    with pytest.raises(Denied):
        next_stage("dispatched", "accept", "member")
    with pytest.raises(Denied):
        next_stage("handling", "finish", "department_handler")


def test_a_role_that_never_may_is_denied_before_the_stage_is_looked_at():
    with pytest.raises(Denied) as refusal:
        next_stage("closed", "dispatch", "resident")
    assert "command_operator" in refusal.value.remedy_en


def test_a_stage_that_does_not_allow_it_lists_what_is_open():
    with pytest.raises(Conflict) as refusal:
        next_stage("dispatched", "close", "community_officer")
    assert refusal.value.details["open"] == moves_open_to("dispatched", "community_officer")
    assert "reassign" in refusal.value.remedy_en and "改派" in refusal.value.remedy_zh


def test_a_name_that_is_no_move_lists_the_moves():
    with pytest.raises(Invalid) as refusal:
        next_stage("reported", "explode", "admin")
    assert "dispatch" in refusal.value.remedy_en


def test_a_fact_opens_and_shuts_moves():
    assert "go_on" not in moves_open_to("handling", "admin")
    assert "go_on" in moves_open_to("handling", "admin", facts={"paused"})
    assert "pause" not in moves_open_to("handling", "admin", facts={"paused"})
    with pytest.raises(Conflict) as refusal:
        next_stage("handling", "grant", "admin")
    assert "extension" in refusal.value.message_en and "延期" in refusal.value.message_zh
    with pytest.raises(Conflict):
        next_stage("handling", "escalate", "admin", facts={"top_level"})


def test_a_parked_case_goes_back_to_where_it_came_from():
    for stage in MOVES["park"].from_stages:
        assert next_stage("parked", "resume", "leader", before=stage) == stage


def test_a_desk_elsewhere_may_only_appeal_or_reopen_what_it_reported():
    assert moves_open_to("registered", "community_officer", facts={"elsewhere"}) == []
    assert moves_open_to("closed", "community_officer", facts={"elsewhere"}) == ["reopen"]
    with pytest.raises(Denied):
        next_stage("registered", "dispatch", "community_officer", facts={"elsewhere"})


# ---- the facts of a case ---------------------------------------------------------------------------

HERE = "990101001001001"
OFFICER = Principal(1, "officer", "周明", "community_officer", HERE[:12])
INSPECTOR = Principal(2, "jian", "监督员", "inspector", HERE[:9])


def case(**changes: object) -> SimpleNamespace:
    plain = {
        "stage": "dispatched", "level": "community", "territory": HERE, "handler_id": 7,
        "department_code": None, "paused_at": None, "extension_asked": None, "appealed_at": None,
        "dispatched_at": NOW - timedelta(hours=1), "accepted_at": None, "member_id": 7, "reports": 1,
        "open_subtasks": 0,
    }  # fmt: skip
    return SimpleNamespace(**{**plain, **changes})


def test_a_plain_case_has_no_facts():
    assert facts_of(case(), INSPECTOR, NOW) == frozenset()


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"paused_at": NOW}, "paused"),
        ({"extension_asked": 2}, "extension_asked"),
        ({"appealed_at": NOW}, "appealed"),
        ({"level": "city"}, "top_level"),
        ({"territory": "990102001002003"}, "elsewhere"),
        ({"dispatched_at": NOW - timedelta(seconds=60)}, "just_dispatched"),
        ({"reports": 2}, "depended_on"),
    ],
)
def test_each_fact_shows_by_itself(changes, fact):
    assert facts_of(case(**changes), INSPECTOR, NOW) == {fact}


def test_a_case_waits_for_the_forces_at_work_on_it():
    assert facts_of(case(open_subtasks=1), INSPECTOR, NOW) == {"subtasks_open", "depended_on"}


@pytest.mark.parametrize(
    ("role", "member_id", "charged"),
    [
        ("community_officer", None, True),
        ("leader", 9, True),
        ("member", 7, True),  # received it first
        ("police_officer", 8, True),  # has it now
        ("member", 9, False),
        ("inspector", None, False),
    ],
)
def test_who_is_in_charge_of_a_case(role, member_id, charged):
    person = Principal(1, "x", "x", role, HERE[:9], member_id)
    assert ("in_charge" in facts_of(case(handler_id=8), person, NOW)) is charged


@pytest.mark.parametrize(
    ("speaks_for", "department", "has"),
    [("drainage", "drainage", True), ("drainage", "sanitation", False), (None, "drainage", True)],
)
def test_a_department_has_the_cases_it_speaks_for(speaks_for, department, has):
    account = Principal(1, "d", "d", "department_handler", HERE[:6], department=speaks_for)
    assert is_with(case(department_code=department), account) is has
    assert not is_with(case(department_code=None), account)


def test_a_dispatch_can_be_undone_for_a_minute_and_not_after_it_was_accepted():
    late: datetime = NOW - timedelta(seconds=61)
    assert "just_dispatched" not in facts_of(case(dispatched_at=late), OFFICER, NOW)
    assert "just_dispatched" not in facts_of(case(dispatched_at=NOW, accepted_at=NOW), OFFICER, NOW)


# ---- every walk stays in the table -----------------------------------------------------------------

OF_CASES = sorted(name for name, move in MOVES.items() if not move.of_subtask)
facts = st.sets(st.sampled_from(sorted(FACTS)))


@given(
    st.lists(
        st.tuples(st.sampled_from(OF_CASES), st.sampled_from(sorted(EVERYBODY)), st.booleans(), facts),
        max_size=60,
    )
)
def test_no_walk_of_moves_leaves_the_table(walk):
    """A move is made exactly when it is offered, and it always leads to a stage of the table."""
    stage, before = "reported", None
    for name, role, is_handler, held in walk:
        offered = name in moves_open_to(stage, role, is_handler=is_handler, facts=held)
        try:
            after = next_stage(stage, name, role, is_handler=is_handler, facts=held, before=before)
        except (Conflict, Denied):
            assert not offered
            continue
        assert offered and after in STAGES
        before = stage if after in ("parked", "joined") and stage != after else before
        stage = after


def test_the_desk_can_bring_every_open_case_to_an_end():
    """From every open stage some chain of moves, by somebody, ends the case."""
    ends = set(ENDED)
    for _ in STAGES:
        for move in MOVES.values():
            if move.to_stage in ends or (move.to_stage == BEFORE and set(MOVES["park"].from_stages) <= ends):
                ends |= set(move.from_stages)
    assert set(STAGES) <= ends
    assert all(any(s in m.from_stages and m.roles & DESK for m in MOVES.values()) for s in OPEN_STAGES)


def test_the_page_about_the_table_is_in_step_with_it():
    kept = (PROJECT / "docs" / "lifecycle.md").read_text(encoding="utf-8")
    assert kept == lifecycle_page.page(), "run: python -m incidents.lifecycle_page > docs/lifecycle.md"


def test_the_diagram_shows_every_move_that_changes_the_stage():
    drawn = lifecycle_page.diagram()
    for name, move in MOVES.items():
        assert (f"{move.zh} {name}" in drawn) is (move.to_stage != SAME), name
