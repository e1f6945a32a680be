"""The report: its counts add up, its words come in two languages, its list of refused rows is a table."""

from __future__ import annotations

from etl.report import LoadReport, Reason, RowNote, write_refused
from tests import made_files

NAMELESS = Reason("nameless", "没有名称", "it has no name", "请补上名称。", "Give it one.")
FAR = Reason("far", "太远", "it is too far")
MENDED = Reason("mended", "已修复", "repaired")


def report():
    return LoadReport(
        "shops", "商铺.csv", read=10, inserted=5, updated=1, unchanged=1, joined=1,
        repaired=[RowNote(2, "b", MENDED, "Self-intersection"), RowNote(3, "c", MENDED)],
        refused=[
            RowNote(4, "d", NAMELESS, "店名"), RowNote(4, "d", FAR, "12.0 km"), RowNote(7, None, NAMELESS),
        ],
    )  # fmt: skip


def test_a_row_with_two_faults_is_one_refused_row():
    assert report().accepted == 8
    assert report().as_json()["refused"] == 2
    assert report().as_json()["reasons"] == {"nameless": 2, "far": 1}


def test_accepted_and_refused_are_all_that_was_read():
    told = report().as_json()
    assert told["accepted"] + told["refused"] == told["read"]
    assert told["inserted"] + told["updated"] + told["unchanged"] + told["joined"] == told["accepted"]


def test_the_words_are_in_the_operators_language():
    english, chinese = "\n".join(report().lines("en")), "\n".join(report().lines("zh"))
    assert "10 rows: 8 accepted (2 repaired), 2 refused" in english
    assert "refused 2 × it has no name → Give it one." in english
    assert "采纳 8，其中修正 2；拒绝 2" in chinese
    assert "拒绝 2 × 没有名称 → 请补上名称。" in chinese


def test_a_remark_is_made_once():
    told = report()
    told.remark("甲", "a")
    told.remark("甲", "a")
    assert told.remarks == [("甲", "a")]


def test_the_list_of_refused_rows(tmp_path):
    rows = [
        (4, {"店名": None, "备注": "+86 20", "经度": "-71.05"}),
        (7, {"店名": "@SUM(A1)", "备注": 3.5, "经度": None}),
    ]
    write_refused(tmp_path / "r.csv", report().refused, rows)
    first, second = made_files.refused_rows(tmp_path / "r.csv")
    assert first["citygrid_reason"] == "it has no name: 店名; it is too far: 12.0 km"
    assert first["citygrid_原因"] == "没有名称：店名；太远：12.0 km"
    assert (first["店名"], first["备注"], first["经度"]) == ("", "'+86 20", "-71.05")
    assert (second["店名"], second["备注"]) == ("'@SUM(A1)", "3.5")
