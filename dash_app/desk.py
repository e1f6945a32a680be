"""What every page stands on: the database, the city's clock, the person asking and their language.

A callback is a door: it opens the unit of work and reads the clock. It runs in a thread, because Dash runs
plain callbacks on the server's event loop and one slow read would stall everybody.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import anyio

from dash_app.kept_reports import KeptReports
from dash_app.texts import LANGUAGES, Words
from dash_app.tokens import THEMES
from gis.access import Principal
from gis.database import Database, Session

LANGUAGE_COOKIE = "cg_language"
THEME_COOKIE = "cg_theme"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to the desk: who asks, and how they want it shown."""

    principal: Principal
    language: str
    theme: str

    @property
    def words(self) -> Words:
        return Words(self.language)


_visit: ContextVar[Visit] = ContextVar("desk_visit")


def current_visit() -> Visit:
    """The visit of the request being answered; set by the composition root before Dash sees the request."""
    return _visit.get()


@contextmanager
def visiting(visit: Visit) -> Iterator[None]:
    token = _visit.set(visit)
    try:
        yield
    finally:
        _visit.reset(token)


def chosen_language(cookie: str | None, accepted: str | None) -> str:
    """The language of a cookie, else the browser's first that we speak, else Chinese."""
    if cookie in LANGUAGES:
        return str(cookie)
    for part in (accepted or "").lower().split(","):
        name = part.split(";")[0].strip()[:2]
        if name in LANGUAGES:
            return name
    return LANGUAGES[0]


def chosen_theme(cookie: str | None) -> str:
    return str(cookie) if cookie in THEMES else THEMES[0]


@dataclass(frozen=True, slots=True)
class Desk:
    """The means of all pages. `clock` is read once a callback; tests may hand in another. `ways` are the
    senders this server has to tell people outside."""

    database: Database
    zone: ZoneInfo
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ways: tuple[str, ...] = ()
    reports: KeptReports = field(default_factory=KeptReports)

    @contextmanager
    def reading(self) -> Iterator[tuple[Session, Visit, datetime]]:
        """A unit of work for the person asking, with the one moment everything in it is measured at."""
        visit = current_visit()
        with self.database.unit_of_work(visit.principal) as session:
            yield session, visit, self.clock()


def threaded(callback: Callable[..., Any]) -> Callable[..., Any]:
    """A plain function as a callback that does not hold up the event loop."""

    @functools.wraps(callback)
    async def run(*arguments: Any) -> Any:
        return await anyio.to_thread.run_sync(functools.partial(callback, *arguments))

    return run
