"""`citygrid audit`: sealed and verified, who looked at a household, and what stands out."""

from __future__ import annotations

import json

import sqlalchemy as sa

from gis import audit
from gis.access import Principal
from layers.household_reading import From, households_of, open_resident
from layers.households import Household, Resident
from tests import toy_city
from tests.api.test_cli import citygrid  # noqa: F401 - a fixture
from tests.toy_city import NORTH_WEST, NOW

MEMBER = Principal(5, "wang", "王小明", "member", NORTH_WEST)


def test_a_trail_is_sealed_verified_and_the_changed_entry_named(citygrid, database):  # noqa: F811
    with database.system_work() as session:
        for n in range(3):
            audit.record(session, "read", "household", n, by=MEMBER, now=NOW)
    status, told, _ = citygrid("audit", "seal", "--json")
    assert status == 0 and [one["entries"] for one in json.loads(told)] == [3]
    status, hash_, told = citygrid("audit", "verify")
    assert status == 0 and len(hash_.strip()) == 64 and "3 entries in 1 seals" in told
    with database.system_work() as session:
        session.execute(sa.text("ALTER TABLE audit_entry DISABLE TRIGGER append_only"))
        session.execute(sa.text("UPDATE audit_entry SET username = 'li' WHERE subject_id = '1'"))
    status, _, told = citygrid("audit", "verify")
    assert status == 2 and "Entry 2 was changed" in told


def test_who_looked_at_a_household(citygrid, database):  # noqa: F811
    where = From("phone", "10.0.0.7")
    with database.system_work() as session:
        city = toy_city.build(session)
        home = Household(building_id=city.building, territory=NORTH_WEST, residents_count=1)
        session.add(home)
        session.flush()
        session.add(Resident(household_id=home.id, name="张明明", territory=NORTH_WEST))
    with database.unit_of_work(MEMBER) as session:
        (line,) = households_of(session, city.building, by=MEMBER, now=NOW, where=where) or ()
        open_resident(session, line.residents[0].id, "care", by=MEMBER, now=NOW, where=where)
    status, told, _ = citygrid("audit", "who-read", str(home.id), "--json")
    assert status == 0
    assert [(one["action"], one["purpose"], one["face"], one["origin"]) for one in json.loads(told)] == [
        ("unmask_resident", "care", "phone", "10.0.0.7"),
        ("read_households", None, "phone", "10.0.0.7"),
    ]
    status, told, _ = citygrid("audit", "who-read", str(home.id))
    assert "opened one person" in told and "Care" in told
    assert citygrid("audit", "who-read", "4000")[1] == ""
