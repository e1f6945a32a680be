"""Signing in, and the tokens by which a request proves who it is.

A token is 256 random bits; the database keeps only its SHA-256, so a stolen backup opens no door. One table
serves the browser's cookie, the phone and GIS programs: each row says when it ends, and signing out ends it
at once. How a token travels in a request is `api.gate`'s subject.

Some things come first: a code beside the password, a password of one's own, an undertaking to sign. Until
they are done a token opens nothing else (`FirstThings`).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import DateTime, ForeignKey, Identity, LargeBinary
from sqlalchemy.orm import Mapped, Session, mapped_column

from api import undertaking
from api.account import ROLES, Account, add_account, find_account, principal_of
from api.passwords import hash_password, verify_password
from gis import audit
from gis.access import Principal
from gis.database import Base, Statement, binding
from gis.errors import Denied

__all__ = [
    "LIFETIMES", "ROLES", "AccessToken", "Account", "FirstThings", "NotSignedIn", "SignedIn", "Visitor",
    "add_account", "end_tokens", "find_account", "first_things", "hash_password", "issue_token",
    "live_tokens", "not_signed_in", "principal_for_token", "sign_in", "sign_out", "signed_in_for_token",
    "token_hash",
]  # fmt: skip

LIFETIMES = {"web": timedelta(hours=12), "phone": timedelta(days=30), "program": timedelta(days=365)}
"""How long a token of each kind lasts: a shift at a desk, a month in a pocket, a year in a GIS program."""

FIRST_THINGS = ("code", "password", "second_factor", "undertaking")
"""What may have to be done before anything else, in this order."""


class AccessToken(Base):
    """A proof of sign-in by its hash. A sign-out deletes nothing: `revoked_at` tells when it was.

    `grant_id` names the dated grant it acts under, if any; `code_due` waits for the second factor's code.
    """

    __tablename__ = "access_token"
    __table_args__ = ({"info": {"open": True}},)

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    kind: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    address: Mapped[str | None]
    agent: Mapped[str | None]
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("account_grant.id"))
    code_due: Mapped[bool] = mapped_column(default=False, server_default="false")


class NotSignedIn(Denied):
    """The caller is not known (any more); signing in is the remedy."""


class FirstThings(Denied):
    """The caller is known, and something must be done before anything else; `first` names it."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a sign-in comes from: the network address, and what the program says it is."""

    address: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh token, shown this once, whom it stands for, and what must be done first."""

    token: str
    expires_at: datetime
    principal: Principal
    first: tuple[str, ...] = ()


def token_hash(token: str) -> bytes:
    """What is kept of a token. Its 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def sign_in(
    session: Session,
    username: str,
    password: str,
    *,
    now: datetime,
    kind: str = "web",
    visitor: Visitor = Visitor(),
) -> SignedIn:
    """Check a password and give a token of `kind` (see `LIFETIMES`).

    Raises NotSignedIn alike for an unknown name, a wrong password, one that has ended and a locked account:
    the answer, and the time it takes, tell nothing about which names exist. How often one may try is counted
    before, by `api.tries`.
    """
    account = session.scalar(sa.select(Account).where(Account.username == username))
    fits = verify_password(password, account.password_hash if account else None)
    over = account is not None and account.password_ends_at is not None and account.password_ends_at <= now
    if account is None or not fits or over or not account.active:
        raise NotSignedIn(
            en="The name or the password is wrong.",
            zh="用户名或密码不对。",
            remedy_en="Check both and try again; an administrator can set a new password.",
            remedy_zh="请核对后重试；忘记密码请联系管理员重设。",
        )
    return issue_token(session, account, now=now, kind=kind, visitor=visitor, asks_code=True)


def issue_token(
    session: Session,
    account: Account,
    *,
    now: datetime,
    kind: str,
    visitor: Visitor = Visitor(),
    grant_id: int | None = None,
    asks_code: bool = False,
) -> SignedIn:
    """A new token for an account, recorded in the trail. `asks_code` leaves the second factor to be shown."""
    token = secrets.token_urlsafe(32)
    expires_at = now + LIFETIMES[kind]
    session.add(
        AccessToken(
            hash=token_hash(token),
            account_id=account.id,
            kind=kind,
            created_at=now,
            expires_at=expires_at,
            address=visitor.address,
            agent=(visitor.agent or "")[:200] or None,
            grant_id=grant_id,
            code_due=asks_code and account.second_factor == "on",
        )
    )
    session.flush()
    audit.record(
        session, "sign_in", "account", account.id, by=principal_of(account), now=now, kind=kind,
        address=visitor.address, grant=grant_id,
    )  # fmt: skip
    known = signed_in_for_token(session, token, now=now)
    return SignedIn(token, expires_at, known.principal, known.first)


def sign_out(session: Session, token: str, *, now: datetime) -> None:
    """End a token at once. Ending it again changes nothing."""
    session.execute(
        sa.update(AccessToken)
        .where(AccessToken.hash == token_hash(token), AccessToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def end_tokens(session: Session, account_id: int, *, now: datetime, but: str | None = None) -> int:
    """End every token of an account, save `but`: its rights or its password changed. Returns how many."""
    ended = session.execute(
        sa.update(AccessToken)
        .where(
            AccessToken.account_id == account_id,
            AccessToken.revoked_at.is_(None),
            AccessToken.expires_at > now,
            AccessToken.hash != (token_hash(but) if but else b""),
        )
        .values(revoked_at=now)
        .returning(AccessToken.id)
    )
    return len(ended.all())


_ROLE = "coalesce(g.role, a.role)"
_GROUND = "CASE WHEN g.id IS NULL THEN a.territory ELSE g.territory END"
_BY_TOKEN = Statement(
    f"""
    SELECT a.id, a.username, a.display_name, {_ROLE} AS role, {_GROUND} AS territory, a.member_id,
           t.expires_at, t.revoked_at, a.active, t.last_used_at, t.code_due, a.must_change_password,
           a.second_factor, a.undertaking_version, a.role AS own_role, g.starts_at, g.ends_at,
           a.department_code, """
    + binding(
        f"coalesce({_GROUND}, 'none')",
        "a.id::text",
        "coalesce(a.member_id::text, '')",
        _ROLE,
        "coalesce(a.department_code, '')",
    )
    + """
    FROM token_holder(:hash) AS h, LATERAL (SELECT (h.token).*) AS t, LATERAL (SELECT (h.account).*) AS a,
         LATERAL (SELECT (h.granted).*) AS g
    """
)
_TOUCH = sa.text("UPDATE access_token SET last_used_at = :now WHERE hash = :hash")
_TOUCH_EVERY = timedelta(minutes=10)


def principal_for_token(session: Session, token: str, *, now: datetime) -> Principal:
    """Whom a token stands for, and the transaction bound to them, as `bind_principal` would.

    One indexed look-up at every request, so that a sign-out works at once. Raises NotSignedIn, saying whether
    the token is unknown, has expired, or was ended, and FirstThings; the transaction is then good for nothing
    more.
    """
    known = signed_in_for_token(session, token, now=now)
    if known.first:
        raise first_things(known.first)
    return known.principal


def signed_in_for_token(session: Session, token: str, *, now: datetime) -> SignedIn:
    """As `principal_for_token`, for those pages and endpoints where the first things are done."""
    hashed = token_hash(token)
    row = _BY_TOKEN.first(session, {"hash": hashed})
    if row is None:
        raise not_signed_in("This token is not known.", "该令牌不存在。")
    if row.revoked_at is not None or not row.active:
        raise not_signed_in("This sign-in was ended.", "该登录已被注销。")
    if row.expires_at <= now:
        raise not_signed_in("This sign-in has expired.", "登录已过期。")
    if row.ends_at is not None and not row.starts_at <= now < row.ends_at:
        raise not_signed_in("The grant you acted under has ended.", "您的临时授权已到期。")
    if row.last_used_at is None or row.last_used_at < now - _TOUCH_EVERY:
        session.execute(_TOUCH, {"hash": hashed, "now": now})
    principal = Principal(
        row.id, row.username, row.display_name, row.role, row.territory, row.member_id, row.department_code
    )
    return SignedIn(token, row.expires_at, principal, _first(row))


def _first(row: Any) -> tuple[str, ...]:
    """What a row of `_BY_TOKEN` says has yet to be done before anything else."""
    due = {
        "code": row.code_due,
        "password": row.must_change_password,
        "second_factor": row.second_factor == "due",
        "undertaking": undertaking.is_due(row.own_role, row.undertaking_version),
    }
    return tuple(name for name in FIRST_THINGS if due[name])


_FIRST_WORDS = {
    "code": ("enter the code of your second factor", "输入动态验证码"),
    "password": ("choose a password of your own", "修改初始密码"),
    "second_factor": ("set up the second factor", "绑定动态验证码"),
    "undertaking": ("sign the confidentiality undertaking", "签署保密承诺书"),
}


def first_things(first: tuple[str, ...]) -> FirstThings:
    en = ", ".join(_FIRST_WORDS[name][0] for name in first)
    zh = "、".join(_FIRST_WORDS[name][1] for name in first)
    return FirstThings(
        en=f"Before anything else: {en}.",
        zh=f"请先完成：{zh}。",
        remedy_en="Open /welcome in a browser, signed in with this account.",
        remedy_zh="请在浏览器中以该账户打开 /welcome。",
        first=list(first),
    )


def not_signed_in(en: str, zh: str) -> NotSignedIn:
    return NotSignedIn(
        en=en,
        zh=zh,
        remedy_en="Sign in again: POST /api/v1/session, or the sign-in page.",
        remedy_zh="请重新登录：POST /api/v1/session，或打开登录页面。",
    )


_LIVE = sa.text(
    """
    SELECT t.hash FROM access_token AS t JOIN account AS a ON a.id = t.account_id
    LEFT JOIN account_grant AS g ON g.id = t.grant_id
    WHERE t.hash = ANY(:hashes) AND t.revoked_at IS NULL AND t.expires_at > :now AND a.active
      AND (g.id IS NULL OR g.ends_at > :now)
    """
)


def live_tokens(session: Session, hashes: list[bytes], *, now: datetime) -> set[bytes]:
    """Which of these hashes still stand for a sign-in: long-lived streams ask again and again."""
    return {bytes(row[0]) for row in session.execute(_LIVE, {"hashes": hashes, "now": now})}
