"""Fixtures of the desk: the toy city at work, read and never written, in a database of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from dash_app.desk import Desk, Visit, visiting
from gis.cluster import PrivateCluster
from gis.database import Database
from tests import toy_desk
from tests.conftest import clone, drop
from tests.toy_city import NOW
from tests.toy_desk import ZONE, ToyDesk


@dataclass
class Office:
    """A desk over the toy city; `at` opens it for a person in a language."""

    desk: Desk
    toy: ToyDesk
    now: datetime = field(default=NOW)

    def at(self, username: str = "officer", language: str = "zh", theme: str = "light"):
        return visiting(Visit(self.toy.people[username], language, theme))


@pytest.fixture(scope="session")
def office(cluster: PrivateCluster, template: str) -> Iterator[Office]:
    name = f"desk_{os.getpid()}"
    database = Database(clone(cluster, template, name))
    with database.system_work() as session:
        toy = toy_desk.build(session, NOW)
    yield Office(Desk(database, ZONE, lambda: NOW), toy)
    database.dispose()
    drop(cluster, name)
