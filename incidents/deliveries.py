"""Telling people outside the house, at least once and under one key, however often a process dies.

A notice is *planned* once: a delivery for each contact that should hear of it. A delivery is *claimed* for a
few minutes, sent, and *settled*. A process that dies between claiming and settling leaves a claim that runs
out, and the next one sends again under the same key, by which a receiver knows that it is the same.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import DateTime, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base, territory_column
from incidents.contacts import Contact
from incidents.incident import AT_ONCE
from incidents.notice_wording import worded_kinds
from incidents.notices import Notice

CLAIM = timedelta(minutes=2)
"""How long a claim holds; longer than any sender may take."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=3)

_MOMENT = DateTime(timezone=True)


class Delivery(Base):
    """One notice on its way to one contact. Without `next_at` it is done: sent, or given up."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("notice_id", "contact_id"),
        Index("ix_delivery_waiting", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    key: Mapped[UUID] = mapped_column(server_default=text("gen_random_uuid()"))
    """The same at each attempt."""
    notice_id: Mapped[int] = mapped_column(ForeignKey(Notice.id, ondelete="CASCADE"))
    contact_id: Mapped[int] = mapped_column(ForeignKey(Contact.id, ondelete="CASCADE"))
    planned_at: Mapped[datetime] = mapped_column(_MOMENT)
    next_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    sent_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    failure: Mapped[str | None]
    """Why the last attempt failed; never an address."""
    territory: Mapped[str] = territory_column()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery to send now, with what its words are made of. Its printed form tells no address."""

    id: int
    key: UUID
    attempts: int
    planned_at: datetime
    sender: str
    address: str = field(repr=False)
    language: str
    kind: str
    incident_id: int
    number: str
    title: str = field(repr=False)
    place: str | None = field(repr=False)
    stage: str
    due_at: datetime | None
    tracking_code: str = field(repr=False)
    created_at: datetime
    body: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours of the night in which nobody is told what can wait. Equal ends: no such hours."""

    begins: time
    ends: time
    zone: ZoneInfo

    def over(self, now: datetime) -> datetime:
        """The first moment from `now` on that is not quiet."""
        here = now.astimezone(self.zone)
        at = here.time()
        overnight = self.begins > self.ends
        within = (at >= self.begins or at < self.ends) if overnight else self.begins <= at < self.ends
        if not within:
            return now
        day = here.date() + timedelta(days=overnight and at >= self.begins)
        return datetime.combine(day, self.ends, self.zone)


# Whom a notice concerns hears of it: the member, account or department it names; of one that names nobody the
# desk's contacts. A webhook of a territory hears everything there, by night too: machines do not sleep.
_PLAN = sa.text(
    """
    WITH fresh AS (
        SELECT n.id, n.kind, n.member_id, n.account_id, n.department_code, n.territory, i.grade
        FROM notice AS n JOIN incident AS i ON i.id = n.incident_id
        WHERE n.planned_at IS NULL ORDER BY n.id LIMIT :limit FOR UPDATE OF n SKIP LOCKED
    ), marked AS (
        UPDATE notice AS n SET planned_at = :now FROM fresh WHERE n.id = fresh.id
    ), planned AS (
        INSERT INTO delivery (notice_id, contact_id, planned_at, next_at, territory)
        SELECT f.id, c.id, :now,
               CASE WHEN k.urgent OR f.grade = :at_once OR c.sender = 'webhook' THEN :now
                    ELSE :quiet_over END,
               f.territory
        FROM fresh AS f
        JOIN jsonb_to_recordset(CAST(:kinds AS jsonb)) AS k(kind text, sender text, urgent boolean)
          ON k.kind = f.kind
        JOIN contact AS c ON c.sender = k.sender
         AND (c.member_id = f.member_id OR c.account_id = f.account_id
              OR (starts_with(f.territory, c.territory) AND c.department_code = f.department_code)
              OR (starts_with(f.territory, c.territory)
                  AND num_nonnulls(c.member_id, c.account_id, c.department_code) = 0
                  AND (c.sender = 'webhook'
                       OR num_nonnulls(f.member_id, f.account_id, f.department_code) = 0)))
        ON CONFLICT DO NOTHING
    )
    SELECT count(*) FROM fresh
    """
)


def plan(session: Session, now: datetime, quiet: Quiet, senders: Collection[str], *, limit: int = 500) -> int:
    """Decide who hears of the notices that nobody has looked at yet, by the senders there are.

    Returns how many notices were looked at, at most `limit`: fewer means that none is left.
    """
    kinds = [
        {"kind": kind.name, "sender": sender, "urgent": kind.urgent}
        for kind in worded_kinds(session).values()
        for sender in kind.senders
        if sender in senders
    ]
    return session.execute(
        _PLAN,
        {
            "now": now,
            "limit": limit,
            "at_once": AT_ONCE,
            "quiet_over": quiet.over(now),
            "kinds": json.dumps(kinds),
        },
    ).scalar_one()


_CLAIM = sa.text(
    """
    WITH due AS (
        SELECT d.id FROM delivery AS d JOIN contact AS c ON c.id = d.contact_id
        WHERE d.next_at <= :now AND c.sender = ANY(:senders)
        ORDER BY d.next_at, d.id LIMIT :limit FOR UPDATE OF d SKIP LOCKED
    ), claimed AS (
        UPDATE delivery AS d SET attempts = d.attempts + 1, next_at = :until FROM due WHERE d.id = due.id
        RETURNING d.id, d.key, d.attempts, d.planned_at, d.notice_id, d.contact_id
    )
    SELECT d.id, d.key, d.attempts, d.planned_at, c.sender, c.address, c.language, n.kind, n.incident_id,
           i.number, i.title, i.place, i.stage, i.due_at, i.tracking_code, n.created_at, n.body
    FROM claimed AS d JOIN contact AS c ON c.id = d.contact_id JOIN notice AS n ON n.id = d.notice_id
    JOIN incident AS i ON i.id = n.incident_id
    ORDER BY d.id
    """
)


def claim(session: Session, now: datetime, senders: Collection[str], *, limit: int = 32) -> list[Claimed]:
    """Take deliveries that are due, so that no other process sends them before the claim runs out."""
    rows = session.execute(
        _CLAIM, {"now": now, "until": now + CLAIM, "senders": list(senders), "limit": limit}
    )
    return [Claimed(**row._mapping) for row in rows]


def settle(session: Session, claimed: Claimed, now: datetime, failure: str | None) -> None:
    """Write down how an attempt ended; `failure` tells why it failed, None that it went well.

    What failed is tried again after a growing wait, and given up after three days: then the row stays, with
    its reason.
    """
    values: dict[str, Any] = {"sent_at": now, "next_at": None, "failure": None}
    if failure is not None:
        again = now + wait_after(claimed.attempts)
        values = {
            "next_at": again if again <= claimed.planned_at + GIVE_UP_AFTER else None,
            "failure": failure,
        }
    session.execute(
        sa.update(Delivery).where(Delivery.id == claimed.id, Delivery.sent_at.is_(None)).values(values)
    )


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: doubling, up to an hour."""
    return min(FIRST_WAIT * 2 ** min(attempts - 1, 10), LONGEST_WAIT)
