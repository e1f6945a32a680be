"""The roster over HTTP: leave from the phone, decided at the desk; holes seen before a case meets them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.api.test_stream import listening
from tests.served_city import report_body
from tests.toy_city import NORTH_EAST, NORTH_WEST, NOW, SUBDISTRICT

DAY = timedelta(days=1)
WEEK = {"from": NOW.isoformat(), "to": (NOW + 7 * DAY).isoformat()}


def ask(api, who="member", start=1, end=2, **more):
    body = {"starts_at": (NOW + start * DAY).isoformat(), "ends_at": (NOW + end * DAY).isoformat(), **more}
    return api.client(who).post("/api/v1/leaves", json=body)


def holes(api, who="officer", **more):
    found = api.get(who, "/roster/holes", **WEEK, **more)["holes"]
    return [(h["kind"], h["ground"], h["post"]) for h in found if h["post"] in ("member", "leader", None)]


def test_leave_from_the_phone_to_the_stand_in(api):
    leave = ask(api).json()
    assert leave["status"] == "asked" and holes(api) == []
    api.post("officer", f"/leaves/{leave['id']}/decision", decision="approve")
    assert holes(api) == [("away", NORTH_WEST, "member")]
    stand_in = api.client("officer").put(
        f"/api/v1/leaves/{leave['id']}/stand-in", json={"member_id": api.city.members[NORTH_EAST]}
    )
    assert stand_in.status_code == 200 and holes(api) == []
    (row,) = api.get("member", "/leaves", **WEEK)["leaves"]
    assert (row["status"], row["stand_in"]) == ("approved", "王××")


def test_while_on_leave_a_report_goes_to_the_stand_in_and_keeps_the_roster(api):
    leave = ask(api, start=0, end=1, stand_in_id=api.city.members[NORTH_EAST]).json()
    api.post("officer", f"/leaves/{leave['id']}/decision", decision="approve")
    case = api.client("officer").post("/api/v1/incidents", json=report_body()).json()
    assert case["responsibility"]["member"]["id"] == api.city.members[NORTH_EAST]
    with api.database.system_engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT decision FROM incident").scalar_one()
    why = {row["member_id"]: row["why"] for row in kept["roster"] if row["post"] == "member"}
    assert why == {api.city.members[NORTH_WEST]: "leave", api.city.members[NORTH_EAST]: "on_duty"}


def test_a_decision_is_heard_by_whom_it_concerns_and_nobody_else(api):
    leave = ask(api, stand_in_id=api.city.members[NORTH_EAST]).json()
    with listening(api, "member", "neighbour", "leader", "officer") as heard:
        member, stand_in, *others = heard
        api.post("officer", f"/leaves/{leave['id']}/decision", decision="approve")
        told = member.next()
        assert (told["type"], told["id"], told["status"]) == ("leave", leave["id"], "approved")
        assert told["mine"] is True
        assert stand_in.next()["mine"] is False
        assert all(other.quiet() for other in others)


def test_a_leave_is_taken_back(api):
    leave = ask(api).json()
    assert api.client("member").delete(f"/api/v1/leaves/{leave['id']}").json()["status"] == "withdrawn"
    assert api.client("neighbour").delete(f"/api/v1/leaves/{leave['id']}").status_code == 404


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        ("member", {"starts_at": NOW.isoformat()}, 422),
        ("member", {"starts_at": "2026-11-24T08:00:00", "ends_at": "2026-11-25T08:00:00"}, 422),
        ("resident", {"starts_at": NOW.isoformat(), "ends_at": (NOW + DAY).isoformat()}, 403),
        ("member", {"starts_at": NOW.isoformat(), "ends_at": NOW.isoformat()}, 422),
        (
            "member",
            {"starts_at": NOW.isoformat(), "ends_at": (NOW + DAY).isoformat(), "member_id": 1_000_000},
            404,
        ),
    ],
    ids=["no end", "no offset", "not on the roster", "empty", "somebody unknown"],
)
def test_leave_that_cannot_be_is_refused(api, who, body, status):
    answer = api.client(who).post("/api/v1/leaves", json=body)
    assert answer.status_code == status, answer.text
    assert api.count("leave") == 0


def test_the_calendar_is_for_offices_of_the_ground(api):
    calendar = api.get("officer", f"/roster/{SUBDISTRICT}", **WEEK)
    assert [ground["code"] for ground in calendar["grounds"]][:2] == [SUBDISTRICT, NORTH_WEST]
    line = calendar["grounds"][1]["lines"][0]
    assert line["name"] in ("王××", "刘×") and line["stretches"][0]["member_id"] == line["member_id"]
    assert api.client("member").get(f"/api/v1/roster/{SUBDISTRICT}", params=WEEK).status_code == 404
    assert api.client("resident").get("/api/v1/roster/holes", params=WEEK).status_code == 403
    other = {**WEEK, "territory": SUBDISTRICT + "001"}
    assert api.client("south").get("/api/v1/roster/holes", params=other).status_code == 403


def test_shifts_are_set_by_the_office_and_leave_the_night_to_the_duty_officer(api):
    calendar = api.get("officer", f"/roster/{SUBDISTRICT}", **WEEK)
    duty = next(line for line in calendar["grounds"][1]["lines"] if line["post"] == "member")["duty_id"]
    week = [{"weekday": day, "starts": "08:00", "ends": "18:00"} for day in range(7)]
    assert api.client("member").put(f"/api/v1/duties/{duty}/shifts", json={"shifts": week}).status_code == 403
    assert (
        api.client("officer").put(f"/api/v1/duties/{duty}/shifts", json={"shifts": week}).status_code == 204
    )
    found = api.get("officer", f"/roster/{SUBDISTRICT}", **WEEK)
    line = next(line for line in found["grounds"][1]["lines"] if line["duty_id"] == duty)
    assert len(line["stretches"]) == 8, (
        "from ten on Monday to ten on the next: eight days' shifts or parts of them"
    )
    assert holes(api) == []


def test_a_vacant_post_is_given_to_somebody_and_ended(api):
    def vacant():
        found = api.get("officer", "/roster/holes", **WEEK)["holes"]
        return (NORTH_WEST, "property_manager") in [(hole["ground"], hole["post"]) for hole in found]

    body = {"post": "property_manager", "ground": NORTH_WEST, "member_id": api.city.leaders[NORTH_EAST]}
    assert vacant()
    assert api.client("member").post("/api/v1/duties", json=body).status_code == 403
    assert api.client("south").post("/api/v1/duties", json=body).status_code == 404
    given = api.post("officer", "/duties", **body)
    assert not vacant() and given["starts_at"] == NOW.isoformat()
    assert api.client("officer").post("/api/v1/duties", json=body).status_code == 409
    assert api.client("south").delete(f"/api/v1/duties/{given['id']}").status_code == 404
    assert api.client("officer").delete(f"/api/v1/duties/{given['id']}").status_code == 204
    assert vacant()


def test_an_assignment_in_the_past_is_refused_in_both_languages(api):
    body = {"post": "leader", "ground": NORTH_WEST, "member_id": api.city.leaders[NORTH_EAST]}
    answer = api.client("officer").post("/api/v1/duties", json=body | {"starts_at": (NOW - DAY).isoformat()})
    assert answer.status_code == 422
    assert "past" in answer.text and "过去" in answer.text


def test_whom_a_case_may_be_given_to_comes_with_their_load(api):
    case = api.client("officer").post("/api/v1/incidents", json=report_body()).json()
    found = api.get("officer", f"/incidents/{case['id']}/candidates")["candidates"]
    assert [(c["post"], c["proposed"], c["load"]["open"]) for c in found] == [
        ("member", True, 1),
        ("leader", False, 0),
    ]


def test_whom_the_routing_named_for_the_work_is_proposed_and_needs_no_reason(api):
    police = api.city.leaders[NORTH_EAST]
    api.post("officer", "/duties", post="police_officer", ground=NORTH_WEST, member_id=police)
    with api.database.system_engine.begin() as connection:
        connection.exec_driver_sql("UPDATE category SET needs_confirm = true WHERE code = '9902'")
    api.now += timedelta(minutes=1)
    case = api.post("resident", "/incidents", **report_body(category="9902"))["id"]
    api.post("officer", f"/incidents/{case}/moves", move="confirm", version=1)
    shown = api.get("officer", f"/incidents/{case}")
    assert shown["proposed"]["id"] == police != shown["member"]["id"]
    found = api.get("officer", f"/incidents/{case}/candidates")["candidates"]
    assert [one["member_id"] for one in found if one["proposed"]] == [police] == [found[0]["member_id"]]
    move = {"move": "dispatch", "version": shown["version"]}
    owner = api.client("officer").post(
        f"/api/v1/incidents/{case}/moves", json=move | {"member_id": shown["member"]["id"]}
    )
    assert owner.status_code == 422 and owner.json()["proposed"] == police
    done = api.post("officer", f"/incidents/{case}/moves", **move, member_id=found[0]["member_id"])
    assert done["stage"] == "dispatched"
