"""Headers and words of a file find our columns; what is named wrongly is an error, never ignored."""

from __future__ import annotations

import pytest

from etl.fields import DATASETS, headers_of, plain, words_of
from etl.mapping import FOLDER, match, operator_map
from gis.errors import Invalid, NotFound

BUILDINGS = DATASETS["buildings"]


def test_chinese_headers_find_our_columns_whatever_their_punctuation():
    fields = match(BUILDINGS, ["楼栋编码", "建筑 名称", "楼层数（层）", "高度", "备注"])
    assert fields.headers["source_code"] == "楼栋编码"
    assert fields.headers["name"] == "建筑 名称"
    assert "floors" not in fields.headers  # 楼层数层 is another word: nothing is guessed
    assert fields.unused == ("楼层数（层）", "备注")


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda d: d.name)
def test_our_own_names_always_fit(dataset):
    fields = match(dataset, [column.name for column in dataset.columns])
    assert fields.headers == {column.name: column.name for column in dataset.columns}


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda d: d.name)
def test_the_first_chinese_header_of_every_column_fits(dataset):
    """A table made of the best header of each column is read completely."""
    best = {}
    for column in dataset.columns:
        known = [h for h in headers_of(dataset.name, column.name)[1:] if h not in best.values()]
        if known:
            best[column.name] = known[0]
    assert match(dataset, list(best.values())).headers == best


def test_one_header_serves_one_column():
    fields = match(DATASETS["residents"], ["户编号", "姓名"])
    assert fields.headers == {"household": "户编号", "name": "姓名"}


def test_a_header_named_by_command_wins_and_must_exist():
    areas = DATASETS["areas"]
    assert match(areas, ["name", "乡"], named={"name": "乡"}).headers["name"] == "乡"
    with pytest.raises(Invalid) as refusal:
        match(areas, ["name"], named={"name": "镇"})
    assert refusal.value.details["headers"] == ["name"]


def test_a_required_column_that_is_missing_is_told_with_what_it_could_be_called():
    with pytest.raises(Invalid) as refusal:
        match(DATASETS["estates"], ["代号"])
    assert "小区名称" in refusal.value.remedy_zh


def test_full_width_case_and_underscores_do_not_matter():
    assert plain("Ｎａｍｅ＿ＥＮ ") == plain("name:en") == "nameen"


def test_words_are_translated_to_ours():
    roads = DATASETS["roads"]
    (column,) = [column for column in roads.columns if column.name == "class"]
    words = words_of("roads", column)
    assert (words[plain("主干路")], words[plain("motorway_link")]) == ("arterial", "expressway")


def write_map(folder, text):
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_an_operators_mapping_adds_headers_words_and_strictness(tmp_path):
    name = write_map(
        tmp_path,
        '[shops]\nstrict = ["category"]\n'
        '[shops.headers]\nname = "招牌"\n'
        '[shops.words.category]\n"小吃" = "餐饮"',
    )
    fields = match(DATASETS["shops"], ["招牌", "业态"], operator=operator_map(name, DATASETS["shops"]))
    assert fields.headers["name"] == "招牌"
    assert fields.words["category"]["小吃"] == "餐饮"
    assert "category" in fields.strict


def test_of_several_headers_the_first_that_says_something_counts(tmp_path):
    from zoneinfo import ZoneInfo

    from etl.cleaning import clean_values
    from etl.rows import Batch

    roads = DATASETS["roads"]
    name = write_map(tmp_path, '[roads.headers]\nclass = ["detail", "kind"]\n[roads.words.class]\nferry = ""')
    fields = match(roads, ["detail", "kind", "more"], operator=operator_map(name, roads))
    assert (fields.needed, fields.unused) == (["detail", "kind"], ("more",))
    batch = Batch(1, 3, {"detail": ["primary", None, ""], "kind": ["road", "ferry", "path"]})
    values, refused, _ = clean_values(batch, roads, fields, ZoneInfo("Asia/Shanghai"))
    assert values["class"] == ["arterial", "local", "lane"]
    assert [note.row for note in refused] == [2]


@pytest.mark.parametrize(
    "text",
    [
        "[shop]\n",
        '[shops.headers]\nnam = "x"',
        '[shops]\nstrict = ["kind"]',
        "[shops",
        "[shops.words.nam]\na='b'",
    ],
)
def test_a_mapping_with_a_spelling_mistake_is_refused(tmp_path, text):
    with pytest.raises(Invalid, match="not well formed"):
        operator_map(write_map(tmp_path, text), DATASETS["shops"])


def test_an_unknown_mapping_is_answered_with_those_that_exist():
    with pytest.raises(NotFound, match="tilezen"):
        operator_map("nowhere", DATASETS["shops"])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda p: p.stem)
def test_every_shipped_mapping_is_well_formed(path):
    assert operator_map(path.stem, DATASETS["shops"]) is not None
