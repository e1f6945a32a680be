"""Codes: the file's own, the table's by parent and name, or made up inside the parent and kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.codes import (
    UNASSIGNED_CITY,
    CodeTable,
    Given,
    Known,
    area_codes,
    cell_codes,
    official_code,
    parent_of,
    stem,
)
from gis.errors import Invalid

NOTHING = CodeTable({})
TABLE = CodeTable(
    {
        "110105": "朝阳区", "110105015": "八里庄街道", "110105021": "高碑店地区",
        "110108": "海淀区", "110108005": "八里庄街道",
        "110118": "密云区", "110118002": "果园街道",
    }
)  # fmt: skip


def codes(given, level, known=(), table=NOTHING):
    return [(code.code, code.origin) for code in area_codes(given, level, known, table)]


@pytest.mark.parametrize(
    ("text", "level", "code"),
    [
        ("440103", "district", "440103"), ("440103000000", "district", "440103"),
        ("440103001", "subdistrict", "440103001"), ("440103001000", "subdistrict", "440103001"),
        ("440100", "city", "4401"), ("440103001002", "community", "440103001002"),
        ("440103001002", "district", None), ("12", "district", None), ("A1", "district", None),
        (None, "city", None), ("990101001001001", "cell", "990101001001001"), ("012345", "district", None),
    ],
)  # fmt: skip
def test_official_codes_are_recognised_bare_or_padded_with_zeros(text, level, code):
    assert official_code(text, level) == code


def test_one_name_in_two_districts_gets_two_codes():
    given = [Given("a", "八里庄街道", "海淀区"), Given("b", "八里庄街道", "朝阳区")]
    assert codes(given, "subdistrict", table=TABLE) == [("110108005", "table"), ("110105015", "table")]


def test_a_name_alone_is_no_key():
    ((code, origin),) = codes([Given("a", "八里庄街道", None)], "subdistrict", table=TABLE)
    assert origin == "invented"
    assert code not in TABLE.names


def test_old_names_are_found_by_their_stem_unless_somebody_bears_the_name_itself():
    assert stem("高碑店地区") == stem("高碑店乡") == "高碑店"
    given = [Given("a", "高碑店乡", "朝阳区"), Given("b", "果园街道", "密云县")]
    assert codes(given, "subdistrict", table=TABLE) == [("110105021", "table"), ("110118002", "table")]
    both = [Given("a", "高碑店乡", "朝阳区"), Given("b", "高碑店地区", "朝阳区")]
    assert codes(both, "subdistrict", table=TABLE) == [("110105901", "invented"), ("110105021", "table")]


def test_a_code_made_up_inside_a_real_parent_is_none_the_statistics_could_give():
    assert codes([Given("a", "新区", "朝阳区")], "subdistrict", table=TABLE) == [("110105901", "invented")]


def test_a_code_once_given_stays():
    known = [Known("110105", "朝阳区", None), Known("110105007", "某街道", "x7")]
    assert codes([Given("x7", "改了名", "朝阳区")], "subdistrict", known) == [("110105007", "loaded")]


def test_the_parent_is_found_among_the_areas_loaded():
    known = [Known("990101", "示范区", "D1")]
    given = [Given("a", "甲", "D1"), Given("b", "乙", "示范区"), Given("c", "丙", None)]
    assert [code[:6] for code, _ in codes(given, "subdistrict", known)] == ["990101"] * 3


def test_parents_nobody_knows_are_made_up_the_same_for_the_same_name():
    given = [Given("a", "甲", "东区"), Given("b", "乙", "西区"), Given("c", "丙", "东区")]
    found = [code for code, _ in codes(given, "subdistrict")]
    assert found[0][:6] == found[2][:6] != found[1][:6]
    assert all(code.startswith(UNASSIGNED_CITY) for code in found)


def test_a_database_holds_one_city():
    assert codes([Given("a", "甲市", None)], "city") == [(UNASSIGNED_CITY, "invented")]
    with pytest.raises(Invalid, match="one city"):
        codes([Given("a", "甲市", None), Given("b", "乙市", None)], "city")


def test_a_code_table_needs_its_two_columns(tmp_path):
    path = tmp_path / "codes.csv"
    path.write_text("id,label\n1,x\n")
    with pytest.raises(Invalid, match="code and name"):
        CodeTable.read([path])
    path.write_text("code,name\n110105,朝阳区\n", encoding="gb18030")
    assert CodeTable.read([path]).names == {"110105": "朝阳区"}


def test_cells_keep_their_code_over_the_generations():
    coded = cell_codes([("A1", ""), ("A7", "")], {"A7": "990000000001009"}, ["990000000001009"])
    assert [(code.code, code.origin) for code in coded] == [
        ("990000000001001", "invented"),
        ("990000000001009", "loaded"),
    ]


def test_cells_are_numbered_inside_the_area_they_lie_in():
    coded = cell_codes([("a", "440103001002"), ("b", "440103001"), ("990101001001007", "x")], {}, ())
    assert [code.code for code in coded] == ["440103001002001", "440103001000001", "990101001001007"]


def test_a_thousand_cells_without_areas_get_a_second_community():
    coded = cell_codes([(str(i), "") for i in range(1500)], {}, ())
    assert len({code.code for code in coded}) == 1500
    assert {code.code[:12] for code in coded} == {"990000000001", "990000000002"}


@given(
    st.lists(
        st.tuples(st.sampled_from("甲乙丙丁"), st.sampled_from(["东区", "西区", None])),
        max_size=40,
        unique=True,
    ),
    st.sampled_from(["subdistrict", "community"]),
)
def test_different_things_never_share_a_code_and_codes_extend_their_parents(names, level):
    given = [Given(f"{parent}/{name}", name, parent) for name, parent in names]
    found = [code for code, _ in codes(given, level, table=TABLE)]
    assert len(set(found)) == len(found)
    assert all(code.startswith(parent_of(code)) and code.isdigit() for code in found)
