"""Text is read in the encoding it is in, or the file is refused and told which one it is in."""

from __future__ import annotations

import pytest
import shapely

from etl.encodings import dbf_encoding, known_encoding, text_encoding
from gis.errors import Invalid
from tests import made_files

CHINESE = "编号,名称\n1,石桥街道安澜社区居委会\n"


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gbk", "gb18030"), ("utf-16", "utf-16")],
)
def test_the_encodings_of_chinese_files_are_found_without_being_declared(tmp_path, encoding, found):
    path = tmp_path / "a.csv"
    path.write_text(CHINESE, encoding=encoding)
    assert text_encoding(path, None) == found
    assert path.read_text(found) == CHINESE


def test_western_text_is_not_taken_for_chinese(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("id,nom\n1,café à Genève, été, où, naïve, Noël\n".encode("latin-1"))
    with pytest.raises(Invalid) as refusal:
        text_encoding(path, None)
    assert "--encoding" in refusal.value.remedy_en
    assert text_encoding(path, "latin-1") == "iso8859-1"


def test_a_wrong_declaration_is_refused_and_the_right_one_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(CHINESE, encoding="gb18030")
    with pytest.raises(Invalid) as refusal:
        text_encoding(path, "UTF-8")
    assert refusal.value.details["encoding"] == "gb18030"


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"PK\x03\x04\x00\x00\x00")
    with pytest.raises(Invalid, match="zero bytes"):
        text_encoding(path, None)


@pytest.mark.parametrize("name", ["GBK", "gb2312", "936", "54936", "GB18030"])
def test_names_of_the_chinese_encodings_all_mean_their_superset(name):
    assert known_encoding(name) == "gb18030"


def test_an_unknown_encoding_is_refused():
    with pytest.raises(Invalid):
        known_encoding("klingon")


def test_a_dbf_value_cut_inside_a_character_is_forgiven(tmp_path):
    """A .dbf field holds at most 254 bytes: 127 characters of GBK, but of UTF-8 84 and two thirds."""
    made_files.vector(tmp_path / "a.shp", [shapely.Point(113, 23)], {"名称": ["街" * 200]}, encoding="UTF-8")
    assert dbf_encoding(tmp_path / "a.dbf", None, None) == ("utf-8", True)


def test_a_cpg_that_the_bytes_contradict_is_refused_with_the_right_encoding(tmp_path):
    made_files.vector(tmp_path / "a.shp", [shapely.Point(113, 23)], {"名称": ["临江街道"]}, encoding="GBK")
    assert dbf_encoding(tmp_path / "a.dbf", None, "GBK") == ("gb18030", False)
    with pytest.raises(Invalid) as refusal:
        dbf_encoding(tmp_path / "a.dbf", None, "UTF-8")
    assert refusal.value.details["encoding"] == "gb18030"
