"""How often somebody may try: counted in PostgreSQL before any password is hashed, by all processes together.

Each kind of try has a bucket that holds so many at once and fills up by one every so often. A row keeps one
moment: when the bucket will be full again. A try that finds it empty changes nothing, so a flood costs one
indexed look-up each and locks nobody out for longer than the last try that counted.

A stranger who knows a name can use up that name's tries. So an account has a bucket of its own for each
address it has signed in from during the last month: its person gets in while others hammer at the name.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import DateTime, LargeBinary
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base, Statement
from gis.errors import Denied

KNOWN_FOR = timedelta(days=30)
"""How long an address stays one that an account is known to sign in from."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """`holds` tries at once; one more every `every`."""

    holds: int
    every: timedelta


BUCKETS = {
    "account": Bucket(5, timedelta(minutes=3)),
    "address": Bucket(60, timedelta(seconds=1)),
    "code": Bucket(5, timedelta(minutes=3)),
    "strangers": Bucket(120, timedelta(milliseconds=200)),
}
"""Five wrong passwords (or codes) close an account's door for 3 minutes, and to be used up again it takes 15;
an address may fail once a second; all who come from where their account was never seen, five times a second
together, which is an eighth of a core of hashing whatever comes. What succeeds is given back."""
STRANGERS = "all of them"


class SignInTry(Base):
    """When a bucket will be full again; `key` is a hash: people type passwords into the name's box."""

    __tablename__ = "sign_in_try"
    __table_args__ = ({"info": {"open": True}, "prefixes": ["UNLOGGED"]},)

    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    free_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


class TooManyTries(Denied):
    """Tried too often; waiting is the remedy. `retry_after_s` says how long."""


_TAKE = Statement(
    """
    INSERT INTO sign_in_try AS t (kind, key, free_at) VALUES (:kind, :key, :now + :every)
    ON CONFLICT (kind, key) DO UPDATE SET free_at = greatest(t.free_at, :now) + :every
    WHERE t.free_at <= :now + :every * (:holds - 1)
    RETURNING true AS taken
    """
)
_FREE_AT = Statement("SELECT free_at FROM sign_in_try WHERE kind = :kind AND key = :key")
_KNOWN = Statement(
    """
    SELECT 1 AS known FROM access_token AS t JOIN account AS a ON a.id = t.account_id
    WHERE a.username = :username AND t.address = :address AND t.created_at > :since LIMIT 1
    """
)


# Others may be sweeping too: a row that is being looked at is left to them.
_SWEEP = sa.text(
    """
    DELETE FROM sign_in_try WHERE (kind, key) IN (
        SELECT kind, key FROM sign_in_try WHERE free_at < :before LIMIT 100 FOR UPDATE SKIP LOCKED)
    """
)


def take(session: Session, kind: str, name: str, *, now: datetime) -> None:
    """Take one try out of a bucket. Raises TooManyTries when there is none left."""
    bucket, key = BUCKETS[kind], _key(name)
    values = {"kind": kind, "key": key, "now": now, "every": bucket.every, "holds": bucket.holds}
    if _TAKE.first(session, values) is not None:
        return
    free_at = _FREE_AT.one(session, values).free_at
    wait = free_at - bucket.every * (bucket.holds - 1) - now
    raise too_many_tries(max(1, math.ceil(wait.total_seconds())))


def give_back(session: Session, kind: str, name: str) -> None:
    """The try succeeded: it does not count."""
    session.execute(
        sa.update(SignInTry)
        .where(SignInTry.kind == kind, SignInTry.key == _key(name))
        .values(free_at=SignInTry.free_at - BUCKETS[kind].every)
    )


def forget(session: Session, kind: str, name: str, *, now: datetime) -> None:
    """The right one was typed: the wrong ones before it do not count any more. Old rows go on the way."""
    session.execute(sa.delete(SignInTry).where(SignInTry.kind == kind, SignInTry.key == _key(name)))
    session.execute(_SWEEP, {"before": now - timedelta(hours=1)})


def door_of(session: Session, username: str, address: str | None, *, now: datetime) -> tuple[str, bool]:
    """(name of the account's bucket, whether it is that of an address the account is known to come from)."""
    name = username.casefold()
    values = {"username": username, "address": address, "since": now - KNOWN_FOR}
    known = bool(address and _KNOWN.first(session, values))
    return (f"{name} at {address}" if known else name), known


def network_of(address: str | None) -> str | None:
    """The address that counts: an IPv6 caller owns a whole /64, and nobody owns what is no address."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def too_many_tries(seconds: int) -> TooManyTries:
    wait_zh = f"{seconds} 秒" if seconds < 120 else f"{math.ceil(seconds / 60)} 分钟"
    wait_en = f"{seconds} seconds" if seconds < 120 else f"{math.ceil(seconds / 60)} minutes"
    return TooManyTries(
        en="Tried too often.",
        zh="尝试次数过多。",
        remedy_en=f"Wait {wait_en}, then try again; an administrator can set a new password.",
        remedy_zh=f"请 {wait_zh}后再试；忘记密码请联系管理员重设。",
        retry_after_s=seconds,
    )


def _key(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
