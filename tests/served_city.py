"""The toy city behind a real server, with a signed-in client for each account.

Every request commits, so these tests have a database of their own and clear it before each test; the server
runs in a thread of this process. Tokens are real and given by `api.auth`; only the tests of signing in pay
for hashing a password each time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import uvicorn
from sqlalchemy.orm import Session

from api import undertaking
from api.app import create_app
from api.auth import Account, find_account, hash_password, issue_token
from gis.cluster import PrivateCluster
from gis.database import Database
from gis.settings import Settings
from tests import toy_city
from tests.conftest import clone, drop
from tests.toy_city import NORTH_EAST, NORTH_WEST, NOW, SOUTH_EAST, SUBDISTRICT, ToyCity

PASSWORD = "correct horse"
COMMUNITY = NORTH_WEST[:12]


@dataclass
class Api:
    """The server over the toy city. `now` may be moved by a test; it is the only clock of the endpoints."""

    url: str
    city: ToyCity
    database: Database
    home: Path
    now: datetime = NOW
    _clients: dict[str, httpx.Client] = field(default_factory=dict)

    def client(self, username: str) -> httpx.Client:
        """A program's client, signed in with a bearer token; the same one each time."""
        if username not in self._clients:
            self._clients[username] = self.anonymous(
                headers={"Authorization": f"Bearer {self.token(username)}"}
            )
        return self._clients[username]

    def anonymous(self, **options: Any) -> httpx.Client:
        client = httpx.Client(**{"base_url": self.url, "timeout": 30, **options})
        self._clients[f"anonymous {len(self._clients)}"] = client
        return client

    def token(self, username: str, kind: str = "program") -> str:
        with self.database.system_work() as session:
            return issue_token(session, find_account(session, username), now=self.now, kind=kind).token

    def count(self, table: str) -> int:
        with self.database.system_engine.connect() as connection:
            return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()

    def post(self, who: str, address: str, **body: Any) -> Any:
        """POST as somebody; the answer's body, which must be a success."""
        answer = self.client(who).post(f"/api/v1{address}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, who: str, address: str, **query: Any) -> Any:
        """GET as somebody; the answer's body, which must be a success."""
        answer = self.client(who).get(f"/api/v1{address}", params=query)
        assert answer.is_success, answer.text
        return answer.json()

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()


def accounts(city: ToyCity) -> dict[str, dict[str, Any]]:
    """username -> role, territory and member of the accounts of the toy city."""
    return {
        "admin": {"role": "admin"},
        "officer": {"role": "subdistrict_officer", "territory": SUBDISTRICT},
        "community": {"role": "community_officer", "territory": COMMUNITY},
        "south": {"role": "community_officer", "territory": SUBDISTRICT + "002"},
        "inspector": {"role": "inspector", "territory": SUBDISTRICT},
        "leader": {"role": "leader", "territory": NORTH_WEST, "member_id": city.leaders[NORTH_WEST]},
        "member": {"role": "member", "territory": NORTH_WEST, "member_id": city.members[NORTH_WEST]},
        "neighbour": {"role": "member", "territory": NORTH_EAST, "member_id": city.members[NORTH_EAST]},
        "department": {
            "role": "department_handler",
            "territory": SUBDISTRICT[:6],
            "department_code": "city_management",
        },
        "resident": {"role": "resident"},
    }


@cache
def password_hash() -> str:
    return hash_password(PASSWORD)


def add_accounts(session: Session, city: ToyCity) -> None:
    """The accounts, all with the same password, hashed once."""
    for username, account in accounts(city).items():
        session.add(
            Account(
                username=username,
                display_name=username,
                password_hash=password_hash(),
                active=True,
                created_at=NOW,
                undertaking_version=undertaking.version(),
                **({"territory": ""} if account["role"] == "admin" else {}) | account,
            )
        )


@contextmanager
def serving(app: Any, **options: Any) -> Iterator[str]:
    """A real server of this application in a thread, on a free port; its address. `options` are uvicorn's."""
    config = uvicorn.Config(
        app, port=0, log_level="warning", lifespan="on", timeout_graceful_shutdown=1, **options
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.005)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def served(
    cluster: PrivateCluster, template: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """The toy city behind one server for all tests of this folder in this process."""
    home = tmp_path_factory.mktemp("home")
    name = f"api_{worker_id}_{home.name}"
    database = Database(clone(cluster, template, name))
    with database.system_work() as session:
        city = toy_city.build(session)
    served = Api("", city, database, home)
    with serving(create_app(database, Settings(home=home), clock=lambda: served.now)) as url:
        served.url = url
        yield served
    database.dispose()
    drop(cluster, name)


@pytest.fixture
def api(served: Api) -> Iterator[Api]:
    """The server as on its first day: no case, no token, everybody on duty as built, Monday 10:00."""
    served.now = NOW
    with served.database.system_engine.begin() as connection:
        connection.exec_driver_sql(
            "TRUNCATE account, sign_in_try, incident, audit_entry, case_day, leave, shift, exception"
            " RESTART IDENTITY CASCADE"
        )
        connection.execute(
            sa.text("UPDATE member SET on_duty = (id <> :off) WHERE on_duty <> (id <> :off)"),
            {"off": served.city.members[SOUTH_EAST]},
        )
    with served.database.system_work() as session:
        add_accounts(session, served.city)
    yield served
    served.close()


def report_body(**changes: Any) -> dict[str, Any]:
    """A good report from the middle of the north-west cell."""
    return {
        "report_key": "key-1",
        "lon": 113.0985,
        "lat": 23.0015,
        "crs": "EPSG:4490",
        "accuracy_m": 8,
        "category": "9901",
        "description": "路边有一堆垃圾",
    } | changes
