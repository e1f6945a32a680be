"""Keeping accounts: who may on which ground, what each act does to the person, and handing over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.served_city import PASSWORD, report_body
from tests.toy_city import LON, NORTH_EAST, NORTH_WEST, NOW, SUBDISTRICT

ACCOUNTS = "/api/v1/accounts"
ME = "/api/v1/me"


def add(api, who="officer", **changes):
    body = {
        "username": "zhou.yan",
        "role": "member",
        "territory": NORTH_WEST,
        "display_name": "周岩",
    } | changes
    return api.client(who).post(ACCOUNTS, json=body)


def number(api, username):
    return next(
        a["id"] for a in api.get("admin", "/accounts", limit=500)["accounts"] if a["username"] == username
    )


def enter(api, username, password=PASSWORD, **more):
    return api.anonymous().post("/api/v1/session", json={"username": username, "password": password, **more})


def bearer(api, answer):
    return api.anonymous(headers={"Authorization": f"Bearer {answer.json()['token']}"})


def test_a_new_account_changes_its_password_and_signs_before_anything_else(api):
    made = add(api)
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    once = made.json()["one_time_password"]
    signed_in = enter(api, "zhou.yan", once)
    assert signed_in.json()["first"] == ["password", "undertaking"]
    client = bearer(api, signed_in)
    refusal = client.get(ME, headers={"Accept-Language": "en"})
    assert refusal.status_code == 403
    assert refusal.json()["title"] == (
        "Before anything else: choose a password of your own, sign the confidentiality undertaking."
    )
    text = client.get(f"{ME}/undertaking").json()
    assert text["due"] and len(text["clauses"]) >= 5
    signature = {"version": text["version"], "name": "周 岩"}
    assert client.post(f"{ME}/undertaking", json=signature).status_code == 403, "one thing after the other"
    changed = client.put(f"{ME}/password", json={"present": once, "new": "three black cats"})
    assert changed.json()["first"] == ["undertaking"]
    assert client.get(ME).status_code == 401, "the token before it has ended"
    client = bearer(api, changed)
    assert client.post(f"{ME}/undertaking", json=signature | {"name": "王五"}).status_code == 422
    assert client.post(f"{ME}/undertaking", json=signature | {"version": 99}).status_code == 409
    assert client.post(f"{ME}/undertaking", json=signature).status_code == 204
    assert client.get(ME).json()["principal"]["username"] == "zhou.yan"
    assert api.count("undertaking_signature") == 1
    assert enter(api, "zhou.yan", once).status_code == 401, "it worked once"


def test_a_one_time_password_ends_after_three_days(api):
    once = add(api).json()["one_time_password"]
    api.now += timedelta(days=3)
    assert enter(api, "zhou.yan", once).status_code == 401


@pytest.mark.parametrize(
    ("who", "role", "territory", "status"),
    [
        ("admin", "admin", "", 201),
        ("admin", "resident", None, 201),
        ("officer", "community_officer", SUBDISTRICT + "001", 201),
        ("officer", "subdistrict_officer", SUBDISTRICT, 403),
        ("officer", "admin", "", 403),
        ("officer", "member", "990102001001001", 403),
        ("officer", "member", None, 403),
        ("community", "member", NORTH_EAST, 201),
        ("community", "member", SUBDISTRICT + "002003", 403),
        ("leader", "member", NORTH_WEST, 403),
        ("member", "member", NORTH_WEST, 403),
        ("resident", "resident", None, 403),
    ],
)
def test_rights_are_given_downwards_and_on_ones_own_ground(api, who, role, territory, status):
    assert add(api, who, role=role, territory=territory).status_code == status


def test_the_list_holds_only_whom_one_keeps(api):
    names = {a["username"] for a in api.get("officer", "/accounts")["accounts"]}
    assert names == {"community", "south", "inspector", "leader", "member", "neighbour"}
    assert {a["username"] for a in api.get("community", "/accounts")["accounts"]} == {
        "leader",
        "member",
        "neighbour",
    }
    assert api.client("member").get(ACCOUNTS).status_code == 403
    assert api.client("community").get(f"{ACCOUNTS}/{number(api, 'south')}").status_code == 404
    assert [a["username"] for a in api.get("admin", "/accounts", q="NEIGH")["accounts"]] == ["neighbour"]


def test_the_list_goes_on_where_it_ended(api):
    first = api.get("admin", "/accounts", limit=4)
    second = api.get("admin", "/accounts", limit=500, after=first["after"])
    assert len(first["accounts"]) == 4 and second["after"] is None
    names = [a["username"] for a in first["accounts"] + second["accounts"]]
    assert names == sorted(set(names)) and {"admin", "south"} <= set(names)


@pytest.mark.parametrize(
    "changes",
    [
        {"username": "a"},
        {"username": "two words"},
        {"role": "king"},
        {"territory": "99x"},
        {"display_name": ""},
    ],
)
def test_what_is_no_account_is_refused(api, changes):
    assert add(api, "admin", **changes).status_code == 422


def test_a_name_is_taken_once_and_a_member_must_be_there(api):
    assert add(api).status_code == 201
    assert add(api).status_code == 409
    assert add(api, username="other", member_id=999999).status_code == 404


def test_other_rights_end_every_sign_in(api):
    client = api.client("inspector")
    assert client.get(ME).status_code == 200
    at = f"{ACCOUNTS}/{number(api, 'inspector')}"
    renamed = api.client("officer").patch(at, json={"display_name": "何巡"})
    assert renamed.json()["display_name"] == "何巡"
    assert client.get(ME).status_code == 200, "a name is no right"
    moved = api.client("officer").patch(at, json={"territory": SUBDISTRICT + "001"})
    assert moved.json()["territory"] == SUBDISTRICT + "001"
    assert client.get(ME).status_code == 401
    assert api.client("officer").patch(at, json={"role": "admin"}).status_code == 403


def test_locking_ends_every_sign_in_and_unlocking_lets_in_again(api):
    client, at = api.client("member"), f"{ACCOUNTS}/{number(api, 'member')}"
    locked = api.client("officer").post(f"{at}/lock", json={"reason": "调离"}).json()
    assert (locked["active"], locked["lock_reason"]) == (False, "调离")
    assert client.get(ME).status_code == 401
    assert enter(api, "member").status_code == 401
    assert api.client("officer").post(f"{at}/unlock").json()["active"] is True
    assert enter(api, "member").status_code == 201
    assert client.get(ME).status_code == 401, "the old token stays ended"


def test_nobody_locks_themselves_or_the_last_administrator(api):
    admin = number(api, "admin")
    assert api.client("admin").post(f"{ACCOUNTS}/{admin}/lock", json={"reason": "x"}).status_code == 403
    add(api, "admin", username="second", role="admin", territory="")
    second = number(api, "second")
    assert api.client("admin").post(f"{ACCOUNTS}/{second}/lock", json={"reason": "x"}).status_code == 200


def test_a_reset_password_is_shown_once_and_must_be_changed(api):
    client, at = api.client("member"), f"{ACCOUNTS}/{number(api, 'member')}"
    once = api.client("officer").post(f"{at}/reset", json={}).json()["one_time_password"]
    assert client.get(ME).status_code == 401
    assert enter(api, "member").status_code == 401
    assert enter(api, "member", once).json()["first"] == ["password"]


@pytest.mark.parametrize(
    ("new", "status"),
    [
        ("three black cats", 200),
        ("short", 422),
        ("member in the rain", 422),
        ("password2026", 422),
        (PASSWORD, 422),
    ],
)
def test_a_new_password_keeps_the_rules(api, new, status):
    client = api.anonymous(headers={"Authorization": f"Bearer {api.token('member')}"})
    assert client.put(f"{ME}/password", json={"present": PASSWORD, "new": new}).status_code == status


def test_the_present_password_is_not_guessed_from_an_open_screen(api):
    client = api.client("member")
    body = {"present": "wrong horse", "new": "three black cats"}
    answers = [client.put(f"{ME}/password", json=body).status_code for _ in range(6)]
    assert answers == [403] * 5 + [429]


def test_a_new_password_signs_every_other_device_out(api):
    here, there = api.client("member"), bearer(api, enter(api, "member"))
    answer = here.put(f"{ME}/password", json={"present": PASSWORD, "new": "three black cats"})
    assert there.get(ME).status_code == here.get(ME).status_code == 401
    assert bearer(api, answer).get(ME).status_code == 200


def test_one_sees_and_ends_ones_own_sign_ins(api):
    first, second = bearer(api, enter(api, "member")), bearer(api, enter(api, "member", phone=True))
    rows = second.get(f"{ME}/sign-ins").json()["sign_ins"]
    assert [(row["kind"], row["here"], row["address"]) for row in rows] == [
        ("phone", True, "127.0.0.1"), ("web", False, "127.0.0.1"),
    ]  # fmt: skip
    assert api.client("leader").delete(f"{ME}/sign-ins/{rows[1]['id']}").status_code == 404
    assert second.delete(f"{ME}/sign-ins/{rows[1]['id']}").status_code == 204
    assert first.get(ME).status_code == 401


def grant(api, who="officer", to="community", **changes):
    body = {
        "role": "community_officer", "territory": SUBDISTRICT + "002", "reason": "代班",
        "starts_at": NOW.isoformat(), "ends_at": (NOW + timedelta(days=7)).isoformat(),
    } | changes  # fmt: skip
    return api.client(who).post(f"{ACCOUNTS}/{number(api, to)}/grants", json=body)


def test_a_grant_is_chosen_after_signing_in_and_ends_by_itself(api):
    assert grant(api).status_code == 201
    client = bearer(api, enter(api, "community"))
    (given,) = client.get("/api/v1/session/grants").json()["grants"]
    assert (given["role"], given["acting"]) == ("community_officer", False)
    acting = client.put("/api/v1/session/grant", json={"grant_id": given["id"]})
    assert acting.json()["principal"]["territory"] == SUBDISTRICT + "002"
    assert client.get(ME, headers={"Cookie": ""}).status_code == 401, "other rights, another token"
    client = bearer(api, acting)
    assert client.get(ME).json()["principal"]["territory"] == SUBDISTRICT + "002"
    own = client.put("/api/v1/session/grant", json={"grant_id": None})
    assert own.json()["principal"]["territory"] == SUBDISTRICT + "001"
    again = bearer(api, own).put("/api/v1/session/grant", json={"grant_id": given["id"]})
    client = bearer(api, again)
    api.now = NOW + timedelta(hours=11)
    assert client.get(ME).status_code == 200
    with api.database.system_engine.begin() as connection:
        connection.exec_driver_sql("UPDATE account_grant SET ends_at = ends_at - interval '6 days 15 hours'")
    assert "grant" in client.get(ME, headers={"Accept-Language": "en"}).json()["title"]


def test_a_grant_is_nobody_elses_and_can_be_ended(api):
    given = grant(api).json()["id"]
    assert api.client("south").put("/api/v1/session/grant", json={"grant_id": given}).status_code == 404
    client = bearer(api, enter(api, "community"))
    client = bearer(api, client.put("/api/v1/session/grant", json={"grant_id": given}))
    at = f"{ACCOUNTS}/{number(api, 'community')}/grants/{given}"
    assert api.client("south").delete(at).status_code == 404
    assert api.client("officer").delete(at).status_code == 204
    assert client.get(ME).status_code == 401


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"ends_at": NOW.isoformat()}, 422),
        ({"ends_at": (NOW + timedelta(days=400)).isoformat()}, 422),
        ({"reason": " "}, 422),
        ({"role": "subdistrict_officer", "territory": SUBDISTRICT}, 403),
        ({"territory": "990102001001"}, 403),
    ],
)
def test_what_cannot_be_granted(api, changes, status):
    assert grant(api, **changes).status_code == status


def test_whoever_leaves_hands_over_cases_and_posts(api):
    case = api.post("resident", "/incidents", **report_body())
    assert case["handler"]["id"] == api.city.members[NORTH_WEST] if "handler" in case else True
    working = api.post("resident", "/incidents", **report_body(report_key="key-2"))
    version = api.get("member", f"/incidents/{working['id']}")["version"]
    elsewhere = api.post("neighbour", "/incidents", **report_body(report_key="key-3", lon=LON + 0.001))
    body = {"move": "assist", "version": elsewhere["version"], "note": "劝导"}
    member = api.city.members[NORTH_WEST]
    api.post("officer", f"/incidents/{elsewhere['id']}/moves", **body, member_id=member)
    at = f"{ACCOUNTS}/{number(api, 'member')}/departure"
    assert api.client("south").post(at, json={"reason": "离岗"}).status_code == 404
    answer = api.client("officer").post(at, json={"reason": "离岗"})
    assert answer.status_code == 200, answer.text
    leader = api.city.leaders[NORTH_WEST]
    handed = answer.json()["handed_over"]
    assert (handed["member_id"], handed["assists"]) == (leader, 1)
    assert api.get("leader", "/subtasks")["subtasks"][0]["task"]["incident_id"] == elsewhere["id"]
    assert answer.json()["account"]["active"] is False
    after = api.get("officer", f"/incidents/{working['id']}")
    assert after["handler"]["id"] == leader and after["version"] == version + 1
    assert after["stage"] == "dispatched"
    with api.database.system_engine.connect() as connection:
        held = connection.exec_driver_sql(
            "SELECT member_id, ends_at IS NULL AS open FROM duty WHERE ground = %(g)s AND post = 'member'"
            " ORDER BY id", {"g": NORTH_WEST},
        ).all()  # fmt: skip
        connection.exec_driver_sql("SELECT 1")
    assert [tuple(row) for row in held] == [(api.city.members[NORTH_WEST], False), (leader, True)]
    _give_back_the_post(api)


def _give_back_the_post(api):
    """The server's city is shared by all tests of this folder."""
    with api.database.system_engine.begin() as connection:
        connection.exec_driver_sql(
            "DELETE FROM duty WHERE post = 'member' AND ground = %(g)s AND member_id = %(l)s",
            {"g": NORTH_WEST, "l": api.city.leaders[NORTH_WEST]},
        )
        connection.exec_driver_sql(
            "UPDATE duty SET ends_at = NULL WHERE member_id = %(m)s", {"m": api.city.members[NORTH_WEST]}
        )
