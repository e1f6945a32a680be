"""Forgetting by rule: each kind goes when it is due and not before, in batches that may be broken off."""

from __future__ import annotations

import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from api import retention
from api.account import Account
from api.auth import AccessToken
from api.tries import SignInTry
from api.worker import Worker
from etl.export_gate import ExportFile, ExportRequest
from gis import audit, audit_chain
from gis.forgetting import KINDS, MARK, RetentionRule, write_rule
from gis.settings import Settings
from grids.duties import Duty
from incidents.contacts import add_contact
from incidents.incident import Incident, IncidentPhoto
from incidents.notices import Notice
from incidents.photos import path_of
from layers.households import Household, Resident, ResidentCorrection
from tests.incidents.conftest import Town
from tests.toy_city import NORTH_EAST, NOW, build

LONG_AGO = NOW - timedelta(days=12 * 365)
YESTERDAY = NOW - timedelta(days=1)
SHA = ("a" * 64, "b" * 64)


@pytest.fixture
def town(database, tmp_path):
    """A city with something old and something young of every kind: two rows each, of which one is due."""
    with database.system_work() as session:
        town = Town(session, build(session))
        for number, at in enumerate((LONG_AGO, YESTERDAY)):
            _furnish(town, number, at)
    for sha in SHA:
        path = path_of(tmp_path, sha)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a picture")
    while True:
        with database.system_work() as session:
            if audit_chain.seal(session, NOW, limit=2) is None:
                break
    return town


def _furnish(town: Town, number: int, at) -> None:
    session, nobody = town.session, f"person{number}"
    member = town.city.members[NORTH_EAST] if number == 0 else town.city.stand_in
    session.execute(
        sa.update(Duty).where(Duty.member_id == member).values(starts_at=at - timedelta(days=9), ends_at=at)
    )
    account, reporter = (
        Account(
            username=f"{name}{number}", display_name=nobody, password_hash="x", role=role, active=False,
            created_at=at - timedelta(days=9), territory=NORTH_EAST, member_id=member_id,
        )
        for name, role, member_id in (("wang", "member", member), ("sun", "resident", None))
    )  # fmt: skip
    session.add_all([account, reporter])
    session.flush()
    case = town.report(town.operator, f"k{number}", now=at - timedelta(hours=2))
    session.execute(
        sa.update(Incident)
        .where(Incident.id == case.id)
        .values(stage="closed", closed_at=at, answered_at=at, reported_by=reporter.id, handler_id=None)
    )
    request = ExportRequest(
        account_id=account.id, username=nobody, display_name=nobody, role="leader", subject="areas", what={},
        reason="r", rows=1, status="approved", asked_at=at, territory=NORTH_EAST,
    )  # fmt: skip
    session.add(request)
    home = Household(building_id=town.city.building, territory=NORTH_EAST)
    session.add(home)
    session.flush()
    resident = Resident(household_id=home.id, name=nobody, territory=NORTH_EAST)
    session.add(resident)
    session.flush()
    session.execute(sa.delete(Notice).where(Notice.incident_id == case.id))
    session.add_all(
        [
            ExportFile(
                number=f"CG-{number}", request_id=request.id, sha256="0", rows=1, made_at=at,
                territory=NORTH_EAST,
            ),
            SignInTry(kind="account", key=bytes([number]), free_at=at),
            AccessToken(
                hash=bytes([number]), account_id=account.id, kind="web", created_at=at, expires_at=at
            ),
            Notice(incident_id=case.id, kind="task", created_at=at, planned_at=at, territory=NORTH_EAST),
            IncidentPhoto(
                incident_id=case.id, kind="before", sha256=SHA[number], content_type="image/jpeg", width=1,
                height=1, bytes=1, at=at, territory=NORTH_EAST,
            ),
            ResidentCorrection(
                resident_id=resident.id, field="name", before="x", after=nobody, reason="r", salt=b"s", at=at,
                username=nobody, territory=NORTH_EAST,
            ),
        ]
    )  # fmt: skip
    add_contact(session, "sms", "10099990000", account_id=reporter.id)
    for _ in range(4 if number == 0 else 1):
        audit.record(session, "read", "household", 1, by=None, now=at)


TABLES = {
    "cases": "incident WHERE anonymised_at IS NULL",
    "photos": "incident_photo",
    "notices": "notice",
    "contacts": "contact",
    "departed": "member WHERE anonymised_at IS NULL AND id IN (SELECT member_id FROM account)",
    "corrections": "resident_correction",
    "tries": "sign_in_try",
    "sessions": "access_token",
    "exports": "export_request",
    "trail": "audit_entry WHERE action = 'read'",
}
"""Kind -> where its rows are counted."""


def left(database) -> dict[str, int]:
    with database.system_work() as session:
        return {
            kind: session.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()
            for kind, table in TABLES.items()
        }


def due(database) -> dict[str, int]:
    with database.system_work() as session:
        return {one.kind: one.due for one in retention.overview(session, NOW)}


def runs(database) -> list[tuple]:
    with database.system_work() as session:
        found = session.execute(
            sa.text(
                "SELECT username, subject_id, details ->> 'rows' FROM audit_entry"
                f" WHERE action = '{retention.ACTION}' ORDER BY id"
            )
        )
        return [tuple(row) for row in found]


def test_every_kind_is_counted_dry_and_nothing_is_touched(database, town):
    before = left(database)
    assert set(KINDS) == set(TABLES) == set(retention.STEPS)
    assert due(database) == dict.fromkeys(KINDS, 1) | {"trail": 3}, (
        "four old entries, of which one is the stone"
    )
    assert left(database) == before


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "trail"])
def test_what_is_old_goes_and_what_is_young_stays(database, town, tmp_path, kind):
    before = left(database)
    assert retention.run(database, kind, NOW, tmp_path).rows == 1
    others = {"photos": {}, "cases": {"notices": 1}, "departed": {}}.get(kind, {})
    assert left(database) == before | {kind: 1} | others
    assert due(database)[kind] == 0
    assert runs(database) == [("system", kind, "1")]
    assert retention.run(database, kind, NOW, tmp_path).rows == 0
    assert len(runs(database)) == 1, "a run that found nothing leaves no entry"


def test_the_trail_is_cut_and_still_proves_the_rest(database, town, tmp_path):
    assert retention.run(database, "trail", NOW, tmp_path, at_once=2).rows == 3
    assert left(database)["trail"] == 2
    with database.system_work() as session:
        verdict = audit_chain.verify(session)
    assert (verdict.fault, verdict.cut) == (None, 3)


def test_a_photograph_goes_with_its_file_unless_another_case_has_the_same(database, town, tmp_path):
    retention.run(database, "photos", NOW, tmp_path)
    assert [path_of(tmp_path, sha).exists() for sha in SHA] == [False, True]
    with database.system_work() as session:
        session.execute(sa.update(IncidentPhoto).values(sha256=SHA[1]))
        session.execute(
            sa.text(
                "INSERT INTO incident_photo"
                " (incident_id, kind, sha256, content_type, width, height, bytes, at, territory)"
                " SELECT i.id, 'before', :sha, 'image/jpeg', 1, 1, 1, i.closed_at, i.territory"
                " FROM incident AS i ORDER BY i.closed_at LIMIT 1"
            ),
            {"sha": SHA[1]},
        )  # fmt: skip
    assert retention.run(database, "photos", NOW, tmp_path).rows == 1
    assert path_of(tmp_path, SHA[1]).exists()


def test_who_left_has_no_name_any_more(database, town, tmp_path):
    retention.run(database, "departed", NOW, tmp_path)
    with database.system_work() as session:
        member = session.execute(
            sa.text("SELECT name, phone FROM member WHERE anonymised_at IS NOT NULL")
        ).one()
        accounts = session.execute(
            sa.text(
                "SELECT username LIKE 'left-%', display_name FROM account"
                " WHERE member_id IS NOT NULL ORDER BY id"
            )
        ).all()
    assert tuple(member) == (MARK, None)
    assert [tuple(row) for row in accounts] == [(True, MARK), (False, "person1")]


def test_somebody_with_a_post_an_account_or_a_case_has_not_left(database, town, tmp_path):
    gone = town.city.members[NORTH_EAST]
    keeps = (
        f"UPDATE account SET active = true WHERE member_id = {gone}",
        f"INSERT INTO duty (post, member_id, ground, starts_at, territory)"
        f" VALUES ('member', {gone}, '{NORTH_EAST}', now(), '{NORTH_EAST}')",
        f"UPDATE incident SET handler_id = {gone}, closed_at = NULL, stage = 'handling'",
    )
    for statement in keeps:
        with database.system_engine.connect() as connection:
            connection.exec_driver_sql(statement)
            with sa.orm.Session(connection) as session:
                assert retention.STEPS["departed"].count(session, NOW - timedelta(days=1095)) == 0, statement


def test_a_run_that_is_broken_off_is_carried_on(database, town, tmp_path):
    with database.system_work() as session:
        for number in range(7):
            session.add(SignInTry(kind="address", key=bytes([100 + number]), free_at=LONG_AGO))
    asked = iter((False, False, True))
    part = retention.run(database, "tries", NOW, tmp_path, at_once=3, stopped=lambda: next(asked))
    assert part.rows == 6 and due(database)["tries"] == 2
    with database.system_work() as session:
        assert "tries" in retention.waiting(session, NOW), "not run to its end"
    assert retention.run(database, "tries", NOW, tmp_path, at_once=3).rows == 2
    with database.system_work() as session:
        assert "tries" not in retention.waiting(session, NOW)
        assert "tries" in retention.waiting(session, NOW + timedelta(days=1))


def test_a_batch_that_fails_takes_nothing_with_it(database, town, tmp_path, monkeypatch):
    """As if the process died before the commit: the rows are due again."""
    forget = retention.STEPS["departed"].forget

    def dies(session, batch):
        forget(session, batch)
        raise KeyboardInterrupt

    monkeypatch.setitem(retention.STEPS, "departed", retention.Step(retention.STEPS["departed"].count, dies))
    with pytest.raises(KeyboardInterrupt):
        retention.run(database, "departed", NOW, tmp_path)
    assert due(database)["departed"] == 1 and runs(database) == []


def test_the_worker_runs_every_rule_once_a_day(database, town, tmp_path):
    clock = SimpleNamespace(now=NOW)
    worker = Worker(database, Settings(home=tmp_path), {}, lambda: clock.now)
    worker.forget(threading.Event())
    assert set(due(database).values()) == {0}
    assert {row[1] for row in runs(database)} == set(KINDS) - {"notices"}, "those went with their case"
    with database.system_work() as session:
        session.add(SignInTry(kind="account", key=b"old", free_at=LONG_AGO))
    worker.forget(threading.Event())
    assert due(database)["tries"] == 1
    clock.now += timedelta(days=1)
    worker.forget(threading.Event())
    assert due(database)["tries"] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_no_rule_leaves_its_bounds(session, kind):
    from gis.errors import Invalid

    bounds = KINDS[kind]
    for days in (bounds.least - 1, bounds.most + 1, "9"):
        with pytest.raises(Invalid):
            write_rule(session, kind, {"days": days})
    write_rule(session, kind, {"days": bounds.least})
    session.expire_all()
    assert session.get_one(RetentionRule, kind).days == bounds.least


def test_the_law_s_three_years_cannot_be_gone_under():
    assert {kind: KINDS[kind].least for kind in ("trail", "exports")} == {"trail": 1095, "exports": 1095}
    assert KINDS["sessions"].least == 180
