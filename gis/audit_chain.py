"""Sealing the trail: each batch of entries gets a hash that carries on from the batch before.

A seal keeps the digest of every entry of its batch, so that a later change is not only noticed but named. Who
changes an entry and its seal as well breaks the link to the next seal; who rewrites all of them cannot change
the last hash that was noted elsewhere. Entries since the last seal are not protected yet: the worker seals
every minute.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import ARRAY, CheckConstraint, DateTime, Identity, LargeBinary
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis import audit_cut
from gis.database import Base

BATCH = 5000
_SIZE = 32
_BEGINNING = bytes(_SIZE)
"""What the first seal carries on from."""


class AuditSeal(Base):
    """One batch: the entries from `from_id` to `to_id` that there were, and their SHA-256 digests in a row.

    `hash` is that of `previous`, the span, the ids and the digests.
    """

    __tablename__ = "audit_seal"
    __table_args__ = (
        CheckConstraint("to_id >= from_id", name="ends_after_start"),
        {"info": {"open": True}},
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    from_id: Mapped[int] = mapped_column(unique=True)
    to_id: Mapped[int]
    ids: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer))
    digests: Mapped[bytes] = mapped_column(LargeBinary)
    previous: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True, slots=True)
class Sealed:
    """A seal that was just made: how many entries, and the hash to note elsewhere (hexadecimal)."""

    entries: int
    to_id: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the whole chain found. `fault` is None, or what is wrong with the first wrong thing:
    changed, missing or added (entry `entry_id`), seal (seal `seal_id`), or cut (the cut told by `entry_id`).

    `cut` counts sealed entries that are gone by a declared cut (`gis.audit_cut`), which is no fault."""

    entries: int
    seals: int
    waiting: int
    """Entries that are not sealed yet."""
    hash: str
    fault: str | None = None
    entry_id: int | None = None
    seal_id: int | None = None
    cut: int = 0


# jsonb writes the same value in the same way always, and the epoch has no time zone.
_DIGESTS = """
    SELECT id, sha256(convert_to(jsonb_build_array(
               id, extract(epoch FROM at), account_id, username, action, subject_kind, subject_id, details,
               territory, purpose, face, origin)::text, 'UTF8')) AS digest
    FROM audit_entry
"""


def seal(session: Session, now: datetime, *, limit: int = BATCH) -> Sealed | None:
    """Seal the next batch; None when nothing waits, or when writers kept us from looking for two seconds.

    An entry with a lower number may be committed after one with a higher, so the table is held still for the
    moment in which the batch is taken. Needs a transaction of its own.
    """
    session.execute(sa.text("SET LOCAL lock_timeout = '2s'"))
    try:
        session.execute(sa.text("LOCK TABLE audit_entry IN SHARE ROW EXCLUSIVE MODE"))
    except sa.exc.OperationalError:
        return None
    last = session.scalar(sa.select(AuditSeal).order_by(AuditSeal.id.desc()).limit(1))
    since = last.to_id if last else 0
    rows = session.execute(
        sa.text(_DIGESTS + " WHERE id > :since ORDER BY id LIMIT :limit"), {"since": since, "limit": limit}
    ).all()
    if not rows:
        return None
    ids, digests = [row.id for row in rows], b"".join(bytes(row.digest) for row in rows)
    previous = last.hash if last else _BEGINNING
    made = AuditSeal(
        from_id=since + 1,
        to_id=ids[-1],
        ids=ids,
        digests=digests,
        previous=previous,
        hash=_hash(previous, (since + 1, ids[-1]), ids, digests),
        at=now,
    )
    session.add(made)
    session.flush()
    return Sealed(len(ids), made.to_id, made.hash.hex())


def verify(session: Session) -> Verdict:
    """Check every seal and every sealed entry, oldest first, up to the first fault."""
    entries, seals, gone, previous, covered = 0, 0, 0, _BEGINNING, 0
    last_hash = ""
    made = audit_cut.newest(session)
    if made is not None and not audit_cut.is_honest(session, made):
        return Verdict(0, 0, 0, last_hash, "cut", entry_id=made.entry_id)
    edge = made.through if made else 0
    for one in session.scalars(sa.select(AuditSeal).order_by(AuditSeal.id).execution_options(yield_per=20)):
        linked = one.previous == previous and one.from_id == covered + 1
        if not linked or one.hash != _hash(one.previous, (one.from_id, one.to_id), one.ids, one.digests):
            return Verdict(entries, seals, 0, last_hash, "seal", seal_id=one.id)
        fault, there = _compare(session, one, edge)
        if fault is not None:
            return Verdict(entries, seals, 0, last_hash, fault[0], entry_id=fault[1], seal_id=one.id)
        entries, seals, previous, covered = entries + there, seals + 1, one.hash, one.to_id
        gone += len(one.ids) - there
        last_hash = one.hash.hex()
    waiting = session.execute(
        sa.text("SELECT count(*) FROM audit_entry WHERE id > :covered"), {"covered": covered}
    ).scalar_one()
    return Verdict(entries, seals, waiting, last_hash, cut=gone)


def _compare(session: Session, sealed: AuditSeal, edge: int) -> tuple[tuple[str, int] | None, int]:
    """((what, entry) of the lowest entry of a batch that is not as it was sealed, how many are there).

    Below `edge` a cut has taken entries away, or is about to.
    """
    rows = session.execute(
        sa.text(_DIGESTS + " WHERE id BETWEEN :first AND :last ORDER BY id"),
        {"first": sealed.from_id, "last": sealed.to_id},
    )
    now = {row.id: bytes(row.digest) for row in rows}
    then = {entry: sealed.digests[n * _SIZE : (n + 1) * _SIZE] for n, entry in enumerate(sealed.ids)}
    for entry in sorted(now.keys() | then.keys()):
        if entry not in then:
            return ("added", entry), 0
        if entry not in now:
            if entry >= edge:
                return ("missing", entry), 0
        elif now[entry] != then[entry]:
            return ("changed", entry), 0
    return None, len(now)


def _hash(previous: bytes, span: tuple[int, int], ids: Sequence[int], digests: bytes) -> bytes:
    numbers = ",".join(map(str, (*span, *ids))).encode()
    return hashlib.sha256(previous + numbers + digests).digest()
