"""Indicators and replay through the door: numbers, definitions, lists, grounds, and what cannot be asked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, NOW, SUBDISTRICT

DAY = {"from": "2026-11-23T00:00:00+08:00", "to": "2026-11-24T00:00:00+08:00"}


@pytest.fixture
def day(api):
    """Two cases of the north-west, one finished in time; one of the north-east that falls overdue."""

    def told(who: str, key: str, east: float) -> dict:
        place = {"lon": LON + east, "lat": LAT + 0.001, "crs": "EPSG:4490"}
        return api.post(who, "/incidents", report_key=key, category="9901", **place)

    done = told("member", "a", -0.001)
    open_ = told("member", "b", -0.0012)
    late = told("neighbour", "c", 0.001)
    api.now = NOW + timedelta(hours=1)
    api.post("member", f"/incidents/{done['id']}/moves", move="finish", version=1)
    api.now = NOW.replace(hour=23)
    return {"done": done["id"], "open": open_["id"], "late": late["id"]}


def shown(api, who: str = "officer", **query) -> dict:
    return api.get(who, "/indicators", **(DAY | query))


def test_numbers_carry_both_counts_and_over_nothing_there_is_no_rate(api, day):
    report = shown(api, id="handled_on_time,satisfied", by="cell", weeks=2)
    handled = report["total"]["now"]["handled_on_time"]
    assert handled == {"numerator": 1, "denominator": 3, "percent": 33.3, "text": "33.3 %"}
    assert report["total"]["now"]["satisfied"] == {
        "numerator": 0, "denominator": 0, "percent": None, "text": "n/a",
    }  # fmt: skip
    cells = {line["code"]: line["now"]["handled_on_time"]["denominator"] for line in report["lines"]}
    assert cells == {NORTH_WEST: 2, NORTH_EAST: 1, "990101001002003": 0, "990101001002004": 0}
    assert [week["handled_on_time"]["denominator"] for week in report["total"]["weeks"]] == [0, 3]
    assert report["previous"] == {"starts_at": "2026-11-22T00:00:00+08:00", "ends_at": DAY["from"]}
    assert report["not_available"] == ["无数据", "n/a"]


def test_the_cases_behind_a_number_are_as_many_as_it_says(api, day):
    for part, cases in (("numerator", {"done"}), ("rest", {"open", "late"}), ("denominator", set(day))):
        found = api.get("officer", "/indicators/handled_on_time/cases", part=part, **DAY)
        assert {entry["incident_id"] for entry in found["entries"]} == {day[name] for name in cases}
    one = api.get("officer", "/indicators/handled_on_time/cases", by="cell", code=NORTH_EAST, **DAY)
    assert [entry["incident_id"] for entry in one["entries"]] == [day["late"]]


def test_everybody_reads_the_numbers_of_their_own_ground(api, day):
    def handled(who: str, **query) -> int:
        return shown(api, who, **query)["total"]["now"]["handled"]["denominator"]

    assert [handled(who) for who in ("officer", "community", "south", "member")] == [3, 3, 0, 2]
    assert handled("officer", territory=NORTH_WEST) == 2
    assert handled("south", territory=SUBDISTRICT) == 0


def test_definitions_say_what_is_divided_by_what(api):
    found = {one["id"]: one for one in api.get("officer", "/indicators/definitions")}
    rework = found["rework"]
    assert (rework["zh"], rework["better"], rework["unit"]) == ("返工率", "low", "%")
    assert rework["numerator_en"] and rework["denominator_zh"] and rework["note_en"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/indicators?by=weather", 422),
        ("/indicators?window=fortnight", 422),
        ("/indicators?from=2026-11-23T00:00:00%2B08:00", 422),
        ("/indicators?id=happiness", 404),
        ("/indicators?territory=1'", 422),
        ("/indicators/happiness/cases", 404),
        ("/indicators/handled/cases?part=best", 422),
        ("/indicators/handled/cases?after=x", 422),
        ("/replay", 422),
        ("/replay?at=2027-01-01T00:00:00%2B08:00", 422),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_remedy(api, address, status):
    answer = api.client("officer").get("/api/v1" + address)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_a_stranger_reads_nothing(api):
    for address in ("/indicators", "/indicators/definitions", "/indicators/handled/cases", "/replay"):
        assert api.anonymous().get("/api/v1" + address).status_code == 401


def test_a_past_minute_is_answered_with_the_cases_of_then(api, day):
    def past(who: str, hour: int, **query) -> dict:
        rows = api.get(who, "/replay", at=NOW.replace(hour=hour).isoformat(), **query)["incidents"]
        return {row["id"]: (row["stage"], row["clock"]) for row in rows}

    assert past("officer", 9) == {}
    assert past("officer", 10)[day["done"]] == ("dispatched", "in_time")
    assert past("officer", 16) == {
        day["done"]: ("handled", "overdue"),
        day["open"]: ("dispatched", "overdue"),
        day["late"]: ("dispatched", "overdue"),
    }
    assert set(past("member", 16)) == {day["done"], day["open"]}
    assert past("south", 16) == {}
    assert set(past("officer", 16, territory=NORTH_EAST)) == {day["late"]}
