"""Revisions taken back: as far as they can be, and a clear word where they cannot."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic import command

from api.migrations import config, revision, upgrade
from gis.database import Database
from gis.errors import Conflict
from incidents.reminders import remind
from tests import toy_city
from tests.conftest import clone, drop
from tests.incidents.conftest import Town
from tests.toy_city import NOW


@pytest.fixture
def url(cluster, template):
    name = f"migrations_{os.getpid()}"
    yield clone(cluster, template, name)
    drop(cluster, name)


def test_a_revision_that_cannot_be_taken_back_says_what_to_do_instead(url):
    with pytest.raises(Conflict) as refusal:
        command.downgrade(config(url), "0008")
    assert "0009" in refusal.value.message_zh and "citygrid db restore" in refusal.value.remedy_en
    upgrade(url)
    current, head = revision(url)
    assert current == head


def test_what_was_told_of_a_deadline_is_known_on_both_sides_of_0017(url):
    """Kept as rows before it, on the clock itself after it."""
    database = Database(url)
    with database.system_work() as session:
        town = Town(session, toy_city.build(session))
        town.report(town.member)
        town.report(town.member, "k2")
        assert remind(session, NOW + timedelta(days=1), limit=1) == 1

    def told() -> list[bool]:
        marks = sa.text("SELECT late_told_of IS NOT DISTINCT FROM due_at FROM case_clock ORDER BY 1")
        with database.system_work() as session:
            return list(session.scalars(marks))

    assert told() == [False, True]
    command.downgrade(config(url), "0015")
    with database.system_work() as session:
        assert session.scalars(sa.text("SELECT kind FROM reminder")).all() == ["due_soon", "overdue"]
    upgrade(url)
    database.system_engine.dispose()
    assert told() == [False, True]
    database.dispose()
