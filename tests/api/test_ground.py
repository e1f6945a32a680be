"""Exceptions and disputed strips over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest
import shapely

from tests.served_city import report_body
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, NOW, STEP

METRE = STEP / 222.0
STRIP = shapely.box(LON - 30 * METRE, LAT, LON, LAT + STEP)


def give(api, who="officer", **changes):
    body = {
        "geometry": shapely.geometry.mapping(STRIP),
        "cell_code": NORTH_EAST,
        "reason": "路西侧归东格",
        **changes,
    }
    return api.client(who).post("/api/v1/exceptions", json=body)


def owner(api, west_m=10, north_m=40):
    place = {"lon": LON - west_m * METRE, "lat": LAT + north_m * METRE, "crs": "EPSG:4490", "accuracy_m": 3}
    return api.get("officer", "/responsible", **place)


def test_ground_is_given_listed_and_taken_back(api):
    assert owner(api)["cell_code"] == NORTH_WEST
    given = give(api)
    assert given.status_code == 201
    assert (owner(api)["rule"], owner(api)["cell_code"]) == ("exception", NORTH_EAST)
    (feature,) = api.get("officer", "/exceptions")["features"]
    assert feature["properties"]["reason"] == "路西侧归东格"
    api.now = NOW + timedelta(minutes=5)
    assert api.client("officer").delete(f"/api/v1/exceptions/{given.json()['id']}").status_code == 204
    assert owner(api)["rule"] == "covered"
    assert api.get("officer", "/exceptions")["features"] == []


@pytest.mark.parametrize(
    ("who", "changes", "status"),
    [
        ("member", {}, 403),
        ("south", {}, 403),
        ("officer", {"geometry": {"type": "Nonsense"}}, 422),
        ("officer", {"geometry": {"type": "Point", "coordinates": [10**30, 23]}}, 422),
        (
            "officer",
            {"geometry": {"type": "LineString", "coordinates": [[LON, LAT], [LON, LAT + STEP]]}},
            422,
        ),
        ("officer", {"cell_code": "990101001009009"}, 404),
        ("officer", {"reason": ""}, 422),
    ],
)
def test_what_cannot_be_given_is_refused(api, who, changes, status):
    answer = give(api, who, **changes)
    assert answer.status_code == status, answer.text
    assert api.count("exception") == 0


def test_misroutes_are_drawn_with_the_exception_that_would_settle_them(api):
    for n in range(6):
        place = {"lon": LON - (5 + n) * METRE, "lat": LAT + (30 + 10 * n) * METRE, "accuracy_m": 3}
        case = api.post("officer", "/incidents", **report_body(report_key=f"k{n}", **place))
        moves = f"/incidents/{case['id']}/moves"
        back = api.post("member", moves, move="hand_back", version=case["version"], note="不归我格")
        api.post(
            "officer", moves, move="dispatch", version=back["version"], note="归东格",
            member_id=api.city.members[NORTH_EAST],
        )  # fmt: skip
    (feature,) = api.get("officer", "/misroutes")["features"]
    about = feature["properties"]
    assert (about["from_cell"], about["cell_code"], about["prevented"]) == (NORTH_WEST, NORTH_EAST, 6)
    assert api.client("member").get("/api/v1/misroutes").status_code == 403
    adopted = give(api, geometry=feature["geometry"], reason=about["reason_zh"])
    assert adopted.status_code == 201
    assert api.get("officer", "/misroutes")["features"] == []


def test_near_a_border_the_answer_says_that_the_reporter_should_be_asked(api):
    assert owner(api, west_m=60)["ask"] is False
    unsure = owner(api, west_m=1)
    assert unsure["ask"] is True and unsure["confidence"] < 0.8 and unsure["second_cell"] == NORTH_EAST
