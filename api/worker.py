"""The worker: what happens by itself. Deadlines are told of and climbed, notices leave the house, what is
old is forgotten.

It keeps nothing in memory: clocks say what is due, the outbox what is to be told. So it may be killed at any
moment, started again, or run several times at once; what it had not committed is found again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import sqlalchemy as sa
import structlog

from api import retention
from api.senders import Message, NotDelivered, Sender
from gis import audit_chain
from gis.database import Database
from gis.settings import Settings
from incidents import deliveries, ladder, reminders
from incidents.deliveries import Claimed, Quiet
from incidents.notice_kinds import ENDS, NoticeKind
from incidents.notice_wording import worded_kinds
from incidents.public_bins import publish_due

DEADLINES_EVERY_S, DELIVERIES_EVERY_S, SEALS_EVERY_S = 5.0, 2.0, 60.0
LOOKS_FOR_OLD_EVERY_S = 600.0
"""How often it is asked whether a retention rule has not run today: each runs once a day."""
CLIMB_AT_ONCE = 50
"""Cases that climb in one transaction: what a kill takes back."""
SEND_AT_ONCE = 8

_log = structlog.get_logger("citygrid.worker")


class Worker:
    """Sweeps a database until it is told to stop. The caller disposes of the database."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        senders: Mapping[str, Sender],
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._settings, self._clock = database, settings, clock
        self._senders = senders
        self._quiet = Quiet(settings.quiet_from, settings.quiet_until, settings.zone)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set. A hanging receiver holds up other deliveries, never a deadline."""
        loops = [
            threading.Thread(target=self._repeat, args=(stop, step, seconds), name=step.__name__)
            for step, seconds in (
                (self.keep_deadlines, DEADLINES_EVERY_S),
                (self.deliver, DELIVERIES_EVERY_S),
                (self.seal_trail, SEALS_EVERY_S),
                (self.forget, LOOKS_FOR_OLD_EVERY_S),
                (self.publish, LOOKS_FOR_OLD_EVERY_S),
            )
        ]
        for loop in loops:
            loop.start()
        for loop in loops:
            loop.join()

    def _repeat(self, stop: threading.Event, step: Callable[[threading.Event], None], seconds: float) -> None:
        while not stop.is_set():
            try:
                step(stop)
            except sa.exc.OperationalError as error:  # the next round finds it all again
                _log.warning("round failed", step=step.__name__, error=str(error.orig))
            except Exception as error:  # a fault of ours: as well
                _log.error("round failed", step=step.__name__, error=type(error).__name__, exc_info=error)
            stop.wait(seconds)

    def keep_deadlines(self, stop: threading.Event) -> None:
        """Tell of every deadline near or past and every review that is due; cases whose time is up climb."""
        full = True
        while full and not stop.is_set():
            with self._database.system_work() as session:
                told = reminders.remind(session, self._clock(), limit=500)
            with self._database.system_work() as session:
                reviews = reminders.remind_of_reviews(session, self._clock(), self._settings.zone, limit=500)
            with self._database.system_work() as session:
                climbed = ladder.climb(session, self._clock(), self._settings.zone, limit=CLIMB_AT_ONCE)
            full = told == 500 or reviews == 500 or len(climbed) == CLIMB_AT_ONCE

    def seal_trail(self, stop: threading.Event) -> None:
        """Seal what the trail has grown by."""
        sealed = True
        while sealed and not stop.is_set():
            with self._database.system_work() as session:
                sealed = audit_chain.seal(session, self._clock()) is not None

    def forget(self, stop: threading.Event) -> None:
        """Run every retention rule that has not run today, each in small transactions."""
        with self._database.system_work() as session:
            kinds = retention.waiting(session, self._clock())
        for kind in kinds:
            retention.run(
                self._database,
                kind,
                self._clock(),
                self._settings.home / "photos",
                stopped=stop.is_set,
            )

    def publish(self, _stop: threading.Event) -> None:
        """Publish the numbers of months that are over, where the city wants that (`public_map`)."""
        if self._settings.public_map:
            with self._database.system_work() as session:
                publish_due(
                    session,
                    self._clock(),
                    k=self._settings.public_hide_below,
                    zone=self._settings.zone,
                )

    def deliver(self, stop: threading.Event) -> None:
        """Send everything that waits to leave the house and is due."""
        while not stop.is_set():
            with self._database.system_work() as session:
                planned = deliveries.plan(session, self._clock(), self._quiet, self._senders)
            if not self._send_some() and not planned:
                return

    def _send_some(self) -> int:
        with self._database.system_work() as session:
            claimed = deliveries.claim(session, self._clock(), self._senders, limit=SEND_AT_ONCE)
            kinds = worded_kinds(session) if claimed else {}
        if claimed:
            with ThreadPoolExecutor(SEND_AT_ONCE) as pool:
                list(pool.map(lambda one: self._send(one, kinds[one.kind]), claimed))
        return len(claimed)

    def _send(self, claimed: Claimed, kind: NoticeKind) -> None:
        failure = None
        try:
            self._senders[claimed.sender].send(worded(claimed, kind, self._settings))
        except NotDelivered as error:
            failure = str(error)
        except Exception as error:  # an address no library foresaw; its text may hold the address
            failure = type(error).__name__
        if failure:
            _log.warning("not delivered", delivery=claimed.id, sender=claimed.sender, reason=failure)
        with self._database.system_work() as session:
            deliveries.settle(session, claimed, self._clock(), failure)


def worded(claimed: Claimed, kind: NoticeKind, settings: Settings) -> Message:
    """The message of a delivery in its contact's language and its kind's words."""
    language = claimed.language
    due = claimed.due_at.astimezone(settings.zone) if claimed.due_at else None
    blanks = {
        "number": claimed.number,
        "title": claimed.title,
        "place": claimed.place or "",
        "stage": ENDS[claimed.body["stage"]][language] if "stage" in claimed.body else "",
        "due": f"{due:%m-%d %H:%M}" if due else "",
        "reply": claimed.body.get("reply", ""),
        "what": claimed.body.get("what", ""),
        "joined_to": claimed.body.get("joined_to", ""),
        "link": tracking_link(claimed.tracking_code, settings.public_url),
    }
    return Message(
        key=str(claimed.key),
        address=claimed.address,
        subject=kind.subject[language].format_map(blanks),
        text=kind.text[language].format_map(blanks),
        facts={
            "kind": claimed.kind,
            "incident": claimed.incident_id,
            "number": claimed.number,
            "stage": claimed.stage,
            "due_at": claimed.due_at.isoformat() if claimed.due_at else None,
            "at": claimed.created_at.isoformat(),
        },
    )


def tracking_link(code: str, public_url: str | None) -> str:
    """The reporter's page; without a public address only its path."""
    return f"{(public_url or '').rstrip('/')}/r/{code}"
