"""Who is there: interval arithmetic against a plain walk at every quarter of an hour; chains of stand-ins."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grids.roster import Absence, Holder, Roster, Someone, moment
from grids.spans import Spans

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 23, tzinfo=ZONE)
DAYS = 3
CELL = "990101001001001"
STEP = timedelta(minutes=15)


def at(quarters: int) -> datetime:
    return MONDAY + quarters * STEP


WINDOW = Spans.of([(at(0), at(DAYS * 96))])
quarter = st.integers(0, DAYS * 96)
span = st.tuples(quarter, quarter).filter(lambda p: p[0] < p[1]).map(lambda p: (at(p[0]), at(p[1])))
clock = st.integers(0, 23).map(lambda hour: time(hour))
shift = st.tuples(st.integers(0, 6), clock, clock)
member = st.integers(1, 4)


@st.composite
def rosters(draw):
    """One holder (member 1), absences of members 1 to 4 with stand-ins among them, and a stand-in's duty."""
    start, end = draw(span)
    shifts = tuple(draw(st.lists(shift, max_size=4)))
    holders = [Holder(1, 1, "member", CELL, None, start, draw(st.sampled_from([end, None])), None, shifts)]
    if draw(st.booleans()):
        starts, ends = draw(span)
        holders.append(Holder(2, draw(st.integers(2, 4)), "member", CELL, None, starts, ends, 1))
    away = draw(st.lists(st.tuples(member, span, st.sampled_from([None, 1, 2, 3, 4])), max_size=6))
    absences = [Absence(who, *when, stand_in) for who, when, stand_in in away]
    return Roster(holders, absences, {i: Someone(i, f"员{i}") for i in range(1, 5)}, ZONE)


def is_away(roster: Roster, who: int, moment: datetime) -> bool:
    return any(a.member_id == who and a.starts_at <= moment < a.ends_at for a in roster.absences)


def rostered(holder: Holder, moment: datetime) -> bool:
    """Whether a weekly shift holds at a local moment, said the long way round."""
    if not (holder.starts_at <= moment and (holder.ends_at is None or moment < holder.ends_at)):
        return False
    if not holder.shifts:
        return True
    local = moment.astimezone(ZONE)
    yesterday = (local.weekday() - 1) % 7
    for weekday, starts, ends in holder.shifts:
        overnight = ends <= starts
        if local.weekday() == weekday and starts <= local.time() and (overnight or local.time() < ends):
            return True
        if overnight and yesterday == weekday and local.time() < ends:
            return True
    return False


def somebody(roster: Roster, who: int, moment: datetime, seen: frozenset[int]) -> bool:
    """Whether a member is there, or anybody reachable along their stand-ins: a plain recursive walk."""
    if who in seen:
        return False
    if not is_away(roster, who, moment):
        return True
    named = [
        a.stand_in_id for a in roster.absences if a.member_id == who and a.starts_at <= moment < a.ends_at
    ]
    named += [h.member_id for h in roster.holders if h.stand_in_for == who and rostered(h, moment)]
    return any(somebody(roster, other, moment, seen | {who}) for other in named if other is not None)


@given(rosters())
def test_held_hours_agree_with_a_walk_at_every_quarter_of_an_hour(roster):
    holder = roster.holders[0]
    hours, held = roster.hours(holder, WINDOW), roster.held(holder, WINDOW)
    for n in range(DAYS * 96):
        expected = rostered(holder, at(n))
        assert (at(n) in hours) == expected
        assert (at(n) in held) == (expected and somebody(roster, 1, at(n), frozenset()))


@given(rosters(), st.integers(0, DAYS * 96 - 1))
def test_an_instant_and_a_window_tell_the_same(roster, n):
    holder = roster.holders[0]
    there = roster.is_present(1, at(n)) or any(
        roster.is_present(p.id, at(n)) for p in roster.stand_ins(holder, at(n))
    )
    held = roster.on_shift(holder, at(n)) and there
    assert held == bool(roster.held(holder, moment(at(n)))) == (at(n) in roster.held(holder, WINDOW))


def chain(*absences: Absence) -> tuple[Roster, Holder]:
    holder = Holder(1, 1, "member", CELL, None, MONDAY, None)
    return Roster([holder], absences, {i: Someone(i, f"员{i}") for i in range(1, 5)}, ZONE), holder


ALL_DAY = (at(0), at(96))


def test_b_stands_in_for_a_and_c_for_b():
    roster, holder = chain(Absence(1, *ALL_DAY, 2), Absence(2, at(40), at(60), 3))
    assert [p.id for p in roster.stand_ins(holder, at(10))] == [2]
    assert [p.id for p in roster.stand_ins(holder, at(50))] == [2, 3]
    assert roster.held(holder, WINDOW) == WINDOW


def test_where_b_is_away_too_and_nobody_is_named_there_is_a_hole():
    roster, holder = chain(Absence(1, *ALL_DAY, 2), Absence(2, at(40), at(60)))
    assert (WINDOW - roster.held(holder, WINDOW)).intervals == ((at(40), at(60)),)


@pytest.mark.parametrize("circle", [(2, 1), (2, 3, 1), (1,)])
def test_a_circle_of_stand_ins_covers_nothing_and_ends(circle):
    absences = [Absence(a, *ALL_DAY, b) for a, b in zip((1, *circle), circle, strict=False)]
    roster, holder = chain(*absences)
    assert (WINDOW - roster.held(holder, WINDOW)).intervals == (ALL_DAY,)
    assert len(list(roster.stand_ins(holder, at(5)))) == len(circle) - 1


def test_a_night_shift_ends_the_next_morning_and_follows_the_wall_clock():
    holder = Holder(
        1, 1, "member", CELL, None, MONDAY - timedelta(days=9), None, None, ((0, time(20), time(8)),)
    )
    roster = Roster([holder], (), {1: Someone(1, "员1")}, ZONE)
    assert roster.hours(holder, WINDOW).intervals == ((at(80), at(128)),)  # Monday 20:00 to Tuesday 08:00


def test_a_clock_change_shortens_a_shift():
    """In Berlin the night of 29 March 2026 has no hour from two to three: 00:00 to 06:00 is five hours."""
    berlin = ZoneInfo("Europe/Berlin")
    day = datetime(2026, 3, 29, tzinfo=berlin)
    holder = Holder(1, 1, "member", CELL, None, day - timedelta(days=9), None, None, ((6, time(0), time(6)),))
    roster = Roster([holder], (), {1: Someone(1, "员1")}, berlin)
    assert roster.hours(holder, Spans.of([(day, day + timedelta(days=1))])).length == timedelta(hours=5)


@given(rosters())
def test_pieces_tile_the_hours_and_who_is_there_does_not_change_within_one(roster):
    holder = roster.holders[0]
    pieces = list(roster.pieces(holder, WINDOW))
    assert Spans.of(pieces) == roster.hours(holder, WINDOW)
    for start, end in pieces:
        first = roster.who_is_there(holder, start)
        quarters = [at(n) for n in range(DAYS * 96) if start <= at(n) < end]
        assert all(roster.who_is_there(holder, moment) == first for moment in quarters)
        assert (first is None) == (start not in roster.held(holder, WINDOW))
