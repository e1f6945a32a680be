"""Accounts and their tokens: who may come in, and how a request proves who it is.

A token is 256 random bits; the database keeps only its SHA-256, so a stolen backup opens no door. One table
serves the browser's cookie, the phone and GIS programs: each row says when it ends, and signing out ends it
at once. How a token travels in a request is `api.gate`'s subject.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import DateTime, ForeignKey, Identity, LargeBinary
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis import audit
from gis.access import CITY_WIDE_ROLES, Principal, code_level
from gis.database import Base, Statement, binding, territory_column
from gis.errors import Conflict, Denied, Invalid, NotFound
from grids.members import Member

ROLES = (
    "admin",
    "city_officer",
    "district_officer",
    "subdistrict_officer",
    "community_officer",
    "command_operator",
    "leader",
    "member",
    "police_officer",
    "property_manager",
    "building_head",
    "department_handler",
    "inspector",
    "analyst",
    "resident",
)

LIFETIMES = {"web": timedelta(hours=12), "phone": timedelta(days=30), "program": timedelta(days=365)}
"""How long a token of each kind lasts: a shift at a desk, a month in a pocket, a year in a GIS program."""

MIN_PASSWORD = 8
_USERNAME = re.compile(r"[\w.@-]{2,40}")

# OWASP's floor for argon2id. Twice the memory would stop no thief of a good password, but forty sign-ins at
# once must fit into a small server.
_PASSWORDS = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))


@cache
def _hash_of_nobody() -> str:
    """Verified for an unknown name, so that its refusal takes as long as that of a wrong password."""
    return hash_password(secrets.token_urlsafe())


class Account(Base):
    """One person or program that may sign in, with the ground it acts on (decision 16)."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    display_name: Mapped[str]
    role: Mapped[str]
    territory: Mapped[str | None] = territory_column(nullable=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey(Member.id))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class AccessToken(Base):
    """A proof of sign-in by its hash. A sign-out deletes nothing: `revoked_at` tells when it was."""

    __tablename__ = "access_token"
    __table_args__ = ({"info": {"open": True}},)

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    kind: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class NotSignedIn(Denied):
    """The caller is not known (any more); signing in is the remedy."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh token, shown this once, and whom it stands for."""

    token: str
    expires_at: datetime
    principal: Principal


def token_hash(token: str) -> bytes:
    """What is kept of a token. Its 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def hash_password(password: str) -> str:
    """What is kept of a password: argon2id with a salt of its own."""
    return _PASSWORDS.hash(password)


def has_password(account: Account, password: str) -> bool:
    return _PASSWORDS.verify(password, account.password_hash)


def sign_in(session: Session, username: str, password: str, *, now: datetime, kind: str = "web") -> SignedIn:
    """Check a password and give a token of `kind` (see `LIFETIMES`).

    Raises NotSignedIn alike for an unknown name, a wrong password and a locked account: the answer, and the
    time it takes, tell nothing about which names exist.
    """
    account = session.scalar(sa.select(Account).where(Account.username == username))
    fits = _PASSWORDS.verify(password, account.password_hash if account else _hash_of_nobody())
    if account is None or not fits or not account.active:
        raise NotSignedIn(
            en="The name or the password is wrong.",
            zh="用户名或密码不对。",
            remedy_en="Check both and try again; an administrator can set a new password.",
            remedy_zh="请核对后重试；忘记密码请联系管理员重设。",
        )
    return issue_token(session, account, now=now, kind=kind)


def issue_token(session: Session, account: Account, *, now: datetime, kind: str) -> SignedIn:
    """A new token for an account, recorded in the trail."""
    token = secrets.token_urlsafe(32)
    expires_at = now + LIFETIMES[kind]
    session.add(
        AccessToken(
            hash=token_hash(token), account_id=account.id, kind=kind, created_at=now, expires_at=expires_at
        )
    )
    principal = _principal(account)
    audit.record(session, "sign_in", "account", account.id, by=principal, now=now, kind=kind)
    return SignedIn(token, expires_at, principal)


def sign_out(session: Session, token: str, *, now: datetime) -> None:
    """End a token at once. Ending it again changes nothing."""
    session.execute(
        sa.update(AccessToken)
        .where(AccessToken.hash == token_hash(token), AccessToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )


_BY_TOKEN = Statement(
    """
    SELECT a.id, a.username, a.display_name, a.role, a.territory, a.member_id,
           t.expires_at, t.revoked_at, a.active, t.last_used_at, """
    + binding("coalesce(a.territory, 'none')", "a.id::text", "coalesce(a.member_id::text, '')", "a.role")
    + """
    FROM access_token AS t JOIN account AS a ON a.id = t.account_id WHERE t.hash = :hash
    """
)
_TOUCH = sa.text("UPDATE access_token SET last_used_at = :now WHERE hash = :hash")
_TOUCH_EVERY = timedelta(minutes=10)


def principal_for_token(session: Session, token: str, *, now: datetime) -> Principal:
    """Whom a token stands for, and the transaction bound to them, as `bind_principal` would.

    One indexed look-up at every request, so that a sign-out works at once. Raises NotSignedIn, saying whether
    the token is unknown, has expired, or was ended; the transaction is then good for nothing more.
    """
    hashed = token_hash(token)
    row = _BY_TOKEN.first(session, {"hash": hashed})
    if row is None:
        raise not_signed_in("This token is not known.", "该令牌不存在。")
    if row.revoked_at is not None or not row.active:
        raise not_signed_in("This sign-in was ended.", "该登录已被注销。")
    if row.expires_at <= now:
        raise not_signed_in("This sign-in has expired.", "登录已过期。")
    if row.last_used_at is None or row.last_used_at < now - _TOUCH_EVERY:
        session.execute(_TOUCH, {"hash": hashed, "now": now})
    return Principal(row.id, row.username, row.display_name, row.role, row.territory, row.member_id)


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
    WHERE t.hash = ANY(:hashes) AND t.revoked_at IS NULL AND t.expires_at > :now AND a.active
    """
)


def live_tokens(session: Session, hashes: list[bytes], *, now: datetime) -> set[bytes]:
    """Which of these hashes still stand for a sign-in: long-lived streams ask again and again."""
    return {bytes(row[0]) for row in session.execute(_LIVE, {"hashes": hashes, "now": now})}


def add_account(
    session: Session,
    username: str,
    password: str,
    *,
    role: str,
    now: datetime,
    territory: str | None = None,
    display_name: str | None = None,
    member_id: int | None = None,
) -> Account:
    """Create an account.

    `territory` is a code prefix; absent it is the whole city for the city-wide roles and no ground for the
    others. Raises Invalid listing every fault, Conflict when the name is taken.
    """
    faults = _account_faults(username, password, role, territory)
    if faults:
        raise Invalid(
            en="; ".join(en for en, _ in faults) + ".",
            zh="；".join(zh for _, zh in faults) + "。",
            remedy_en="Correct these and try again.",
            remedy_zh="请更正后重试。",
        )
    if session.scalar(sa.select(Account.id).where(Account.username == username)) is not None:
        raise Conflict(
            en=f"The name {username} is taken.",
            zh=f"用户名 {username} 已被占用。",
            remedy_en="Choose another name.",
            remedy_zh="请换一个用户名。",
        )
    if territory is None and role in CITY_WIDE_ROLES:
        territory = ""
    account = Account(
        username=username,
        password_hash=hash_password(password),
        display_name=display_name or username,
        role=role,
        territory=territory,
        member_id=member_id,
        active=True,
        created_at=now,
    )
    session.add(account)
    session.flush()
    return account


def _account_faults(username: str, password: str, role: str, territory: str | None) -> list[tuple[str, str]]:
    faults = []
    if not _USERNAME.fullmatch(username):
        faults.append(
            (
                "the name must have 2 to 40 letters, digits or . _ @ -",
                "用户名须为 2 至 40 个字母、数字或 . _ @ -",
            )
        )
    if len(password) < MIN_PASSWORD:
        faults.append(
            (f"the password must have at least {MIN_PASSWORD} characters", f"密码至少 {MIN_PASSWORD} 个字符")
        )
    if role not in ROLES:
        faults.append((f"there is no role {role} (roles: {', '.join(ROLES)})", f"没有角色 {role}"))
    if territory and code_level(territory) is None:
        faults.append(
            (f"{territory} is no territory code of 4, 6, 9, 12 or 15 digits", f"{territory} 不是辖区编码")
        )
    return faults


def find_account(session: Session, username: str) -> Account:
    """The account of a name. Raises NotFound."""
    account = session.scalar(sa.select(Account).where(Account.username == username))
    if account is None:
        raise NotFound(
            en=f"There is no account {username}.",
            zh=f"没有账户 {username}。",
            remedy_en="Add it: citygrid user add NAME --role ROLE --territory CODE",
            remedy_zh="请先添加：citygrid user add 用户名 --role 角色 --territory 编码",
        )
    return account


def _principal(account: Account) -> Principal:
    return Principal(
        account.id, account.username, account.display_name, account.role, account.territory, account.member_id
    )
