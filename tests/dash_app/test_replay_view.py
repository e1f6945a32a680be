"""A past minute for the map: its markers, its counts, and what is no past."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dash_app.replay_view import replayed
from gis.errors import Invalid
from tests.toy_city import NORTH_WEST, NOW


def look(office, minutes: int, more: str = "") -> dict:
    at = (NOW - timedelta(minutes=minutes)).isoformat()
    return replayed(office.desk, f"at={at.replace('+', '%2B')}{more}")


def test_the_markers_of_then_with_their_counts_and_the_minute_in_words(office):
    with office.at():
        before, now = look(office, 45), look(office, 0)
    cases = office.toy.cases
    then = {feature["id"]: feature["properties"] for feature in before["cases"]["features"]}
    assert set(then) == {cases[name] for name in ("overdue", "handling", "handled", "closed")}
    assert {one["stage"] for one in then.values()} == {"已派遣"}
    assert before["words"] == "11月23日 周一 09:15"
    assert before["counts"] == {"open": 4, "overdue": 1, "hollow": 0}
    assert now["counts"]["hollow"] == 1, "the resident's report that waits"


def test_the_filter_of_the_address_holds_in_the_past(office):
    with office.at():
        late = look(office, 45, "&clock=overdue")
        elsewhere = look(office, 5, f"&territory={NORTH_WEST[:9]}002")
    assert [feature["id"] for feature in late["cases"]["features"]] == [office.toy.cases["overdue"]]
    assert [feature["id"] for feature in elsewhere["cases"]["features"]] == [office.toy.cases["far"]]


@pytest.mark.parametrize("query", ["", "at=noon", "at=2026-11-23T09:00:00", "at=2027-01-01T00:00:00%2B08:00"])
def test_a_moment_that_is_none_or_still_to_come_is_refused(office, query):
    with office.at(), pytest.raises(Invalid):
        replayed(office.desk, query)
