"""Settings: rules get versions and running cases keep theirs; every change is kept and can be undone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from gis.access import Principal
from gis.errors import Conflict, Denied, Invalid, NotFound
from incidents import notice_wording
from incidents.calendar import CITY_ZONE
from incidents.categories import Category, active_categories
from incidents.code_tables import fill_code_tables
from incidents.notice_kinds import BLANKS, notice_kinds
from incidents.queries import get_incident
from incidents.rule_overview import overview
from incidents.rule_settings import LineKey
from incidents.rules import Limit, Traits, current_rulebook, current_rulebooks
from incidents.setting_changes import change, changes, undo
from tests.toy_city import NOW

ADMIN = Principal(8, "admin", "管理员", "admin", "")
DISTRICT = Principal(9, "district", "区", "district_officer", "990101")
LATER = NOW + timedelta(hours=1)
VERIFY = "gbt30428|verify||||"
ANY = Traits("9901", "community", "member", 3)


def limit_of(session, *, territory="", at=None, clock="verify"):
    return current_rulebook(session, territory=territory, at=at).limit(clock, ANY)


# ---- rules -----------------------------------------------------------------------------------------


def test_a_changed_line_holds_from_then_on_and_not_before(session):
    change(session, "rule", VERIFY, {"kind": "urgent_hours", "value": 5}, by=ADMIN, now=NOW)
    assert limit_of(session) == Limit("urgent_hours", 5)
    assert limit_of(session, at=NOW - timedelta(seconds=1)) == Limit("urgent_hours", 2)
    assert limit_of(session, at=NOW) == Limit("urgent_hours", 5)


def test_a_case_that_runs_keeps_the_rules_it_was_reported_under(town):
    """Reported at 10:00 under "verify within 2 hours"; the rule changes to 5 at 11:00; finished at 12:00."""
    old = town.report(town.member, "old")
    change(town.session, "rule", VERIFY, {"kind": "urgent_hours", "value": 5}, by=ADMIN, now=LATER)
    new = town.report(town.member, "new", now=LATER)
    noon = NOW + timedelta(hours=2)
    for case in (old, new):
        town.move(case, "finish", town.member, now=noon)
    due = [get_incident(town.session, case.id, by=town.officer, now=noon).row.due_at for case in (old, new)]
    assert due == [noon + timedelta(hours=2), noon + timedelta(hours=5)]


def test_a_line_taken_out_lets_its_clock_rest(session):
    change(session, "rule", VERIFY, None, by=ADMIN, now=NOW)
    assert limit_of(session) is None
    assert limit_of(session, at=NOW - timedelta(days=1)) == Limit("urgent_hours", 2)


def test_a_district_lives_by_a_set_of_its_own(session):
    change(session, "rule_choice", "990101", {"rule_set": "wuzhou"}, by=DISTRICT, now=NOW)
    assert current_rulebook(session, territory="990101001001001").code == "wuzhou"
    assert current_rulebook(session, territory="990102001").code == "gbt30428"
    assert current_rulebook(session).code == "gbt30428"
    assert current_rulebook(session, territory="990101", at=NOW - timedelta(seconds=1)).code == "gbt30428"
    assert current_rulebooks(session).know_a_ladder


def test_the_narrowest_choice_wins_and_letting_go_follows_the_city(session):
    change(session, "rule_choice", "", {"rule_set": "hotline"}, by=ADMIN, now=NOW)
    change(session, "rule_choice", "990101", {"rule_set": "wuzhou"}, by=ADMIN, now=NOW)
    assert current_rulebook(session, territory="9901").code == "hotline"
    change(session, "rule_choice", "990101", None, by=ADMIN, now=LATER)
    assert current_rulebook(session, territory="990101").code == "hotline"
    assert current_rulebook(session, territory="990101", at=NOW).code == "wuzhou"


@pytest.mark.parametrize(
    ("key", "state"),
    [
        ("gbt30428|verify||||", {"kind": "moon_days", "value": 1}),
        ("gbt30428|verify||||", {"kind": "urgent_hours", "value": 0}),
        ("gbt30428|tea||||", {"kind": "urgent_hours", "value": 1}),
        ("nobody|verify||||", {"kind": "urgent_hours", "value": 1}),
        ("gbt30428|verify|77777|||", {"kind": "urgent_hours", "value": 1}),
        ("gbt30428|verify", {"kind": "urgent_hours", "value": 1}),
    ],
)
def test_a_line_that_cannot_be_is_refused(session, key, state):
    with pytest.raises(Invalid):
        change(session, "rule", key, state, by=ADMIN, now=NOW)


def test_a_key_reads_back_as_it_was_written():
    key = LineKey("wuzhou", "level", None, "district", None, 4)
    assert str(key) == "wuzhou|level||district||4"
    assert LineKey.parse(str(key)) == key


def test_a_copied_set_has_the_lines_and_hours_of_its_own(session):
    state = {"name_zh": "新", "name_en": "New", "office_hours": "09:00-12:00,14:00-18:00", "lines": []}
    state["lines"] = [["verify", None, None, None, None, "working_hours", 3]]
    change(session, "rule_set", "ours", state, by=ADMIN, now=NOW)
    change(session, "rule_choice", "", {"rule_set": "ours"}, by=ADMIN, now=NOW)
    book = current_rulebook(session)
    assert book.limit("verify", ANY) == Limit("working_hours", 3)
    assert [opens.hour for opens, _ in book.calendar.hours] == [9, 14]
    with pytest.raises(Conflict):
        change(session, "rule_set", "ours", None, by=ADMIN, now=LATER)


def test_the_overview_tells_each_line_by_an_example_from_now(town):
    """Monday 10:00 + 2 urgent hours is 12:00; the district follows the city until it chooses."""
    found = overview(town.session, by=ADMIN, now=NOW, zone=CITY_ZONE)
    used = next(one for one in found.sets if one.used)
    verify = next(line for line in used.lines if line.clock == "verify")
    assert verify.example_zh == "处置完成 10:00 ＋ 2 紧急工作时（昼夜连续）＝ 12:00"
    assert [(ground.code, ground.chosen) for ground in found.grounds] == [("", False), ("990101", False)]


# ---- categories ------------------------------------------------------------------------------------

QUESTION = {"key": "depth", "zh": "水深", "en": "Depth", "kind": "number", "required": True, "options": []}


def category_state(**changes):
    state = {
        "kind": "event", "group_code": "99", "group_zh": "试", "group_en": "Trial", "name_zh": "积水",
        "name_en": "Flooding", "icon": "drop", "default_role": "member", "department_code": None,
        "needs_confirm": False, "urgent": False, "limit_kind": "working_hours", "limit_value": 4,
        "active": True, "questions": [],
    }  # fmt: skip
    return state | changes


def test_a_category_in_use_is_retired_not_deleted(town):
    town.report(town.member, category="9901")
    with pytest.raises(Conflict) as refusal:
        change(town.session, "category", "9901", None, by=ADMIN, now=NOW)
    assert "停用" in refusal.value.remedy_zh
    change(town.session, "category", "9901", category_state(active=False), by=ADMIN, now=NOW)
    assert "9901" not in {one.code for one in active_categories(town.session)}
    with pytest.raises(Invalid):
        town.report(town.member, "k2", category="9901")


def test_a_deleted_category_stays_away_after_an_upgrade(session):
    change(session, "category", "10101", None, by=ADMIN, now=NOW)
    fill_code_tables(session)
    assert session.get(Category, "10101") is None


def test_a_corrected_year_is_not_filled_up_again(session):
    off = {"2026-01-01": "元旦"}
    change(session, "calendar", "2026", {"off": off, "worked": []}, by=ADMIN, now=NOW)
    fill_code_tables(session)
    years = sa.text("SELECT count(*) FROM calendar_day WHERE extract(year FROM day) = 2026")
    assert session.scalar(years) == 1


def test_every_fault_of_a_category_is_told_at_once(session):
    state = category_state(
        name_en="", icon="No Such", limit_value=0, questions=[{**QUESTION, "kind": "song"}]
    )
    with pytest.raises(Invalid) as refusal:
        change(session, "category", "9909", state, by=ADMIN, now=NOW)
    for part in ("英文名称", "图标", "时限", "第 1 题"):
        assert part in refusal.value.message_zh


def test_a_report_answers_the_questions_of_its_category(town):
    change(town.session, "category", "9909", category_state(questions=[QUESTION]), by=ADMIN, now=NOW)
    for answers in ({}, {"depth": "deep"}, {"depth": 3, "colour": "red"}):
        with pytest.raises(Invalid):
            town.report(town.member, "k1", category="9909", answers=answers)
    told = town.report(town.member, "k1", category="9909", answers={"depth": 0.3})
    detail = get_incident(town.session, told.id, by=town.officer, now=NOW)
    assert detail.answers == {"depth": 0.3} and detail.questions == [QUESTION]


def test_a_main_class_is_renamed_in_all_its_categories(session):
    change(session, "category_group", "101", {"zh": "公共设施", "en": "Utilities"}, by=ADMIN, now=NOW)
    names = session.scalars(sa.select(Category.group_zh).where(Category.group_code == "101").distinct()).all()
    assert names == ["公共设施"]


# ---- words of notices ------------------------------------------------------------------------------


def wording(**changes):
    both = {"zh": "{number} 超期", "en": "{number} overdue"}
    return {"urgent": False, "senders": ["sms"], "subject": both, "text": both} | changes


def test_own_words_are_used_and_given_up_again(session):
    change(session, "notice", "overdue", wording(), by=ADMIN, now=NOW)
    assert notice_wording.worded_kinds(session)["overdue"].text["zh"] == "{number} 超期"
    change(session, "notice", "overdue", None, by=ADMIN, now=LATER)
    assert notice_wording.worded_kinds(session)["overdue"] == notice_kinds()["overdue"]


@pytest.mark.parametrize(
    "text", ["{titel}", "{number", "}", "{number!r}", "{number:>9}", "{number.x}", "{0}", "x" * 501, " "]
)
def test_words_that_cannot_be_filled_are_refused_with_the_blanks(session, text):
    with pytest.raises(Invalid) as refusal:
        change(session, "notice", "overdue", wording(text={"zh": text, "en": "fine"}), by=ADMIN, now=NOW)
    assert "{number}" in refusal.value.remedy_zh


def test_the_sample_case_fills_every_blank():
    for language, sample in notice_wording.SAMPLE.items():
        assert set(sample) == set(BLANKS), language
    for kind in notice_kinds().values():
        for language in ("zh", "en"):
            assert notice_wording.preview(kind.subject[language], kind.text[language], language)


# ---- history ---------------------------------------------------------------------------------------


def test_every_change_is_kept_and_can_be_undone(session):
    made = change(session, "rule", VERIFY, {"kind": "urgent_hours", "value": 5}, by=ADMIN, now=NOW)
    assert (made.before, made.after) == (
        {"kind": "urgent_hours", "value": 2.0},
        {"kind": "urgent_hours", "value": 5.0},
    )
    back = undo(session, made.id, by=ADMIN, now=LATER)
    assert back.undoes == made.id and limit_of(session) == Limit("urgent_hours", 2)
    assert [one.id for one in changes(session)] == [back.id, made.id]


@pytest.mark.parametrize(
    ("subject", "key", "state"),
    [
        ("rule", "gbt30428|handle|10101|||", {"kind": "urgent_hours", "value": 1}),
        ("rule_choice", "990101", {"rule_set": "wuzhou"}),
        ("category", "9909", category_state()),
        ("category_group", "101", {"zh": "甲", "en": "A"}),
        ("notice", "overdue", wording()),
    ],
)
def test_undoing_brings_back_exactly_what_was(session, subject, key, state):
    made = change(session, subject, key, state, by=ADMIN, now=NOW)
    assert undo(session, made.id, by=ADMIN, now=LATER).after == made.before


def test_what_was_changed_again_since_is_not_undone(session):
    first = change(session, "rule", VERIFY, {"kind": "urgent_hours", "value": 5}, by=ADMIN, now=NOW)
    change(session, "rule", VERIFY, {"kind": "urgent_hours", "value": 6}, by=ADMIN, now=LATER)
    with pytest.raises(Conflict):
        undo(session, first.id, by=ADMIN, now=LATER)
    with pytest.raises(NotFound):
        undo(session, 10**9, by=ADMIN, now=LATER)


def test_a_change_that_changes_nothing_leaves_no_trace(session):
    assert change(session, "rule", VERIFY, {"kind": "urgent_hours", "value": 2}, by=ADMIN, now=NOW) is None
    assert changes(session) == []


def test_an_entered_year_can_be_corrected_and_not_taken_out(session):
    year = {"off": {"2027-01-01": "元旦"}, "worked": ["2027-01-09"]}
    made = change(session, "calendar", "2027", year, by=ADMIN, now=NOW)
    assert made.before is None and made.after == year
    with pytest.raises(Conflict):
        undo(session, made.id, by=ADMIN, now=LATER)


@pytest.mark.parametrize(
    ("role", "territory", "subject", "key"),
    [
        ("district_officer", "990101", "rule", VERIFY),
        ("district_officer", "990101", "category", "9909"),
        ("district_officer", "990101", "rule_choice", ""),
        ("district_officer", "990101", "rule_choice", "990102"),
        ("subdistrict_officer", "990101001", "rule_choice", "990101001"),
        ("analyst", "", "rule", VERIFY),
    ],
)
def test_who_may_not_change_what(session, role, territory, subject, key):
    somebody = Principal(5, "x", "某", role, territory)
    with pytest.raises(Denied):
        change(session, subject, key, None, by=somebody, now=datetime.now(CITY_ZONE))
    assert changes(session) == []
