"""The evaluation page as it is written on the server, its figures, its shading, its file."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from dash_app.desk import current_visit
from dash_app.evaluation_csv import evaluation_file
from dash_app.evaluation_view import EvaluationView
from dash_app.kept_reports import KEPT_FOR, KeptReports
from dash_app.pages.evaluation_page import drawn_weeks, evaluation_page, shade_shapes
from dash_app.pages.exports_page import exports_page
from dash_app.shading import HATCHED, class_names, shade_class
from dash_app.sparklines import change, rate, rate_bar, sparkline
from dash_app.texts import Words
from dash_app.texts_evaluation import EVALUATION_TEXTS
from etl.export_marks import trace
from incidents.indicators import GROUPS, INDICATORS, Ratio
from tests.toy_city import NORTH_EAST, NORTH_WEST, NOW, SUBDISTRICT
from tests.toy_desk import ZONE

ZH, EN = Words("zh"), Words("en")
HANDLED, REWORK = INDICATORS["handled_on_time"], INDICATORS["rework"]


def words_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", html))


def test_every_indicator_has_a_row_with_both_counts(office):
    with office.at():
        page = evaluation_page(office.desk, "")
    assert all(indicator.zh in page for indicator in INDICATORS.values())
    assert len(re.findall(r"\d+ / \d+", words_of(page))) >= len(INDICATORS)
    assert "无数据" in page and "考核 · 临江街道" in page


def test_lines_go_down_level_by_level(office):
    with office.at():
        communities = evaluation_page(office.desk, "")
        cells = evaluation_page(office.desk, f"territory={SUBDISTRICT}001")
        people = evaluation_page(office.desk, f"territory={NORTH_WEST}")
    assert f'data-code="{SUBDISTRICT}001"' in communities and "安澜社区" in communities
    assert f'data-code="{NORTH_WEST}"' in cells and "安澜 001" in cells
    assert "王××" in people and "王小明" not in people


def test_a_number_opens_its_cases(office):
    with office.at(language="en"):
        page = evaluation_page(office.desk, "indicator=handled_on_time&part=denominator")
    assert f'href="/?incident={office.toy.cases["closed"]}"' in page
    assert "All that count" in page and "Back to the groups" in page
    assert re.search(r"<time[^>]*>judged ", page), "a time says what it is the time of"


def test_a_ground_that_is_not_ones_own_has_no_numbers(office):
    with office.at("community"):
        page = evaluation_page(office.desk, f"territory={SUBDISTRICT}002")
    assert not re.search(r"[1-9]\d* / \d", words_of(page))


@pytest.mark.parametrize(
    "query",
    [
        "by=weather",
        "window=x",
        "territory=abc",
        "from=x&to=y",
        "part=all&code='",
        "from=0001-01-01&to=9999-12-31",
    ],
)
def test_nonsense_in_the_address_counts_as_nothing(office, query):
    with office.at():
        assert "按期处置率" in evaluation_page(office.desk, query)


def test_own_days_count_with_both_ends():
    view = EvaluationView.parse("from=2026-11-01&to=2026-11-03")
    window = view.span(NOW, ZONE)
    assert (window.starts_at.day, window.ends_at.day) == (1, 4)
    backwards = EvaluationView.parse("from=2026-11-03&to=2026-11-01")
    assert backwards.span(NOW, ZONE) == EvaluationView().span(NOW, ZONE)


def test_an_address_and_its_reading_are_inverse():
    asked = f"territory={SUBDISTRICT}&window=7d&by=category&indicator=rework&part=rest&code=9901"
    view = EvaluationView.parse(asked)
    assert EvaluationView.parse(view.query) == view
    assert "part" not in view.href(window="30d"), "another question closes the list"


def test_the_grounds_are_shaded_and_what_is_not_known_is_hatched(office):
    with office.at():
        found = shade_shapes(office.desk, f"territory={SUBDISTRICT}001")
    assert [feature["properties"]["code"] for feature in found["features"]] == [NORTH_WEST, NORTH_EAST]
    assert {feature["properties"]["class"] for feature in found["features"]} == {HATCHED}, "fewer than ten"


def test_beside_people_the_grounds_below_are_shaded(office):
    with office.at():
        found = shade_shapes(office.desk, f"territory={SUBDISTRICT}&by=member")
        cell = shade_shapes(office.desk, f"territory={NORTH_WEST}&by=member")
    codes = [feature["properties"]["code"] for feature in found["features"]]
    assert codes == [f"{SUBDISTRICT}001", f"{SUBDISTRICT}002"]
    assert [feature["properties"]["code"] for feature in cell["features"]] == [NORTH_WEST]


def test_the_weeks_are_drawn_for_each_indicator_and_each_line(office):
    with office.at():
        page = evaluation_page(office.desk, f"territory={SUBDISTRICT}001")
        drawn = drawn_weeks(office.desk, f"territory={SUBDISTRICT}001")
    assert drawn["indicators"].keys() == set(re.findall(r'data-weeks="(\w+)"', page)) == set(INDICATORS)
    assert drawn["lines"].keys() == set(re.findall(r'data-code="(\d+)"', page)) == {NORTH_WEST, NORTH_EAST}
    assert all(picture.startswith("<svg") for part in drawn.values() for picture in part.values())


def test_a_kept_report_says_when_it_was_counted(office):
    """Its footer and the cases behind its numbers are of that moment, not of the one it is looked at."""
    desk = replace(office.desk, reports=KeptReports(worth_keeping_s=0))
    later = replace(desk, clock=lambda: NOW + timedelta(minutes=4))
    query = "indicator=handled_on_time&part=denominator"
    with office.at():
        assert evaluation_page(desk, query) == evaluation_page(later, query)
        assert "2026-11-23 10:04" in evaluation_page(replace(later, reports=KeptReports()), query)


def test_kept_for_minutes_by_key_and_only_if_it_took_long():
    told = iter(range(9))
    kept, quick = KeptReports(worth_keeping_s=0), KeptReports(worth_keeping_s=60)

    def count() -> int:
        return next(told)

    assert [kept.counted(key, NOW, count).what for key in "aab"] == [0, 0, 1]
    almost = kept.counted("a", NOW + KEPT_FOR - timedelta(seconds=1), count)
    assert (almost.what, almost.at) == (0, NOW)
    assert kept.counted("a", NOW + KEPT_FOR, count).what == 2
    assert [quick.counted("a", NOW, count).what for _ in range(2)] == [3, 4]


@pytest.mark.parametrize(
    ("indicator", "ratio", "expected"),
    [
        (HANDLED, Ratio(100, 100), 0),
        (HANDLED, Ratio(95, 100), 0),
        (HANDLED, Ratio(94, 100), 1),
        (HANDLED, Ratio(59, 100), 4),
        (REWORK, Ratio(0, 100), 0),
        (REWORK, Ratio(2, 100), 0),
        (REWORK, Ratio(21, 100), 4),
        (HANDLED, Ratio(9, 9), HATCHED),
        (HANDLED, Ratio(0, 0), HATCHED),
    ],
)
def test_classes_are_fixed_and_stronger_is_worse(indicator, ratio, expected):
    assert shade_class(indicator, ratio) == expected
    assert len(class_names(indicator)) == 5


def test_below_ten_cases_no_rate_is_worked_out():
    assert words_of(rate(ZH, Ratio(3, 4))).strip() == "—"
    assert words_of(rate(EN, Ratio(0, 0))).strip() == "n/a"
    assert words_of(rate(ZH, Ratio(152, 158))).strip() == "96.2 %"
    assert "hatched" in rate_bar(HANDLED, Ratio(3, 4), None, longest=1.0)


@pytest.mark.parametrize(
    ("indicator", "now", "before", "shown", "worse"),
    [
        (HANDLED, Ratio(96, 100), Ratio(94, 100), "▲ 2.0", False),
        (HANDLED, Ratio(92, 100), Ratio(94, 100), "▼ 2.0", True),
        (REWORK, Ratio(6, 100), Ratio(4, 100), "▲ 2.0", True),
        (REWORK, Ratio(4, 100), Ratio(4, 100), "=", False),
        (HANDLED, Ratio(96, 100), Ratio(5, 5), "·", False),
    ],
)
def test_an_arrow_says_whether_it_became_worse(indicator, now, before, shown, worse):
    arrow = change(ZH, indicator, now, before)
    assert words_of(arrow).strip() == shown
    assert ("worse" in arrow) == worse


def test_a_week_without_cases_is_a_gap_in_the_line():
    line = sparkline(ZH, [Ratio(1, 2), Ratio(), Ratio(2, 2), Ratio(1, 1)], name="x")
    assert re.search(r'd="(M[^ML]+)(M[^ML]+)(L[^ML]+)"', line)


def test_the_file_has_both_counts_of_every_span_and_is_traced_when_it_strays(office, tmp_path):
    with office.at(language="en"):
        name, content = evaluation_file(office.desk, current_visit(), f"territory={SUBDISTRICT}")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert name.startswith("evaluation-20261123-")
    assert len(rows) == 1 + 3 * len(INDICATORS) + 1, "head, the whole and two communities, the mark"
    assert rows[0][4:7] == ["This period numerator", "This period denominator", "This period percent"]
    assert "n/a" in {row[6] for row in rows[1:-1]}
    assert "Evaluation figures 2026-10-25 – 2026-11-23" in rows[-1][0]
    taken, edited = tmp_path / "somebody's.csv", tmp_path / "saved again.csv"
    taken.write_bytes(content)
    edited.write_bytes(content.replace(b",", b";"))
    with office.desk.database.system_work() as session:
        for file, changed in ((taken, False), (edited, True)):
            found = trace(session, file)
            assert (found.username, found.subject, found.rows) == ("officer", "evaluation", 3)
            assert found.changed == changed
    with office.at():
        assert "考核 .csv" in exports_page(office.desk, "") and "已下载" in exports_page(office.desk, "")


def test_every_word_exists_in_both_languages():
    assert all(zh and en for zh, en in EVALUATION_TEXTS.values())
    assert set(GROUPS) == {indicator.group for indicator in INDICATORS.values()}
