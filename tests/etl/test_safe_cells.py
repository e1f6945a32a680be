"""A cell of a table never runs, and comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.safe_cells import read_cell, safe_cell


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@SUM(A1)", "\tx", "\rx", "\n=1", "＝1+1"])
def test_a_cell_of_a_file_never_runs(text):
    assert safe_cell(text) == "'" + text


def test_an_ordinary_cell_stays_as_it_is():
    assert safe_cell("路灯不亮 3 盏 = 坏") == "路灯不亮 3 盏 = 坏"


@given(st.text().filter(lambda text: not text.startswith("'")))
def test_it_comes_back_as_it_was(text):
    assert read_cell(safe_cell(text)) == text
