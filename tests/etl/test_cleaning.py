"""Values: what is read, what is left empty, what refuses its row."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.cleaning import clean_values
from etl.fields import DATASETS, Column, Dataset
from etl.mapping import match
from etl.rows import Batch

SHANGHAI = ZoneInfo("Asia/Shanghai")


def clean(column: Column, *values, geometry="point"):
    """One column of values: the values as stored, the refusals and the repairs as (row, reason code)."""
    dataset = Dataset("trial", "", geometry, (column,))
    batch = Batch(1, len(values), {column.name: list(values)})
    found, refused, repaired = clean_values(batch, dataset, match(dataset, [column.name]), SHANGHAI)
    return (
        found[column.name],
        [(note.row, note.reason.code) for note in refused],
        [(note.row, note.reason.code) for note in repaired],
    )


TEXT = Column("note", longest=10)
FLOORS = Column("n", "integer", low=0, high=200)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (" 临江 ", "临江"),
        ("", None), ("NULL", None), ("N/A", None), ("--", None), (None, None), (float("nan"), None),
        (12.0, "12"), (12.5, "12.5"), (310115005035007.0, "310115005035007"), (7, "7"),
    ],
)  # fmt: skip
def test_text(value, stored):
    assert clean(TEXT, value) == ([stored] if len(str(stored)) <= 10 else [None], *clean(TEXT, value)[1:])
    assert clean(Column("note"), value) == ([stored], [], [])


def test_a_text_that_is_too_long_refuses_its_row_instead_of_being_cut():
    assert clean(TEXT, "好" * 11, "好" * 10) == ([None, "好" * 10], [(1, "too_long")], [])


def test_control_characters_are_taken_out_and_told():
    assert clean(TEXT, "a\x00b\x07", "plain\n") == (["ab", "plain"], [], [(1, "control_characters")])


@pytest.mark.parametrize(
    ("value", "stored"),
    [(6, 6), ("6", 6), ("6层", 6), ("6 层", 6), (6.0, 6), ("6.0", 6), ("", None), ("０６".translate({}), 6)],
)
def test_integers(value, stored):
    assert clean(FLOORS, value) == ([stored], [], [])


@pytest.mark.parametrize("value", ["六层", "6.5", -1, 201, "6;7", float("inf"), True and "x"])
def test_an_optional_number_that_cannot_be_read_is_left_empty_and_told(value):
    assert clean(FLOORS, value, "3") == ([None, 3], [], [(1, "left_empty")])


def test_a_required_value_that_cannot_be_read_or_is_missing_refuses_its_row():
    column = Column("n", "integer", required=True)
    assert clean(column, "x", None, 1) == ([None, None, 1], [(1, "bad_value"), (2, "missing")], [])


@pytest.mark.parametrize(
    ("value", "stored"), [("1,234.5", 1234.5), ("12.5米", 12.5), ("-3e2", -300.0), ("1,2", None)]
)
def test_numbers(value, stored):
    assert clean(Column("n", "number"), value)[0] == [stored]


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("1985", 1985), (1985, 1985), ("1985-03-02", 1985), ("19850302", 1985), ("1985年", 1985),
        ("1985年3月2日", 1985), (datetime(1985, 3, 2), 1985), ("85", None),
    ],
)  # fmt: skip
def test_years(value, stored):
    assert clean(Column("y", "year", low=1890, high=2100), value)[0] == [stored]


LOCAL = datetime(2024, 3, 4, 9, 30, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    "value",
    [
        "2024-03-04 09:30:00", "2024-03-04T09:30", "2024/3/4 9:30", "2024年3月4日 9时30分",
        "2024.03.04 09:30", "2024-03-04T01:30:00Z", "2024-03-04T02:30:00+01:00", "03/04/2024 09:30:00 AM",
        datetime(2024, 3, 4, 9, 30),
    ],
)  # fmt: skip
def test_moments_without_an_offset_are_the_citys(value):
    ((stored,), _, _) = clean(Column("t", "moment"), value)
    assert stored == LOCAL
    assert stored.tzinfo is not None


def test_a_date_is_its_first_moment():
    ((first, second), _, _) = clean(Column("t", "moment"), "2024-03-04", date(2024, 3, 4))
    assert first == second == datetime(2024, 3, 4, tzinfo=SHANGHAI)


@pytest.mark.parametrize("value", ["3/4/2024", "04-03-2024 10:00", "2024-13-01", "gestern", "2024-02-30"])
def test_a_moment_that_could_mean_two_things_or_none_is_not_guessed(value):
    assert clean(Column("t", "moment", required=True), value)[1] == [(1, "bad_value")]


def test_yes_and_no_in_two_languages():
    flags = Column("f", "flag")
    assert clean(flags, "是", "否", "Yes", "0", 1, True, None)[0] == [
        True,
        False,
        True,
        False,
        True,
        True,
        None,
    ]
    assert clean(flags, "perhaps") == ([None], [], [(1, "left_empty")])


def test_tags_are_split_at_any_mark():
    assert clean(Column("tags", "tags"), "独居老人、低保;慢病", "")[0] == [("独居老人", "低保", "慢病"), ()]


def test_words_of_a_strict_column_are_ours_or_refused():
    roads = DATASETS["roads"]
    batch = Batch(1, 3, {"道路等级": ["主干路", "高铁", None]})
    found, refused, _ = clean_values(batch, roads, match(roads, ["道路等级"]), SHANGHAI)
    assert found["class"] == ["arterial", "local", "local"]
    assert [(note.row, note.reason.code) for note in refused] == [(2, "not_listed")]


def test_values_of_people_are_never_quoted_in_a_reason():
    _, _, repaired = clean_values(
        Batch(1, 1, {"n": ["13800001234x"]}),
        Dataset("people", "", None, (FLOORS,)),
        match(Dataset("people", "", None, (FLOORS,)), ["n"]),
        SHANGHAI,
    )
    assert [note.detail for note in repaired] == ["n"]


def test_a_shifted_row_is_refused():
    dataset = Dataset("trial", "", "point", (TEXT,))
    batch = Batch(5, 2, {"note": ["a", "b"]}, shifted=frozenset({6}))
    _, refused, _ = clean_values(batch, dataset, match(dataset, ["note"]), SHANGHAI)
    assert [(note.row, note.reason.code) for note in refused] == [(6, "shifted")]


@given(st.lists(st.one_of(st.none(), st.text(max_size=20), st.floats(), st.integers()), max_size=20))
def test_whatever_comes_in_can_be_stored(values):
    """No value breaks the cleaning, and what it lets through is text PostgreSQL takes."""
    stored, _, _ = clean(Column("note"), *values)
    assert all(value is None or (value and "\x00" not in value) for value in stored)


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(-12, 14))
def test_a_moment_written_in_iso_is_read_as_itself(moment, hours):
    moment = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert clean(Column("t", "moment"), moment.isoformat())[0] == [moment]
