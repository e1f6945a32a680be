"""Cutting the trail: what is old goes by a cut that is itself in the trail, and nothing goes without one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from gis import audit, audit_chain, audit_cut
from gis.access import Principal

SOMEBODY = Principal(7, "wang", "王小明", "member", "990101")
FIRST = datetime(2015, 1, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
NOW = FIRST + 60 * MONTH
OLD = NOW - timedelta(days=1095)
"""Sixty months later; entries before OLD, the first 24 of the 60, may go."""


@pytest.fixture
def trail(database):
    """Sixty entries, one a month, in seals of ten."""
    with database.system_work() as session:
        for n in range(60):
            audit.record(session, "read", "household", n, by=SOMEBODY, now=FIRST + n * MONTH)
    seal(database, limit=10)
    return database


def seal(database, *, limit: int = 5000) -> None:
    made = True
    while made:
        with database.system_work() as session:
            made = audit_chain.seal(session, NOW, limit=limit)


def cut(database, *, limit: int = 5000, before=OLD, now=NOW) -> int:
    with database.system_work() as session:
        return audit_cut.cut(session, before, now, limit=limit)


def verdict(database):
    with database.system_work() as session:
        return audit_chain.verify(session)


def ids(database) -> list[int]:
    with database.system_work() as session:
        return list(session.scalars(sa.text("SELECT id FROM audit_entry ORDER BY id")))


def tamper(database, *statements: str) -> None:
    with database.system_work() as session:
        for table in ("audit_entry", "audit_seal"):
            session.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER append_only"))
        for statement in statements:
            assert session.execute(sa.text(statement)).rowcount
        for table in ("audit_entry", "audit_seal"):
            session.execute(sa.text(f"ALTER TABLE {table} ENABLE TRIGGER append_only"))


def test_whole_seals_go_up_to_the_boundary_stone(trail):
    """24 entries are old: two seals of ten are all old. Entry 20, the last of them, stays as the stone."""
    with trail.system_work() as session:
        assert audit_cut.count_due(session, OLD) == 19
    assert cut(trail) == 19
    assert ids(trail) == [*range(20, 61), 61]
    found = verdict(trail)
    assert (found.fault, found.entries, found.cut, found.waiting) == (None, 41, 19, 1)
    seal(trail)
    assert verdict(trail).entries == 42
    with trail.system_work() as session:
        assert audit_cut.count_due(session, OLD) == 0
    assert cut(trail) == 0 and len(ids(trail)) == 42, "nothing more is due: no second cut is told"


def test_a_cut_that_was_broken_off_is_carried_on_and_the_trail_is_whole_all_the_time(trail):
    gone = []
    while not gone or gone[-1]:
        gone.append(cut(trail, limit=7))
        assert verdict(trail).fault is None
    assert gone == [7, 7, 5, 0]


def test_a_later_cut_takes_the_stone_and_the_earlier_cut_along(trail):
    cut(trail)
    seal(trail)
    later = NOW + 40 * MONTH
    assert cut(trail, before=OLD + 40 * MONTH, now=later) == 41
    assert ids(trail) == [61, 62], "the stone, which is the first cut's entry, and the second cut's"
    assert verdict(trail).fault is None


def test_without_a_cut_the_database_removes_nothing(trail):
    with pytest.raises(sa.exc.ProgrammingError, match="append-only"), trail.system_work() as session:
        session.execute(sa.text("DELETE FROM audit_entry WHERE id = 3"))
    cut(trail)
    for kept in (20, 21, 61):
        with pytest.raises(sa.exc.ProgrammingError, match="append-only"), trail.system_work() as session:
            session.execute(sa.text(f"DELETE FROM audit_entry WHERE id = {kept}"))


def test_what_is_younger_than_three_years_is_never_cut(trail):
    with pytest.raises(ValueError, match="three years"):
        cut(trail, before=OLD + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("sql", "fault", "entry"),
    [
        ("DELETE FROM audit_entry WHERE id = 33", "missing", 33),
        ("UPDATE audit_entry SET username = 'li' WHERE id = 20", "changed", 20),
        ("UPDATE audit_entry SET details = details || '{\"through\": 40}' WHERE id = 61", "cut", 61),
        ("DELETE FROM audit_entry WHERE id = 20", "cut", 61),
        ("DELETE FROM audit_entry WHERE id = 61", "missing", 1),
    ],
)
def test_after_a_cut_every_change_is_still_named(trail, sql, fault, entry):
    cut(trail)
    seal(trail)
    tamper(trail, sql)
    assert (verdict(trail).fault, verdict(trail).entry_id) == (fault, entry)


def test_a_forged_cut_cannot_hide_what_is_young(trail):
    """Somebody with the database in hand writes a cut over last year, with the true seal's hash."""
    forged = """
        INSERT INTO audit_entry (at, username, action, subject_kind, details)
        SELECT '{at}', 'system', 'trail.cut', 'audit_entry',
               jsonb_build_object('through', to_id, 'entries', 49, 'seal', encode(hash, 'hex'))
        FROM audit_seal WHERE to_id = 50
    """
    tamper(trail, forged.format(at=NOW), "DELETE FROM audit_entry WHERE id < 50")
    assert (verdict(trail).fault, verdict(trail).entry_id) == ("cut", 61)


def test_a_forged_cut_of_the_future_is_no_help(trail):
    with trail.system_work() as session:
        future = session.scalar(sa.text("SELECT now() + interval '40 years'"))
    forged = f"""
        INSERT INTO audit_entry (at, username, action, subject_kind, details)
        SELECT '{future}', 'system', 'trail.cut', 'audit_entry',
               jsonb_build_object('through', to_id, 'entries', 49, 'seal', encode(hash, 'hex'))
        FROM audit_seal WHERE to_id = 50
    """
    tamper(trail, forged, "DELETE FROM audit_entry WHERE id < 50")
    assert (verdict(trail).fault, verdict(trail).entry_id) == ("cut", 61)


def test_the_application_role_cannot_make_a_cut_that_counts(trail):
    with trail.unit_of_work(SOMEBODY) as session:
        audit.record(session, audit.CUT, "audit_entry", 50, by=SOMEBODY, now=NOW, through=50, entries=49)
    with trail.system_work() as session:
        assert audit_cut.newest(session) is None
