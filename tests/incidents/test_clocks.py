"""The clocks of a case through its life: started, paused, extended, handed on, judged when it has ended.

The toy category gives 4 working hours; dispatched on Monday 23 November 2026 at 10:00 that is 15:30. The
shipped rule set gives the desk 1 working hour to dispatch and whoever checks 2 hours around the clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from gis.errors import Conflict, Denied, Invalid
from incidents.calendar import current_calendar
from incidents.clocks import CaseClock
from incidents.incident import Incident
from incidents.queries import Filter, get_incident, list_incidents
from tests.toy_city import NOW


def at(hour: int, minute: int = 0, day: int = 23) -> datetime:
    return NOW.replace(day=day, hour=hour, minute=minute)


def clocks(town, case):
    wanted = sa.select(CaseClock).where(CaseClock.incident_id == case.id).order_by(CaseClock.id)
    return [(c.clock, c.stopped_by) for c in town.session.scalars(wanted)]


@pytest.fixture
def task(town):
    return town.report(town.member)


def test_each_stage_has_its_own_clock_and_an_ended_case_shows_the_handling_one(town):
    case = town.report(town.resident, channel="resident", category="9904")
    town.move(case, "confirm", town.member, now=at(10, 20))
    assert town.case(case).due_at == at(11, 20), "a working hour to dispatch"
    town.move(case, "dispatch", town.officer, now=at(10, 30))
    assert town.case(case).due_at == at(16, 0)
    town.move(case, "finish", town.member, now=at(15, 0))
    assert town.case(case).due_at == at(17, 0), "two hours to verify"
    town.move(case, "verify", town.inspector, now=at(15, 10))
    assert town.case(case).due_at is None, "nothing runs while it waits to be closed"
    town.move(case, "close", town.officer, now=at(18, 0))
    assert town.case(case).due_at == at(16, 0)
    assert clocks(town, case) == [
        ("record", "confirm"), ("dispatch", "dispatch"), ("handle", "finish"), ("verify", "verify"),
    ]  # fmt: skip


def test_a_finished_case_is_not_overdue_while_it_waits_to_be_verified(town, task):
    town.move(task, "finish", town.member, now=at(15, 0))
    (row,) = list_incidents(town.session, Filter(), by=town.officer, now=at(16, 0)).rows
    assert (row.stage, row.clock, row.due_at) == ("handled", "in_time", at(17))


def test_a_pause_stops_the_clock_and_is_told_in_its_sum(town, task):
    """Paused from 11:00 to 14:00: an hour and a half of office time lost, so 15:30 becomes 17:00."""
    town.move(task, "pause", town.officer, now=at(11), note="等配件")
    (row,) = list_incidents(town.session, Filter(), by=town.officer, now=at(12)).rows
    assert row.clock == "paused"
    with pytest.raises(Conflict), town.session.begin_nested():
        town.move(task, "pause", town.officer, now=at(12), note="再等")
    town.move(task, "go_on", town.leader, now=at(14))
    case = town.case(task)
    assert (case.due_at, case.paused_at, case.stage) == (at(17), None, "dispatched")
    assert "11:00 至 14:00 暂停不计" in case.limit_words_zh and case.limit_words_zh.endswith("17:00")


def test_a_parked_case_goes_on_with_what_was_left(town, task):
    """Two hours were used by noon; resumed on Wednesday at 09:00 two more end at 11:00."""
    town.move(task, "park", town.officer, now=at(12), note="等雨停")
    town.move(task, "resume", town.officer, now=at(9, day=25))
    assert town.case(task).due_at == at(11, day=25)


def test_a_case_that_was_over_when_it_was_parked_stays_over(town, task):
    town.move(task, "park", town.officer, now=at(17), note="等雨停")
    town.move(task, "resume", town.officer, now=at(9, day=25))
    assert town.case(task).due_at == at(15, 30)


def test_an_extension_is_asked_for_and_granted(town, task):
    town.move(task, "extend", town.member, note="要调吊车", amount=2)
    assert town.case(task).extension_asked == 2 and town.case(task).due_at == at(15, 30)
    with pytest.raises(Conflict), town.session.begin_nested():
        town.move(task, "extend", town.member, note="再要", amount=1)
    with pytest.raises(Denied), town.session.begin_nested():
        town.move(task, "grant", town.member)
    town.move(task, "grant", town.officer, now=at(15))
    case = town.case(task)
    assert (case.extension_asked, case.due_at) == (None, at(17, 30))
    assert "延期 2 工作时" in case.limit_words_zh and "2 working hours of extension" in case.limit_words_en


def test_the_desk_may_grant_less_or_refuse(town, task):
    town.move(task, "extend", town.member, note="要调吊车")
    assert town.case(task).extension_asked == 4, "as much again where no amount is named"
    town.move(task, "grant", town.officer, amount=1)
    assert town.case(task).due_at == at(16, 30)
    town.move(task, "extend", town.member, note="还不够", amount=1)
    town.move(task, "refuse", town.officer, note="已延过")
    assert (town.case(task).extension_asked, town.case(task).due_at) == (None, at(16, 30))


@pytest.mark.parametrize("amount", [0, -1, 16.5, float("nan"), float("inf")])
def test_an_extension_that_cannot_be_is_refused(town, task, amount):
    with pytest.raises(Invalid), town.session.begin_nested():
        town.move(task, "extend", town.member, note="要", amount=amount)
    assert town.case(task).extension_asked is None


def test_rework_goes_on_with_what_was_left_when_it_was_called_done(town, task):
    """Called done at 14:30 with an hour left; sent back at 16:00, an hour later is 17:00."""
    town.move(task, "finish", town.member, now=at(14, 30))
    town.move(task, "rework", town.inspector, now=at(16), note="没清干净")
    assert (town.case(task).stage, town.case(task).due_at) == ("handling", at(17))
    assert clocks(town, task) == [("handle", None), ("verify", "rework")]


def test_a_case_handed_back_gets_a_fresh_clock_with_its_next_dispatch(town, task):
    town.move(task, "hand_back", town.member, now=at(11, 30), note="不归我管")
    assert town.case(task).due_at == at(14), "a working hour to dispatch, half of it after lunch"
    town.move(task, "dispatch", town.officer, now=at(11, 45), member_id=town.leader.member_id, note="您来")
    assert town.case(task).due_at == at(17, 15), "15 minutes before noon, 3 h 45 min after 13:30"
    assert clocks(town, task) == [("handle", "hand_back"), ("dispatch", "dispatch"), ("handle", None)]


def test_a_move_out_of_a_pause_ends_the_pause(town, task):
    town.move(task, "pause", town.officer, now=at(11), note="等")
    town.move(task, "finish", town.member, now=at(14))
    assert town.case(task).paused_at is None
    assert list_incidents(town.session, Filter(), by=town.officer, now=at(14)).rows[0].clock == "in_time"


def test_never_more_than_one_clock_runs(town, task):
    with pytest.raises(sa.exc.IntegrityError), town.session.begin_nested():
        town.session.execute(
            sa.text(
                "INSERT INTO case_clock (incident_id, clock, level, kind, value, started_at, due_at,"
                " due_soon_at, words_zh, words_en, territory) SELECT incident_id, 'verify', level, kind,"
                " value, started_at, due_at, due_soon_at, words_zh, words_en, territory FROM case_clock"
            )
        )


def test_the_panel_gets_the_clock_to_scale(town, task):
    town.move(task, "pause", town.officer, now=at(11), note="等")
    town.move(task, "go_on", town.officer, now=at(14))
    detail = get_incident(town.session, task.id, by=town.officer, now=at(15))
    spans = detail.clock.spans(at(15), current_calendar(town.session))
    assert [(s.starts_at, s.ends_at, s.counted) for s in spans] == [
        (at(10), at(11), True),
        (at(11), at(14), False),
        (at(14), at(17), True),
    ]


def test_the_panel_knows_what_may_be_done_and_what_happened_to_time(town, task):
    town.move(task, "extend", town.member, note="要", amount=2)
    detail = get_incident(town.session, task.id, by=town.officer, now=at(12))
    assert detail.moves[:2] == ["grant", "refuse"]
    assert (detail.extension_asked, detail.level, detail.grade) == (2.0, "community", 3)
    assert detail.story[-1].details == {"asked": 2, "kind": "working_hours"}


def test_a_case_loaded_with_a_deadline_and_no_clock_is_given_one_at_its_first_move(town, task):
    town.session.execute(sa.delete(CaseClock))
    due_at = NOW + timedelta(days=2)
    town.session.execute(sa.update(Incident).values(due_at=due_at, due_soon_at=due_at))
    town.move(task, "accept", town.member)
    assert town.case(task).due_at == due_at
    town.walk(task, ("finish", town.member), ("verify", town.leader), ("close", town.officer))
    assert town.case(task).due_at == due_at, "judged by the deadline it came with"
