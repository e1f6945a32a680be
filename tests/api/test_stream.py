"""Live push: a change reaches whoever may see it, nobody else, and carries nothing personal."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress
from queue import Empty, Queue

import httpx
import pytest
import sqlalchemy as sa

from api import push
from api.app import create_app
from gis.access import Principal
from gis.settings import Settings
from tests import apart
from tests.served_city import report_body, serving
from tests.toy_city import NORTH_EAST, NORTH_WEST, NOW

INCIDENTS = "/api/v1/incidents"


class Heard:
    """What one open stream has sent so far, read in a thread."""

    def __init__(self, client):
        self.events: Queue = Queue()
        self.ended = threading.Event()
        self._listening = threading.Event()
        threading.Thread(target=self._read, args=(client,), daemon=True).start()
        assert self._listening.wait(10), "the stream did not open"

    def _read(self, client):
        # A test that ends closes its clients under the reading thread.
        with suppress(httpx.TransportError), client.stream("GET", "/api/v1/stream", timeout=60) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            for line in response.iter_lines():
                if line == ": listening":
                    self._listening.set()
                if line.startswith("data: "):
                    self.events.put(json.loads(line.removeprefix("data: ")))
        self.ended.set()

    def next(self, seconds=10):
        return self.events.get(timeout=seconds)

    def quiet(self):
        """Nothing more has come. Ask only after another stream has heard the change."""
        with pytest.raises(Empty):
            self.events.get(timeout=0.3)
        return True


@contextmanager
def listening(api, *usernames):
    clients = [
        api.anonymous(headers={"Authorization": f"Bearer {api.token(username)}"}) for username in usernames
    ]
    yield [Heard(client) for client in clients]


def test_a_report_is_heard_by_those_who_may_see_it_and_nobody_else(api):
    with listening(api, "member", "officer", "admin", "resident", "neighbour", "south") as heard:
        member, officer, admin, resident, neighbour, south = heard
        case = api.client("resident").post(INCIDENTS, json=report_body()).json()
        event = officer.next()
        assert event == {
            "type": "incident",
            "id": case["id"],
            "move": "report",
            "stage": "dispatched",
            "version": 1,
            "territory": NORTH_WEST,
            "member_id": api.city.members[NORTH_WEST],
            "previous_member_id": None,
            "title": "暴露垃圾",
            "icon": "bin",
            "lon": 113.0985,
            "lat": 23.0015,
            "task": None,
        }
        assert member.next() == event | {"task": "arrived"}
        assert admin.next() == resident.next() == event
        assert neighbour.quiet() and south.quiet()


def test_a_member_hears_a_task_come_and_go(api):
    case = api.client("officer").post(INCIDENTS, json=report_body()).json()
    other = api.city.leaders[NORTH_WEST]
    with listening(api, "member", "leader") as (member, leader):
        moved = api.client("officer").post(
            f"{INCIDENTS}/{case['id']}/moves",
            json={"move": "reassign", "version": 1, "member_id": other, "note": "人手不足"},
        )
        assert moved.status_code == 200, moved.text
        assert member.next()["task"] == "taken"
        assert leader.next()["task"] == "arrived"


def test_what_is_rolled_back_is_not_heard(api):
    with listening(api, "officer") as (officer,):
        api.client("member").post(INCIDENTS, json=report_body(description="x" * 5000))
        kept = api.client("member").post(INCIDENTS, json=report_body()).json()
        assert officer.next()["id"] == kept["id"]
        assert officer.quiet()


def test_signing_out_ends_the_stream(api):
    """On a server that looks at its streams' tokens every 50 ms instead of every 30 s."""
    app = create_app(api.database, Settings(home=api.home), clock=lambda: NOW)
    app.state.hub = push.Hub(api.database, lambda: NOW, check_tokens_s=0.05)
    bearer = {"Authorization": f"Bearer {api.token('member')}"}
    with serving(app) as url:
        stays = Heard(
            api.anonymous(base_url=url, headers={"Authorization": f"Bearer {api.token('officer')}"})
        )
        goes = Heard(api.anonymous(base_url=url, headers=bearer))
        assert httpx.delete(f"{url}/api/v1/session", headers=bearer).status_code == 204
        assert goes.ended.wait(10)
        assert not stays.ended.is_set()


def test_a_lost_database_connection_is_made_again(api):
    """Cutting the listening backend ends the streams, so that pages look anew; new ones hear again."""
    with listening(api, "officer") as (before,):
        with api.database.system_engine.begin() as connection:
            cut = connection.execute(
                sa.text(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE application_name = 'citygrid push' AND datname = current_database()"
                )
            ).scalar_one()
        assert cut == 1
        assert before.ended.wait(10)
    with listening(api, "officer") as (again,):
        case = api.client("member").post(INCIDENTS, json=report_body()).json()
        assert again.next()["id"] == case["id"]


CHANGE = {
    "type": "incident", "move": "dispatch", "id": 1, "territory": NORTH_WEST, "member_id": 7,
    "previous_member_id": 8, "reported_by": 3, "title": "垃圾", "helpers": [], "departments": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("role", "territory", "member_id", "account_id", "sees"),
    [
        ("admin", "", None, 1, True),
        ("subdistrict_officer", NORTH_WEST[:9], None, 1, True),
        ("leader", NORTH_WEST, None, 1, True),
        ("leader", NORTH_EAST, None, 1, False),
        ("community_officer", None, None, 1, False),
        ("member", NORTH_WEST, 7, 1, True),
        ("member", NORTH_WEST, 8, 1, True),
        ("member", NORTH_WEST, 9, 1, False),
        ("resident", None, None, 3, True),
        ("resident", None, None, 4, False),
    ],
)
def test_who_may_hear_of_a_change(role, territory, member_id, account_id, sees):
    principal = Principal(account_id, "x", "x", role, territory, member_id)
    assert push.may_see(principal, CHANGE) is sees


def test_an_unassigned_case_is_nobodys_task():
    """A member without a number of their own must not match a case without a handler."""
    principal = Principal(1, "x", "x", "resident", None, None)
    assert not push.may_see(principal, CHANGE | {"member_id": None, "previous_member_id": None})


def test_the_reporter_stays_out_of_what_is_sent():
    assert "reported_by" not in push.shown(CHANGE, Principal(3, "x", "x", "resident"))


def test_a_slow_listener_is_let_go_and_holds_up_nobody():
    async def scene():
        hub = push.Hub(None, None)
        slow = Principal(1, "slow", "slow", "admin", "")
        quick = Principal(2, "quick", "quick", "admin", "")
        with hub.listening(slow, b"1") as lagging, hub.listening(quick, b"2") as keeping_up:
            for n in range(push.QUEUE_LENGTH + 1):
                hub.pass_on(CHANGE | {"id": n})
                assert (await keeping_up.next_event(1.0))["id"] == n
            assert lagging.closed.is_set()
            assert not keeping_up.closed.is_set()

    apart.run(scene())
