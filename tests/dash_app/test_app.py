"""The composition: which application answers which address, to whom, and with what headers."""

from __future__ import annotations

import csv
import io
import json
import re
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy as sa

from api.auth import find_account, issue_token
from api.gate import COOKIE
from dash_app.app import compose
from dash_app.entry import own_address
from dash_app.wire import SMALL
from gis.database import Database
from gis.settings import Settings
from tests import apart
from tests.toy_city import NOW
from tests.toy_desk import PASSWORD

PAGE = {"accept": "text/html,*/*"}


class Client:
    """A browser without a page: it keeps its cookies and follows nothing by itself."""

    def __init__(self, app, **cookies: str) -> None:
        self.transport = httpx.ASGITransport(app=app)
        self.cookies = httpx.Cookies(cookies)

    def request(self, method: str, address: str, **options) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=self.transport, base_url="http://desk.test", cookies=self.cookies
            ) as client:
                answer = await client.request(method, address, **options)
                self.cookies = client.cookies
                return answer

        return apart.run(ask())

    def get(self, address: str, **options) -> httpx.Response:
        return self.request("GET", address, **options)


@pytest.fixture(scope="module")
def app(office):
    return compose(office.desk.database, Settings(), clock=lambda: NOW)


@pytest.fixture
def stranger(app):
    return Client(app)


@pytest.fixture
def signed_in(app, office):
    def client(username: str, language: str = "zh") -> Client:
        with office.desk.database.system_work() as session:
            token = issue_token(session, find_account(session, username), now=NOW, kind="web").token
        return Client(app, **{COOKIE: token, "cg_language": language})

    return client


@pytest.mark.parametrize(
    ("path", "next_"),
    [
        ("/", None),
        ("/?clock=overdue&tab=all", "/?clock=overdue&tab=all"),
        ("/cases", "/cases"),
        ("/cases.csv?q=a", "/cases.csv?q=a"),
    ],
)
def test_a_stranger_is_shown_the_door_and_the_way_back(stranger, path, next_):
    answer = stranger.get(path, headers=PAGE)
    where = urlsplit(answer.headers["location"])
    assert (answer.status_code, where.path) == (303, "/sign-in")
    page = stranger.get(answer.headers["location"]).text
    data = json.loads(re.search(r'id="sign-in-page" type="application/json">(.*?)</script>', page)[1])
    assert data["next"] == (next_ or "/")


@pytest.mark.parametrize("path", ["/_dash-layout", "/_dash-dependencies", "/_dash-update-component"])
def test_data_is_refused_without_sign_in(stranger, path):
    answer = stranger.request("POST" if path.endswith("component") else "GET", path)
    assert answer.status_code == 401
    assert answer.json()["remedy_zh"] and answer.json()["remedy_en"]


@pytest.mark.parametrize("path", ["/", "/cases", "/people", "/account", "/public", "/m"])
def test_without_its_database_a_page_says_so_and_when_to_come_back(path):
    database = Database("postgresql+psycopg://nobody@/nowhere?host=/nonexistent")
    office = Client(compose(database, Settings(), clock=lambda: NOW), **{COOKIE: "x"})
    page = office.get(path, headers=PAGE)
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "数据库暂时无法连接" in page.text and "<h1" in page.text
    program = office.get(path)
    assert program.status_code == 503 and program.json()["remedy_en"]
    database.dispose()


def test_an_address_that_no_keyboard_writes_is_no_fault_of_ours(signed_in):
    page = signed_in("admin").get("/users?q=%00", headers=PAGE)
    assert page.status_code == 422 and "空字符" in page.text


def test_a_member_is_shown_the_way_to_the_phone_page(signed_in):
    member = signed_in("member")
    assert member.get("/", headers=PAGE).headers["location"] == "/m"
    assert member.get("/sign-in").headers["location"] == "/m"
    assert member.get("/_dash-layout").status_code == 403


def test_somebody_signed_in_needs_no_door(signed_in):
    assert signed_in("officer").get("/sign-in?next=/cases").headers["location"] == "/cases"


@pytest.mark.parametrize("path", ["/", "/cases"])
@pytest.mark.parametrize(("language", "tag"), [("zh", "zh-CN"), ("en", "en")])
def test_the_page_loads_nothing_from_elsewhere(signed_in, path, language, tag):
    answer = signed_in("officer", language).get(path, headers=PAGE)
    assert answer.status_code == 200
    assert f'<html lang="{tag}" class="lang-{language}" data-theme="light">' in answer.text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert len(addresses) > 10
    assert [address for address in addresses if not re.match(r"[/#][^/]", address) and address != "/"] == []


def test_every_script_of_the_page_is_served(signed_in):
    client = signed_in("officer")
    page = client.get("/", headers=PAGE).text
    scripts = re.findall(r'<script src="([^"]+)"', page)
    assert any("map_view" in script for script in scripts)
    assert not any("dash_table" in script or "ag_grid" in script for script in scripts)
    for script in scripts:
        answer = client.get(script)
        assert answer.status_code == 200 and "javascript" in answer.headers["content-type"], script
        assert answer.headers.get("content-encoding") == "gzip" or len(answer.content) < SMALL


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/nowhere", "/healthz", "/vendor/maplibre-gl/maplibre-gl.css"]
)
def test_every_answer_forbids_what_comes_from_elsewhere(stranger, path):
    policy = stranger.get(path).headers["content-security-policy"]
    sources = {source for part in policy.split(";") for source in part.split()[1:]}
    assert sources <= {"'self'", "'none'", "'unsafe-inline'", "data:", "blob:"} | {
        source for source in sources if source.startswith("'sha256-")
    }
    assert "script-src 'self' 'sha256-" in policy and "frame-ancestors 'none'" in policy


def test_an_unknown_address_is_a_page_to_a_person_and_a_problem_to_a_program(stranger):
    page = stranger.get("/nowhere", headers={**PAGE, "accept-language": "en"})
    assert page.status_code == 404 and "There is nothing at /nowhere." in page.text
    problem = stranger.get("/nowhere").json()
    assert problem["status"] == 404 and problem["remedy_zh"] == "请从地图开始。"


def test_an_unknown_api_address_stays_the_apis(signed_in):
    assert signed_in("officer").get("/api/nope").status_code == 404


@pytest.mark.parametrize("name", ["package.json", "../package.json", "maplibre-gl-dev.mjs"])
def test_only_the_engines_own_files_are_given_out(stranger, name):
    assert stranger.get(f"/vendor/maplibre-gl/{name}").status_code == 404


def test_a_style_exists_for_two_themes_and_two_languages_only(stranger):
    assert stranger.get("/map/style/dark/en.json?latitude=31").json()["name"] == "CityGrid dark"
    assert stranger.get("/map/style/neon/en.json").status_code == 404
    assert stranger.get("/map/style/dark/fr.json").status_code == 404
    assert stranger.get("/map/style/dark/zh.json?latitude=nan").status_code == 200


def csv_of(client, query):
    """The file of the cases an address means, asked for with a reason."""
    asked = client.request("POST", "/exports/cases", json={"query": query, "reason": "晨会"})
    return client.get(f"/cases.csv?export={asked.json()['id']}")


def test_the_csv_is_the_filter_and_leaves_a_trace(signed_in, office):
    answer = csv_of(signed_in("officer"), "clock=overdue")
    assert re.match(r'attachment; filename="cases-20261123-1000\.csv"', answer.headers["content-disposition"])
    assert answer.content.startswith(b"\xef\xbb\xbf")
    heading, row, mark = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert heading[:4] == ["编号", "事项", "类别", "阶段"]
    assert row[1] == "暴露垃圾" and row[4] == "超期" and row[11:] == ["113.098800", "23.001400"]
    assert "周岩" in mark[0] and "晨会" in mark[0]
    with office.desk.database.system_engine.connect() as connection:
        trace = connection.execute(
            sa.text(
                "SELECT username, details->>'rows' FROM audit_entry WHERE action = 'export' ORDER BY id DESC"
            )
        ).first()
    assert tuple(trace) == ("officer", "1")


def test_the_csv_holds_nothing_from_outside_ones_ground(signed_in, office):
    everything = csv_of(signed_in("community", "en"), "scope=every").content.decode("utf-8-sig")
    numbers = [row[0] for row in csv.reader(io.StringIO(everything))][1:-1]
    assert len(numbers) == 5  # all but `far`


def test_the_door_takes_the_password_and_gives_a_cookie(app):
    client = Client(app)
    answer = client.request("POST", "/api/v1/session", json={"username": "officer", "password": PASSWORD})
    assert answer.status_code == 201 and COOKIE in client.cookies
    assert client.get("/", headers=PAGE).status_code == 200
    assert client.request("DELETE", "/api/v1/session").status_code == 204
    assert client.get("/", headers=PAGE).status_code == 303


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/cases?q=a", "/cases?q=a"),
        (None, "/"),
        ("", "/"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("javascript:alert(1)", "/"),
        ("cases", "/"),
    ],
)
def test_the_way_back_never_leaves_this_server(text, address):
    assert own_address(text) == address


def test_an_answer_is_packed_for_whoever_can_unpack_it(stranger):
    packed = stranger.get("/map/style/light/zh.json", headers={"accept-encoding": "gzip"})
    plain = stranger.get("/map/style/light/zh.json", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
