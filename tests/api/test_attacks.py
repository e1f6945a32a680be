"""Attempts to see or change what is not one's own, through every door: nothing leaks, nothing breaks."""

from __future__ import annotations

import random
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from gis.access import Principal
from gis.database import Database
from tests.gis.test_tiles import tile_at
from tests.mvt import decode
from tests.served_city import COMMUNITY, report_body
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, SOUTH_EAST, SUBDISTRICT

PAYLOADS = (
    "' OR '1'='1",
    "x' OR set_config('app.ground', 'c', true) IS NOT NULL --",
    "'); SELECT set_config('role', 'none', false); --",
    "1 UNION SELECT number, title, description FROM incident --",
    "%' ESCAPE '' OR true --",
    "\\",
    "$$; RESET ROLE; $$",
    "9901' || (SELECT string_agg(title, ',') FROM incident) || '",
)
SECRET = "只有北面知道的事"
"""In the title and the description of the case that nobody in the south may see."""


@pytest.fixture
def case(api) -> int:
    """A case in the north-west, of the member there."""
    body = report_body(title=SECRET, description=SECRET)
    return api.client("member").post("/api/v1/incidents", json=body).json()["id"]


def test_sql_in_every_parameter_of_every_reading_endpoint(api, case):
    """Each query parameter and each text in a path, as told by the server's own description of itself; every
    payload comes to every second of them."""
    outsider = api.client("south")
    described = api.anonymous().get("/openapi.json").json()["paths"]
    tried = 0
    for path, methods in described.items():
        if "get" not in methods or path.endswith("/stream"):
            continue
        parameters = methods["get"].get("parameters", [])
        queries = [one["name"] for one in parameters if one["in"] == "query"]
        needed = {one["name"]: "1" for one in parameters if one["in"] == "query" and one["required"]}
        for payload in PAYLOADS[len(path) % 2 :: 2]:
            address = re.sub(r"\{\w+\}", lambda _, text=payload: text.replace("/", "%2F"), path)
            asked = [{**needed, name: payload} for name in queries] or [{}]
            for query in asked:
                answer = outsider.get(address.replace("\\", "%5C").replace("?", "%3F"), params=query)
                assert answer.status_code != 500, (path, query, answer.text[:300])
                assert SECRET not in answer.text, (path, query)
                tried += 1
    assert tried > 200
    assert api.get("member", f"/incidents/{case}")["title"] == SECRET


def test_features_are_filtered_by_names_and_values_that_are_not_sql(api, case):
    outsider = api.client("south")
    for payload in PAYLOADS:
        for query in ({payload: "x"}, {"title": payload}, {"stage": payload}):
            answer = outsider.get("/api/v1/layers/incidents/features", params=query)
            assert answer.status_code in (200, 422) and SECRET not in answer.text
    assert not api.get("south", "/layers/incidents/features")["features"]


@pytest.mark.parametrize("outsider", ["south", "neighbour", "resident"])
def test_a_guessed_number_and_no_number_are_answered_alike(api, case, outsider):
    """Word for word, so that an answer tells nothing about which cases there are."""
    client, nothing = api.client(outsider), case + 4000
    photo = api.client("member").post(f"/api/v1/incidents/{case}/photos", files=[_picture()])
    photo_id = photo.json()["photos"][0]["id"]
    body = {"move": "accept", "version": 1}
    attempts = [
        lambda n: client.get(f"/api/v1/incidents/{n}"),
        lambda n: client.get(f"/api/v1/incidents/{n}/moves"),
        lambda n: client.get(f"/api/v1/incidents/{n}/candidates"),
        lambda n: client.get(f"/api/v1/layers/incidents/features/{n}"),
        lambda n: client.post(f"/api/v1/incidents/{n}/moves", json=body),
        lambda n: client.post(f"/api/v1/incidents/{n}/photos", files=[_picture()]),
    ]
    for attempt in attempts:
        guessed, absent = attempt(case), attempt(nothing)
        assert guessed.status_code == absent.status_code == 404
        assert guessed.text == absent.text.replace(str(nothing), str(case))
    guessed, absent = (
        client.get(f"/api/v1/photos/{photo_id}"),
        client.get(f"/api/v1/photos/{photo_id + 4000}"),
    )
    assert guessed.text == absent.text.replace(str(photo_id + 4000), str(photo_id))


def _picture():
    import io

    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(data, "PNG")
    return ("photos", ("a.png", data.getvalue(), "image/png"))


def test_lists_counters_search_and_tiles_show_outsiders_nothing(api, case):
    api.post("admin", f"/incidents/{case}/moves", move="void", version=1, note="重复")
    tile = tile_at(113.0985, 23.0015, 15)
    for outsider in ("south", "resident", "neighbour"):
        assert not api.get(outsider, "/incidents")["incidents"]
        for text in (SECRET, SECRET[:2], "2026-1123-0001", "0001"):
            assert SECRET not in api.client(outsider).get("/api/v1/search", params={"q": text}).text
        assert api.client(outsider).get(f"/tiles/incidents/15/{tile.x}/{tile.y}.pbf").status_code == 204
    seen = api.client("community").get(f"/tiles/incidents/15/{tile.x}/{tile.y}.pbf")
    assert len(decode(seen.content)["incidents"]) == 1


def test_a_case_moved_to_the_neighbours_leaves_ones_sight_and_arrives_in_theirs(api, case):
    """The officer of both communities moves the pin; so does the northern one, out of their own ground."""
    place = {"lon": LON + 0.001, "lat": LAT - 0.001, "crs": "EPSG:4490"}
    moved = api.post(
        "community", f"/incidents/{case}/moves", move="relocate", version=1, place=place, note="在路南"
    )
    assert moved["version"] == 2
    assert api.client("community").get(f"/api/v1/incidents/{case}").status_code == 404
    arrived = api.get("south", f"/incidents/{case}")
    assert arrived["territory"] == SOUTH_EAST
    assert [line["move"] for line in arrived["story"]][-2:] == ["relocate", "reassign"]
    assert arrived["clocks"], "what belongs to a case goes with it"


def test_reporting_and_asking_are_open_on_every_ground(api):
    south = {"lon": LON + 0.001, "lat": LAT - 0.001}
    answer = api.client("member").post("/api/v1/incidents", json=report_body(**south))
    assert answer.status_code == 201
    assert answer.json()["responsibility"]["cell_code"] == SOUTH_EAST
    asked = api.get("resident", "/responsible", crs="EPSG:4490", **south)
    assert asked["cell_code"] == SOUTH_EAST and asked["member"]["name"]
    assert api.get("member", f"/incidents/{answer.json()['id']}")["reported_by_me"]
    assert api.client("neighbour").get(f"/api/v1/incidents/{answer.json()['id']}").status_code == 404


def test_parallel_requests_of_different_people_never_mix(api, case):
    """Eighty requests at once, a third of them failing, over the same few connections."""
    expected = {"member": 1, "community": 1, "officer": 1, "south": 0, "neighbour": 0, "resident": 0}
    clients = {name: api.client(name) for name in expected}

    def ask(n: int) -> tuple[str, int]:
        who = list(expected)[n % len(expected)]
        if n % 3 == 0:
            clients[who].get("/api/v1/incidents", params={"after": "broken"})
            clients[who].post(f"/api/v1/incidents/{case}/moves", json={"move": "finish", "version": 77})
        return who, len(clients[who].get("/api/v1/incidents").json()["incidents"])

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(ask, range(80)))
    assert all(found == expected[who] for who, found in answers)


def test_a_connection_keeps_nothing_of_the_person_before_whatever_went_wrong(api, case):
    """Two connections, four hundred transactions, errors of every kind in between."""
    database = Database(api.database.url, pool_size=2, max_overflow=0)
    north = Principal(901, "n", "", "community_officer", COMMUNITY)
    south = Principal(902, "s", "", "community_officer", SUBDISTRICT + "002")
    faults = ("SELECT 1/0", "SELECT * FROM household", "SELECT no_such_column", "RESET ALL", "RESET ROLE")

    def visit(n: int) -> bool:
        chance = random.Random(n)
        who, sees = chance.choice(((north, 1), (south, 0), (None, 0)))
        work = database.unbound_work() if who is None else database.unit_of_work(who)
        try:
            with work as session:
                found = session.execute(sa.text("SELECT count(*) FROM incident")).scalar_one()
                if chance.random() < 0.5:
                    session.execute(sa.text(chance.choice(faults)))
                if chance.random() < 0.2:
                    raise ValueError
        except (sa.exc.DBAPIError, ValueError):
            pass
        return found == sees

    try:
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(visit, range(400)))
        with database.unbound_work() as session:
            assert session.execute(sa.text("SELECT current_user")).scalar_one() == "citygrid_app"
    finally:
        database.dispose()


def test_a_forgotten_condition_changes_nothing_of_others(api, case):
    """What a careless statement would do for a person of the south: nothing outside, and in no other name."""
    south = Principal(902, "s", "", "community_officer", SUBDISTRICT + "002")
    with api.database.unit_of_work(south) as session:
        assert session.execute(sa.text("UPDATE incident SET title = 'x'")).rowcount == 0
    for careless in (
        "DELETE FROM incident",
        "UPDATE incident_move SET note = 'x'",
        "INSERT INTO incident_move (incident_id, move, to_stage, at, account_id, actor_name, role, version,"
        f" territory) VALUES ({case}, 'close', 'closed', now(), 1, 'x', 'admin', 99, '{NORTH_WEST}')",
        "UPDATE member SET on_duty = NOT on_duty",
        "SELECT phone FROM resident",
        "DELETE FROM audit_entry",
        "SELECT password_hash FROM account WHERE id <> 902 LIMIT 1 FOR UPDATE",
    ):
        with api.database.system_work() as session:
            before = session.execute(sa.text("SELECT count(*) FROM incident_move")).scalar_one()
        try:
            with api.database.unit_of_work(south) as session:
                assert session.execute(sa.text(careless)).rowcount == 0
        except sa.exc.ProgrammingError as error:
            assert error.orig.sqlstate == "42501" and "gis.policies" in error.__notes__[0]
        with api.database.system_work() as session:
            assert session.execute(sa.text("SELECT count(*) FROM incident_move")).scalar_one() == before
    assert api.get("member", f"/incidents/{case}")["title"] == SECRET


def test_a_ground_of_a_neighbouring_code_is_not_a_prefix_by_chance(api):
    """990101001001 must not open 9901010010010..., and a code with a LIKE sign is no pattern."""
    for ground in (NORTH_WEST[:-1], NORTH_WEST[:-3] + "%", NORTH_EAST):
        api.post("member", "/incidents", **report_body(report_key=f"at {ground}"))
        nosy = Principal(903, "x", "", "leader", ground)
        with api.database.unit_of_work(nosy) as session:
            seen = set(session.execute(sa.text("SELECT territory FROM incident")).scalars())
        assert all(code.startswith(ground) for code in seen)
