"""The settings over HTTP: shown to the desk, changed by who keeps them, with the remedy in both languages."""

from __future__ import annotations

from datetime import time

import pytest
import sqlalchemy as sa

from incidents.deliveries import Quiet, plan
from tests import toy_city
from tests.served_city import report_body
from tests.toy_city import SUBDISTRICT

LINE = {"clock": "verify", "kind": "urgent_hours", "value": 5}
YEAR = {"off": {"2027-01-01": "元旦"}, "worked": ["2027-01-09"]}


AS_SHIPPED = """
    TRUNCATE rule_choice, setting_change, notice_wording, contact CASCADE;
    DELETE FROM clock_rule WHERE valid_from IS NOT NULL OR rule_set = 'ours';
    UPDATE clock_rule SET valid_until = NULL;
    DELETE FROM rule_set WHERE code = 'ours';
    DELETE FROM incident WHERE category = '9909';
    DELETE FROM category WHERE code = '9909';
    DELETE FROM calendar_day WHERE day >= '2027-01-01';
"""


@pytest.fixture(autouse=True)
def as_shipped(api):
    """The settings outlive a test of the server; these tests leave them as they were."""
    yield
    with api.database.system_engine.begin() as connection:
        connection.exec_driver_sql(AS_SHIPPED)


def put(api, who, address, body, status=200):
    answer = api.client(who).put(f"/api/v1/settings{address}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_line_is_changed_shown_and_undone(api):
    made = put(api, "admin", "/rules/gbt30428/lines", LINE)["change"]
    lines = api.get("officer", "/settings/rules")["sets"][0]["lines"]
    verify = next(line for line in lines if line["clock"] == "verify")
    assert (verify["limit_zh"], verify["since"] is not None) == ("5 紧急工作时", True)
    api.post("admin", f"/settings/changes/{made['id']}/undo")
    undoing, undone, *_ = api.get("admin", "/settings/changes")["changes"]
    assert (undoing["undoes"], undone["undoes"], undone["id"]) == (made["id"], None, made["id"])


def test_an_officer_looks_and_does_not_touch(api):
    refused = put(api, "officer", "/rules/gbt30428/lines", LINE, status=403)
    assert "区级" in refused["title_zh"] and "city_officer" in refused["remedy_en"]
    assert api.client("member").get("/api/v1/settings/rules").status_code == 403


def test_a_set_is_copied_and_chosen(api):
    copy = {
        "copy_of": "wuzhou", "name_zh": "新办法", "name_en": "New", "office_hours": "09:00-12:00,13:00-18:00",
    }  # fmt: skip
    put(api, "admin", "/rules/ours", copy)
    put(api, "admin", "/rule-choice?territory=990101", {"rule_set": "ours"})
    grounds = api.get("admin", "/settings/rules")["grounds"]
    assert [(one["code"], one["rule_set"], one["chosen"]) for one in grounds] == [
        ("", "gbt30428", False),
        ("990101", "ours", True),
    ]
    assert put(api, "admin", "/rules/ours", copy | {"office_hours": "nine to five"}, status=422)
    assert api.client("admin").delete("/api/v1/settings/rules/ours").status_code == 409


def test_categories_are_added_asked_about_and_retired(api):
    body = {
        "kind": "event", "group_code": "99", "group_zh": "试", "group_en": "Trial", "name_zh": "积水",
        "name_en": "Flooding", "icon": "drop", "default_role": "member", "limit_kind": "working_hours",
        "limit_value": 4,
        "questions": [{"key": "depth", "zh": "水深", "en": "Depth", "kind": "number", "required": True}],
    }  # fmt: skip
    put(api, "admin", "/categories/9909", body)
    [group] = [one for one in api.get("member", "/categories") if one["code"] == "99"]
    assert group["categories"][0]["questions"][0]["key"] == "depth"
    put(api, "admin", "/categories/9909", body | {"active": False})
    assert "9909" not in str(api.get("member", "/categories"))
    assert "9909" in str(api.get("officer", "/settings/categories"))
    assert api.client("admin").delete("/api/v1/settings/categories/9909").status_code == 200


def test_a_year_is_entered(api):
    put(api, "admin", "/calendar/2027", YEAR)
    shown = api.get("officer", "/settings/calendar/2027")
    assert shown["published"] and shown["off"] == YEAR["off"]
    refused = put(api, "admin", "/calendar/2027", {"off": {}, "worked": []}, status=422)
    assert "没有写放假日" in refused["title_zh"]


def test_words_are_previewed_changed_and_given_back(api):
    body = {"subject": "{number}", "text": "{place}：{title}", "language": "zh"}
    assert "（示例）" in api.post("officer", "/settings/notices/preview", **body)["text"]
    wrong = api.client("officer").post("/api/v1/settings/notices/preview", json=body | {"text": "{x}"})
    assert wrong.status_code == 422 and "{number}" in wrong.json()["remedy_zh"]
    both = {"zh": "{number}", "en": "{number}"}
    put(api, "admin", "/notices/overdue", {"urgent": True, "senders": ["sms"], "subject": both, "text": both})
    own = {one["kind"] for one in api.get("officer", "/settings/notices")["kinds"] if one["own"]}
    assert own == {"overdue"}
    assert api.client("admin").delete("/api/v1/settings/notices/overdue").status_code == 200


def test_a_contact_is_added_masked_and_forgotten(api):
    body = {"sender": "email", "address": "somebody@example.org"}
    added = api.client("admin").post("/api/v1/settings/contacts", json=body).json()
    assert added["address"] == "so***@example.org"
    assert api.client("admin").post("/api/v1/settings/contacts", json=body).status_code == 422
    assert "somebody" not in str(api.get("admin", "/settings/contacts"))
    assert api.client("admin").delete(f"/api/v1/settings/contacts/{added['id']}").status_code == 204
    assert "somebody@" not in str(api.get("admin", "/settings/changes"))
    assert api.client("officer").get("/api/v1/settings/contacts").status_code == 403


def test_an_address_of_a_department_hears_of_what_the_department_is_given(api):
    url = "/api/v1/settings/contacts"
    body = {"sender": "webhook", "address": "https://squad.example/in", "territory": SUBDISTRICT}
    for wrong in ({"department": "nobody"}, {"department": "city_management", "member_id": 1}):
        assert api.client("admin").post(url, json=body | wrong).status_code == 422
    added = api.client("admin").post(url, json=body | {"department": "city_management"}).json()
    assert (added["department_code"], added["territory"]) == ("city_management", SUBDISTRICT)
    case = api.post("officer", "/incidents", **report_body())
    asked = {"move": "assist", "version": case["version"], "note": "清运", "department": "city_management"}
    api.post("officer", f"/incidents/{case['id']}/moves", **asked)
    with api.database.system_work() as session:
        plan(session, api.now, Quiet(time(22), time(7), toy_city.BEIJING), ["webhook"])
        told = session.execute(
            sa.text("SELECT n.kind FROM delivery AS d JOIN notice AS n ON n.id = d.notice_id")
        ).scalars()
        assert list(told) == ["assist_asked"]


def test_a_test_message_says_when_there_is_no_way_out(api):
    body = {"sender": "sms", "address": "10012345678"}
    added = api.client("admin").post("/api/v1/settings/contacts", json=body).json()
    answer = api.client("admin").post(f"/api/v1/settings/contacts/{added['id']}/test")
    assert answer.status_code == 503 and "CITYGRID_SMS" in answer.json()["remedy_zh"]


# ---- many cases ------------------------------------------------------------------------------------


@pytest.fixture
def finished(api):
    """Two cases done by the member, as (id, version)."""
    cases = []
    for n in range(2):
        place = {"lon": 113.0985, "lat": 23.0005, "crs": "EPSG:4490"}
        told = api.post("member", "/incidents", report_key=f"k{n}", category="9901", **place)
        moved = api.post("member", f"/incidents/{told['id']}/moves", move="finish", version=1)
        cases.append((told["id"], moved["version"]))
    return cases


def test_several_cases_move_together(api, finished):
    assert {one["name"]: one["count"] for one in api.get("officer", "/work")["queues"]}["verify"] == 2
    cases = [{"id": id_, "version": version} for id_, version in finished]
    cases[1]["version"] -= 1
    answer = api.post("officer", "/moves", move="verify", note="照片可见", cases=cases)
    assert [one["stage"] for one in answer["moved"]] == ["verified"]
    assert answer["refused"][0]["id"] == finished[1][0] and "刷新" in answer["refused"][0]["remedy_zh"]
    assert [row["id"] for row in api.get("officer", "/incidents", work="close")["incidents"]] == [
        finished[0][0]
    ]
    assert api.client("officer").get("/api/v1/incidents", params={"work": "tea"}).status_code == 422
