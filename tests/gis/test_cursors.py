"""A cursor comes back as it went out; whatever else comes is refused in words."""

from __future__ import annotations

import base64
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis import cursors
from gis.errors import Invalid
from gis.text import can_be_kept

IDS = st.integers(0, 2**63 - 1)


@given(st.text().filter(can_be_kept), IDS)
def test_it_comes_back_as_it_went_out(value, row_id):
    assert cursors.read(cursors.written(value, row_id)) == (value, row_id)


@given(st.datetimes(timezones=st.just(UTC)), IDS)
def test_a_moment_comes_back_as_it_went_out(at, row_id):
    assert cursors.read_moment(cursors.written(at.isoformat(), row_id)) == (at, row_id)


@pytest.mark.parametrize(
    "told",
    [
        "",
        "1",
        "[]",
        '["a"]',
        '["a", 1, 2]',
        '["a", "1"]',
        '["a", true]',
        '["a", -1]',
        '["a", 1.5]',
        "[1, 1]",
        '["a", Infinity]',
        '["a", NaN]',
        '["\\ud800", 1]',
        '["\\u0000", 1]',
        '["a", 9223372036854775808]',
        '{"a": 1}',
        "[" * 90,
    ],
)
def test_a_made_up_one_is_refused(told):
    with pytest.raises(Invalid, match="cursor"):
        cursors.read(base64.urlsafe_b64encode(told.encode()).decode())


@pytest.mark.parametrize("text", ["not a cursor", "\x00", "页", "WyJ4Iiwi"])
def test_what_is_no_cursor_at_all_is_refused(text):
    with pytest.raises(Invalid):
        cursors.read(text)


def test_a_moment_that_is_none_is_refused():
    with pytest.raises(Invalid):
        cursors.read_moment(cursors.written("yesterday", 1))
