"""Coming in and going out: passwords, tokens in three guises, sign-out, cookies and other sites."""

from __future__ import annotations

import base64
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from api.auth import LIFETIMES, token_hash
from tests.served_city import PASSWORD
from tests.toy_city import NORTH_WEST

ME = "/api/v1/me"


def sign_in(api, username="member", password=PASSWORD, **more):
    return api.anonymous().post("/api/v1/session", json={"username": username, "password": password, **more})


def test_a_password_gives_a_token_and_says_who_one_is(api):
    answer = sign_in(api)
    assert answer.status_code == 201
    assert answer.json()["principal"] == {
        "account_id": answer.json()["principal"]["account_id"],
        "username": "member",
        "display_name": "member",
        "role": "member",
        "territory": NORTH_WEST,
        "member_id": api.city.members[NORTH_WEST],
    }
    assert answer.headers["cache-control"] == "no-store"


def test_only_the_hash_of_a_token_is_kept(api):
    token = sign_in(api).json()["token"]
    with api.database.engine.connect() as connection:
        kept = connection.execute(sa.text("SELECT hash, t::text AS whole FROM access_token AS t")).one()
    assert bytes(kept.hash) == token_hash(token)
    assert token not in kept.whole


@pytest.mark.parametrize("scheme", ["bearer", "basic", "cookie"])
def test_a_token_opens_the_door_in_each_of_its_guises(api, scheme):
    token = api.token("member")
    basic = base64.b64encode(f"anybody:{token}".encode()).decode()
    headers = {
        "bearer": {"Authorization": f"Bearer {token}"},
        "basic": {"Authorization": f"Basic {basic}"},
        "cookie": {"Cookie": f"cg_session={token}"},
    }[scheme]
    assert api.anonymous().get(ME, headers=headers).json()["principal"]["username"] == "member"


def test_a_token_in_the_address_is_not_looked_at(api):
    assert api.anonymous().get(ME, params={"token": api.token("member")}).status_code == 401


@pytest.mark.parametrize(
    ("username", "password"), [("member", "wrong horse"), ("nobody", PASSWORD), ("' OR 1=1 --", "x" * 20)]
)
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(api, username, password):
    answer, other = sign_in(api, username, password), sign_in(api, "somebody else", "x" * 20)
    assert answer.status_code == 401
    assert answer.json() == other.json()
    assert answer.json()["remedy_zh"] and answer.json()["remedy_en"]
    assert api.count("access_token") == 0


def test_a_locked_account_neither_signs_in_nor_stays_in(api):
    client = api.client("member")
    with api.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE account SET active = false WHERE username = 'member'")
    assert client.get(ME).status_code == 401
    assert sign_in(api).status_code == 401


@pytest.mark.parametrize(("phone", "kind"), [(False, "web"), (True, "phone")])
def test_a_sign_in_lasts_as_long_as_its_kind(api, phone, kind):
    token = sign_in(api, phone=phone).json()["token"]
    client = api.anonymous(headers={"Authorization": f"Bearer {token}"})
    start = api.now
    api.now = start + LIFETIMES[kind] - timedelta(seconds=1)
    assert client.get(ME).status_code == 200
    api.now = start + LIFETIMES[kind]
    answer = client.get(ME, headers={"Accept-Language": "en"})
    assert answer.status_code == 401
    assert answer.json()["title"] == "This sign-in has expired."
    assert "Sign in again" in answer.json()["remedy"]


def test_signing_out_ends_the_token_everywhere_at_once(api):
    token = api.token("member")
    here, there = (api.anonymous(headers={"Authorization": f"Bearer {token}"}) for _ in range(2))
    assert here.get(ME).status_code == there.get(ME).status_code == 200
    assert here.delete("/api/v1/session").status_code == 204
    assert there.get(ME).status_code == 401
    assert api.client("member").get(ME).status_code == 200, "the same person's other sign-in stays"


def test_the_cookie_is_kept_from_scripts_and_other_sites(api):
    cookie = sign_in(api).headers["set-cookie"]
    assert cookie.startswith("cg_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert f"Max-Age={12 * 3600}" in cookie


CROSS_SITE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", CROSS_SITE)
def test_another_site_cannot_use_our_cookie(api, headers):
    client = api.anonymous(headers={"Cookie": f"cg_session={api.token('member')}"})
    answer = client.put(f"{ME}/duty", json={"on_duty": False}, headers=headers)
    assert answer.status_code == 403
    assert client.get(ME, headers=headers).json()["on_duty"] is True, "reading is no change"


@pytest.mark.parametrize("headers", CROSS_SITE)
def test_another_site_cannot_sign_a_visitor_in(api, headers):
    body = {"username": "member", "password": PASSWORD}
    assert api.anonymous().post("/api/v1/session", json=body, headers=headers).status_code == 403


def test_our_own_pages_and_programs_may_change_things(api):
    own = {"Origin": api.url, "Cookie": f"cg_session={api.token('member')}"}
    assert api.anonymous().put(f"{ME}/duty", json={"on_duty": False}, headers=own).status_code == 200
    fetched = {"Sec-Fetch-Site": "same-origin", "Cookie": own["Cookie"]}
    assert api.anonymous().put(f"{ME}/duty", json={"on_duty": True}, headers=fetched).status_code == 200
    program = {"Origin": "https://elsewhere.example"}
    assert api.client("member").put(f"{ME}/duty", json={"on_duty": False}, headers=program).status_code == 200


def endpoints(document):
    return [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]


def test_every_endpoint_but_health_and_sign_in_needs_sign_in(api):
    """Walks the whole OpenAPI document with empty requests: nobody gets further than the door."""
    open_to_all = {"/healthz", "/readyz", "/metrics", "/ca.crt"}
    anonymous = api.anonymous()
    walked = endpoints(anonymous.get("/openapi.json").json())
    assert len(walked) > 15
    for method, path in walked:
        if path in open_to_all or (method, path) == ("POST", "/api/v1/session"):
            continue
        address = path.replace("{name}", "buildings").replace("{z}/{x}/{y}", "14/1/1")
        address = httpx.URL(api.url).join(address.replace("{incident_id}", "1"))
        answer = anonymous.request(method, str(address).replace("{", "1").replace("}", ""))
        assert answer.status_code == 401, (method, path)
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_browser_page_gets_no_password_window_and_a_gis_program_does(api):
    anonymous = api.anonymous()
    assert anonymous.get(ME).headers["www-authenticate"].startswith("Basic")
    assert (
        anonymous.get(ME, headers={"Sec-Fetch-Mode": "cors"}).headers["www-authenticate"].startswith("Bearer")
    )
