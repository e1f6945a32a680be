"""Coming in and going out: passwords, tokens in three guises, sign-out, cookies and other sites."""

from __future__ import annotations

import base64
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from api.app import create_app
from api.auth import LIFETIMES, token_hash
from gis.settings import Settings
from tests.served_city import PASSWORD, serving
from tests.toy_city import NORTH_WEST, NOW

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
    with api.database.system_engine.connect() as connection:
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


@pytest.mark.parametrize("name", ["token", "access_token", "Authorization", "cg_session"])
def test_a_token_in_the_address_is_refused_and_ended(api, name):
    token = api.token("member")
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
    client = api.anonymous(headers=headers)
    assert client.get(ME).status_code == 200
    refusal = client.get(ME, params={name: token})
    assert refusal.status_code == 422
    assert "does not belong in an address" in refusal.json()["title"]
    assert "Authorization: Bearer" in refusal.json()["remedy"]
    assert token not in refusal.text
    assert client.get(ME).status_code == 401, "it stands in logs now"


def test_a_password_in_the_address_is_refused(api):
    assert api.anonymous().post("/api/v1/session", params={"password": "x"}, json={}).status_code == 422


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
    with api.database.system_engine.begin() as connection:
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


@pytest.mark.parametrize(("believed", "kept"), [("127.0.0.1", True), ("10.0.0.1", False)])
def test_behind_a_proxy_with_tls_the_cookie_is_for_tls_only_if_the_proxy_is_believed(api, believed, kept):
    """The proxy says `X-Forwarded-Proto: https`; from anybody else it is a header like any other."""
    app = create_app(api.database, Settings(home=api.home), clock=lambda: NOW)
    with serving(app, forwarded_allow_ips=believed) as url:
        answer = httpx.post(
            f"{url}/api/v1/session",
            json={"username": "member", "password": PASSWORD},
            headers={"X-Forwarded-Proto": "https"},
        )
    assert answer.status_code == 201
    assert ("; secure" in answer.headers["set-cookie"].lower()) == kept


def test_the_cookie_of_an_account_that_is_gone_opens_nothing(api):
    client = api.anonymous(headers={"Cookie": f"cg_session={api.token('resident')}"})
    assert client.get(ME).status_code == 200
    with api.database.system_engine.begin() as connection:
        connection.exec_driver_sql(
            "DELETE FROM access_token; DELETE FROM account WHERE username = 'resident'"
        )
    assert client.get(ME).status_code == 401


def test_a_sign_in_ends_the_one_it_replaces(api):
    first = sign_in(api)
    again = api.anonymous(headers={"Cookie": f"cg_session={first.json()['token']}"}).post(
        "/api/v1/session", json={"username": "member", "password": PASSWORD}
    )
    assert again.json()["token"] != first.json()["token"]
    old = api.anonymous(headers={"Authorization": f"Bearer {first.json()['token']}"})
    assert old.get(ME).status_code == 401


def test_wrong_passwords_close_the_door_for_a_while(api):
    answers = [sign_in(api, password=f"wrong horse {n}") for n in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    refusal = answers[-1]
    assert refusal.headers["retry-after"] == "180"
    assert "3 分钟" in refusal.json()["remedy_zh"] and "3 minutes" in refusal.json()["remedy_en"]
    assert sign_in(api).status_code == 429, "the right one as well: else guessing would go on"
    assert sign_in(api, "leader").status_code == 201, "others get in"
    api.now += timedelta(minutes=3)
    assert sign_in(api).status_code == 201
    assert sign_in(api, password="wrong horse").status_code == 401, "what was right is not counted"


def test_an_unknown_name_is_counted_like_a_known_one(api):
    answers = [sign_in(api, "nobody", "wrong horse").status_code for n in range(6)]
    assert answers == [401] * 5 + [429]


def test_a_flood_from_one_address_is_refused_whatever_the_names(api):
    answers = [sign_in(api, f"name{n}", "wrong horse").status_code for n in range(64)]
    assert answers == [401] * 60 + [429] * 4


def test_a_wrong_password_stands_in_the_trail_of_the_account(api):
    sign_in(api, password="wrong horse")
    sign_in(api, "nobody at all", "wrong horse")
    with api.database.system_engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT a.subject_id, a.details, b.username FROM audit_entry AS a"
            " JOIN account AS b ON b.id::text = a.subject_id WHERE action = 'sign_in.refused'"
        ).all()
    assert [row.username for row in found] == ["member"]
    assert "horse" not in str(found)


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
    open_to_all |= {"/api/v1/public/months", "/api/v1/public/months/{month}"}  # counts, none of them small
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
