"""The map's endpoints through HTTP: tiles, catalogue, features, search; who gets what, and what it costs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

import httpx
import pytest
import shapely
import sqlalchemy as sa
from geoalchemy2.shape import from_shape

from api.app import create_app
from api.auth import add_account, issue_token
from gis.database import Database
from gis.settings import Settings
from layers.shops import Shop
from tests import toy_city
from tests.conftest import clone, drop
from tests.gis.test_tiles import tile_at
from tests.incidents.test_history_tiles import case
from tests.mvt import decode
from tests.served_city import serving
from tests.settled import settled
from tests.toy_city import LAT, LON, NORTH_WEST, NOW, SOUTH_EAST

BUILDING_TILE = "/tiles/buildings/16/{0.x}/{0.y}.pbf".format(tile_at(LON - 0.0003, LAT + 0.001, 16))
HISTORY_TILE = "/tiles/incidents/15/{0.x}/{0.y}.pbf".format(tile_at(LON - 0.001, LAT + 0.001, 15))


@pytest.fixture(scope="module")
def database(cluster, template) -> Iterator[Database]:
    """The toy city with two ended cases and many shops, committed once: these tests only read."""
    name = f"map_{os.getpid()}"
    database = Database(clone(cluster, template, name))
    with database.system_work() as session:
        toy_city.build(session)
        session.add(case(1, NORTH_WEST, "closed", LON - 0.001, LAT + 0.001, closed_at=NOW))
        session.add(case(2, SOUTH_EAST, "closed", LON + 0.001, LAT - 0.001, closed_at=NOW))
        for number in range(40):
            spot = from_shape(shapely.Point(LON + number * 1e-5, LAT), srid=4490)
            session.add(Shop(name=f"临街小店 {number}", category="小店", territory=NORTH_WEST, geom=spot))
    yield database
    database.dispose()
    drop(cluster, name)


@pytest.fixture(scope="module")
def client(database, tmp_path_factory) -> Iterator[Callable[..., httpx.Client]]:
    """`client(role, territory)` is a signed-in client; the same one each time."""
    app = create_app(database, Settings(home=tmp_path_factory.mktemp("home")), clock=lambda: NOW)
    with serving(app) as url, ExitStack() as clients:

        @cache
        def sign_in(role: str, territory: str = "") -> httpx.Client:
            with database.system_work() as session:
                account = add_account(
                    session, f"{role}-{territory}", "long secret", role=role, territory=territory, now=NOW
                )
                settled(account)
                token = issue_token(session, account, now=NOW, kind="web").token
            headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
            return clients.enter_context(httpx.Client(base_url=url, headers=headers, timeout=30))

        yield sign_in


@contextmanager
def statements(database):
    """The SQL sent meanwhile, without the binding of the person and the connection's own checks."""
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        if "set_config" not in statement and "access_token" not in statement:
            sent.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(database.engine, "before_cursor_execute", note)


def test_a_tile_is_compressed_typed_private_and_readable(client):
    answer = client("member", NORTH_WEST).get(BUILDING_TILE, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert answer.headers["cache-control"] == "private, no-cache"
    (building,) = decode(answer.content)["buildings"]
    assert building.attributes["number"] == "3"


def test_a_large_tile_travels_compressed_and_only_to_those_who_can_read_it(client):
    address = "/tiles/shops/16/{0.x}/{0.y}.pbf".format(tile_at(LON, LAT - 0.0001, 16))
    someone = client("member", NORTH_WEST)
    packed = someone.get(address, headers={"Accept-Encoding": "gzip"})
    plain = someone.get(address, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert packed.content == plain.content and len(decode(plain.content)["shops"]) == 40
    assert int(packed.headers["content-length"]) < len(plain.content) / 2


def test_a_copy_is_confirmed_until_the_table_changes(client, database):
    someone = client("member", NORTH_WEST)
    tag = someone.get(BUILDING_TILE).headers["etag"]
    again = someone.get(BUILDING_TILE, headers={"If-None-Match": tag})
    assert again.status_code == 304 and again.content == b"" and again.headers["etag"] == tag
    with database.system_work() as session:
        session.execute(sa.text("UPDATE building SET number = number"))
    changed = someone.get(BUILDING_TILE, headers={"If-None-Match": tag})
    assert changed.status_code == 200 and changed.headers["etag"] != tag


def test_history_is_confirmed_by_its_content(client):
    someone = client("admin")
    first = someone.get(HISTORY_TILE)
    assert len(decode(first.content)["incidents"]) == 2
    again = someone.get(HISTORY_TILE, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


def test_history_is_each_persons_own(client):
    (own,) = decode(client("leader", NORTH_WEST).get(HISTORY_TILE).content)["incidents"]
    assert own.attributes["number"] == "2026-1123-0001"
    assert client("district_officer", "990102").get(HISTORY_TILE).status_code == 204


def test_one_persons_copy_is_not_confirmed_to_another(client):
    everything = client("admin").get(HISTORY_TILE).headers["etag"]
    other = client("leader", NORTH_WEST).get(HISTORY_TILE, headers={"If-None-Match": everything})
    assert other.status_code == 200 and len(decode(other.content)["incidents"]) == 1


def test_an_empty_tile_has_no_content(client):
    answer = client("member", NORTH_WEST).get("/tiles/buildings/14/0/0.pbf")
    assert answer.status_code == 204 and answer.content == b""


@pytest.mark.parametrize(
    "address",
    ["/tiles/buildings/3/8/0.pbf", "/tiles/buildings/23/0/0.pbf", "/tiles/buildings/-1/0/0.pbf",
     "/tiles/incidents/2/0/4.pbf", "/tiles/households/14/0/0.pbf"],
)  # fmt: skip
def test_a_tile_that_cannot_be_is_a_problem_with_a_remedy(client, address):
    answer = client("member", NORTH_WEST).get(address)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["remedy_zh"] and answer.json()["remedy_en"]


@pytest.mark.parametrize(
    "address", [BUILDING_TILE, "/api/v1/layers", "/api/v1/layers/shops/features", "/api/v1/search?q=x"]
)
def test_everything_needs_sign_in(client, address):
    assert httpx.get(client("admin").base_url.join(address)).status_code == 401


@pytest.mark.parametrize(
    ("address", "most"),
    [
        (BUILDING_TILE, 1),
        (HISTORY_TILE, 1),
        ("/api/v1/layers/buildings/features?bbox=113,22,114,24", 1),
        ("/api/v1/layers/incidents/features", 1),
        ("/api/v1/search?q=银杏", 2),
    ],
)
def test_a_read_of_the_map_is_one_statement(client, database, address, most):
    someone = client("admin")
    someone.get(address)
    with statements(database) as sent:
        assert someone.get(address).status_code == 200
    assert len(sent) == most, sent


def test_the_catalogue_tells_names_and_privacy_in_both_languages(client):
    layers = {
        entry["name"]: entry for entry in client("member", NORTH_WEST).get("/api/v1/layers").json()["layers"]
    }
    assert layers["buildings"]["title_zh"] == "楼栋" and layers["buildings"]["geometry"] == "polygon"
    privacy = {field["name"]: field["privacy"] for field in layers["residents"]["fields"]}
    assert privacy["phone"] == "personal" and privacy["tags"] == "sensitive"


def test_features_are_geojson_in_pages(client):
    someone = client("member", NORTH_WEST)
    first = someone.get(
        "/api/v1/layers/shops/features", params={"limit": 30, "bbox": "113.09,22.9,113.2,23.1"}
    )
    assert first.headers["content-type"] == "application/geo+json"
    second = someone.get("/api/v1/layers/shops/features", params={"limit": 30, "after": first.json()["next"]})
    assert (len(first.json()["features"]), len(second.json()["features"]), second.json()["next"]) == (
        30,
        10,
        None,
    )
    one = first.json()["features"][0]
    assert someone.get(f"/api/v1/layers/shops/features/{one['id']}").json() == one


def test_a_field_narrows_by_its_own_name(client):
    found = client("member", NORTH_WEST).get("/api/v1/layers/areas/features?level=community").json()
    assert [feature["properties"]["name"] for feature in found["features"]] == ["安澜社区", "石桥社区"]


def test_cases_as_features_are_those_one_may_see(client):
    address = "/api/v1/layers/incidents/features"
    own = client("leader", NORTH_WEST).get(address).json()["features"]
    assert [feature["properties"]["number"] for feature in own] == ["2026-1123-0001"]
    assert "description" not in own[0]["properties"]
    every = client("admin").get(address).json()["features"]
    hidden = next(f["id"] for f in every if f["properties"]["territory"] == SOUTH_EAST)
    assert client("community_officer", NORTH_WEST[:12]).get(f"{address}/{hidden}").status_code == 404


@pytest.mark.parametrize("name", ["households", "residents"])
def test_people_are_denied_with_the_way_to_them(client, name):
    answer = client("admin").get(f"/api/v1/layers/{name}/features")
    assert answer.status_code == 403 and "recorded" in answer.json()["remedy_en"]


@pytest.mark.parametrize(
    "query",
    ["bbox=1,2,3", "bbox=23.0,113.0,23.1,113.1", "bbox=nan,0,1,1", "limit=0", "limit=5001", "after=x",
     "territory=12345", "phone=1", "limit=ten"],
)  # fmt: skip
def test_a_wrong_question_is_told_apart_and_remedied(client, query):
    answer = client("admin").get(f"/api/v1/layers/buildings/features?{query}")
    assert answer.status_code == 422 and answer.json()["remedy_en"]


def test_a_cell_tells_its_counts_and_its_team_without_names(client):
    cell = client("member", NORTH_WEST).get(f"/api/v1/cells/{SOUTH_EAST}").json()
    assert (cell["name"], cell["buildings"], cell["shops"]) == ("安澜 004", 0, 0)
    assert [(post["post"], post["name"]) for post in cell["team"]] == [("leader", "刘×"), ("member", "王××")]
    assert cell["team"][1]["stand_in"] == "冯×"
    assert client("admin").get("/api/v1/cells/990101001009009").status_code == 404


def test_search_finds_places_and_cases(client):
    someone = client("admin")
    assert someone.get("/api/v1/search", params={"q": "2026-1123-0002"}).json()["results"][0] == {
        "kind": "incident",
        "id": someone.get("/api/v1/incidents?q=2026-1123-0002").json()["incidents"][0]["id"],
        "code": "2026-1123-0002",
        "title": "张三家门口的垃圾",
        "subtitle": "2026-1123-0002",
        "lon": pytest.approx(LON + 0.001),
        "lat": pytest.approx(LAT - 0.001),
    }
    found = someone.get("/api/v1/search", params={"q": "银杏", "lon": LON, "lat": LAT}).json()["results"]
    assert [(place["kind"], place["title"]) for place in found] == [("building", "银杏苑 3 栋")]
    assert len(someone.get("/api/v1/search", params={"q": "小店"}).json()["results"]) == 4


def test_search_does_not_tell_of_cases_elsewhere(client):
    found = client("leader", NORTH_WEST).get("/api/v1/search", params={"q": "2026-1123"}).json()["results"]
    assert [place["code"] for place in found] == ["2026-1123-0001"]


@pytest.mark.parametrize("query", ["", "q=", "q=%00", "q=%25", "q=" + "9" * 200])
def test_a_search_for_nothing_finds_nothing(client, query):
    answer = client("admin").get(f"/api/v1/search?{query}")
    assert answer.status_code == 200 and answer.json() == {"results": []}
