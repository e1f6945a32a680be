"""Telling every open page of a change, after it is committed and beside the work itself.

NOTIFY inside a transaction holds a database-wide lock through the commit's fsync and lets no two writers
share one. So announcements are sent by one thread of the process over one connection of its own, whatever
waits at once in one statement: a writer neither waits for it nor fails by it. An announcement is a nudge.
When the process dies or the connection breaks it is lost, and pages catch up at their next refresh.
"""

from __future__ import annotations

import threading
import time
from queue import Empty, SimpleQueue
from typing import Any

import psycopg
import sqlalchemy as sa

Announcement = tuple[str, str]
"""(channel, payload)."""

PAUSE_S = 0.02
"""Between two statements: under load a handful of changes share one, and nobody sees 20 ms."""
MOST_AT_ONCE = 500
_NOTIFY = "SELECT pg_notify(c, p) FROM unnest(%s::text[], %s::text[]) AS n(c, p)"


class Announcer:
    """Sends what it is given, in order. Starts its thread with the first announcement."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._waiting: SimpleQueue[list[Announcement] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def send(self, announcements: list[Announcement]) -> None:
        """Hand over announcements of a committed change. Returns at once."""
        self._waiting.put(announcements)
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)
                    self._thread.start()

    def close(self) -> None:
        """Send what still waits, and end the thread."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(timeout=10)
            self._thread = None

    def _run(self) -> None:
        connection: psycopg.Connection[Any] | None = None
        last = False
        while not last:
            batch, last = self._next_batch()
            try:
                connection = connection or self._connect()
                connection.execute(_NOTIFY, [[c for c, _ in batch], [p for _, p in batch]])
            except psycopg.OperationalError:
                connection = None
            if not last:
                time.sleep(PAUSE_S)
        if connection is not None:
            connection.close()

    def _next_batch(self) -> tuple[list[Announcement], bool]:
        """Everything that waits, after waiting for the first; and whether it is the last."""
        batch: list[Announcement] = []
        more = self._waiting.get()
        while more is not None:
            batch += more
            if len(batch) >= MOST_AT_ONCE:
                return batch, False
            try:
                more = self._waiting.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _connect(self) -> psycopg.Connection[Any]:
        """A connection to the engine's database that is not one of its pool."""
        arguments, options = self._engine.dialect.create_connect_args(self._engine.url)
        options.pop("context", None)  # SQLAlchemy's own: how values are adapted, nothing of the address
        return psycopg.connect(*arguments, **options, autocommit=True, application_name="citygrid announcer")
