"""The settings pages as they are written on the server, for who keeps them and who only looks."""

from __future__ import annotations

from datetime import date

import pytest

from dash_app.markup import join
from dash_app.pages.settings_page import SECTIONS, settings_page
from dash_app.panels.settings_calendar import calendar_panel
from dash_app.panels.settings_categories import ICONS
from dash_app.panels.settings_history import differences, key_words
from dash_app.texts import Words
from incidents.calendar_year import Wanted
from incidents.code_tables import shipped
from incidents.setting_changes import SettingChange


@pytest.mark.parametrize("section", [*SECTIONS, "nonsense"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_section_is_shown_in_both_languages(office, section, language):
    with office.at(language=language):
        page = settings_page(office.desk, f"section={section}")
    shown = section if section in SECTIONS else "rules"
    assert f"<h1>{Words(language)(f'set.{shown}')}</h1>" in page


def test_who_only_looks_is_offered_nothing_to_change(office):
    for section in SECTIONS:
        with office.at():
            page = settings_page(office.desk, f"section={section}")
        for control in ("data-open=", "data-choose-set=", "data-year-save", "data-undo="):
            assert control not in page, (section, control)


def test_a_rule_is_told_by_an_example_that_starts_now(office):
    """NOW is Monday 10:00, so two urgent hours end at noon."""
    with office.at():
        page = settings_page(office.desk, "section=rules&set=gbt30428")
    assert "处置完成 10:00 ＋ 2 紧急工作时（昼夜连续）＝ 12:00" in page


def test_an_unpublished_year_asks_for_its_notice():
    words = Words("zh")
    page = join(calendar_panel(words, 2027, None, [Wanted(2027, 3)], today=date(2026, 12, 31), keeps=True))
    assert "3 件在办事件的时限跨入 2027 年" in page and "放假安排未公布" in page
    assert page.count("data-day=") == 365 and "data-year-save" in page


def test_a_published_year_names_its_days():
    known = {"off": {"2027-01-01": "元旦", "2027-01-02": "元旦"}, "worked": ["2027-01-09"]}
    page = join(calendar_panel(Words("en"), 2027, known, [], today=date(2027, 1, 9), keeps=False))
    assert "New Year" in page and "1 Jan – 2 Jan" in page and "9 Jan" in page
    assert "<button" not in page


def test_every_shipped_icon_can_be_chosen():
    assert {row["icon"] for row in shipped("categories")} <= set(ICONS)


def changed(subject, key, before, after):
    return SettingChange(id=1, subject=subject, key=key, before=before, after=after, username="x")


@pytest.mark.parametrize(
    ("change", "key", "told"),
    [
        (
            changed("rule", "wuzhou|level||district||", {"kind": "calendar_days", "value": 3.0},
                    {"kind": "calendar_days", "value": 2.0}),
            "wuzhou · 逐级上报 · 区级", "3 自然日 → 2 自然日",
        ),
        (changed("rule_choice", "", None, {"rule_set": "wuzhou"}), "全市", "新增：wuzhou"),
        (
            changed("category", "9909", {"name_zh": "积水", "active": True},
                    {"name_zh": "积水", "active": False}),
            "9909 积水", "启用 是 → 否",
        ),
        (changed("notice", "overdue", {"urgent": True}, None), "已超期", "删除"),
    ],
)  # fmt: skip
def test_the_history_tells_what_changed(change, key, told):
    words = Words("zh")
    assert key_words(words, change) == key
    assert differences(words, change) == told
