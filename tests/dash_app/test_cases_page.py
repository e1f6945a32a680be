"""The case page: its rows and its head."""

from __future__ import annotations

import pytest

from dash_app.pages.cases_page import PATH, found_cases, table
from dash_app.texts import LANGUAGES
from dash_app.view_state import ViewState
from tests.dash_app.test_markup import Reader


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_lists_open_cases_the_most_pressing_first(office, language):
    with office.at("officer", language):
        head, lines = found_cases(office.desk, ViewState())
        columns = table(PATH).columnDefs
    assert len(lines) == 5 and lines[0]["id"] == str(office.toy.cases["overdue"])
    assert {column["field"] for column in columns} <= set(lines[0])
    assert ("5 件" if language == "zh" else "5 cases") in Reader(head).text


def test_ended_cases_are_listed_when_asked_for(office):
    with office.at("officer"):
        _, lines = found_cases(office.desk, ViewState(scope="ended"))
    assert [line["id"] for line in lines] == [str(office.toy.cases["closed"])]


def test_rows_still_to_come_are_not_told_as_none(office):
    with office.at("officer"):
        made = table(PATH)
    assert getattr(made, "rowData", None) is None
    assert made.dashGridOptions["localeText"]["loadingOoo"] == "正在列出事件…"
