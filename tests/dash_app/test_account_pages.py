"""Accounts on the desk: whom one keeps, what comes first, exports, and the page's own policy."""

from __future__ import annotations

import re

import pytest

from api import undertaking
from api.account import find_account
from api.auth import issue_token
from dash_app.app import compose
from dash_app.pages.account_page import device
from dash_app.pages.users_page import users_page
from dash_app.wire import style_hash
from gis.errors import Denied, NotFound
from gis.settings import Settings
from tests.dash_app.test_app import PAGE, Client
from tests.toy_city import NOW, SUBDISTRICT


@pytest.fixture(scope="module")
def app(office):
    return compose(office.desk.database, Settings(), clock=lambda: NOW)


@pytest.fixture
def client(app, office):
    def of(username: str, language: str = "zh") -> Client:
        with office.desk.database.system_work() as session:
            token = issue_token(session, find_account(session, username), now=NOW, kind="web").token
        return Client(app, cg_session=token, cg_language=language)

    return of


def number(office, username):
    with office.desk.database.system_work() as session:
        return find_account(session, username).id


def test_the_list_shows_whom_one_keeps(office):
    with office.at():
        page = users_page(office.desk, "")
    rows = re.findall(r'data-account="(\d+)"', page)
    assert len(rows) == 3, "community, member, inspector"
    assert "选择一个账户" in page


def test_a_filter_that_fits_nobody_says_so_and_leads_out(office):
    with office.at(language="en"):
        page = users_page(office.desk, "q=zzz")
    assert "No account fits" in page and "Clear the filter" in page


def test_the_chosen_account_has_its_acts_and_a_locked_one_only_the_way_back(office):
    with office.at():
        page = users_page(office.desk, f"id={number(office, 'community')}")
    for act in ("change-account", "reset-password", "lock-account", "leave-post", "give-grant"):
        assert f'data-open="{act}"' in page, act
    assert f'value="{SUBDISTRICT}001"' in page


def test_who_keeps_nobody_is_told_and_a_stranger_is_not_there(office):
    with office.at("member"), pytest.raises(Denied):
        users_page(office.desk, "")
    with office.at("community"), pytest.raises(NotFound):
        users_page(office.desk, f"id={number(office, 'officer')}")


@pytest.mark.parametrize("address", ["/account", "/exports", "/users"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_open_at_the_desk(client, address, language):
    answer = client("officer", language).get(address, headers=PAGE)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "style=" not in answer.text.split("<main", 1)[1].replace("data-style", "")


def test_ones_own_account_is_for_the_street_too(client):
    page = client("member").get("/account", headers=PAGE)
    assert (
        page.status_code == 200 and 'href="/m"' in page.text and "rail" not in page.text.split("<body", 1)[1]
    )


def test_what_comes_first_leads_to_the_welcome_page_from_everywhere(client, office):
    made = client("inspector")
    with office.desk.database.system_work() as session:
        find_account(session, "inspector").undertaking_version = None
    try:
        for address in ("/", "/people", "/account", "/sign-in"):
            answer = made.get(address, headers=PAGE)
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/welcome"), (
                address
            )
        assert made.get("/_dash-layout").status_code == 403
        page = made.get("/welcome?next=/people", headers=PAGE)
        assert undertaking.text()["clauses"][0]["zh"] in page.text and 'name="name"' in page.text
        assert made.get("/api/v1/me").json()["first"] == ["undertaking"]
    finally:
        with office.desk.database.system_work() as session:
            find_account(session, "inspector").undertaking_version = undertaking.version()
    assert made.get("/welcome?next=/people", headers=PAGE).headers["location"] == "/people"
    assert made.get("/welcome?next=//elsewhere.example", headers=PAGE).headers["location"] == "/"


def test_the_way_to_a_file_of_cases_leads_past_the_question_what_for(client):
    made = client("officer")
    old = made.get("/cases.csv?clock=overdue", headers=PAGE)
    assert (old.status_code, old.headers["location"]) == (303, "/exports?clock=overdue")
    assert "1 件" in made.get("/exports?clock=overdue", headers=PAGE).text
    asked = made.request("POST", "/exports/cases", json={"query": "clock=overdue", "reason": "晨会"})
    assert asked.json()["status"] == "approved"
    file = made.get(f"/cases.csv?export={asked.json()['id']}")
    assert file.content.decode("utf-8-sig").splitlines()[-1].startswith("# 导出人")
    assert client("community").get(f"/cases.csv?export={asked.json()['id']}").status_code == 404
    assert made.request("POST", "/exports/cases", json={"query": ""}).status_code == 422
    across = {"Sec-Fetch-Site": "cross-site"}
    body = {"query": "", "reason": "x"}
    assert made.request("POST", "/exports/cases", json=body, headers=across).status_code == 403


def test_no_page_but_the_desk_may_make_style_sheets(client):
    made = client("officer")
    for address in ("/people", "/account", "/users", "/sign-in"):
        policy = made.get(address, headers=PAGE).headers["content-security-policy"]
        elements = next(part for part in policy.split(";") if "style-src-elem" in part)
        assert "unsafe-inline" not in elements and "sha256-" in elements
        scripts = next(part for part in policy.split(";") if "script-src" in part)
        assert "unsafe" not in scripts
    page = made.get("/account", headers=PAGE)
    (style,) = re.findall(r"<style>(.*?)</style>", page.text, re.S)
    assert style_hash(style) in page.headers["content-security-policy"]
    assert "strict-transport-security" not in page.headers, "it would bind every port of this machine"


@pytest.mark.parametrize("path", ["/", "/cases", "/users", "/account", "/nowhere", "/api/v1/me"])
def test_answers_about_people_are_kept_by_nobody(client, path):
    """The desk brings its cases within the page, and a refusal tells who one is."""
    assert client("officer").get(path, headers=PAGE).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537 Chrome/131 Mobile Safari/537", "Chrome · Android"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/131 Safari/537 Edg/131", "Edge · Windows"),
        ("python-httpx/0.28", "python-httpx"),
        (None, ""),
    ],
)
def test_a_device_in_two_words(agent, words):
    assert device(agent) == words
