"""Replay: the past read from the story is what the desk showed at that minute."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from gis.errors import CityGridError, Invalid
from incidents.lifecycle import open_moves
from incidents.locating import DeclaredPlace
from incidents.queries import Filter, Row, list_incidents
from incidents.replay import past_moment, replay
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, NOW, STEP, SUBDISTRICT

TOLD = (
    "id", "number", "stage", "clock", "hollow", "due_at", "due_soon_at", "paused_at", "territory",
    "cell_code", "cell_name", "handler_id", "handler", "version", "lon", "lat", "reported_at",
)  # fmt: skip
"""What of a row the past must tell as it was."""
PLACES = [DeclaredPlace(LON + side * STEP / 2, LAT + STEP / 2, "EPSG:4490", 5.0) for side in (1, -1)]
HALVES = (
    "pause", "go_on", "park", "resume", "extend", "grant", "rework", "relocate", "hand_back", "reassign",
    "undo", "split", "join", "reopen",
)  # fmt: skip
"""Moves that a simple history of stages would get wrong: the walks prefer them."""


def at(hour: int, minute: int = 0, day: int = 23) -> datetime:
    return NOW.replace(day=day, hour=hour, minute=minute)


def told(row: Row) -> dict[str, object]:
    return {name: getattr(row, name) for name in TOLD}


def live(town, now) -> list[dict[str, object]]:
    rows = list_incidents(town.session, Filter(open_only=True), by=town.operator, now=now).rows
    return sorted((told(row) for row in rows), key=lambda row: row["id"])


def past(town, moment, **wanted) -> list[dict[str, object]]:
    return [told(row) for row in replay(town.session, moment, by=wanted.pop("by", town.operator), **wanted)]


@pytest.mark.parametrize("seed", range(6))
def test_every_minute_of_a_random_walk_is_replayed_as_it_was_shown(town, seed):
    """After each move of three cases the desk is written down; later each of these minutes reads the same."""
    chance = random.Random(seed)
    cases = [
        town.report(town.member, "a"),
        town.report(town.resident, "b", channel="resident", category="9904"),
        town.report(town.resident, "c", now=NOW - timedelta(hours=1)),
    ]
    people = [town.member, town.leader, town.officer, town.operator, town.inspector]
    now, shown = NOW, {NOW: live(town, NOW)}
    for _ in range(45):
        now += timedelta(minutes=chance.choice([0, 1, 20, 90, 400]))
        case = town.case(chance.choice(cases[:2]))
        offers = [(name, by) for by in people for name in open_moves(case, by, now)]
        curious = [offer for offer in offers if offer[0] in HALVES]
        name, by = chance.choice(
            curious if curious and chance.random() < 0.6 else offers or [("close", people[2])]
        )
        more = {"case_id": cases[2].id} if name == "join" else {}
        try:
            with town.session.begin_nested():
                town.move(
                    case, name, by, now=now, note="因故", place=chance.choice(PLACES),
                    member_id=chance.choice([None, town.leader.member_id]), **more,
                )  # fmt: skip
        except CityGridError:
            continue
        shown[now] = live(town, now)
    assert len(shown) > 15
    for moment, rows in shown.items():
        assert past(town, moment) == rows, moment


def test_now_is_replayed_as_now(town):
    town.report(town.member, "a")
    town.report(town.resident, "b", channel="resident", category="9904")
    late = town.report(town.member, "c")
    town.move(late, "park", town.officer, now=at(11), note="等审批")
    for now in (at(12), at(15, 31)):
        assert past(town, now) == live(town, now) != []


def test_a_moved_pin_lies_where_it_lay(town):
    case = town.report(town.member)
    there = DeclaredPlace(LON - STEP / 2, LAT + STEP / 2, "EPSG:4490", 5.0)
    town.move(case, "relocate", town.officer, now=at(11), note="对面楼", place=there)
    (before,), (after,) = past(town, at(10, 59)), past(town, at(11))
    assert (before["territory"], after["territory"]) == (NORTH_EAST, NORTH_WEST)
    assert (before["cell_name"], after["cell_name"]) == ("安澜 002", "安澜 001")
    assert before["lon"] > LON > after["lon"]
    assert [row["id"] for row in past(town, at(10, 59), territory=NORTH_EAST)] == [case.id]
    assert past(town, at(11), territory=NORTH_EAST) == []


def test_a_deadline_is_told_as_it_was_before_it_was_extended(town):
    case = town.report(town.member)
    town.move(case, "extend", town.member, now=at(11), note="等配件", amount=2)
    town.move(case, "grant", town.officer, now=at(12), amount=2)
    assert [row["due_at"] for row in past(town, at(11, 59))] == [at(15, 30)]
    assert [row["due_at"] for row in past(town, at(12))] == [at(17, 30)]


def test_a_pause_that_is_over_was_one_then(town):
    case = town.report(town.member)
    town.move(case, "pause", town.officer, now=at(11), note="等配件")
    town.move(case, "go_on", town.leader, now=at(14))
    states = [(row["clock"], row["due_at"]) for moment in (10, 12, 14) for row in past(town, at(moment))]
    assert states == [("in_time", at(15, 30)), ("paused", at(15, 30)), ("in_time", at(17))]


def test_closed_cases_are_there_until_they_closed_and_reopened_ones_again(town):
    case = town.report(town.member)
    for name, by, when in (
        ("finish", town.member, at(11)),
        ("verify", town.inspector, at(11, 10)),
        ("close", town.officer, at(11, 20)),
    ):
        town.move(case, name, by, now=when)
    town.move(case, "reopen", town.officer, now=at(13), note="又来了")
    stages = [[row["stage"] for row in past(town, moment)] for moment in (at(9), at(11, 15), at(12), at(13))]
    assert stages == [[], ["verified"], [], ["registered"]]


def test_filters_mean_what_was_then(town):
    case = town.report(town.member)
    town.report(town.member, "other", category="9903")
    town.move(case, "finish", town.member, now=at(12))
    assert {row["id"] for row in past(town, at(11), stages=["dispatched"])} >= {case.id}
    assert [row["id"] for row in past(town, at(12), stages=["handled"])] == [case.id]
    assert {row["id"] for row in past(town, at(16), clocks=["overdue"])} != set()
    assert [row["id"] for row in past(town, at(11), categories=["9901"])] == [case.id]
    assert past(town, at(11), territory=SUBDISTRICT + "002") == []


def test_nobody_sees_in_the_past_what_they_may_not_see(town):
    town.report(town.member)
    assert past(town, at(11), by=town.stranger) == []
    assert len(past(town, at(11), by=town.officer)) == 1


def test_what_is_still_to_come_is_no_past():
    with pytest.raises(Invalid):
        past_moment(NOW + timedelta(seconds=1), NOW)


def test_one_statement_answers_however_many_cases(town):
    for n in range(30):
        town.report(town.member, f"k{n}")
    counted: list[str] = []

    def count(*arguments: object) -> None:
        counted.append(str(arguments[2]))

    bind = town.session.get_bind()
    sa.event.listen(bind, "before_cursor_execute", count)
    try:
        assert len(replay(town.session, at(11), by=town.operator)) == 30
    finally:
        sa.event.remove(bind, "before_cursor_execute", count)
    assert len([sql for sql in counted if "FROM incident AS i" in sql]) == 1
    assert len(counted) <= 6, "the rest reads the rules, once for all"
