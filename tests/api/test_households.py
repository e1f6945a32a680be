"""Reading about people: masked lists, one person for a purpose, exactly one entry of the trail for each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from layers.households import Household, Resident
from layers.unusual_looks import BULK_AN_HOUR
from tests.toy_city import NORTH_WEST


@pytest.fixture
def home(api) -> Iterator[int]:
    """A dwelling of the toy city's building with two people in it; its id."""
    with api.database.system_work() as session:
        household = Household(
            building_id=api.city.building,
            unit="2",
            floor=3,
            door="301",
            residents_count=2,
            territory=NORTH_WEST,
        )
        session.add(household)
        session.flush()
        for name, phone, head, tags in (
            ("张明明", "10012345678", True, ["独居老人"]),
            ("李四", "5551234", False, []),
        ):
            session.add(
                Resident(
                    household_id=household.id, name=name, phone=phone, is_head=head, tags=tags,
                    territory=NORTH_WEST,
                )
            )  # fmt: skip
    yield household.id
    with api.database.system_work() as session:
        session.execute(sa.delete(Resident))
        session.execute(sa.delete(Household))


def trail(api) -> list[tuple]:
    """(username, action, subject, id, purpose, face, territory) of every look, oldest first."""
    with api.database.system_work() as session:
        return [
            tuple(row)
            for row in session.execute(
                sa.text(
                    "SELECT username, action, subject_kind, subject_id::int, purpose, face, territory"
                    " FROM audit_entry WHERE action IN ('read_households', 'unmask_resident', 'read_refused')"
                    " ORDER BY id"
                )
            )
        ]


def listed(api, who):
    return api.get(who, f"/buildings/{api.city.building}/households")["households"]


def test_a_list_is_masked_and_leaves_one_entry(api, home):
    (household,) = listed(api, "member")
    assert (household["id"], household["unit"], household["floor"], household["door"]) == (
        home,
        "2",
        3,
        "301",
    )
    assert [(one["name"], one["phone"]) for one in household["residents"]] == [
        ("张**", "100****5678"),
        ("李*", "****34"),
    ]
    assert trail(api) == [
        ("member", "read_households", "building", api.city.building, None, "api", NORTH_WEST)
    ]


def test_one_person_is_opened_for_a_purpose_that_is_kept(api, home):
    (household,) = listed(api, "member")
    person = household["residents"][0]["id"]
    opened = api.client("member").post(f"/api/v1/residents/{person}/unmask", json={"purpose": "visit"})
    assert opened.json() == {"id": person, "household_id": home, "name": "张明明", "phone": "10012345678"}
    assert opened.headers["cache-control"] == "no-store"
    assert trail(api)[1:] == [("member", "unmask_resident", "resident", person, "visit", "api", NORTH_WEST)]


@pytest.mark.parametrize("purpose", ["", "curious", "visit'; --"])
def test_without_a_purpose_of_the_list_nothing_is_opened(api, home, purpose):
    person = listed(api, "member")[0]["residents"][0]["id"]
    answer = api.client("member").post(f"/api/v1/residents/{person}/unmask", json={"purpose": purpose})
    assert answer.status_code == 422 and "明明" not in answer.text
    assert len(trail(api)) == 1


def test_tags_are_for_those_whose_duty_is_care(api, home):
    assert listed(api, "community")[0]["residents"][0]["tags"] == ["独居老人"]
    with api.database.system_work() as session:
        session.execute(sa.text("UPDATE account SET role = 'police_officer' WHERE username = 'leader'"))
    try:
        assert listed(api, "leader")[0]["residents"][0]["tags"] == []
    finally:
        with api.database.system_work() as session:
            session.execute(sa.text("UPDATE account SET role = 'leader' WHERE username = 'leader'"))


@pytest.mark.parametrize("outsider", ["neighbour", "south"])
def test_beyond_ones_ground_there_is_nothing_and_the_attempt_is_kept(api, home, outsider):
    client = api.client(outsider)
    person = listed(api, "member")[0]["residents"][0]["id"]
    absent = client.get("/api/v1/buildings/4000/households")
    guessed = client.get(f"/api/v1/buildings/{api.city.building}/households")
    assert guessed.status_code == absent.status_code == 404 and guessed.text == absent.text
    opened = client.post(f"/api/v1/residents/{person}/unmask", json={"purpose": "visit"})
    assert opened.status_code == 404
    assert [(who, action) for who, action, *_ in trail(api)[1:]] == [(outsider, "read_refused")] * 3


@pytest.mark.parametrize("role", ["admin", "inspector", "resident"])
def test_a_role_without_the_duty_reads_nobody(api, home, role):
    answer = api.client(role).get(f"/api/v1/buildings/{api.city.building}/households")
    assert answer.status_code == 403
    assert trail(api) == []


def test_a_supervisor_sees_who_looked_and_others_only_themselves(api, home):
    person = listed(api, "member")[0]["residents"][0]["id"]
    api.post("leader", f"/residents/{person}/unmask", purpose="care")
    looks = api.get("officer", f"/households/{home}/looks")["looks"]
    assert [(look["username"], look["action"], look["purpose"]) for look in looks] == [
        ("leader", "unmask_resident", "care"),
        ("member", "read_households", None),
    ]
    assert [look["username"] for look in api.get("member", f"/households/{home}/looks")["looks"]] == [
        "member"
    ]
    assert api.get("south", f"/households/{home}/looks")["looks"] == []


def test_nothing_of_a_person_is_in_tiles_features_search_or_counts(api, home):
    who = api.client("member")
    texts = [
        who.get("/api/v1/search", params={"q": "张明明"}).text,
        who.get("/api/v1/search", params={"q": "10012345678"}).text,
        who.get("/api/v1/layers/buildings/features").text,
        who.get(f"/api/v1/cells/{NORTH_WEST}").text,
    ]
    assert not any(word in text for text in texts for word in ("张", "12345678", "独居"))
    assert who.get("/api/v1/layers/residents/features").status_code == 403
    assert trail(api) == []


def test_unusual_looks_are_told_to_the_supervisor(api, home):
    for _ in range(BULK_AN_HOUR + 1):
        listed(api, "member")
    api.client("neighbour").get(f"/api/v1/buildings/{api.city.building}/households")
    api.now = api.now.replace(hour=23)
    listed(api, "leader")
    api.now += timedelta(minutes=1)
    alerts = api.get("officer", "/audit/alerts")["alerts"]
    assert {(one["kind"], one["username"]) for one in alerts} == {
        ("bulk", "member"),
        ("outside", "neighbour"),
        ("night", "leader"),
    }
    assert not api.get("south", "/audit/alerts")["alerts"]
