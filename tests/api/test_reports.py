"""Reporting over HTTP: found, written, told once; and who may see the case afterwards."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from gis import crs
from tests.served_city import report_body
from tests.toy_city import NORTH_EAST, NORTH_WEST, SOUTH_EAST

INCIDENTS = "/api/v1/incidents"


def post(api, who="member", **changes):
    return api.client(who).post(INCIDENTS, json=report_body(**changes))


def test_a_report_finds_its_person_and_says_why(api):
    answer = post(api)
    assert answer.status_code == 201
    case = answer.json()
    assert answer.headers["location"] == f"{INCIDENTS}/{case['id']}"
    assert (case["number"], case["stage"], case["version"], case["created"]) == (
        "2026-1123-0001",
        "dispatched",
        1,
        True,
    )
    found = case["responsibility"]
    assert (found["rule"], found["cell_code"]) == ("covered", NORTH_WEST)
    assert found["member"]["id"] == api.city.members[NORTH_WEST]
    assert found["confidence"] >= 0.99
    assert "王××" in found["reason_zh"] and NORTH_WEST in found["reason_en"]


def test_people_are_named_masked(api):
    text = post(api).text + api.client("member").get(f"{INCIDENTS}/1").text
    assert "王小明" not in text
    assert "10012345678" not in text


@pytest.mark.parametrize("system", ["EPSG:4326", "GCJ-02", "BD-09", "EPSG:4546"])
def test_the_same_place_in_any_declared_system_is_the_same_place(api, system):
    """The place is written in each system by the forward formulas; the report undoes them exactly."""
    lon, lat = 113.0985, 23.0015
    if system == "GCJ-02":
        x, y = crs.wgs84_to_gcj02(lon, lat)
    elif system == "BD-09":
        x, y = crs.gcj02_to_bd09(*crs.wgs84_to_gcj02(lon, lat))
    elif system == "EPSG:4546":
        x, y = crs.to_metres(lon, lat, zone=system)
    else:
        x, y = lon, lat
    case = (
        api.client("member")
        .get(f"{INCIDENTS}/{post(api, lon=float(x), lat=float(y), crs=system).json()['id']}")
        .json()
    )
    assert (case["lon"], case["lat"]) == pytest.approx((lon, lat), abs=1e-8)
    assert case["source_crs"] == system


def test_the_same_key_is_answered_with_the_first_result(api):
    first, again = post(api), post(api)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"created": False}
    assert api.count("incident") == 1
    assert api.count("incident_move") == 3  # report, register, dispatch


def test_the_same_key_with_another_body_is_a_conflict(api):
    first = post(api).json()
    answer = post(api, description="别的事情")
    assert answer.status_code == 409
    assert answer.json()["incident"] == first["id"]
    assert api.count("incident") == 1


def test_a_key_belongs_to_its_reporter(api):
    ids = {post(api, who).json()["id"] for who in ("member", "neighbour", "resident")}
    assert len(ids) == 3


def test_eight_phones_sending_the_same_report_at_once_make_one_case(api):
    client = api.client("member")
    with ThreadPoolExecutor(8) as phones:
        answers = list(phones.map(lambda _: client.post(INCIDENTS, json=report_body()), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["number"] for answer in answers}) == 1
    assert api.count("notice") == 1


def test_a_residents_report_waits_where_its_category_says_so(api):
    waiting = post(api, "resident", category="9904").json()
    straight = post(api, "resident", category="9901", report_key="key-2").json()
    assert (waiting["stage"], straight["stage"]) == ("reported", "dispatched")


@pytest.mark.parametrize(
    ("who", "channel", "status"),
    [
        ("resident", "member", 403),
        ("member", "hotline", 403),
        ("member", "smoke signals", 403),
        ("officer", "hotline", 201),
        ("resident", "resident", 201),
    ],
)
def test_a_channel_is_not_taken_on_trust(api, who, channel, status):
    assert post(api, who, channel=channel).status_code == status


def test_a_point_off_every_cell_still_has_an_owner_and_says_so(api):
    found = post(api, lon=113.1065, lat=23.0).json()["responsibility"]  # 460 m east of the last cell
    assert (found["rule"], found["cell_code"]) == ("orphan", None)
    assert found["member"]["id"] == api.city.duty_officer
    assert "属地兜底" in found["reason_zh"]


def test_asking_who_is_responsible_writes_nothing(api):
    query = {"lon": 113.1005, "lat": 22.9985, "crs": "EPSG:4490", "accuracy_m": 5}
    answer = api.client("resident").get("/api/v1/responsible", params=query)
    assert answer.json()["cell_code"] == SOUTH_EAST
    assert answer.json()["member"]["id"] == api.city.stand_in, "the member is off duty"
    assert (api.count("incident"), api.count("notice")) == (0, 0)


def test_who_may_see_a_case(api):
    """The member has the case; officers see their ground; the others do not learn that it exists."""
    case = post(api, "resident").json()["id"]
    seen = {
        who: api.client(who).get(f"{INCIDENTS}/{case}").status_code
        for who in ("resident", "member", "leader", "officer", "community", "admin", "neighbour", "south")
    }
    assert seen == {
        "resident": 200,
        "member": 200,
        "leader": 200,
        "officer": 200,
        "community": 200,
        "admin": 200,
        "neighbour": 404,
        "south": 404,
    }


def test_the_list_is_filtered_and_paged(api):
    client = api.client("officer")
    for n, (lon, lat) in enumerate([(113.0985, 23.0015), (113.1015, 23.0015), (113.0985, 22.9985)]):
        post(api, "officer", report_key=f"k{n}", lon=lon, lat=lat, category=("9901", "9902", "9901")[n])

    def found(**query):
        answer = client.get(INCIDENTS, params=query)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["incidents"]]

    first, second, third = found(order="reported")[::-1]
    assert found(territory=NORTH_EAST) == [second]
    assert found(bbox="113.098,23.001,113.099,23.002") == [first]
    assert sorted(found(category="9901")) == [first, third]
    assert found(stage="closed,void") == []
    assert sorted(found(stage=["dispatched", "handling"])) == [first, second, third]
    assert found(overdue=True) == []
    assert found(q="2026-1123-0002") == [second]
    assert found(**{"from": api.now.isoformat(), "to": api.now.isoformat().replace("10:00", "10:01")}) != []
    assert found(to=api.now.isoformat()) == [], "the window is half open"
    assert sorted(found(mine="reports")) == [first, second, third]
    assert found(near="113.1015,23.0015")[0] == second
    page = client.get(INCIDENTS, params={"limit": 2, "order": "number"}).json()
    rest = client.get(INCIDENTS, params={"limit": 2, "order": "number", "after": page["next"]}).json()
    assert [row["id"] for row in page["incidents"] + rest["incidents"]] == [third, second, first]
    assert rest["next"] is None


def test_an_offset_whose_plus_became_a_space_is_understood(api):
    post(api)
    found = api.client("member").get(f"{INCIDENTS}?from=2026-11-23T09:59:00 08:00").json()["incidents"]
    assert len(found) == 1


def picture(colour="red", form="JPEG", size=(640, 480)):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, form)
    return buffer.getvalue()


def test_a_report_with_photographs_in_one_request(api):
    form = {"report": (None, json.dumps(report_body()), "application/json")}
    files = [("photos", ("a.jpg", picture("red"))), ("photos", ("b.heic", picture("blue", "HEIF")))]
    answer = api.client("member").post(INCIDENTS, files=[*form.items(), *files])
    assert answer.status_code == 201, answer.text
    kept = answer.json()["photos"]
    assert [photo["kind"] for photo in kept] == ["before", "before"]
    for photo in kept:
        sent = api.client("officer").get(f"/api/v1/photos/{photo['id']}")
        assert sent.headers["content-type"] == "image/jpeg"
        assert Image.open(io.BytesIO(sent.content)).format == "JPEG"
        assert api.client("south").get(f"/api/v1/photos/{photo['id']}").status_code == 404
    again = api.client("member").post(INCIDENTS, files=[*form.items(), *files])
    assert (again.status_code, again.json()["photos"]) == (200, kept)
    other = api.client("member").post(
        INCIDENTS, files=[*form.items(), ("photos", ("c.jpg", picture("green")))]
    )
    assert other.status_code == 409


def test_a_browser_asks_each_time_before_it_shows_its_copy_of_a_photograph(api):
    form = {"report": (None, json.dumps(report_body())), "photos": ("a.jpg", picture())}
    photo = api.client("member").post(INCIDENTS, files=form).json()["photos"][0]
    address = f"/api/v1/photos/{photo['id']}"
    sent = api.client("member").get(address)
    assert sent.headers["cache-control"] == "private, no-cache"
    known = {"If-None-Match": sent.headers["etag"]}
    assert api.client("member").get(address, headers=known).status_code == 304
    assert api.client("south").get(address, headers=known).status_code == 404
    assert api.anonymous().get(address, headers=known).status_code == 401


def test_photographs_added_later_are_kept_once(api):
    case = post(api).json()["id"]
    for _ in range(2):
        answer = api.client("member").post(
            f"{INCIDENTS}/{case}/photos", data={"kind": "after"}, files={"photo": ("x", picture())}
        )
        assert answer.status_code == 201, answer.text
        assert len(answer.json()["photos"]) == 1
    assert api.count("incident_photo") == 1


def test_only_the_handler_or_the_desk_shows_the_result(api):
    case = post(api, "resident").json()["id"]
    address = f"{INCIDENTS}/{case}/photos"
    answers = {
        who: api.client(who)
        .post(address, data={"kind": "after"}, files={"photo": ("x", picture())})
        .status_code
        for who in ("resident", "neighbour", "member", "officer")
    }
    assert answers == {"resident": 403, "neighbour": 404, "member": 201, "officer": 201}
