"""The chain of seals: an untouched trail is intact, and of a touched one the first wrong entry is named."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from gis import audit, audit_chain
from gis.access import Principal
from tests.toy_city import NOW

SPAN = (1, 9)
SOMEBODY = Principal(7, "wang", "王小明", "member", "990101")


@pytest.fixture
def trail(database):
    """Ten entries in seals of four, four and two; without the append-only triggers, as a superuser could."""
    with database.system_work() as session:
        for n in range(10):
            audit.record(session, "read", "household", n, by=SOMEBODY, now=NOW, purpose="visit", n=n)
    for _ in range(4):
        with database.system_work() as session:
            audit_chain.seal(session, NOW, limit=4)
    with database.system_work() as session:
        for table in ("audit_entry", "audit_seal"):
            session.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER append_only"))
    return database


def verdict(database):
    with database.system_work() as session:
        return audit_chain.verify(session)


def tamper(database, sql):
    with database.system_work() as session:
        assert session.execute(sa.text(sql)).rowcount


def test_an_untouched_trail_is_intact(trail):
    found = verdict(trail)
    assert (found.fault, found.entries, found.seals, found.waiting) == (None, 10, 3, 0)
    with trail.system_work() as session:
        assert audit_chain.seal(session, NOW) is None
        audit.record(session, "read", "household", 99, by=None, now=NOW)
    assert verdict(trail).waiting == 1


@pytest.mark.parametrize(
    ("sql", "fault", "entry"),
    [
        ("UPDATE audit_entry SET username = 'li' WHERE id IN (6, 9)", "changed", 6),
        ("UPDATE audit_entry SET details = details || '{\"n\": 77}' WHERE id = 10", "changed", 10),
        ("UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE id = 1", "changed", 1),
        ("DELETE FROM audit_entry WHERE id = 3", "missing", 3),
        ("UPDATE audit_entry SET id = 500 WHERE id = 5", "missing", 5),
    ],
)
def test_the_first_wrong_entry_is_named(trail, sql, fault, entry):
    tamper(trail, sql)
    found = verdict(trail)
    assert (found.fault, found.entry_id) == (fault, entry)


def test_an_entry_put_in_afterwards_is_named(database):
    """A number that was left free by a transaction that failed, filled in later."""
    with database.system_work() as session:
        audit.record(session, "read", "household", 1, by=SOMEBODY, now=NOW)
        session.execute(sa.text("SELECT nextval(pg_get_serial_sequence('audit_entry', 'id'))"))
        audit.record(session, "read", "household", 2, by=SOMEBODY, now=NOW)
    with database.system_work() as session:
        assert audit_chain.seal(session, NOW).entries == 2
    assert verdict(database).fault is None
    tamper(
        database,
        "INSERT INTO audit_entry (id, at, username, action, subject_kind) VALUES (2, now(), 'x', 'y', 'z')",
    )
    assert (verdict(database).fault, verdict(database).entry_id) == ("added", 2)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_seal SET to_id = to_id + 1 WHERE id = 2",
        "UPDATE audit_seal SET digests = set_byte(digests, 0, 255 - get_byte(digests, 0)) WHERE id = 2",
        "UPDATE audit_seal SET hash = sha256(hash) WHERE id = 2",
        "DELETE FROM audit_seal WHERE id = 1",
    ],
)
def test_a_seal_that_was_touched_is_named(trail, sql):
    tamper(trail, sql)
    assert verdict(trail).fault == "seal"


def test_who_writes_an_entry_and_its_seal_anew_breaks_the_next_seal(trail):
    tamper(trail, "UPDATE audit_entry SET username = 'li' WHERE id = 2")
    with trail.system_work() as session:
        first = session.get_one(audit_chain.AuditSeal, 1)
        rows = session.execute(sa.text(audit_chain._DIGESTS + " WHERE id <= 4 ORDER BY id")).all()
        first.digests = b"".join(bytes(row.digest) for row in rows)
        first.hash = audit_chain._hash(first.previous, (first.from_id, first.to_id), first.ids, first.digests)
    found = verdict(trail)
    assert (found.fault, found.seal_id) == ("seal", 2)


@settings(max_examples=60)
@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=5), st.binary(min_size=32, max_size=160))
def test_the_hash_tells_every_part_apart(ids, digests):
    once = audit_chain._hash(bytes(32), SPAN, ids, digests)
    assert once != audit_chain._hash(b"\1" + bytes(31), SPAN, ids, digests)
    assert once != audit_chain._hash(bytes(32), SPAN, [*ids, 1], digests)
    assert once != audit_chain._hash(bytes(32), SPAN, ids, digests + b"\0")
    assert once != audit_chain._hash(bytes(32), (1, 10), ids, digests)


def test_a_writer_at_work_is_waited_for_and_its_entry_is_in_the_seal(database):
    """A lower number that is committed later must not be passed over."""
    with database.system_engine.connect() as slow:
        transaction = slow.begin()
        slow.exec_driver_sql(
            "INSERT INTO audit_entry (at, username, action, subject_kind) VALUES (now(), 'slow', 'y', 'z')"
        )
        with database.system_work() as session:
            audit.record(session, "read", "household", 2, by=SOMEBODY, now=NOW)
        with database.system_work() as session:
            assert audit_chain.seal(session, NOW) is None, (
                "it waits two seconds, and tries again another time"
            )
        transaction.commit()
    with database.system_work() as session:
        assert audit_chain.seal(session, NOW).entries == 2
