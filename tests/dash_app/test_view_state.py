"""The address bar: reading and writing are inverse, and nothing in it can break the page."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dash_app.tokens import CLOCKS
from dash_app.view_state import ORDERS, SCOPES, SELECTABLE, SPANS, TABS, ViewState
from incidents.incident import ENDED, STAGES

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 14, 32, tzinfo=ZONE)

DIGITS = st.text("0123456789", min_size=1, max_size=15)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(ZoneInfo("UTC"))).map(
    datetime.isoformat
)


def some_of(names):
    return st.lists(st.sampled_from(sorted(names)), unique=True).map(",".join)


def one_or_none(names):
    return st.sampled_from(["", *names])


VALID = st.builds(
    ViewState,
    territory=st.sampled_from(["", "9901", "990101", "990101001", "990101001001", "990101001001001"]),
    stage=some_of(STAGES),
    clock=some_of(CLOCKS),
    category=st.sampled_from(["", "01", "01,02", "9901"]),
    when=one_or_none(SPANS),
    from_=st.just("") | MOMENTS,
    to=st.just("") | MOMENTS,
    q=st.text("abc 楼道&=%+?#中", max_size=20).map(str.strip),
    tab=one_or_none(TABS),
    sort=one_or_none(ORDERS),
    span=one_or_none(SPANS),
    scope=one_or_none(SCOPES),
)


@given(VALID, st.none() | st.tuples(st.sampled_from(SELECTABLE), DIGITS))
def test_an_address_read_back_is_the_same(state, selection):
    if selection:
        state = replace(state, **{selection[0]: selection[1]})
    assert ViewState.parse("?" + state.query) == state
    assert ViewState.parse(state.query).selection == selection


@given(st.text(max_size=80), st.sampled_from([field.name for field in fields(ViewState)]))
def test_no_text_breaks_an_address(text, name):
    name = "from" if name == "from_" else name
    for search in (text, f"?{name}={text}", f"{name}={text}&{name}={text}"):
        state = ViewState.parse(search)
        assert ViewState.parse(state.query) == state


@pytest.mark.parametrize("search", ["q=%00", "incident=%C2%B2", "building=7%00", "territory=%00"])
def test_what_the_database_cannot_be_asked_is_left_out(search):
    """A NUL, and a superscript that only looks like a number."""
    assert ViewState.parse(search) == ViewState()


def test_two_selections_leave_the_first_kind():
    assert ViewState.parse("cell=990101001001001&incident=7").selection == ("incident", "7")


def test_choosing_one_thing_lets_go_of_the_other():
    state = ViewState(clock="overdue", cell="990101001001001")
    assert state.href(incident=7) == "/?clock=overdue&incident=7"
    assert state.without_selection.href("/cases") == "/cases?clock=overdue"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ViewState(), {"open_only": True, "stages": (), "closed_since": None}),
        (ViewState(scope="every"), {"open_only": False, "stages": (), "closed_since": None}),
        (ViewState(scope="ended"), {"open_only": False, "stages": ENDED}),
        (ViewState(scope="ended", stage="closed"), {"stages": ("closed",)}),
        # "Closed today" is a counter of today: its list must be as long as its figure.
        (ViewState(clock="closed"), {"open_only": False, "closed_since": NOW.replace(hour=0, minute=0)}),
        (ViewState(when="today"), {"open_only": False, "since": NOW.replace(hour=0, minute=0)}),
        (ViewState(when="7d"), {"since": NOW.replace(hour=0, minute=0) - timedelta(days=6)}),
        (ViewState(category="01,9909"), {"categories": ("9901", "9902", "9909")}),
    ],
)
def test_what_an_address_filters(state, expected):
    wanted = state.filter(NOW, ZONE, {"01": ["9901", "9902"]})
    assert {name: getattr(wanted, name) for name in expected} == expected


def test_the_time_bar_is_a_calendar_day_of_the_city():
    start, end = ViewState().window(NOW, ZONE)
    assert (start, end) == (datetime(2026, 11, 23, tzinfo=ZONE), datetime(2026, 11, 24, tzinfo=ZONE))
    start, _ = ViewState(span="30d").window(NOW, ZONE)
    assert start == datetime(2026, 10, 25, tzinfo=ZONE)
