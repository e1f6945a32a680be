"""Cutting the oldest entries off the trail, deliberately and so that everybody can see it.

A cut is an entry of the trail itself, so it is sealed like any other: through which entry, how many, and the
hash of the seal that ended there. The seals stay with their digests; so every entry that is kept is still
proved, and one that is gone without a cut is still named. The last entry before the edge stays too, as a
boundary stone: its digest proves how old what was cut must have been, so that a forged cut cannot hide what
happened last week. The database removes nothing that no cut covers (trigger `append_only`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis import audit
from gis.database import rows_changed
from gis.forgetting import THREE_YEARS

LEAST = timedelta(days=THREE_YEARS)
"""No cut may reach what is younger."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The newest cut: entries below `through` may be gone; `seal_hash` is that of the seal ending there."""

    entry_id: int
    through: int
    entries: int
    seal_hash: str
    at: datetime


# Whole seals only: the edge is the last one before the first entry that must stay.
_EDGE = sa.text(
    """
    SELECT s.to_id, encode(s.hash, 'hex') AS hash,
           (SELECT count(*) FROM audit_entry AS e WHERE e.id < s.to_id) AS entries
    FROM audit_seal AS s
    WHERE s.to_id < coalesce((SELECT min(e.id) FROM audit_entry AS e WHERE e.at >= :before), s.to_id + 1)
      AND EXISTS (SELECT FROM audit_entry AS e WHERE e.id = s.to_id)
    ORDER BY s.to_id DESC LIMIT 1
    """
)
_NEWEST = sa.text(
    f"""
    SELECT id AS entry_id, (details ->> 'through')::int AS through, (details ->> 'entries')::int AS entries,
           details ->> 'seal' AS seal_hash, at
    FROM audit_entry WHERE action = '{audit.CUT}' AND account_id IS NULL ORDER BY id DESC LIMIT 1
    """
)
_SWEEP = sa.text(
    """
    DELETE FROM audit_entry WHERE id IN (
        SELECT id FROM audit_entry WHERE id < :through ORDER BY id LIMIT :limit)
    """
)


def newest(session: Session) -> Cut | None:
    """The cut that counts: each reaches from the beginning, so the newest holds all before it."""
    row = session.execute(_NEWEST).first()
    return None if row is None else Cut(**row._mapping)


def count_due(session: Session, before: datetime) -> int:
    """How many entries a cut made now would remove, with what an unfinished one has left."""
    edge = session.execute(_EDGE, {"before": before}).first()
    return int(edge.entries) if edge else 0


def cut(session: Session, before: datetime, now: datetime, *, limit: int) -> int:
    """Remove up to `limit` entries older than `before`; declares the cut first where there is more to cut.

    Returns how many are gone; fewer than `limit` means that none is left. Raises ValueError for what is
    younger than three years.
    """
    if now - before < LEAST:
        raise ValueError("the trail keeps three years at least")
    edge = session.execute(_EDGE, {"before": before}).first()
    known = newest(session)
    if edge is not None and edge.entries and (known is None or edge.to_id > known.through):
        audit.record(
            session, audit.CUT, "audit_entry", edge.to_id, by=None, now=now,
            through=edge.to_id, entries=edge.entries, seal=edge.hash, before=before.isoformat(),
        )  # fmt: skip
        known = newest(session)
    if known is None:
        return 0
    return rows_changed(session, _SWEEP, {"through": known.through, "limit": limit})


def is_honest(session: Session, made: Cut) -> bool:
    """Whether the cut's edge is what it says: its seal stands, its boundary stone was old enough, and it does
    not come from the future to seem so.

    That stone and seal are untouched is for `audit_chain.verify` to find.
    """
    row = session.execute(
        sa.text(
            "SELECT e.at, encode(s.hash, 'hex') AS hash, now() + interval '1 day' AS soon"
            " FROM audit_entry AS e JOIN audit_seal AS s ON s.to_id = e.id WHERE e.id = :through"
        ),
        {"through": made.through},
    ).first()
    return row is not None and row.hash == made.seal_hash and row.at + LEAST <= made.at <= row.soon
