"""Over HTTP: several forces on one case, twenty reports of one burst pipe, sixty doors at one point."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
import sqlalchemy as sa

from api.auth import add_account, find_account
from gis.access import Principal
from incidents.categories import Category
from incidents.notices import Notice
from tests.served_city import report_body
from tests.toy_city import NOW, SUBDISTRICT

PIPE = 20
"""Reports of one burst pipe."""
METRE = 1 / 110_760
EAST_METRE = METRE / math.cos(math.radians(23.0))


@pytest.fixture
def resident(api):
    """Make residents by number, each with an account and a token of their own."""

    def make(n: int) -> str:
        name = f"r{n}"
        with api.database.system_work() as session:
            add_account(session, name, "correct horse", role="resident", now=NOW, display_name="居民")
        return name

    return make


def spot(n: int, east: float = 0.0) -> dict[str, float]:
    """The n-th place around a pipe: on a spiral of at most six metres, so many metres further east."""
    angle, reach = 2.4 * n, 6.0 * math.sqrt(n / PIPE)
    body = report_body()
    return {
        "lon": body["lon"] + (east + reach * math.cos(angle)) * EAST_METRE,
        "lat": body["lat"] + reach * math.sin(angle) * METRE,
    }


def moved(api, who, case, move, **told):
    version = api.get("admin", f"/incidents/{case}")["version"]
    return api.post(who, f"/incidents/{case}/moves", move=move, version=version, **told)


# ---- twenty reports of one burst pipe --------------------------------------------------------------------


@pytest.fixture
def pipes(api):
    """The category reaches twenty metres and a day, as the shipped one of a burst pipe does."""
    with api.database.system_work() as session:
        was = session.execute(sa.select(Category.same_within_m).where(Category.code == "9901")).scalar_one()
        session.execute(sa.update(Category).values(same_within_m=20, same_within_hours=24))
    yield
    with api.database.system_work() as session:
        session.execute(sa.update(Category).values(same_within_m=was, same_within_hours=72))


def test_twenty_reports_of_one_pipe_are_one_clock_and_twenty_replies(api, pipes, resident):
    """Each looks at what is nearby and adds itself; the desk sees one case; its end answers all twenty."""
    ids, codes = [], []
    for n in range(PIPE):
        who = resident(n)
        body = report_body(report_key=f"pipe-{n}") | spot(n)
        near = api.get(
            who, "/incidents/alike", lon=body["lon"], lat=body["lat"], crs="EPSG:4490", category="9901"
        )
        if n:
            (one,) = near["alike"]
            assert set(one) == {
                "id",
                "number",
                "reported_at",
                "stage",
                "place",
                "reports",
                "version",
                "metres",
            }
            body["same_as"] = one["id"]
        answer = api.post(who, "/incidents", **body)
        ids.append(answer["id"])
        codes.append(answer["tracking_code"])
    page = api.get("admin", "/incidents")
    assert [(row["id"], row["reports"]) for row in page["incidents"]] == [(ids[0], PIPE)]
    assert api.count("case_clock WHERE stopped_at IS NULL") == 1
    moved(api, "member", ids[0], "accept")
    moved(api, "member", ids[0], "finish")
    moved(api, "leader", ids[0], "verify")
    moved(api, "officer", ids[0], "close", note="管道已修复")
    with api.database.system_work() as session:
        told = session.execute(
            sa.select(Notice.account_id, Notice.body["reply"].astext).where(Notice.kind == "answered")
        ).all()
        reporters = set(
            session.scalars(sa.text("SELECT id FROM account WHERE role = 'resident' AND username ~ '^r\\d'"))
        )
    assert len(told) == PIPE and {account for account, _ in told} == reporters
    assert {reply for _, reply in told} == {"管道已修复"}
    assert api.count("incident WHERE stage = 'closed' AND answered_at IS NOT NULL") == PIPE


def test_two_pipes_thirty_metres_apart_stay_two(api, pipes, resident):
    """Reports come in turn around two places 30 m apart, each joining the nearest that is offered."""
    leads: dict[int, set[int]] = {0: set(), 30: set()}
    for n in range(PIPE):
        east = 30 if n % 2 else 0
        who = resident(n)
        body = report_body(report_key=f"two-{n}") | spot(n // 2, east)
        near = api.get(
            who, "/incidents/alike", lon=body["lon"], lat=body["lat"], crs="EPSG:4490", category="9901"
        )
        if near["alike"]:
            body["same_as"] = near["alike"][0]["id"]
        answer = api.post(who, "/incidents", **body)
        leads[east].add(body.get("same_as", answer["id"]))
    page = api.get("admin", "/incidents")
    assert sorted(row["reports"] for row in page["incidents"]) == [PIPE // 2, PIPE // 2]
    assert all(len(found) == 1 for found in leads.values()) and leads[0] != leads[30]


def test_the_desk_joins_and_takes_apart(api, pipes):
    first = api.post("member", "/incidents", **report_body())["id"]
    second = api.post("resident", "/incidents", **report_body(report_key="k2") | spot(9))["id"]
    (offered,) = api.get("officer", f"/incidents/{second}")["alike"]
    assert offered["id"] == first and 0 < offered["metres"] <= 6
    assert moved(api, "officer", second, "join", case_id=first)["stage"] == "joined"
    lead = api.get("officer", f"/incidents/{first}")
    assert (lead["reports"], [one["id"] for one in lead["joined"]]) == (2, [second])
    mine = api.get("resident", "/incidents", mine="reports")["incidents"]
    assert [(row["id"], row["stage"]) for row in mine] == [(second, "joined")], (
        "their own report stays theirs"
    )
    moved(api, "officer", second, "split", note="是两处")
    assert api.get("officer", f"/incidents/{first}")["reports"] == 1
    assert len(api.get("officer", "/incidents")["incidents"]) == 2


# ---- several forces --------------------------------------------------------------------------------------


def test_a_department_and_a_member_help_and_the_first_receiver_finishes(api):
    case = api.post("member", "/incidents", **report_body())["id"]
    moved(api, "member", case, "accept")
    moved(api, "officer", case, "assist", department="city_management", note="清运")
    moved(api, "member", case, "assist", member_id=api.city.leaders[report_ground(api, case)], note="劝导")
    assert api.get("neighbour", "/subtasks") == {"subtasks": []}
    (theirs,) = api.get("department", "/subtasks")["subtasks"]
    (leaders,) = api.get("leader", "/subtasks")["subtasks"]
    assert (theirs["task"]["what"], leaders["task"]["what"]) == ("清运", "劝导")
    refused = api.client("member").post(
        f"/api/v1/incidents/{case}/moves", json={"move": "finish", "version": leaders["version"]}
    )
    assert (refused.status_code, "协办" in refused.text) == (409, True)
    for who, work in (("department", theirs), ("leader", leaders)):
        for name in ("assist_accept", "assist_finish"):
            moved(api, who, case, name, subtask_id=work["task"]["id"])
    shown = api.get("officer", f"/incidents/{case}")
    assert [task["stage"] for task in shown["subtasks"]] == ["finished", "finished"]
    assert shown["stage"] == "handling", "the work of others does not finish the case"
    assert moved(api, "member", case, "finish")["stage"] == "handled"


def report_ground(api, case):
    return api.get("admin", f"/incidents/{case}")["cell_code"]


def test_helpers_hear_of_their_work_live():
    from api.push import may_see, shown

    change = {
        "type": "incident", "move": "assist", "territory": SUBDISTRICT + "001001", "member_id": 1,
        "previous_member_id": 1, "reported_by": 3, "helpers": [8], "departments": ["drainage"],
    }  # fmt: skip
    helper = Principal(8, "x", "x", "police_officer", None, 8)
    drains = Principal(9, "d", "d", "department_handler", SUBDISTRICT[:6], department="drainage")
    others = Principal(9, "d", "d", "department_handler", SUBDISTRICT[:6], department="sanitation")
    assert may_see(helper, change) and may_see(drains, change) and not may_see(others, change)
    assert shown(change, helper)["task"] == "arrived"
    assert not {"helpers", "departments", "reported_by"} & shown(change, helper).keys()


# ---- bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        ("officer", {"move": "close"}, 409),
        ("resident", {"move": "accept"}, 403),
        ("neighbour", {"move": "accept"}, 404),
        ("officer", {"move": "explode"}, 422),
        ("member", {"move": "accept", "version": 7}, 409),
        ("officer", {"move": "assist", "note": "来人"}, 422),
        ("officer", {"move": "assist", "note": "来人", "department": "nobody"}, 422),
        ("officer", {"move": "assist_finish", "subtask_id": 99}, 403),
        ("member", {"move": "assist_finish", "subtask_id": 99}, 404),
        ("officer", {"move": "join"}, 422),
        ("officer", {"move": "join", "case_id": 99}, 404),
        ("officer", {"move": "split", "note": "x"}, 409),
    ],
)
def test_a_move_that_cannot_be_is_refused_and_nothing_is_written(api, who, body, status):
    reporter = "resident" if who == "resident" else "member"
    case = api.post(reporter, "/incidents", **report_body())["id"]
    before = {table: api.count(table) for table in ("incident_move", "notice", "subtask", "case_clock")}
    answer = api.client(who).post(f"/api/v1/incidents/{case}/moves", json={"version": 1} | body)
    assert answer.status_code == status, answer.text
    assert {table: api.count(table) for table in before} == before


# ---- where inside the building ---------------------------------------------------------------------------


def test_sixty_doors_at_one_point_are_sixty_cases(api):
    """Six floors of two units with five doors each: no door's report is another one's."""
    place = {"lon": 113.0997, "lat": 23.00105}
    doors = [
        (unit, floor, f"{floor}0{door}") for unit in "12" for floor in range(1, 7) for door in range(1, 6)
    ]
    for n, (unit, floor, room) in enumerate(doors):
        where = {"unit": unit, "floor": floor, "room": room}
        near = api.get("member", "/incidents/alike", crs="EPSG:4490", category="9901", **place, **where)
        assert near["alike"] == []
        api.post("member", "/incidents", **report_body(report_key=f"door-{n}") | place | where)
    rows = api.get("admin", "/incidents", limit=100)["incidents"]
    assert len(rows) == 60 and {(row["unit"], row["floor"], row["room"]) for row in rows} == set(doors)
    assert {(row["lon"], row["lat"]) for row in rows} == {(113.0997, 23.00105)}
    again = api.get(
        "member", "/incidents/alike", crs="EPSG:4490", category="9901", **place, unit="2", floor=6, room="605"
    )
    assert len(again["alike"]) == 1, "the same door again is the same thing"


def test_who_waits_for_an_answer_is_counted_over_all_cases(api):
    """One is answered, one waits in time, one has waited for its first word longer than allowed."""
    from incidents import queries

    late = api.post("resident", "/incidents", **report_body(report_key="late", category="9904"))["id"]
    api.now = NOW + timedelta(days=5)
    fresh = api.post(
        "resident", "/incidents", **report_body(report_key="fresh", category="9904") | {"lon": 113.0990}
    )
    done = api.post(
        "resident", "/incidents", **report_body(report_key="done", category="9904") | {"lon": 113.0995}
    )
    moved(api, "officer", done["id"], "reject", note="不属实")
    with api.database.system_work() as session:
        admin = Principal(find_account(session, "admin").id, "admin", "admin", "admin", "")
        figures = queries.counters(session, by=admin, now=api.now, zone=NOW.tzinfo)
        assert (figures.unanswered, figures.waiting_for_answer) == (1, 1)
        for state, case in (("unanswered", late), ("waiting", fresh["id"]), ("answered", done["id"])):
            wanted = queries.Filter(answer=state)
            assert [
                row.id for row in queries.list_incidents(session, wanted, by=admin, now=api.now).rows
            ] == [case]
