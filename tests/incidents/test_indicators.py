"""The indicators against one day counted by hand, the traps others fell into, and the lists behind numbers.

The day is Monday 23 November 2026; ten cases are reported at 10:00. The toy category gives 4 working hours
(10:00 -> 15:30), the shipped rules a resident's report 24 hours, the desk 1 working hour to dispatch, whoever
checks 2 hours. It is read over [23 November, 24 November), as it was known at its end.

    A  finished 15:00, verified 15:10, closed 15:20
    B  finished 16:00 (late), rework 16:30, finished 16:50, verified 17:00, closed 17:05
    C  handed back 11:00, dispatched to the leader 11:30, finished 15:45, verified 18:10 (late), not closed
    D  a resident's, waits to be confirmed until tomorrow 10:00
    E  a resident's, confirmed 10:20, dispatched 11:30 (late), finished 14:00, verified 14:30, closed 15:00,
       rated 5
    F  a resident's, rejected 10:30, rated 1
    G  made void 11:00
    H  parked 11:00
    I  nobody does anything
    J  finished 11:00, verified 11:05, closed 11:10, reopened 12:00, nobody dispatches it (due 14:30)
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from gis.access import Principal
from gis.errors import Invalid, NotFound
from incidents import evaluation, indicators_page, tracking
from incidents.calendar import CITY_ZONE
from incidents.evaluation import PARTS, Scope, entries, evaluate
from incidents.indicators import INDICATORS, Ratio, indicator_named
from incidents.windows import Window
from tests.toy_city import NORTH_EAST, NOW, SUBDISTRICT


def at(hour: int, minute: int = 0, day: int = 23) -> datetime:
    return NOW.replace(day=day, hour=hour, minute=minute)


DAY = Window(at(0), at(0, day=24))
LATER = at(9, day=24)

# What the day reads, counted by hand from the ten stories above.
BY_HAND = {
    "valid_reports": (7, 9),  # not D (undecided); not valid: F rejected, G void
    "missed_by_patrol": (0, 8),  # E came from a resident, but its category is no part of the standard
    "found_by_public": (1, 8),  # E, of A B C E G H I J
    "confirmed_on_time": (2, 2),  # E and F; D has until tomorrow
    "registered_on_time": (7, 7),  # A B C H I J at once, E; F was rejected in time, G is void
    "accurate_registration": (7, 8),  # all but G
    "dispatched_on_time": (7, 9),  # six at once and C again; E at 11:20 and J at 14:30 were not
    "accurate_dispatch": (8, 9),  # A B C C E G H I J, of which C came back once
    "handled": (5, 6),  # A B C E J; I not. C's first clock lapsed, H stands, G is void
    "handled_on_time": (4, 6),  # A C E J; B was late
    "rework": (1, 6),  # A B B C E J, the first of B
    "verified_on_time": (5, 6),  # A B B E J; C was due 17:45. B's rework is a check too
    "closed": (3, 6),  # A B E; J is open again
    "closed_on_time": (2, 6),  # A E
    "unclosed": (5, 10),  # C D H I J
    "reopened": (1, 4),  # A B E J
    "answered": (2, 3),  # D E F: D not yet
    "solved": (1, 2),  # E closed, F rejected
    "satisfied": (1, 2),  # E 5 points, F 1
}


@pytest.fixture
def day(town):
    """The ten cases by their letters."""
    member, officer, leader = town.member, town.officer, town.leader

    def told(letter: str, *moves: tuple) -> None:
        resident = letter in "DEF"
        by = town.resident if resident else member
        more = {"channel": "resident", "category": "9904"} if resident else {}
        cases[letter] = town.report(by, letter, now=at(10), **more)
        for name, who, when, *rest in moves:
            town.move(cases[letter], name, who, now=when, note="因故", **(rest[0] if rest else {}))

    def done(*time: int) -> tuple:
        return "finish", member, at(*time)

    def check(*time: int) -> tuple:
        return "verify", town.inspector, at(*time)

    def end(*time: int) -> tuple:
        return "close", officer, at(*time)

    cases: dict = {}
    told("A", done(15), check(15, 10), end(15, 20))
    told("B", done(16), ("rework", town.inspector, at(16, 30)), done(16, 50), check(17), end(17, 5))
    to_leader = ("dispatch", officer, at(11, 30), {"member_id": leader.member_id})
    told("C", ("hand_back", member, at(11)), to_leader, ("finish", leader, at(15, 45)), check(18, 10))
    told("D")
    told(
        "E",
        ("confirm", leader, at(10, 20)),
        ("dispatch", officer, at(11, 30)),
        done(14),
        check(14, 30),
        end(15),
    )
    told("F", ("reject", officer, at(10, 30)))
    told("G", ("void", officer, at(11)))
    told("H", ("park", officer, at(11)))
    told("I")
    told("J", done(11), check(11, 5), end(11, 10), ("reopen", officer, at(12)))
    for letter, score in (("E", 5), ("F", 1)):
        tracking.rate(town.session, cases[letter].tracking_code, score, None, now=at(16))
    return cases


def read(town, *windows: Window, by: Principal | None = None, now: datetime = LATER, **more):
    return evaluate(town.session, windows or (DAY,), by=by or town.operator, now=now, **more)


def numbers(found, group: str = "", window: int = 0) -> dict[str, tuple[int, int]]:
    ratios = found[group][window] if group in found else {}
    return {id_: (ratio.numerator, ratio.denominator) for id_, ratio in ratios.items()}


def test_every_indicator_reads_what_was_counted_by_hand(town, day):
    assert numbers(read(town)) == BY_HAND
    assert set(BY_HAND) == set(INDICATORS)


def test_many_cases_are_counted_from_the_moves_of_the_window_alike(town, day, monkeypatch):
    monkeypatch.setattr(evaluation, "PICKED_OUT", 9)  # the day has ten cases
    assert numbers(read(town)) == BY_HAND
    late = entries(town.session, indicator_named("handled_on_time"), DAY, "rest", by=town.operator, now=LATER)
    assert {row.incident_id for row in late.entries} == {day["B"].id, day["I"].id}


@pytest.mark.parametrize("indicator", INDICATORS.values(), ids=lambda indicator: indicator.id)
def test_the_list_behind_a_number_is_as_long_as_the_number(town, day, indicator):
    lists = {
        part: entries(town.session, indicator, DAY, part, by=town.operator, now=LATER).entries
        for part in PARTS
    }
    numerator, denominator = BY_HAND[indicator.id]
    assert {part: len(rows) for part, rows in lists.items()} == {
        "denominator": denominator, "numerator": numerator, "rest": denominator - numerator,
    }  # fmt: skip
    assert [row.counted for row in lists["numerator"]] == [True] * numerator
    assert not any(row.counted for row in lists["rest"])


def test_a_list_names_the_cases_and_goes_on_from_its_cursor(town, day):
    late = indicator_named("handled_on_time")
    page = entries(town.session, late, DAY, "rest", by=town.operator, now=LATER)
    assert {row.incident_id for row in page.entries} == {day["B"].id, day["I"].id}
    assert [row.at for row in page.entries] == [at(15, 30)] * 2
    seen, after = [], None
    while True:
        page = entries(
            town.session, late, DAY, "denominator", by=town.operator, now=LATER, limit=2, after=after
        )
        seen += [row.incident_id for row in page.entries]
        after = page.next
        if after is None:
            break
    assert sorted(seen) == sorted(day[letter].id for letter in "ABCEIJ")
    with pytest.raises(Invalid):
        entries(town.session, late, DAY, "rest", by=town.operator, now=LATER, after="x")


def test_hours_add_up_to_their_day(town, day):
    """Each row is judged once. Only G differs: in the hour of ten nobody knew that it would be made void."""
    hours = [Window(at(hour), at(hour) + timedelta(hours=1)) for hour in range(24)]
    by_hour = read(town, *hours)[""]
    of_g = {"dispatched_on_time": 1, "registered_on_time": 1, "handled_on_time": 0, "verified_on_time": 0}
    for id_, more in of_g.items():
        parts = [found[id_] for found in by_hour if id_ in found]
        numerator, denominator = BY_HAND[id_]
        total = (sum(r.numerator for r in parts), sum(r.denominator for r in parts))
        assert total == (numerator + more, denominator + more), id_


def test_a_past_day_reads_the_same_whatever_happens_later(town, day):
    before = numbers(read(town))
    town.move(day["A"], "reopen", town.officer, now=at(10, day=25), note="又坏了")
    town.move(day["I"], "finish", town.member, now=at(10, day=25))
    town.move(day["C"], "void", town.officer, now=at(10, day=25), note="误报")
    town.move(day["D"], "confirm", town.leader, now=at(10, day=25))
    assert numbers(read(town, now=at(12, day=25))) == before


def test_over_nothing_there_is_no_rate(town):
    """One implementation scored an empty department as if it had failed everything."""
    assert read(town) == {}
    nothing = Ratio()
    assert (nothing.value, nothing.percent, nothing.words("zh"), nothing.words("en")) == (
        None, None, "无数据", "n/a",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("numerator", "denominator", "percent"),
    [(152, 158, 96.2), (1999, 2000, 99.9), (1, 3000, 0.1), (0, 7, 0.0), (7, 7, 100.0), (1, 3, 33.3)],
)
def test_a_rate_is_round_only_where_it_is_exact(numerator, denominator, percent):
    assert Ratio(numerator, denominator).percent == percent


def test_work_is_put_down_to_whoever_had_it_when_it_was_judged(town, day):
    found = read(town, group="member")
    member, leader = str(town.member.member_id), str(town.leader.member_id)
    assert numbers(found, member)["handled_on_time"] == (3, 5)  # A E J of A B E I J
    assert numbers(found, leader)["handled_on_time"] == (1, 1)  # C, which the member had handed back
    assert numbers(found, member)["accurate_dispatch"] == (7, 8)
    assert "dispatched_on_time" not in numbers(found, member), "the desk dispatches, not the handler"


def test_numbers_told_apart_add_up(town, day):
    for group in ("district", "community", "cell", "category", "channel"):
        found = read(town, group=group)
        for id_, expected in BY_HAND.items():
            parts = [of_group[0].get(id_, Ratio()) for of_group in found.values()]
            if (group, id_) == ("category", "missed_by_patrol"):
                expected = (0, 0)  # the toy categories are no part of the standard
            assert (sum(r.numerator for r in parts), sum(r.denominator for r in parts)) == expected
    assert set(read(town, group="cell")) == {NORTH_EAST}
    with pytest.raises(Invalid, match="weather"):
        read(town, group="weather")


def test_what_the_patrol_missed_is_told_for_each_of_its_own_kinds_and_no_other(town, day):
    """Of the standard's kind 9901 are the seven cases A B C G H I J, of 9904 the resident's E."""
    town.session.execute(sa.text("UPDATE category SET standard = 'GB/T 30428.2' WHERE code = '9901'"))
    town.session.execute(sa.text("UPDATE incident SET channel = 'hotline' WHERE report_key IN ('A', 'B')"))
    by_kind = read(town, group="category")
    missed = {code: windows[0]["missed_by_patrol"] for code, windows in by_kind.items()}
    assert missed == {"9901": Ratio(2, 7), "9904": Ratio(0, 0)}
    assert numbers(read(town))["missed_by_patrol"] == (2, 8)
    indicator, of_kind = INDICATORS["missed_by_patrol"], ("category", "9904")
    behind = entries(town.session, indicator, DAY, "denominator", by=town.operator, now=LATER, group=of_kind)
    assert behind.entries == []


def test_a_scope_counts_only_its_own(town, day):
    public = numbers(read(town, scope=Scope(channel="resident")))
    assert public["found_by_public"] == (1, 1) and public["unclosed"] == (1, 3)
    one = numbers(read(town, scope=Scope(member=town.leader.member_id)))
    assert one["handled_on_time"] == (1, 1)
    assert numbers(read(town, scope=Scope(categories=["9904"])))["answered"] == (2, 3)
    assert read(town, scope=Scope(territory=SUBDISTRICT + "002")) == {}


def test_nobody_counts_what_they_may_not_see(town, day):
    assert read(town, by=town.stranger) == {}
    assert numbers(read(town, by=town.officer)) == BY_HAND
    own = numbers(read(town, by=town.resident))
    assert own["unclosed"] == (1, 3), "a resident's own reports"


def test_a_window_that_still_runs_ends_now(town, day):
    """At 15:29 nothing of I is overdue yet; at 15:30 its limit is up, and from then on it is judged."""
    assert numbers(read(town, now=at(15, 29)))["handled"] == (3, 3)  # A E J
    assert numbers(read(town, now=at(15, 31)))["handled"] == (3, 5)  # and B and I, not done


def test_an_unknown_indicator_is_not_found():
    with pytest.raises(NotFound):
        indicator_named("happiness")


def test_every_indicator_says_what_it_counts_in_both_languages():
    for indicator in INDICATORS.values():
        words = [indicator.zh, indicator.en, *indicator.numerator_words, *indicator.denominator_words]
        assert all(words) and all(indicator.basis.when)
        assert indicator.better in ("high", "low")


def test_the_day_is_read_in_the_city_s_own_time(town, day):
    """A report at 00:30 in Beijing is of that day, though it is still the day before in UTC."""
    town.report(town.member, "night", now=at(0, 30, day=25))
    tuesday = Window(datetime(2026, 11, 25, tzinfo=CITY_ZONE), datetime(2026, 11, 26, tzinfo=CITY_ZONE))
    assert numbers(read(town, tuesday, now=at(1, day=25)))["unclosed"] == (1, 1)


def test_the_page_about_the_indicators_is_the_one_they_make():
    kept = (Path(__file__).resolve().parents[2] / "docs" / "indicators.md").read_text("utf-8")
    assert kept == indicators_page.page(), "run: python -m incidents.indicators_page > docs/indicators.md"
