"""Accounts: who may sign in, with which role on which ground, and grants of more for a time."""

from __future__ import annotations

import re
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity
from sqlalchemy.orm import Mapped, Session, mapped_column

from api.passwords import hash_password, password_faults
from gis.access import CITY_WIDE_ROLES, Principal, code_level
from gis.database import Base, territory_column
from gis.errors import Conflict, Invalid, NotFound
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

SECOND_FACTOR_ROLES = frozenset({"admin"})
"""Who must sign in with a code beside the password."""

_USERNAME = re.compile(r"[\w.@-]{2,40}")
MAX_NAME = 80


class Account(Base):
    """One person or program that may sign in, with the ground it acts on (decision 16).

    `active` is false while it is locked. `second_factor` is off, due (to be set up at the next sign-in) or
    on. `undertaking_version` is the newest confidentiality undertaking it has signed. A password with
    `password_ends_at` was given by an administrator and must be changed at the first sign-in.
    """

    __tablename__ = "account"
    __table_args__ = (CheckConstraint("second_factor IN ('off', 'due', 'on')", name="second_factor_known"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    display_name: Mapped[str]
    role: Mapped[str]
    territory: Mapped[str | None] = territory_column(nullable=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey(Member.id), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    locked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    lock_reason: Mapped[str | None]
    password_set_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    password_ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    must_change_password: Mapped[bool] = mapped_column(default=False, server_default="false")
    undertaking_version: Mapped[int | None]
    second_factor: Mapped[str] = mapped_column(default="off", server_default="off")
    totp_secret: Mapped[str | None]
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    oidc_subject: Mapped[str | None] = mapped_column(unique=True)
    department_code: Mapped[str | None]


class AccountGrant(Base):
    """A role on a ground beside the account's own, for a time: a stand-in, a campaign. Half open."""

    __tablename__ = "account_grant"
    __table_args__ = (CheckConstraint("ends_at > starts_at", name="ends_after_start"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    role: Mapped[str]
    territory: Mapped[str] = territory_column()
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str]
    granted_by: Mapped[str]
    granted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


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
    """Create an account whose password keeps the rules.

    `territory` is a code prefix; absent it is the whole city for the city-wide roles and no ground for the
    others. Raises Invalid listing every fault, Conflict when the name is taken.
    """
    faults = account_faults(username, role, territory)
    faults += password_faults(password, username)
    refuse_faults(faults)
    return write_account(
        session, username, hash_password(password), role=role, now=now, territory=territory,
        display_name=display_name, member_id=member_id,
        second_factor="due" if role in SECOND_FACTOR_ROLES else "off",
    )  # fmt: skip


def write_account(
    session: Session,
    username: str,
    password_hash: str,
    *,
    role: str,
    now: datetime,
    territory: str | None = None,
    display_name: str | None = None,
    member_id: int | None = None,
    **more: object,
) -> Account:
    """Write an account whatever its password is. Raises Conflict when the name is taken."""
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
        password_hash=password_hash,
        display_name=display_name or username,
        role=role,
        territory=territory,
        member_id=member_id,
        active=True,
        created_at=now,
        password_set_at=now,
        **more,
    )
    session.add(account)
    session.flush()
    return account


def account_faults(username: str, role: str, territory: str | None) -> list[tuple[str, str]]:
    """Every reason (English, Chinese) why there is no such account; none when there may be."""
    faults = []
    if not _USERNAME.fullmatch(username):
        faults.append(
            (
                "the name must have 2 to 40 letters, digits or . _ @ -",
                "用户名须为 2 至 40 个字母、数字或 . _ @ -",
            )
        )
    return faults + rights_faults(role, territory)


def rights_faults(role: str, territory: str | None) -> list[tuple[str, str]]:
    """Every reason why nobody can have this role on this ground."""
    faults = []
    if role not in ROLES:
        faults.append((f"there is no role {role} (roles: {', '.join(ROLES)})", f"没有角色 {role}"))
    if territory and code_level(territory) is None:
        faults.append(
            (f"{territory} is no territory code of 4, 6, 9, 12 or 15 digits", f"{territory} 不是辖区编码")
        )
    return faults


def refuse_faults(faults: list[tuple[str, str]]) -> None:
    """Raise Invalid telling all faults at once, if there are any."""
    if faults:
        raise Invalid(
            en=("; ".join(en for en, _ in faults) + ".").capitalize(),
            zh="；".join(zh for _, zh in faults) + "。",
            remedy_en="Correct these and try again.",
            remedy_zh="请更正后重试。",
        )


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


def principal_of(account: Account) -> Principal:
    """The account acting with its own rights."""
    return Principal(
        account.id,
        account.username,
        account.display_name,
        account.role,
        account.territory,
        account.member_id,
        account.department_code,
    )
