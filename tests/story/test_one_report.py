"""One report from a resident's phone to its end, through HTTP, with the people of the cell in their roles."""

from __future__ import annotations

import io
from datetime import timedelta

import sqlalchemy as sa
from PIL import Image

from tests.served_city import report_body
from tests.toy_city import NORTH_WEST


def photograph(colour):
    buffer = io.BytesIO()
    Image.new("RGB", (320, 240), colour).save(buffer, "JPEG")
    return buffer.getvalue()


class Case:
    """One case as its people move it on; every move names the version it saw."""

    def __init__(self, api, reported):
        self.api, self.id, self.version = api, reported["id"], reported["version"]

    def move(self, who, name, after=timedelta(minutes=10), **told):
        self.api.now += after
        answer = self.api.post(who, f"/incidents/{self.id}/moves", move=name, version=self.version, **told)
        self.version = answer["version"]
        return answer["stage"]

    def open_to(self, who):
        return [move["name"] for move in self.api.get(who, f"/incidents/{self.id}/moves")["moves"]]

    def read(self, who):
        return self.api.get(who, f"/incidents/{self.id}")


def test_from_a_residents_photograph_to_the_end(api):
    reported = api.post(
        "resident", "/incidents", **report_body(category="9904", description="楼道堆物，走不过去")
    )
    case = Case(api, reported)
    assert reported["stage"] == "reported", "a resident's word is confirmed first (decision 11)"
    assert reported["responsibility"]["cell_code"] == NORTH_WEST

    # The cell's leader looks, and the desk sends it to the person the map named.
    assert case.move("leader", "confirm") == "registered"
    assert api.get("member", "/incidents", mine="tasks")["incidents"] == []
    assert case.move("officer", "dispatch") == "dispatched"
    task = api.get("member", "/incidents", mine="tasks")["incidents"]
    assert [row["id"] for row in task] == [case.id]
    assert task[0]["clock"] == "in_time"

    # The member takes it, does it, and shows it done.
    assert case.open_to("member")[:2] == ["accept", "finish"]
    assert case.move("member", "accept") == "handling"
    shown = api.client("member").post(
        f"/api/v1/incidents/{case.id}/photos",
        data={"kind": "after"},
        files={"photos": ("after.jpg", photograph("green"))},
    )
    after = [photo["id"] for photo in shown.json()["photos"]]
    assert case.move("member", "finish", note="已清理", photos=after) == "handled"

    # Whoever did the work does not judge it; an inspector does, and is not content at first.
    assert "verify" not in case.open_to("member")
    refused = api.client("member").post(
        f"/api/v1/incidents/{case.id}/moves", json={"move": "verify", "version": case.version}
    )
    assert refused.status_code == 403
    assert case.move("inspector", "rework", note="三楼还有") == "handling"
    assert case.move("member", "finish", note="三楼也清了") == "handled"
    assert case.move("inspector", "verify") == "verified"
    assert case.move("officer", "close") == "closed"

    # Everybody concerned reads the same story, told to the end.
    read = case.read("resident")
    assert (read["stage"], read["clock"], read["version"]) == ("closed", "closed", case.version)
    assert [move["move"] for move in read["story"]] == [
        "report", "confirm", "dispatch", "accept", "finish", "rework", "finish", "verify", "close",
    ]  # fmt: skip
    moments = [move["at"] for move in read["story"]]
    assert moments == sorted(moments)
    assert [move["to_stage"] for move in read["story"]][-1] == "closed"
    assert [photo["kind"] for photo in read["photos"]] == ["after"]
    assert read["story"] == case.read("officer")["story"] == case.read("member")["story"]
    assert api.get("officer", "/incidents", open=True)["incidents"] == []


def test_of_two_people_moving_at_once_one_is_told_to_look_again(api):
    case = Case(api, api.post("member", "/incidents", **report_body()))
    stale = case.version
    case.move("member", "accept")
    answer = api.client("leader").post(
        f"/api/v1/incidents/{case.id}/moves",
        json={"move": "park", "version": stale, "note": "等材料"},
        headers={"Accept-Language": "en"},
    )
    assert answer.status_code == 409
    assert answer.json()["version"] == case.version
    assert "Reload" in answer.json()["remedy"]
    assert case.read("leader")["stage"] == "handling"


def test_a_case_that_is_not_mine_goes_back_to_the_desk_and_to_another(api):
    """The member hands it back with a reason, no longer has it, and the desk sends it to the leader."""
    case = Case(api, api.post("officer", "/incidents", **report_body()))
    without_reason = api.client("member").post(
        f"/api/v1/incidents/{case.id}/moves", json={"move": "hand_back", "version": case.version}
    )
    assert without_reason.status_code == 422
    assert case.move("member", "hand_back", note="不在我的网格") == "registered"
    assert api.get("member", "/incidents", mine="tasks")["incidents"] == []
    leader = api.city.leaders[NORTH_WEST]
    assert case.move("officer", "dispatch", member_id=leader, note="由网格长处理") == "dispatched"
    assert [row["id"] for row in api.get("leader", "/incidents", mine="tasks")["incidents"]] == [case.id]
    assert case.read("officer")["handler"]["id"] == leader


def test_going_off_duty_sends_the_next_report_to_somebody_else(api):
    client = api.client("member")
    assert client.put("/api/v1/me/duty", json={"on_duty": False}).json() == {"on_duty": False}
    found = api.post("resident", "/incidents", **report_body())["responsibility"]
    assert found["member"]["id"] == api.city.leaders[NORTH_WEST]
    assert any("不在岗" in step["zh"] or "离岗" in step["zh"] for step in found["trace"])
    client.put("/api/v1/me/duty", json={"on_duty": True})
    found = api.post("resident", "/incidents", **report_body(report_key="key-2"))["responsibility"]
    assert found["member"]["id"] == api.city.members[NORTH_WEST]
    with api.database.system_engine.connect() as connection:
        trail = connection.execute(
            sa.text("SELECT action, username FROM audit_entry WHERE action LIKE 'duty.%' ORDER BY id")
        ).all()
    assert trail == [("duty.off", "member"), ("duty.on", "member")]
