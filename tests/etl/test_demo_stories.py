"""Stories of synthetic cases: they keep to the table of moves and end when they must, at any hour."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.demo_city.cast import DESK, INSPECTORS, Cast
from etl.demo_city.clockwork import Clockwork, Want
from etl.demo_city.history import _time_of_day
from etl.demo_city.past import Ending, tell_whole
from etl.demo_city.scenes import SCENES
from etl.demo_city.stories import Actor, Kind, Story, TimeRules
from incidents.calendar import Calendar
from incidents.code_tables import shipped
from incidents.incident import ENDED
from incidents.lifecycle import MOVES
from incidents.rules import Limit, Rule, Rulebook

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar({date(2026, 10, 1): (False, "国庆节")}, ZONE)
RULES = TimeRules(
    Rulebook(
        "gbt30428",
        (
            Rule("record", "urgent_hours", 24, channel="wechat"),
            Rule("dispatch", "working_hours", 1),
            Rule("verify", "urgent_hours", 2),
        ),
        CALENDAR,
    )
)
LITTER = Kind("20102", "member", "sanitation", False, False, Limit("working_hours", 4))
QUARREL = Kind("30101", "member", None, True, False, Limit("working_days", 3))
COVER = Kind("10102", "member", "drainage", False, True, Limit("urgent_hours", 4))
CAST = Cast(
    reporter=Actor("王小明", "member", 1),
    handler=Actor("王小明", "member", 1),
    leader=Actor("刘芳", "leader", 2),
    other=Actor("冯立", "member", 3),
    desk=DESK[0],
    inspector=INSPECTORS[0],
)


def monday(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 23, hour, minute, tzinfo=ZONE)


@settings(max_examples=150)
@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from([LITTER, QUARREL, COVER]),
    channel=st.sampled_from(["member", "wechat"]),
    reported=st.datetimes(datetime(2026, 10, 20), datetime(2026, 11, 20)),
    room=st.timedeltas(timedelta(minutes=4), timedelta(days=9)),
)
def test_every_whole_story_keeps_the_table_and_ends_in_time(
    seed: int, kind: Kind, channel: str, reported: datetime, room: timedelta
) -> None:
    at = reported.replace(tzinfo=ZONE)
    story = tell_whole(kind, channel, RULES, at, Ending(at + room), CAST, np.random.default_rng(seed))
    stage = None
    for move, following in zip(story.moves, [*story.moves[1:], None], strict=True):
        assert move.from_stage == stage
        assert stage in (MOVES[move.move].from_stages or (None,))
        assert move.by.role in MOVES[move.move].roles or move.version == 1
        assert following is None or (following.at >= move.at and following.version >= move.version)
        stage = move.to_stage
    assert stage == story.stage and stage in ENDED
    assert story.moves[0].at == at and story.moves[-1].at <= at + room
    assert story.running is None
    verified = [move for move in story.moves if move.move == "verify"]
    assert all(move.by.member != story.handler for move in verified)


def test_a_story_can_be_held_until_a_day() -> None:
    """Reported on Sunday evening, closed on Monday: what "closed today" of an earlier report means."""
    reported = monday(0) - timedelta(hours=5)
    ending = Ending(monday(14), monday(0))
    for seed in range(40):
        story = tell_whole(LITTER, "member", RULES, reported, ending, CAST, np.random.default_rng(seed))
        assert monday(0) <= story.moves[-1].at <= monday(14)


def test_a_members_report_has_one_running_clock_of_four_working_hours() -> None:
    """Dispatched 11:18 + 4 working hours = 42 min before noon, 3 h 18 from 13:30: due 16:48."""
    story = Story(LITTER, "member", RULES)
    story.begin(monday(11, 18), CAST.reporter, CAST.handler.member)
    assert (story.stage, story.version, story.handler) == ("dispatched", 1, 1)
    assert [move.move for move in story.moves] == ["report", "register", "dispatch"]
    assert [clock.clock for clock in story.clocks] == ["handle"]
    assert story.shown_clock is not None and story.shown_clock.found.due_at == monday(16, 48)


def test_a_report_from_outside_waits_and_each_stage_has_its_clock() -> None:
    story = Story(QUARREL, "wechat", RULES)
    story.begin(monday(9), Actor("孙丽", "resident"), None)
    assert story.waits and story.stage == "reported"
    story.tell("confirm", monday(9, 20), CAST.leader)
    story.tell("dispatch", monday(9, 30), CAST.desk, to=1)
    story.tell("accept", monday(9, 40), CAST.handler)
    story.tell("finish", monday(15), CAST.handler)
    assert [(clock.clock, clock.stopped_by) for clock in story.clocks] == [
        ("record", "confirm"),
        ("dispatch", "dispatch"),
        ("handle", "finish"),
        ("verify", None),
    ]


def test_rework_gives_back_what_was_left_of_the_handling_clock() -> None:
    """Due 16:48; finished 14:00, sent back 15:00: the hour between does not count, so 18 minutes are left at
    17:30, and they fall on Tuesday: 08:48."""
    story = Story(LITTER, "member", RULES)
    story.begin(monday(11, 18), CAST.reporter, 1)
    story.tell("accept", monday(11, 20), CAST.handler)
    story.tell("finish", monday(14), CAST.handler)
    story.tell("rework", monday(15), CAST.leader, note="请再处理")
    assert story.stage == "handling"
    assert story.running is not None and story.running.clock == "handle"
    assert story.running.found.due_at == monday(8, 48) + timedelta(days=1)


def test_a_paused_clock_stands() -> None:
    story = Story(COVER, "member", RULES)
    story.begin(monday(11), CAST.reporter, 1)
    story.tell("pause", monday(12), CAST.desk, note="等待配件到货")
    assert story.paused_at == monday(12)
    assert story.running is not None and story.running.pauses == [[monday(12).isoformat(), None]]


def test_a_role_may_not_do_in_a_story_what_it_may_not_do_in_life() -> None:
    story = Story(LITTER, "member", RULES)
    story.begin(monday(11), CAST.reporter, 1)
    with pytest.raises(AssertionError, match="member may not close"):
        story.tell("close", monday(12), CAST.handler)
    with pytest.raises(AssertionError, match="verify is not open at dispatched"):
        story.tell("verify", monday(12), CAST.leader)


@settings(max_examples=120)
@given(
    hours=st.integers(0, 7 * 24 - 1),
    minutes=st.integers(0, 59),
    kind=st.sampled_from([LITTER, QUARREL, COVER]),
    clock=st.sampled_from(["overdue", "due_soon", "in_time"]),
    share=st.floats(0.02, 0.98),
)
def test_at_any_hour_of_the_week_a_start_gives_the_wanted_clock(
    hours: int, minutes: int, kind: Kind, clock: str, share: float
) -> None:
    """Nights and weekends included: the state is judged by the deadline's own rules, as CLOCK_SQL does."""
    now = monday(0) + timedelta(hours=hours, minutes=minutes)
    span = Clockwork(RULES, now).span(kind, "member", Want("handling", clock, 1))
    assert span is not None
    start = span[0] + (span[1] - span[0]) * share
    found = RULES.due(start, "handle", kind.limit)
    state = "overdue" if found.due_at < now else "due_soon" if found.due_soon_at <= now else "in_time"
    assert state == clock


@settings(max_examples=60)
@given(
    seed=st.integers(0, 1000),
    hours=st.sampled_from(["day", "evening", "rush", "night"]),
    start=st.integers(0, 23),
    length=st.floats(0.05, 10),
)
def test_a_time_of_day_keeps_to_its_window(seed: int, hours: str, start: int, length: float) -> None:
    low = timedelta(hours=start)
    high = min(low + timedelta(hours=length), timedelta(days=1))
    at = _time_of_day(hours, low, high, np.random.default_rng(seed))
    assert low <= at + timedelta(seconds=1) and at <= high


def test_every_scene_is_a_shipped_category() -> None:
    codes = {row["code"] for row in shipped("categories")}
    assert {scene.category for scene in SCENES} <= codes
    assert len({scene.category for scene in SCENES}) == len(SCENES)
