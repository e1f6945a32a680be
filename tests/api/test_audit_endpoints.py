"""Who looked, and the check of the trail, over HTTP."""

from __future__ import annotations

from datetime import timedelta

from tests.toy_city import NORTH_WEST


def test_a_supervisor_finds_a_look_and_others_are_refused(api):
    building = api.city.building
    assert api.client("member").get(f"/api/v1/buildings/{building}/households").status_code == 200
    api.now += timedelta(minutes=1)
    asked = {"who": "member", "place": "银杏苑", "days": 1}
    looks = api.client("officer").get("/api/v1/audit/looks", params=asked).json()["looks"]
    assert [(one["action"], one["building_id"], one["territory"]) for one in looks] == [
        ("read_households", building, NORTH_WEST)
    ]
    assert api.get("officer", "/audit/looks", place="nowhere")["looks"] == []
    for who in ("member", "resident"):
        refused = api.client(who).get("/api/v1/audit/looks")
        assert refused.status_code == 403 and refused.json()["remedy_en"]


def test_the_trail_is_checked_by_who_answers_for_the_city_and_says_so_in_itself(api):
    assert api.get("officer", "/audit/trail")["last_check"] is None
    assert api.client("officer").post("/api/v1/audit/trail/check").status_code == 403
    assert api.client("member").get("/api/v1/audit/trail").status_code == 403
    answer = api.post("admin", "/audit/trail/check")
    assert (answer["verdict"]["fault"], answer["fault_en"]) == (None, "")
    assert api.get("officer", "/audit/trail")["last_check"]["username"] == "admin"


def test_bad_questions_are_refused_in_words(api):
    for query in ("days=0", "days=x", "action=drop", "who=" + "x" * 81):
        assert api.client("officer").get(f"/api/v1/audit/looks?{query}").status_code == 422, query
