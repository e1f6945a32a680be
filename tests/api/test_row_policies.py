"""Every role, every table, every right: the database lets through what is meant, whoever forgets a WHERE.

What is meant is said here a second time, in Python and by name (`MEANT`); the policies' SQL is never read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from geoalchemy2 import Geometry

from api.account import ROLES
from api.migrations.tables import metadata
from gis.access import CITY_WIDE_ROLES, DESK_ROLES, SUPERVISOR_ROLES, Principal
from gis.database import APP_ROLE, Database, bind_principal, binding
from gis.policies import OPEN, RIGHTS, TABLES, protected
from tests.toy_city import NORTH_WEST, NOW, SOUTH_EAST

HERE, THERE = NORTH_WEST, SOUTH_EAST
"""Ground of everybody in these tests who has any; ground of nobody but the city-wide."""
SOMEBODY_ELSE = 777
COUNTED = ("story_step", "clock_span")
"""Views for counting (`api.migrations.views`)."""

Meaning = Callable[[Principal, str], bool]


def _ground(*roles: str) -> Meaning:
    return lambda p, at: p.role in roles and p.covers(at)


nobody: Meaning = lambda p, at: False  # noqa: E731
everybody: Meaning = lambda p, at: True  # noqa: E731
admin: Meaning = lambda p, at: p.role == "admin"  # noqa: E731
rule_keepers: Meaning = lambda p, at: p.role in ("admin", "city_officer", "district_officer")  # noqa: E731
contact_keepers = _ground("admin", "city_officer", "district_officer")
supervisors = _ground(*SUPERVISOR_ROLES)
its_desk = _ground(*DESK_ROLES)
its_people = _ground(*DESK_ROLES, "member", "police_officer")
"""The row's department is none, so a department's account has nothing to do with it."""

MEANT: dict[str, tuple[Meaning, Meaning, Meaning, Meaning]] = {
    # table: who reads, adds, changes, removes a row that is not theirs by name
    **dict.fromkeys(
        ("area", "cell", "estate", "building", "shop", "component"), (everybody, nobody, nobody, nobody)
    ),
    "exception": (everybody, its_desk, its_desk, its_desk),
    "member": (everybody, nobody, nobody, nobody),
    **dict.fromkeys(("duty", "shift"), (everybody, its_desk, its_desk, its_desk)),
    "leave": (everybody, its_desk, its_desk, nobody),
    "incident": (its_people, nobody, its_people, nobody),
    "incident_move": (its_people, nobody, nobody, nobody),
    **dict.fromkeys(("case_clock", "subtask"), (its_people, its_people, its_people, nobody)),
    "notice": (its_people, its_people, nobody, nobody),
    "incident_photo": (its_people, its_people, its_people, nobody),
    "dispatch_override": (its_people, nobody, nobody, nobody),
    "rating": (its_people, nobody, nobody, nobody),
    **dict.fromkeys(
        (
            "delivery", "household", "resident", "resident_correction", "sign_in_try",
            "incident_truth", "audit_seal",
        ),
        (nobody, nobody, nobody, nobody),
    ),
    "contact": (contact_keepers,) * 4,
    "account": (admin, admin, admin, nobody),
    "account_grant": (admin, admin, admin, nobody),
    "access_token": (admin, admin, admin, nobody),
    "undertaking_signature": (admin, nobody, nobody, nobody),
    "export_request": (supervisors, nobody, supervisors, nobody),
    "export_file": (lambda p, at: p.role in SUPERVISOR_ROLES, supervisors, nobody, nobody),
    "recovery_code": (nobody, nobody, nobody, nobody),
    "audit_entry": (supervisors, nobody, nobody, nobody),
    **dict.fromkeys(
        (
            "calendar_day", "category", "clock_rule", "notice_wording", "rule_choice", "rule_set",
            "staged_limit",
        ),
        (everybody, rule_keepers, rule_keepers, rule_keepers),
    ),
    "setting_change": (rule_keepers, rule_keepers, nobody, nobody),
    "retention_rule": (everybody, nobody, admin, nobody),
}  # fmt: skip

SHAPES = {"POINT": "POINT(113 23)", "POLYGON": "POLYGON((113 23,113 24,114 24,113 23))"}
SHAPES |= {f"MULTI{kind}": f"MULTI{kind}({text.removeprefix(kind)})" for kind, text in SHAPES.items()}
WITHOUT_CHECKS = """
DO $$ DECLARE one record; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR one IN SELECT conrelid::regclass AS owner, conname FROM pg_constraint
               WHERE contype = 'c' AND starts_with(conname::text, 'ck_') LOOP
        EXECUTE 'ALTER TABLE ' || one.owner || ' DROP CONSTRAINT ' || quote_ident(one.conname);
    END LOOP;
END $$
"""
"""Neither foreign keys nor checks, until the transaction is rolled back: rows may hold anything."""


def row_of(table: sa.Table, number: int, territory: str) -> dict[str, Any]:
    """A row of nobody in these tests, and of no department."""
    named = {"territory": territory, "incident_id": number}
    named |= dict.fromkeys(("account_id", "reported_by", "handler_id"), SOMEBODY_ELSE)
    return {
        column.name: named[column.name] if column.name in named else _plain_value(column, number)
        for column in table.columns
        if column.name in named or column.primary_key or not column.nullable
    }


def _plain_value(column: sa.Column[Any], number: int) -> Any:
    if isinstance(column.type, Geometry):
        return "SRID=4490;" + SHAPES.get(column.type.geometry_type, SHAPES["POLYGON"])
    plain = {
        sa.Boolean: False,
        sa.DateTime: NOW,
        sa.Date: f"2031-01-{number % 28 + 1:02}",
        sa.Time: "08:00",
        sa.LargeBinary: "\\x" + number.to_bytes(4).hex(),
        sa.JSON: {},
        sa.ARRAY: [],
        sa.Uuid: f"00000000-0000-0000-0000-{number:012}",
        sa.Numeric: 1,
        sa.Float: 1,
        sa.Integer: number,
    }
    return next((value for kind, value in plain.items() if isinstance(column.type, kind)), f"x{number}")


def insertion(table: sa.Table, row: dict[str, Any]) -> str:
    """The SQL that adds a row; without RETURNING, so that only the right to add is asked."""
    columns = ", ".join(f'"{name}"' for name in row)
    values = json.dumps(row, default=str).replace("'", "''")
    return (
        f"INSERT INTO {table.name} ({columns})"
        f" SELECT {columns} FROM jsonb_populate_record(NULL::{table.name}, '{values}')"
    )


@pytest.fixture(scope="module")
def furnished(worker_database) -> Iterator[sa.Connection]:
    with furnishing(worker_database) as connection:
        yield connection


@contextmanager
def furnishing(database: Database) -> Iterator[sa.Connection]:
    """A connection in whose transaction every protected table holds a row HERE (id 9001) and one THERE."""
    with database.system_engine.connect() as connection:
        outer = connection.begin()
        connection.exec_driver_sql(WITHOUT_CHECKS)
        connection.exec_driver_sql(TRIED)
        for name in protected():
            for number, territory in ((9001, HERE), (9002, THERE)):
                table = metadata.tables[name]
                connection.exec_driver_sql(insertion(table, row_of(table, number, territory)))
        yield connection
        outer.rollback()


def person(role: str) -> Principal:
    """Somebody of a role: city-wide, on the ground HERE, or a resident without any."""
    territory = "" if role in CITY_WIDE_ROLES else None if role == "resident" else HERE
    return Principal(1, role, role, role, territory, member_id=2)


@pytest.fixture(params=ROLES)
def acting(request, furnished) -> Iterator[tuple[sa.Connection, Principal]]:
    who = person(request.param)
    with acting_as(furnished, who):
        yield furnished, who


@contextmanager
def acting_as(connection: sa.Connection, who: Principal) -> Iterator[None]:
    """The connection under the application role, bound to one person, until the block ends."""
    with connection.begin_nested() as nested:
        connection.exec_driver_sql(f"SET LOCAL ROLE {APP_ROLE}")
        with sa.orm.Session(connection, join_transaction_mode="create_savepoint") as session:
            bind_principal(session, who)
            session.commit()
        yield
        nested.rollback()


TRIED = """
CREATE FUNCTION tried(attempt text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    done bigint;
BEGIN
    EXECUTE attempt;
    GET DIAGNOSTICS done = ROW_COUNT;
    RAISE EXCEPTION USING ERRCODE = 'ZZ001';
EXCEPTION
    WHEN insufficient_privilege THEN RETURN false;
    WHEN integrity_constraint_violation THEN RETURN true;
    WHEN SQLSTATE 'ZZ001' THEN RETURN done = 1;
END $$
"""
"""Whether the database carries out a statement on one row, and undoes it. A later failure was let through."""


def attempt(table: sa.Table, right: str, territory: str) -> str:
    """The SQL that uses one right on the row of a ground."""
    number = 9001 if territory == HERE else 9002
    if right == "INSERT":
        new = row_of(table, number + 100, territory) | {"incident_id": number, "request_id": number}
        return insertion(table, {name: new[name] for name in new if name in table.columns})
    key = next(iter(table.primary_key.columns)).name
    where = f"""WHERE "{key}"::text = '{row_of(table, number, territory)[key]}'"""
    return {
        "SELECT": f"SELECT 1 FROM {table.name} {where}",
        "UPDATE": f'UPDATE {table.name} SET "{key}" = "{key}" {where}',
        "DELETE": f"DELETE FROM {table.name} {where}",
    }[right]


ATTEMPTS = [(name, right, ground) for name in protected() for right in RIGHTS for ground in (HERE, THERE)]


def let_through(connection: sa.Connection) -> dict[tuple[str, str, str], bool]:
    """(table, right, ground) -> what the database lets whoever is bound do; all of it in one round trip."""
    tries = [attempt(metadata.tables[name], right, ground) for name, right, ground in ATTEMPTS]
    found = connection.execute(
        sa.text("SELECT tried(t) FROM unnest(CAST(:tries AS text[])) WITH ORDINALITY AS a (t, n) ORDER BY n"),
        {"tries": tries},
    )
    return dict(zip(ATTEMPTS, found.scalars(), strict=True))


def not_as_meant(connection: sa.Connection, who: Principal) -> list[tuple[str, ...]]:
    """What the database lets `who`, who is bound, do or keeps them from against what is meant."""
    found = let_through(connection)
    meant = {
        (name, right, ground): MEANT[name][RIGHTS.index(right)](who, ground)
        for name, right, ground in ATTEMPTS
    }
    return [(*one, f"meant {meant[one]}") for one in ATTEMPTS if found[one] != meant[one]]


def test_the_database_lets_through_what_is_meant(acting):
    assert not not_as_meant(*acting)


def test_nobody_sees_anything_before_somebody_is_bound(furnished):
    with furnished.begin_nested() as nested:
        furnished.exec_driver_sql(f"SET LOCAL ROLE {APP_ROLE}")
        open_to_all = {name for name, (read, *_) in MEANT.items() if read is everybody} - {
            "member", "duty", "shift", "leave", "retention_rule",
        }  # fmt: skip
        seen = {name for (name, right, _), let in let_through(furnished).items() if right == "SELECT" and let}
        nested.rollback()
    assert seen == open_to_all


def test_what_is_meant_is_said_of_every_table():
    assert set(MEANT) == set(protected())


def test_every_table_with_a_territory_is_forced_under_its_policy(session):
    forced = set(
        session.execute(
            sa.text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
        ).scalars()
    )
    assert {name for name, table in metadata.tables.items() if "territory" in table.c} == set(TABLES)
    assert set(protected()) <= forced


def test_nothing_else_is_granted(session):
    """A table or a sequence that nobody declared is closed to the application."""
    granted = session.execute(
        sa.text(
            "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = :app"
        ),
        {"app": APP_ROLE},
    ).all()
    meant = {
        (name, right)
        for name, policy in protected().items()
        for right in RIGHTS
        if policy.of(right) != (None, None) and not (policy.hidden and right == "SELECT")
    } | {(name, "SELECT") for name in (*OPEN, *COUNTED)}
    assert {tuple(one) for one in granted} == meant


def test_a_members_number_is_never_read_and_told_masked(furnished):
    with furnished.begin_nested() as nested:
        furnished.exec_driver_sql("UPDATE member SET phone = '10012345678' WHERE id = 9001")
        furnished.exec_driver_sql(f"SET LOCAL ROLE {APP_ROLE}")
        told = furnished.exec_driver_sql("SELECT shown_phone(9001)").scalar_one()
        with pytest.raises(sa.exc.ProgrammingError):
            furnished.exec_driver_sql("SELECT phone FROM member")
        nested.rollback()
    assert told == "100****5678"


@pytest.mark.parametrize("territory", [None, "", HERE])
@pytest.mark.parametrize("role", ROLES)
def test_a_token_binds_as_the_person_it_stands_for(session, role, territory):
    """`binding` tells in SQL what `bind_principal` tells in Python; a token's look-up uses the first."""
    names = ("app.ground", "app.account", "app.member", "app.role", "app.department")
    told = sa.text("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
    by_token = binding(
        "coalesce(CAST(:territory AS text), 'none')",
        "CAST(:account_id AS text)",
        "coalesce(CAST(:member_id AS text), '')",
        "CAST(:role AS text)",
        "coalesce(CAST(:department AS text), '')",
    )
    for member_id, department in ((None, None), (7, "fire's")):
        who = Principal(5, "x", "x", role, territory, member_id, department)
        bind_principal(session, who)
        bound = session.execute(told).one()
        values = {
            "territory": territory, "account_id": "5", "member_id": member_id and str(member_id),
            "role": role, "department": department,
        }  # fmt: skip
        session.execute(sa.text("SELECT set_config('app.ground', 'stale', true)"))
        session.execute(sa.text(f"SELECT {by_token}"), values)
        assert session.execute(told).one() == bound
