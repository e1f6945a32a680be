"""Taking a layer away over HTTP: ask with a reason, have it approved, fetch the marked file, trace it."""

from __future__ import annotations

import json

import pytest

from api.cli.audit import command as audit_command
from etl import export_gate
from etl.export_gate import Limit
from etl.export_marks import trace

EXPORTS = "/api/v1/exports"


def ask(api, who="community", **changes):
    body = {"layer": "buildings", "format": ".geojson", "reason": "核对楼栋"} | changes
    return api.client(who).post(EXPORTS, json=body)


def test_asked_fetched_and_traced(api, tmp_path):
    asked = ask(api)
    assert (asked.status_code, asked.json()["status"], asked.json()["rows"]) == (201, "approved", 1)
    answer = api.client("community").get(f"{EXPORTS}/{asked.json()['id']}/file")
    assert answer.headers["cache-control"] == "no-store"
    mark = json.loads(answer.content)["citygrid_export"]
    assert mark["导出人 exported by"] == "community (community)" and mark["用途 purpose"] == "核对楼栋"
    file = tmp_path / "anything"
    file.write_bytes(answer.content)
    with api.database.system_work() as session:
        assert trace(session, file).username == "community"
    assert api.client("officer").get(f"{EXPORTS}/{asked.json()['id']}/file").status_code == 404


def test_above_the_limit_a_superior_decides(api, monkeypatch):
    monkeypatch.setitem(export_gate.LIMITS, "community_officer", Limit(0, 100))
    asked = ask(api).json()
    assert asked["status"] == "asked"
    at = f"{EXPORTS}/{asked['id']}"
    assert api.client("community").get(f"{at}/file").status_code == 403
    for stranger in ("south", "community", "inspector", "member"):
        assert api.client(stranger).post(f"{at}/decision", json={"decision": "approve"}).status_code == 404
    assert [one["id"] for one in api.get("officer", "/exports")["exports"]] == [asked["id"]]
    decided = api.client("officer").post(f"{at}/decision", json={"decision": "approve"})
    assert decided.json()["status"] == "approved"
    assert api.client("community").get(f"{at}/file").status_code == 200


@pytest.mark.parametrize(
    ("who", "changes", "status"),
    [
        ("member", {}, 403),
        ("resident", {}, 403),
        ("community", {"reason": " "}, 422),
        ("community", {"layer": "households"}, 403),
        ("community", {"layer": "unicorns"}, 404),
        ("community", {"format": ".exe"}, 422),
        ("community", {"bbox": "1,2,3"}, 422),
    ],
)
def test_what_cannot_be_taken_away(api, who, changes, status):
    assert ask(api, who, **changes).status_code == status


def test_the_command_is_there():
    assert "trace" in audit_command.commands
