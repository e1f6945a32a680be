"""Live push: what changes in the database reaches the pages that may see it, as server-sent events.

One connection a worker listens on PostgreSQL's channel; a hub passes each change to the listeners of this
process whose person may see the case. An event is a nudge with a version, never the truth: a page that missed
some asks the server again, so a listener too slow to keep up is simply let go and comes back.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
import sqlalchemy as sa
import structlog
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from api.auth import live_tokens, token_hash
from api.gate import Door, SignedInDoor
from gis.access import Principal
from gis.database import Database
from gis.errors import Unavailable
from incidents.lifecycle import speaks_for
from incidents.notices import CHANNEL

QUEUE_LENGTH = 200
"""Events a listener may lag behind before it is let go."""
HEARTBEAT_S = 15.0
CHECK_TOKENS_S = 30.0
"""How often the tokens of open streams are looked up again: a sign-out ends a stream within this time."""
CONNECT_S = 5.0
RETRY_MS = 2000

_log = structlog.get_logger("citygrid.push")

router = APIRouter(prefix="/api/v1", tags=["stream"])


@dataclass(eq=False)
class Listener:
    """One open stream. `closed` is set when it is let go: too slow, signed out, or the server ends."""

    principal: Principal
    token_hash: bytes
    queue: asyncio.Queue[dict[str, Any]] = field(default_factory=lambda: asyncio.Queue(QUEUE_LENGTH))
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def next_event(self, seconds: float) -> dict[str, Any] | None:
        """The next event, or None when nothing happened for so long or the stream is closed."""
        waiting = asyncio.ensure_future(self.queue.get())
        ending = asyncio.ensure_future(self.closed.wait())
        try:
            done, _ = await asyncio.wait(
                {waiting, ending}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            return waiting.result() if waiting in done else None
        finally:
            waiting.cancel()
            ending.cancel()


class Hub:
    """The listeners of one process, and the two tasks that feed and check them. Lives on one event loop."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], *, check_tokens_s: float = CHECK_TOKENS_S
    ) -> None:
        self._database = database
        self._clock = clock
        self._check_tokens_s = check_tokens_s
        self._listeners: set[Listener] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self.connected = asyncio.Event()
        """Set while the database's channel is being heard."""

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._check_tokens())]

    async def heard(self) -> None:
        """Wait until the channel is heard, so that a stream misses nothing. Raises Unavailable."""
        try:
            await asyncio.wait_for(self.connected.wait(), CONNECT_S)
        except TimeoutError as error:
            raise Unavailable(
                en="Changes cannot be heard just now.",
                zh="暂时收不到变更通知。",
                remedy_en="Try again in a few seconds; the pages stay usable.",
                remedy_zh="请稍后重试；页面仍可使用。",
            ) from error

    def close_streams(self) -> None:
        """End every stream, so that a server that stops need not wait for pages that never hang up."""
        for listener in self._listeners:
            listener.closed.set()

    async def stop(self) -> None:
        self.close_streams()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @contextlib.contextmanager
    def listening(self, principal: Principal, hashed: bytes) -> Iterator[Listener]:
        listener = Listener(principal, hashed)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def pass_on(self, change: dict[str, Any]) -> None:
        """Queue a change for everybody who may see it; whoever has no room left is let go."""
        for listener in self._listeners:
            if not may_see(listener.principal, change):
                continue
            try:
                listener.queue.put_nowait(shown(change, listener.principal))
            except asyncio.QueueFull:
                listener.closed.set()

    async def _listen(self) -> None:
        """Hear the channel for ever; after a lost connection try again, and tell the pages to look anew."""
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(_conninfo(self._database), autocommit=True)
                async with connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self.connected.set()
                    await self._hear(connection)
            except psycopg.OperationalError as error:
                _log.warning("listening interrupted", error=str(error))
            # Changes may have been missed: pages reconnect and ask for the present state.
            self.connected.clear()
            self.close_streams()
            await asyncio.sleep(1.0)

    async def _hear(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Pass on what comes until the connection is lost. Raises OperationalError then.

        libpq's own calls on a readable socket: the driver's generator of notices takes a dozen times longer,
        and every report of the city goes through here, in every worker.
        """
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        libpq = connection.pgconn

        def readable() -> None:
            try:
                libpq.consume_input()
                while notice := libpq.notifies():
                    if self._listeners:
                        self.pass_on(json.loads(notice.extra))
            except psycopg.OperationalError as error:
                if not lost.done():
                    lost.set_exception(error)

        loop, socket = asyncio.get_running_loop(), connection.fileno()
        loop.add_reader(socket, readable)
        try:
            readable()  # what came together with the answer to LISTEN
            await lost
        finally:
            loop.remove_reader(socket)

    async def _check_tokens(self) -> None:
        while True:
            await asyncio.sleep(self._check_tokens_s)
            hashes = list({listener.token_hash for listener in self._listeners})
            if not hashes:
                continue
            try:
                alive = await run_in_threadpool(self._alive, hashes)
            except sa.exc.OperationalError:
                continue  # the listening task notices a lost database by itself
            for listener in self._listeners:
                if listener.token_hash in hashes and listener.token_hash not in alive:
                    listener.closed.set()

    def _alive(self, hashes: list[bytes]) -> set[bytes]:
        with self._database.system_work() as session:
            return live_tokens(session, hashes, now=self._clock())


def may_see(principal: Principal, change: dict[str, Any]) -> bool:
    """The rule of `incidents.queries` for one change: my ground in a desk role, my task now or before, a
    piece of work of mine or of my department, my report. Of leave those hear whom it concerns."""
    if change["type"] == "leave":
        return principal.member_id is not None and principal.member_id in change["members"]
    if principal.sees_territory and principal.covers(change["territory"]):
        return True
    ours = (speaks_for(principal, department) for department in change["departments"])
    if principal.role == "department_handler" and principal.covers(change["territory"]) and any(ours):
        return True
    mine = (change["member_id"], change["previous_member_id"], *change["helpers"])
    return change["reported_by"] == principal.account_id or (
        principal.member_id is not None and principal.member_id in mine
    )


def shown(change: dict[str, Any], principal: Principal) -> dict[str, Any]:
    """The event as sent: who reported it stays out, and `task` tells a member whether it came or went."""
    if change["type"] == "leave":
        mine = principal.member_id == change["members"][0]
        return {name: value for name, value in change.items() if name != "members"} | {"mine": mine}
    hidden = ("reported_by", "helpers", "departments")
    event = {name: value for name, value in change.items() if name not in hidden}
    before, after = change["previous_member_id"], change["member_id"]
    me = principal.member_id
    event["task"] = None
    if me is not None and before != after:
        event["task"] = {before: "taken", after: "arrived"}.get(me)
    if change["move"] in ("assist", "assist_pass") and me is not None and me in change["helpers"]:
        # Of a piece of work that is passed on, who had it is told before who has it.
        event["task"] = "arrived" if me == change["helpers"][-1] else "taken"
    return event


@router.get("/stream", response_class=StreamingResponse)
async def stream(door: SignedInDoor, request: Request) -> StreamingResponse:
    """Changes of cases I may see, as they happen: `event: incident` with its version, place and title; and
    `event: leave` when mine is decided, or I am to stand in.

    Comments keep the line open. When the stream ends, reconnect and ask for the present state.
    """
    principal = await run_in_threadpool(_principal, door)
    hub: Hub = request.app.state.hub
    await hub.heard()
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        _events(hub, principal, token_hash(door.token)), media_type="text/event-stream", headers=headers
    )


def _principal(door: Door) -> Principal:
    with door.open() as (_, by, _):
        return by


async def _events(hub: Hub, principal: Principal, hashed: bytes) -> AsyncIterator[str]:
    with hub.listening(principal, hashed) as listener:
        yield f"retry: {RETRY_MS}\n: listening\n\n"
        while not listener.closed.is_set():
            event = await listener.next_event(HEARTBEAT_S)
            if event is not None:
                yield f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n"
            elif not listener.closed.is_set():
                yield ": still here\n\n"


def _conninfo(database: Database) -> str:
    """psycopg's address of an SQLAlchemy URL."""
    arguments, options = database.engine.dialect.create_connect_args(database.engine.url)
    options.pop("context", None)  # SQLAlchemy's own: how values are adapted, nothing of the address
    return psycopg.conninfo.make_conninfo(*arguments, **options, application_name="citygrid push")
