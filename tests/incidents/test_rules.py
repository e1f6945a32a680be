"""Rule sets: which rule holds, what the shipped ones say, and the ladder a case climbs by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from incidents import ladder
from incidents.calendar import Calendar
from incidents.clocks import CaseClock
from incidents.locating import DeclaredPlace
from incidents.rules import (
    ClockRule,
    Limit,
    Rule,
    Rulebook,
    RuleChoice,
    RuleSet,
    Traits,
    current_rulebook,
    office_hours,
)
from tests.toy_city import LAT, LON, NORTH_EAST, NOW, STEP

CASE = Traits("20102", "community", "wechat", 3)


def at(hour: int, minute: int = 0, day: int = 23) -> datetime:
    return NOW.replace(day=day, hour=hour, minute=minute)


def use(town, code):
    """Make a shipped rule set the active one."""
    town.session.execute(sa.update(RuleSet).values(active=False))
    town.session.execute(sa.update(RuleSet).where(RuleSet.code == code).values(active=True))


# ---- which rule holds ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        (Rule("handle", "working_hours", 1), True),
        (Rule("record", "working_hours", 1), False),
        (Rule("handle", "working_hours", 1, category="2"), True),
        (Rule("handle", "working_hours", 1, category="20102"), True),
        (Rule("handle", "working_hours", 1, category="3"), False),
        (Rule("handle", "working_hours", 1, channel="wechat"), True),
        (Rule("handle", "working_hours", 1, channel="hotline"), False),
        (Rule("handle", "working_hours", 1, level="district"), False),
        (Rule("handle", "working_hours", 1, grade=1), False),
    ],
)
def test_a_rule_fits_where_everything_it_names_is_so(rule, fits):
    assert rule.fits("handle", CASE) is fits


def test_the_most_particular_rule_holds():
    rules = [
        Rule("handle", "working_days", 1),
        Rule("handle", "working_days", 2, level="community"),
        Rule("handle", "working_days", 3, channel="wechat"),
        Rule("handle", "working_days", 4, grade=3),
        Rule("handle", "working_days", 5, category="2"),
        Rule("handle", "working_days", 6, category="201"),
    ]
    for n in range(1, len(rules) + 1):
        book = Rulebook("", tuple(reversed(rules[:n])), Calendar())
        assert book.limit("handle", CASE) == Limit("working_days", n)


def test_where_no_rule_speaks_there_is_no_limit():
    assert Rulebook("", (Rule("record", "working_days", 1),), Calendar()).limit("verify", CASE) is None


def test_the_office_hours_of_a_set_are_those_of_its_calendar(session):
    session.execute(sa.update(RuleSet).values(office_hours="09:00-17:00"))
    assert current_rulebook(session).calendar.hours == office_hours("09:00-17:00")


def test_a_changed_rule_is_seen_at_once(session):
    before = current_rulebook(session)
    assert current_rulebook(session) is before
    session.execute(sa.update(ClockRule).where(ClockRule.clock == "verify").values(value=9))
    assert current_rulebook(session).limit("verify", CASE) == Limit("urgent_hours", 9)


def test_only_one_set_can_be_active(session):
    with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
        session.execute(sa.update(RuleSet).values(active=True))


# ---- Wuzhou: half a day to record, half a day to a result, 137, 1 + 5 ------------------------------


def test_half_a_day_to_record_and_half_a_day_to_a_result(town):
    use(town, "wuzhou")
    case = town.report(town.resident, channel="hotline", category="9904")
    assert town.case(case).due_at == at(15, 30), "4 working hours from 10:00"
    town.move(case, "register", town.operator, now=at(15))
    town.move(case, "dispatch", town.operator, now=at(15))
    assert town.case(case).due_at == at(10, day=24), "2.5 hours until 17:30, 1.5 more from 08:30"


def test_one_working_day_to_record_and_five_to_answer_what_came_by_wechat(town):
    use(town, "wuzhou")
    case = town.report(town.operator, channel="wechat", category="9904")
    assert town.case(case).due_at == at(10, day=24)
    town.walk(case, ("register", town.operator), ("dispatch", town.operator))
    assert town.case(case).due_at == at(10, day=30), "over a weekend: Monday to Monday"
    assert town.case(case).limit_words_zh.startswith(
        "派遣 11月23日 10:00 ＋ 5 工作日（11月28日至29日周末不计）"
    )


def test_the_ladder_of_one_three_and_seven_days(town):
    """Community until 15:30, then 1, 3 and 7 calendar days from the arrival at each level."""
    use(town, "wuzhou")
    case = town.report(town.member)
    assert ladder.climb(town.session, at(15, 29)) == []
    now = at(15, 31)
    for level, days in (("subdistrict", 1), ("district", 3), ("city", 7)):
        assert ladder.climb(town.session, now) == [case.id]
        found = town.case(case)
        assert (found.level, found.stage, found.handler_id) == (level, "registered", None)
        assert found.due_at == now + timedelta(days=days)
        town.move(case, "dispatch", town.operator, now=now + timedelta(hours=1))
        assert town.case(case).due_at == now + timedelta(days=days), "a level's clock runs from arrival"
        now += timedelta(days=days, minutes=1)
    assert ladder.climb(town.session, now) == [], "there is nothing above the city"
    words = town.case(case).limit_words_zh
    assert words.startswith("到达本级") and "7 自然日" in words
    levels = town.session.scalars(sa.select(CaseClock.level).order_by(CaseClock.id)).all()
    assert levels == ["community", "subdistrict", "district", "city"]


def test_a_person_may_send_a_case_up_before_its_time(town):
    use(town, "wuzhou")
    case = town.report(town.member)
    town.move(case, "escalate", town.officer, now=at(11), note="需城管、交警联合处置")
    assert (town.case(case).level, town.case(case).due_at) == ("subdistrict", at(11, day=24))


def test_paused_and_parked_cases_do_not_climb(town):
    use(town, "wuzhou")
    for key, name in (("a", "pause"), ("b", "park")):
        town.move(town.report(town.member, key), name, town.officer, note="等")
    assert ladder.climb(town.session, at(17, day=30)) == []


def test_a_case_that_stays_is_asked_again_when_its_deadline_or_its_ground_changes(town):
    """The north-east lives by a set without a ladder, the ground west of it by one with it."""
    use(town, "wuzhou")
    town.session.add(RuleChoice(ground=NORTH_EAST, rule_set="gbt30428", valid_from=NOW - timedelta(days=1)))
    town.session.flush()
    case = town.report(town.member)

    def asked_of(now):
        assert ladder.climb(town.session, now) == []
        town.session.expire_all()
        return town.session.scalars(sa.select(CaseClock.climb_asked_of)).one()

    first = town.case(case).due_at
    assert asked_of(first - timedelta(minutes=1)) is None
    assert asked_of(first) == first
    town.move(case, "extend", town.member, now=first, note="等配件", amount=4)
    town.move(case, "grant", town.officer, now=first)
    second = town.case(case).due_at
    assert asked_of(second) == second > first
    there = DeclaredPlace(LON - STEP / 2, LAT + STEP / 2, "EPSG:4490", 5.0)
    town.move(case, "relocate", town.operator, now=second, note="路西", place=there)
    assert ladder.climb(town.session, second) == [case.id]


def test_without_a_ladder_nothing_climbs(town):
    town.report(town.member)
    assert ladder.climb(town.session, NOW + timedelta(days=30)) == []


# ---- the hotline's grades --------------------------------------------------------------------------


@pytest.mark.parametrize(("grade", "hours"), [(1, 2), (2, 24), (3, 7 * 24), (4, 15 * 24)])
def test_the_hotlines_four_grades(town, grade, hours):
    use(town, "hotline")
    case = town.report(town.resident, channel="hotline", category="9904")
    town.session.execute(sa.text("UPDATE incident SET grade = :grade"), {"grade": grade})
    town.walk(case, ("register", town.operator), ("dispatch", town.operator))
    assert town.case(case).due_at == NOW + timedelta(hours=hours)
