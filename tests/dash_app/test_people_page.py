"""The people page as it is written on the server."""

from __future__ import annotations

from datetime import timedelta

import pytest
from markupsafe import Markup

from dash_app.pages.people_page import people_page
from dash_app.panels.roster import Week, calendar_table, hole_list, leave_list
from dash_app.texts import Words
from gis.errors import NotFound
from grids.duty_check import Hole
from grids.leaves import LeaveRow
from grids.roster_calendar import GroundLines, PostLine, RosterCalendar, Stretch
from tests.toy_city import NORTH_EAST, NORTH_WEST, NOW, SUBDISTRICT
from tests.toy_desk import ZONE

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = NOW.replace(hour=0)
WEEK = Week(MONDAY, 7, ZONE)


def test_the_page_is_this_weeks_roster_of_ones_own_subdistrict(office):
    with office.at():
        page = people_page(office.desk, "")
    assert "11月23日 周一" in page and "11月29日 周日" in page
    assert f'id="g-{NORTH_WEST}"' in page and "王小明" not in page
    assert 'data-hours="' in page


@pytest.mark.parametrize("query", ["from=2026-11-30", "from=yesterday", f"subdistrict={SUBDISTRICT}"])
def test_an_address_names_a_day_and_a_subdistrict_and_nonsense_counts_as_nothing(office, query):
    with office.at(language="en"):
        page = people_page(office.desk, query)
    assert ("Mon 30 Nov" if "11-30" in query else "Mon 23 Nov") in page


def test_another_ground_is_not_there_and_a_resident_has_none(office):
    with office.at(), pytest.raises(NotFound):
        people_page(office.desk, "subdistrict=990101002")
    with office.at("resident"), pytest.raises(NotFound):
        people_page(office.desk, "")


def calendar(*stretches, holes=()):
    line = PostLine(7, "member", 1, "王××", stretches)
    return RosterCalendar(
        SUBDISTRICT, "临江街道", (GroundLines(NORTH_WEST, "安澜 001", (line,)),), tuple(holes)
    )


def table(found, language="zh", keeps=True):
    return calendar_table(Words(language), found, WEEK, now=NOW, keeps=keeps)


def test_a_bar_lies_at_its_hours():
    """Monday 12:00 to 24:00 begins at half a day of seven, 7.143 %, and is as long."""
    found = table(calendar(Stretch(MONDAY + 12 * HOUR, MONDAY + DAY, 1, "王××")))
    assert "left:7.143%;width:7.143%" in found
    assert "11月23日 12:00 – 24:00" in found


def test_who_is_there_who_stands_in_and_nobody_look_different():
    found = table(
        calendar(
            Stretch(MONDAY, MONDAY + DAY, 1, "王××"),
            Stretch(MONDAY + DAY, MONDAY + 2 * DAY, 2, "冯×", "王××"),
            Stretch(MONDAY + 2 * DAY, MONDAY + 3 * DAY, None, None),
        )
    )
    assert [found.count(f'class="bar {kind}"') for kind in ("there", "stand-in", "hole")] == [1, 1, 1]
    assert "代班 冯×" in found


def test_a_vacant_post_has_a_line_and_only_a_keeper_changes_hours():
    vacant = Hole("vacant", NORTH_WEST, "安澜 001", "leader", MONDAY, WEEK.end)
    found = table(calendar(holes=[vacant]))
    assert 'data-post="leader"' in found and "空缺" in found
    assert "data-hours" in found and "data-hours" not in table(calendar(), keeps=False)
    assert 'data-give="leader"' in found
    assert "data-give" not in table(calendar(holes=[vacant]), keeps=False)
    over = Hole("vacant", NORTH_WEST, "安澜 001", "leader", MONDAY, NOW - HOUR)
    assert "data-give" not in table(calendar(holes=[over])), "the past cannot be filled"


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("zh", "从现在起，王×× 不再担任网格员（安澜 001）。"),
        ("en", "From now on 王×× is no longer Member of 安澜 001."),
    ],
)
def test_ending_a_post_says_first_whose_it_is_and_from_when(language, sentence):
    assert f'data-ends="{sentence}"' in table(calendar(), language)


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        ("zh", "网格员、网格长、街道值班员都不在", "网格员 王××、李× 休假，无人代班"),
        ("en", "No member, leader or duty officer", "Member 王××, 李× away, no stand-in"),
    ],
)
def test_holes_are_told_in_words_nobody_at_all_first(language, first, second):
    found = hole_list(
        Words(language),
        [
            Hole("away", NORTH_EAST, "安澜 002", "member", NOW, NOW + HOUR, ("王××", "李×")),
            Hole("nobody", NORTH_WEST, "安澜 001", None, NOW + DAY, NOW + DAY + HOUR),
        ],
        WEEK,
    )
    assert first in found and second in found
    assert found.index(first) < found.index(second)


def leave(status="asked", **changes):
    values = {
        "id": 3, "member_id": 1, "member": "王××", "kind": "sick", "starts_at": NOW, "ends_at": NOW + DAY,
        "stand_in_id": None, "stand_in": None, "status": status, "decided_at": None, "decided_by": None,
        "territory": NORTH_WEST,
    }  # fmt: skip
    return LeaveRow(**{**values, **changes})


def leaves(*rows, keeps=True) -> Markup:
    other = GroundLines(NORTH_EAST, "安澜 002", (PostLine(8, "member", 2, "冯×", ()),))
    known = calendar()
    known = RosterCalendar(known.subdistrict, known.name, (*known.grounds, other), ())
    return leave_list(Words("zh"), rows, known, WEEK, keeps=keeps)


def test_leave_that_waits_comes_first_with_everybody_who_could_stand_in():
    found = leaves(leave("approved", id=2, stand_in_id=2, stand_in="冯×"), leave())
    assert found.index('data-leave="3"') < found.index('data-leave="2"')
    assert found.count('data-decide="approve"') == 1
    assert "冯× · 安澜 002" in found and "王×× · 安澜 001" not in found, "nobody stands in for themselves"


def test_who_keeps_no_roster_reads_only():
    found = leaves(leave("approved", stand_in="冯×"), keeps=False)
    assert "代班 冯×" in found and "data-stand-in" not in found and "data-decide" not in found
