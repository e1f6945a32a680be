"""The HTTP face without the pages: every endpoint, its failures, its limits, its live push."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from types import FrameType

from fastapi import FastAPI

from api import (
    account_endpoints,
    audit_endpoints,
    contact_endpoints,
    desk_endpoints,
    docs_page,
    duty_endpoints,
    errors,
    export_endpoints,
    force_endpoints,
    ground_endpoints,
    health,
    household_endpoints,
    incident_endpoints,
    indicator_endpoints,
    layer_endpoints,
    oidc_endpoints,
    own_account_endpoints,
    privacy_endpoints,
    public_endpoints,
    push,
    responsible_endpoints,
    roster_endpoints,
    session_endpoints,
    settings_endpoints,
    trial_endpoints,
)
from api.addresses import NoSecretsInAddresses
from api.entering import Turnstile
from api.gate import Means
from api.limits import BodyLimit
from api.oidc import Provider
from api.warming import warm_in_background
from gis.database import Database
from gis.settings import Settings

PATHS = ("/api", "/tiles", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/ca.crt")
"""First parts of the addresses this application answers; the composition root sends them here."""

DESCRIPTION = """\
Something is wrong at this place; who answers for it, why, how sure are we, and what has become of it?

Sign in with `POST /api/v1/session`; send the token as `Authorization: Bearer`, or as the password of HTTP
Basic. Errors are RFC 9457 problem documents in Chinese and English, each with its remedy. Times carry an
offset. Coordinates carry their declared system.
"""


def create_app(
    database: Database, settings: Settings, *, clock: Callable[[], datetime] | None = None
) -> FastAPI:
    """The application over a database. `clock` is the only clock its endpoints read; tests hand in theirs.

    Its lifespan listens for changes of the database: whoever puts this application behind another one passes
    the `lifespan` scope on. The caller disposes of the database.
    """
    means = Means(database, settings) if clock is None else Means(database, settings, clock)
    app = FastAPI(
        title="CityGrid 一图治城",
        version="1",
        description=DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,  # the framework's page loads its scripts from elsewhere; ours is docs_page
        redoc_url=None,
    )
    app.state.means = means
    app.state.hub = push.Hub(database, means.clock)
    app.state.turnstile = Turnstile()
    app.state.oidc = Provider.of(settings)
    app.state.public_months = {}
    errors.add_handlers(app)
    for module in (
        health,
        docs_page,
        session_endpoints,
        oidc_endpoints,
        own_account_endpoints,
        account_endpoints,
        duty_endpoints,
        export_endpoints,
        force_endpoints,
        incident_endpoints,
        indicator_endpoints,
        responsible_endpoints,
        roster_endpoints,
        household_endpoints,
        audit_endpoints,
        privacy_endpoints,
        public_endpoints,
        desk_endpoints,
        settings_endpoints,
        contact_endpoints,
        ground_endpoints,
        trial_endpoints,
        layer_endpoints,
        push,
    ):
        app.include_router(module.router)
    app.add_middleware(BodyLimit)
    app.add_middleware(NoSecretsInAddresses, means=means)
    app.add_middleware(health.Measured)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    hub: push.Hub = app.state.hub
    hub.start()
    warm_in_background(app.state.means)
    with _streams_end_on_signal(hub):
        yield
    await hub.stop()


@contextlib.contextmanager
def _streams_end_on_signal(hub: push.Hub) -> Iterator[None]:
    """End open streams as soon as the process is told to stop: a server waits for its open answers first,
    and a stream has no end of its own. The signal then goes on to whoever handled it before."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to the main thread; a server in a thread is stopped by its owner
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(hub.close_streams)
        previous = before[signal.Signals(number)]
        if callable(previous):
            previous(number, frame)

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
