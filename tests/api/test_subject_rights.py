"""The rights of the person by HTTP: what is held and who saw it, putting it right, making it nameless."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from etl.export_marks import trace
from gis.forgetting import MARK
from incidents.contacts import Contact, add_contact
from layers.catalog import Privacy
from layers.households import Household, Resident
from tests.served_city import report_body
from tests.toy_city import NORTH_WEST, SOUTH_EAST

NAME, PHONE = "孙大圣", "10099998888"
WHO = {"name": NAME, "phone": PHONE, "purpose": "request"}


@pytest.fixture
def person(api) -> Iterator[int]:
    """An obviously invented resident of the toy city's building; somebody of the same name elsewhere."""
    ids = []
    with api.database.system_work() as session:
        for territory, phone in ((NORTH_WEST, PHONE), (SOUTH_EAST, PHONE)):
            home = Household(
                building_id=api.city.building, unit="2", floor=3, door="301", territory=territory
            )
            session.add(home)
            session.flush()
            one = Resident(
                household_id=home.id, name=NAME, phone=phone, gender="m", birth_year=1960, is_head=True,
                tags=["独居老人"], source_code="S-1", territory=territory,
            )  # fmt: skip
            session.add(one)
            session.flush()
            ids.append(one.id)
    yield ids[0]
    with api.database.system_work() as session:
        for table in (Resident, Household, Contact):
            session.execute(sa.delete(table))
        session.execute(sa.text("TRUNCATE export_request CASCADE"))


def trail(api) -> list[tuple]:
    """(username, action, id, purpose, details) of everything about a resident, oldest first."""
    with api.database.system_work() as session:
        return [
            tuple(row)
            for row in session.execute(
                sa.text(
                    "SELECT username, action, subject_id::int, purpose, details FROM audit_entry"
                    " WHERE subject_kind = 'resident' ORDER BY id"
                )
            )
        ]


def the_report(api, who: str = "officer", **body) -> dict:
    return api.post(who, "/privacy/report", **(body or WHO))["reports"][0]


def fields(report: dict, table: str) -> dict:
    return {one["name"]: one["value"] for one in records(report, table)[0]["fields"]}


def records(report: dict, table: str) -> list[dict]:
    return [one for one in report["records"] if one["table"] == table]


def test_everything_held_is_told_with_its_class_its_source_and_who_saw_it(api, person):
    api.post("member", f"/residents/{person}/unmask", purpose="visit")
    api.now += timedelta(minutes=1)
    api.get("leader", f"/buildings/{api.city.building}/households")
    api.post("member", "/incidents", **report_body(description=f"{NAME} {PHONE} 家门口堆物"))
    with api.database.system_work() as session:
        add_contact(session, "sms", PHONE, territory=NORTH_WEST)
    report = the_report(api)
    assert fields(report, "resident") == {
        "household_id": int(records(report, "household")[0]["key"]),
        "name": NAME, "gender": "m", "birth_year": "1960", "phone": PHONE, "is_head": "true",
        "tags": "独居老人", "source_code": "S-1", "territory": NORTH_WEST, "erased_at": None,
    }  # fmt: skip
    assert records(report, "resident")[0]["source"] == "S-1"
    assert fields(report, "contact")["address"] == PHONE
    (case,) = records(report, "incident")
    assert f"{NAME} {PHONE}" in str(case) and case["source"] == "member" and case["kept_until"] is None
    assert [(one["username"], one["action"]) for one in report["seen"]] == [
        ("leader", "read_households"),
        ("member", "unmask_resident"),
    ]
    classes = {one["name"]: one["privacy"] for one in records(report, "resident")[0]["fields"]}
    assert classes["tags"] == Privacy.SENSITIVE and classes["phone"] == Privacy.PERSONAL
    assert trail(api)[-2] == ("officer", "report_subject", person, "request", {})


def test_two_people_of_one_name_and_number_are_both_told_each_with_an_entry(api, person):
    reports = api.post("officer", "/privacy/report", **WHO)["reports"]
    assert [one["territory"] for one in reports] == [NORTH_WEST, SOUTH_EAST]
    assert [row[2] for row in trail(api)] == [one["resident_id"] for one in reports]


def test_a_report_is_itself_a_look(api, person):
    the_report(api)
    assert [one["action"] for one in the_report(api, resident=person, purpose="complaint")["seen"]] == [
        "report_subject"
    ]


def test_who_runs_the_system_sees_that_there_is_something_and_not_what(api, person):
    report = api.post("admin", "/privacy/report", resident=person, purpose="inspection")["reports"][0]
    assert report["masked"]
    told = fields(report, "resident")
    assert (told["name"], told["phone"], told["birth_year"], told["tags"]) == (
        "孙**", "100****8888", "***", "***",
    )  # fmt: skip
    assert NAME not in str(report) and PHONE not in str(report) and "独居" not in str(report)


@pytest.mark.parametrize("who", ["member", "leader", "community", "inspector", "resident", "department"])
def test_other_roles_make_no_report(api, person, who):
    assert api.client(who).post("/api/v1/privacy/report", json=WHO).status_code == 403
    assert trail(api) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (WHO | {"purpose": "curious"}, 422),
        ({"name": NAME, "purpose": "request"}, 422),
        ({"purpose": "request"}, 422),
        (WHO | {"name": "孙大"}, 404),
        (WHO | {"phone": "10099998889"}, 404),
        ({"resident": 2_000_000_000, "purpose": "request"}, 404),
        (WHO | {"name": "' OR true --"}, 404),
    ],
)
def test_a_person_is_found_exactly_or_not_at_all(api, person, body, status):
    assert api.client("officer").post("/api/v1/privacy/report", json=body).status_code == status
    assert [row[1] for row in trail(api)] == (["read_refused"] if status == 404 else [])


def test_beyond_ones_ground_nobody_is_found(api, person):
    with api.database.system_work() as session:
        session.execute(sa.text("UPDATE account SET territory = '990101002' WHERE username = 'officer'"))
    assert api.client("officer").post("/api/v1/privacy/report", json=WHO).status_code == 404
    answer = api.client("officer").post(
        f"/api/v1/residents/{person}/corrections", json={"field": "name", "value": "x", "reason": "r"}
    )
    assert answer.status_code == 404
    answer = api.client("officer").post(f"/api/v1/residents/{person}/erasure", json={"ground": "ordered"})
    assert answer.status_code == 404
    assert [row[1] for row in trail(api)] == ["read_refused"] * 3


def test_the_file_is_marked_registered_and_traced_to_who_took_it(api, person, tmp_path):
    answer = api.client("officer").post("/api/v1/privacy/report/file", json=WHO)
    assert answer.headers["content-disposition"] == f'attachment; filename="person-{person}.json"'
    held = json.loads(answer.content)
    assert held["citygrid_export"]["用途 purpose"] == "本人申请 The person asked"
    assert held["reports"][0]["resident_id"] == person
    stray = tmp_path / "renamed.txt"
    stray.write_bytes(answer.content.replace(NAME.encode(), "某某".encode()))
    with api.database.system_work() as session:
        found = trace(session, stray)
        assert (found.username, found.subject, found.changed) == ("officer", "subject_report", True)
        exported = session.execute(
            sa.text("SELECT details FROM audit_entry WHERE action = 'export'")
        ).scalar_one()
    assert exported["sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert NAME not in json.dumps(exported, ensure_ascii=False)


def test_a_correction_keeps_what_was_said_before_and_is_taken_back(api, person):
    reason = f"{NAME}出示了身份证"
    made = api.post(
        "community", f"/residents/{person}/corrections", field="phone", value="10077776666", reason=reason
    )
    report = the_report(api, resident=person, purpose="request")
    assert fields(report, "resident")["phone"] == "10077776666"
    history = fields(report, "resident_correction")
    assert (history["field"], history["before"], history["after"], history["reason"]) == (
        "phone", PHONE, "10077776666", reason,
    )  # fmt: skip
    api.post("community", f"/corrections/{made['correction']}/undo", reason="看错了")
    report = the_report(api, resident=person, purpose="request")
    assert fields(report, "resident")["phone"] == PHONE
    assert len(records(report, "resident_correction")) == 2
    again = api.client("community").post(
        f"/api/v1/corrections/{made['correction']}/undo", json={"reason": "再撤"}
    )
    assert again.status_code == 409


def test_the_trail_of_a_correction_holds_a_digest_and_no_word(api, person):
    reason = f"{NAME}出示了身份证"
    made = api.post(
        "community", f"/residents/{person}/corrections", field="name", value="孙小圣", reason=reason
    )
    username, action, subject, _, details = trail(api)[-1]
    assert (username, action, subject) == ("community", "correct_resident", person)
    assert set(details) == {"correction", "field", "undoes", "digest"}
    assert details["correction"] == made["correction"]
    with api.database.system_work() as session:
        salt = session.execute(sa.text("SELECT salt FROM resident_correction")).scalar_one()
    words = "\x1f".join((NAME, "孙小圣", reason)).encode()
    assert details["digest"] == hashlib.sha256(bytes(salt) + words).hexdigest()


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("birth_year", "1961", 200),
        ("birth_year", "19x1", 422),
        ("birth_year", "٣٤٥٦", 422),
        ("gender", "f", 200),
        ("gender", "x", 422),
        ("is_head", "false", 200),
        ("is_head", None, 422),
        ("tags", "残疾，低保", 200),
        ("tags", None, 200),
        ("phone", None, 200),
        ("phone", "abc", 422),
        ("name", " ", 422),
        ("name", "a\x00b", 422),
        ("territory", NORTH_WEST, 422),
        ("id", "1", 422),
    ],
)
def test_a_field_takes_what_it_may_hold(api, person, field, value, status):
    body = {"field": field, "value": value, "reason": "登记错误"}
    answer = api.client("community").post(f"/api/v1/residents/{person}/corrections", json=body)
    assert answer.status_code == status, answer.text
    if status == 200:
        told = fields(the_report(api, resident=person, purpose="request"), "resident")[field]
        assert told == (value.replace("，", ",") if value else None)


def test_correcting_to_the_same_changes_nothing(api, person):
    same = {"field": "name", "value": NAME, "reason": "核对"}
    assert api.post("community", f"/residents/{person}/corrections", **same) == {"correction": None}


@pytest.mark.parametrize("who", ["member", "leader", "admin", "inspector", "resident"])
def test_who_has_not_the_duty_corrects_and_erases_nothing(api, person, who):
    client = api.client(who)
    body = {"field": "name", "value": "x", "reason": "r"}
    assert client.post(f"/api/v1/residents/{person}/corrections", json=body).status_code == 403
    assert client.post(f"/api/v1/residents/{person}/erasure", json={"ground": "ordered"}).status_code == 403


def test_an_erased_person_stays_nameless_whatever_the_next_file_says(api, person):
    api.post("community", f"/residents/{person}/corrections", field="name", value="孙小圣", reason="改名")
    answer = api.client("officer").post(f"/api/v1/residents/{person}/erasure", json={"ground": "moved_away"})
    assert answer.status_code == 204
    assert trail(api)[-1][:4] == ("officer", "erase_resident", person, "moved_away")
    with api.database.system_work() as session:
        session.execute(
            sa.text("UPDATE resident SET name = :name, phone = :phone, tags = '{x}' WHERE id = :id"),
            {"name": NAME, "phone": PHONE, "id": person},
        )
        left = session.execute(
            sa.text("SELECT name, phone, gender, birth_year, tags FROM resident WHERE id = :id"),
            {"id": person},
        ).one()
        assert session.execute(sa.text("SELECT count(*) FROM resident_correction")).scalar_one() == 0
    assert tuple(left) == (MARK, None, None, None, [])
    report = the_report(api, resident=person, purpose="request")
    assert fields(report, "resident")["name"] == MARK
    homes = api.get("member", f"/buildings/{api.city.building}/households")["households"]
    assert homes[0]["residents"][0]["name"] == MARK
    seen = [one["action"] for one in api.get("officer", f"/households/{homes[0]['id']}/looks")["looks"]]
    assert seen == ["read_households", "report_subject"]
    body = {"field": "name", "value": NAME, "reason": "恢复"}
    assert api.client("officer").post(f"/api/v1/residents/{person}/corrections", json=body).status_code == 404


@pytest.mark.parametrize("ground", ["", "wish", "moved_away'; --"])
def test_only_a_ground_of_the_law_erases(api, person, ground):
    answer = api.client("officer").post(f"/api/v1/residents/{person}/erasure", json={"ground": ground})
    assert answer.status_code == 422
    assert fields(the_report(api), "resident")["name"] == NAME


def test_the_inner_functions_are_nobodys(api, person):
    """What the report is made of tells plainly; only the report itself may call it."""
    from gis.access import Principal

    officer = Principal(1, "x", "x", "subdistrict_officer", "")
    for call in (
        "looks_at_resident(r)",
        "elsewhere_as(r)",
        "cases_naming('10099998888')",
        "field_of(r, 'name')",
    ):
        with pytest.raises(sa.exc.ProgrammingError), api.database.unit_of_work(officer) as session:
            session.execute(sa.text(f"SELECT {call} FROM (SELECT NULL::resident AS r) AS x")).all()


def test_a_search_that_was_exported_is_not_in_the_trail(session):
    from etl.export_gate import _told

    assert _told({"filter": f"q={NAME}&stage=closed"}) == {"filter": "q=%2A&stage=closed"}
    assert _told({"format": ".csv"}) == {"format": ".csv"}


# ---- retention by HTTP -----------------------------------------------------------------------------


def test_rules_are_listed_with_what_is_due_and_set_by_the_administrator_alone(api):
    listed = {one["kind"]: one for one in api.get("admin", "/privacy/retention")["rules"]}
    assert listed["trail"]["least"] == 1095 and listed["trail"]["due"] == 0
    assert api.client("officer").get("/api/v1/privacy/retention").status_code == 403
    put = "/api/v1/settings/retention/photos"
    assert api.client("officer").put(put, json={"days": 365}).status_code == 403
    changed = api.client("admin").put(put, json={"days": 365}).json()["change"]
    assert (changed["before"], changed["after"]) == ({"days": 730}, {"days": 365})
    assert api.client("admin").put(put, json={"days": 179}).status_code == 422
    assert api.client("admin").put("/api/v1/settings/retention/trail", json={"days": 1094}).status_code == 422
    assert api.client("admin").put("/api/v1/settings/retention/none", json={"days": 365}).status_code == 404
    api.post("admin", f"/settings/changes/{changed['id']}/undo")
    assert {one["kind"]: one["days"] for one in api.get("admin", "/privacy/retention")["rules"]}[
        "photos"
    ] == 730


def test_a_correction_s_history_has_a_date(api, person):
    api.post("community", f"/residents/{person}/corrections", field="gender", value="f", reason="误")
    (one,) = records(the_report(api), "resident_correction")
    assert datetime.fromisoformat(one["kept_until"]) == api.now + timedelta(days=1095)
