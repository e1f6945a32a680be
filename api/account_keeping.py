"""Keeping others' accounts: who may, on which ground; adding, changing, locking, resetting, granting.

An office keeps the accounts of its own ground and of the roles below it; its own account it leaves to others.
Every act stands in the trail, and every change of rights ends the account's sign-ins at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api import second_factor
from api.account import (
    MAX_NAME,
    ROLES,
    SECOND_FACTOR_ROLES,
    Account,
    AccountGrant,
    account_faults,
    refuse_faults,
    rights_faults,
    write_account,
)
from api.auth import AccessToken, end_tokens
from api.passwords import hash_password, one_time_password
from gis import audit
from gis.access import CITY_WIDE_ROLES, Principal, prefix_range
from gis.errors import Conflict, Denied, Invalid, NotFound
from gis.masking import mask_name

_TEAM = ("leader", "member", "police_officer", "property_manager", "building_head")
_SUBDISTRICT = ("community_officer", *_TEAM, "department_handler", "inspector")
KEEPS: dict[str, tuple[str, ...]] = {
    "admin": ROLES,
    "city_officer": tuple(role for role in ROLES if role not in ("admin", "city_officer")),
    "district_officer": ("subdistrict_officer", *_SUBDISTRICT, "analyst"),
    "subdistrict_officer": _SUBDISTRICT,
    "community_officer": _TEAM,
}
"""Role -> the roles whose accounts it keeps, on its own ground."""

ONE_TIME_FOR = timedelta(days=3)
"""How long a password given by an administrator may be used for the first sign-in."""
LONGEST_GRANT = timedelta(days=366)
PAGE_ROWS = 100
STATES = ("active", "locked")


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account as its keepers see it. `first` lists what it has yet to do before anything else."""

    id: int
    username: str
    display_name: str
    role: str
    territory: str | None
    ground_name: str | None
    member_id: int | None
    active: bool
    locked_at: datetime | None
    lock_reason: str | None
    second_factor: str
    must_change_password: bool
    undertaking_version: int | None
    last_seen_at: datetime | None
    created_at: datetime
    grants: int


@dataclass(frozen=True, slots=True)
class AccountPage:
    """`after` names the last account of the page when there are more."""

    accounts: list[AccountRow]
    after: str | None


def keeps_accounts(by: Principal) -> bool:
    return by.role in KEEPS and by.territory is not None


def may_keep(by: Principal, role: str, territory: str | None) -> bool:
    """Whether the person keeps accounts of this role on this ground; without any ground, only a whole city's
    keeper does."""
    on_own_ground = by.covers(territory) if territory is not None else by.territory == ""
    return keeps_accounts(by) and role in KEEPS[by.role] and on_own_ground


_ROWS = """
    SELECT a.id, a.username, a.display_name, a.role, a.territory,
           coalesce((SELECT name FROM area WHERE code = a.territory),
                    (SELECT c.name FROM cell AS c JOIN generation AS g ON g.name = c.generation
                     WHERE g.status = 'active' AND c.kind = 'social' AND c.code = a.territory LIMIT 1)
           ) AS ground_name,
           a.member_id, a.active, a.locked_at, a.lock_reason, a.second_factor, a.must_change_password,
           a.undertaking_version,
           (SELECT max(coalesce(t.last_used_at, t.created_at)) FROM access_token AS t
            WHERE t.account_id = a.id) AS last_seen_at,
           a.created_at,
           (SELECT count(*) FROM account_grant AS g WHERE g.account_id = a.id AND g.ends_at > :now) AS grants
    FROM account AS a
"""


def list_accounts(
    session: Session,
    *,
    by: Principal,
    now: datetime,
    q: str | None = None,
    role: str | None = None,
    state: str | None = None,
    after: str | None = None,
    limit: int = PAGE_ROWS,
) -> AccountPage:
    """The accounts the person keeps, in the order of their names; `q` is part of a name. Raises Denied."""
    _require_keeper(by)
    parts = ["a.role = ANY(:kept)", "(:after ::text IS NULL OR a.username > :after)"]
    params: dict[str, Any] = {"kept": list(KEEPS[by.role]), "after": after, "now": now, "limit": limit + 1}
    if by.territory:
        parts.append("a.territory >= :low AND a.territory < :high")
        params["low"], params["high"] = prefix_range(by.territory)
    if q:
        parts.append("(strpos(lower(a.username), :q) > 0 OR strpos(lower(a.display_name), :q) > 0)")
        params["q"] = q.strip().lower()
    if role:
        parts.append("a.role = :role")
        params["role"] = role
    if state:
        parts.append("a.active = :active")
        params["active"] = state == "active"
    rows = session.execute(
        sa.text(f"{_ROWS} WHERE {' AND '.join(parts)} ORDER BY a.username LIMIT :limit"), params
    ).mappings()
    found = [AccountRow(**row) for row in rows]
    more = len(found) > limit
    return AccountPage(found[:limit], found[limit - 1].username if more else None)


def get_account(session: Session, account_id: int, *, by: Principal, now: datetime) -> AccountRow:
    """One account the person keeps. Raises NotFound."""
    kept(session, account_id, by)
    row = (
        session.execute(sa.text(f"{_ROWS} WHERE a.id = :id"), {"id": account_id, "now": now}).mappings().one()
    )
    return AccountRow(**row)


def kept(session: Session, account_id: int, by: Principal) -> Account:
    """The account itself, locked for a change. Raises NotFound for one that is not the person's to keep."""
    _require_keeper(by)
    account = session.get(Account, account_id, with_for_update=True)
    if account is None or not may_keep(by, account.role, account.territory):
        raise NotFound(
            en=f"There is no account {account_id} that you keep.",
            zh=f"没有由您管理的账户 {account_id}。",
            remedy_en="Look in the list of accounts.",
            remedy_zh="请在账户列表中查找。",
        )
    return account


def add(
    session: Session,
    username: str,
    *,
    role: str,
    by: Principal,
    now: datetime,
    territory: str | None = None,
    display_name: str | None = None,
    member_id: int | None = None,
) -> tuple[Account, str]:
    """A new account and its one-time password. Raises Invalid, Conflict, Denied (rights one cannot give)."""
    if territory is None and role in CITY_WIDE_ROLES:
        territory = ""
    refuse_faults(account_faults(username, role, territory) + _name_faults(display_name))
    _require_right(by, role, territory)
    _refuse_unknown_member(session, member_id, territory)
    password = one_time_password()
    account = write_account(
        session, username, hash_password(password), role=role, now=now, territory=territory,
        display_name=display_name, member_id=member_id, must_change_password=True,
        password_ends_at=now + ONE_TIME_FOR, second_factor="due" if role in SECOND_FACTOR_ROLES else "off",
    )  # fmt: skip
    _record(session, "account.added", account, by, now, role=role)
    return account, password


def change(
    session: Session, account_id: int, changes: dict[str, Any], *, by: Principal, now: datetime
) -> Account:
    """Change role, territory, display_name or member_id; other rights end the account's sign-ins.

    Raises NotFound, Denied for rights one cannot give, Invalid, Conflict for the last administrator.
    """
    account = kept(session, account_id, by)
    _refuse_own(account, by)
    role, territory = changes.get("role", account.role), changes.get("territory", account.territory)
    if territory is None and role in CITY_WIDE_ROLES:
        territory = ""
    changes = changes | {"territory": territory}
    refuse_faults(rights_faults(role, territory) + _name_faults(changes.get("display_name")))
    _require_right(by, role, territory)
    if role != "admin":
        _refuse_last_admin(session, account)
    if "member_id" in changes:
        _refuse_unknown_member(session, changes["member_id"], territory)
    before = {name: getattr(account, name) for name in changes}
    for name, value in changes.items():
        setattr(account, name, value)
    if role in SECOND_FACTOR_ROLES and account.second_factor == "off":
        account.second_factor = "due"
    session.flush()
    changed = {name: [before[name], changes[name]] for name in changes if before[name] != changes[name]}
    if changed:
        _record(session, "account.changed", account, by, now, changed=_told(changed))
    if changed.keys() - {"display_name"}:
        end_tokens(session, account.id, now=now)
    return account


def lock(session: Session, account_id: int, reason: str, *, by: Principal, now: datetime) -> Account:
    """Lock an account: it ends every sign-in, and none begins. Locking it again changes nothing."""
    account = kept(session, account_id, by)
    _refuse_own(account, by)
    _refuse_last_admin(session, account)
    if account.active:
        account.active, account.locked_at, account.lock_reason = False, now, reason
        session.flush()
        end_tokens(session, account.id, now=now)
        _record(session, "account.locked", account, by, now)
    return account


def unlock(session: Session, account_id: int, *, by: Principal, now: datetime) -> Account:
    """Let a locked account sign in again, with the password it had."""
    account = kept(session, account_id, by)
    if not account.active:
        account.active, account.locked_at, account.lock_reason = True, None, None
        session.flush()
        _record(session, "account.unlocked", account, by, now)
    return account


def reset(
    session: Session, account_id: int, *, by: Principal, now: datetime, second_factor_too: bool = False
) -> str:
    """A one-time password, shown this once and changed at the first sign-in; every sign-in ends.

    `second_factor_too` forgets the app of a lost phone.
    """
    account = kept(session, account_id, by)
    _refuse_own(account, by)
    password = one_time_password()
    account.password_hash = hash_password(password)
    account.must_change_password, account.password_ends_at = True, now + ONE_TIME_FOR
    account.password_set_at = now
    session.flush()
    end_tokens(session, account.id, now=now)
    _record(session, "password.reset", account, by, now)
    if second_factor_too and account.second_factor == "on":
        second_factor.switch_off(session, account, by=by, now=now)
    return password


def grant(
    session: Session,
    account_id: int,
    *,
    role: str,
    territory: str,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    by: Principal,
    now: datetime,
) -> AccountGrant:
    """Give an account another role on a ground for a time; it is chosen after signing in.

    Raises NotFound, Denied for rights one cannot give, Invalid for a span or a reason that is none.
    """
    account = kept(session, account_id, by)
    _refuse_own(account, by)
    refuse_faults(rights_faults(role, territory))
    _require_right(by, role, territory)
    if not (starts_at < ends_at and now < ends_at <= starts_at + LONGEST_GRANT) or not reason.strip():
        raise Invalid(
            en="A grant needs a reason, and must end after it starts, in the future, within a year.",
            zh="授权须写明理由；结束须晚于开始、晚于现在，且不超过一年。",
            remedy_en="Correct the reason, the start and the end.",
            remedy_zh="请更正理由和起止时间。",
        )
    given = AccountGrant(
        account_id=account.id,
        role=role,
        territory=territory,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason.strip(),
        granted_by=by.display_name,
        granted_at=now,
    )
    session.add(given)
    if role in SECOND_FACTOR_ROLES and account.second_factor == "off":
        account.second_factor = "due"
    session.flush()
    _record(session, "grant.given", account, by, now, role=role, ground=territory, until=ends_at.isoformat())
    return given


def list_grants(session: Session, account_id: int, *, by: Principal) -> Sequence[AccountGrant]:
    """Every grant an account has or had, the one that ends last first."""
    account = kept(session, account_id, by)
    return session.scalars(
        sa.select(AccountGrant)
        .where(AccountGrant.account_id == account.id)
        .order_by(AccountGrant.ends_at.desc(), AccountGrant.id)
    ).all()


def end_grant(session: Session, account_id: int, grant_id: int, *, by: Principal, now: datetime) -> None:
    """End a grant now; one that has not begun is as if it had never been. Sign-ins under it end."""
    account = kept(session, account_id, by)
    given = session.get(AccountGrant, grant_id)
    if given is None or given.account_id != account.id:
        raise NotFound(
            en=f"This account has no grant {grant_id}.",
            zh=f"该账户没有授权 {grant_id}。",
            remedy_en="Reload the page.",
            remedy_zh="请刷新页面。",
        )
    if given.ends_at > now:
        given.ends_at = max(now, given.starts_at + timedelta(microseconds=1))
        given.starts_at = min(given.starts_at, now)
    session.execute(
        sa.update(AccessToken)
        .where(AccessToken.grant_id == given.id, AccessToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    session.flush()
    _record(session, "grant.ended", account, by, now, grant=given.id)


def successors(session: Session, account: AccountRow, *, by: Principal) -> list[tuple[int, str, str]]:
    """(member, masked name, post) of everybody who could take over from this account's member: the force of
    its subdistrict, the same community first."""
    if account.member_id is None or not account.territory:
        return []
    low, high = prefix_range(max(account.territory[:9], by.territory or "", key=len))
    rows = session.execute(
        sa.text(
            """
            SELECT id, name, role FROM member
            WHERE territory >= :low AND territory < :high AND id <> :member
            ORDER BY left(territory, 12) <> left(:ground, 12), territory, id LIMIT 300
            """
        ),
        {"low": low, "high": high, "member": account.member_id, "ground": account.territory},
    )
    return [(row.id, mask_name(row.name), row.role) for row in rows]


def _require_keeper(by: Principal) -> None:
    if not keeps_accounts(by):
        raise Denied(
            en="Your role keeps no accounts.",
            zh="您的角色不能管理账户。",
            remedy_en="Ask the office of your territory or an administrator.",
            remedy_zh="请联系属地或系统管理员。",
        )


def _require_right(by: Principal, role: str, territory: str | None) -> None:
    _require_keeper(by)
    if not may_keep(by, role, territory):
        raise Denied(
            en=f"You cannot give the role {role} on this ground.",
            zh="您不能授予该角色或该辖区。",
            remedy_en="Roles you can give, within your own territory: " + ", ".join(KEEPS[by.role]) + ".",
            remedy_zh="请在本辖区内授予下级角色，或联系上级。",
        )


def _refuse_own(account: Account, by: Principal) -> None:
    if account.id == by.account_id:
        raise Denied(
            en="Nobody changes the rights of their own account.",
            zh="不能修改自己账户的权限。",
            remedy_en="Ask another administrator; your password you change at /account.",
            remedy_zh="请由其他管理员办理；修改密码请到“我的账户”。",
        )


def _refuse_last_admin(session: Session, account: Account) -> None:
    """Somebody must be able to let others in."""
    if account.role != "admin" or not account.active:
        return
    others = session.scalar(
        sa.select(sa.func.count()).where(Account.role == "admin", Account.active, Account.id != account.id)
    )
    if not others:
        raise Conflict(
            en="This is the last administrator.",
            zh="这是最后一个管理员账户。",
            remedy_en="Add another administrator first.",
            remedy_zh="请先添加另一个管理员。",
        )


def _refuse_unknown_member(session: Session, member_id: int | None, territory: str | None) -> None:
    """An account acts for a member of its own ground, and no two accounts for the same."""
    if member_id is None:
        return
    found = session.execute(
        sa.text("SELECT territory FROM member WHERE id = :id"), {"id": member_id}
    ).scalar()
    if found is None or not found.startswith(territory or ""):
        raise NotFound(
            en=f"There is no member {member_id} on this ground.",
            zh=f"该辖区没有人员 {member_id}。",
            remedy_en="Look for the number on the people page.",
            remedy_zh="请在人员页面查找编号。",
        )


def _name_faults(display_name: str | None) -> list[tuple[str, str]]:
    if display_name is not None and not 1 <= len(display_name.strip()) <= MAX_NAME:
        return [(f"the shown name must have 1 to {MAX_NAME} characters", f"姓名须为 1 至 {MAX_NAME} 个字符")]
    return []


def _told(changed: dict[str, list[Any]]) -> dict[str, Any]:
    """What changed, without names: the trail holds no personal text."""
    return {name: values if name != "display_name" else True for name, values in changed.items()}


def _record(
    session: Session, action: str, account: Account, by: Principal, now: datetime, **details: Any
) -> None:
    audit.record(
        session, action, "account", account.id, by=by, now=now, territory=account.territory or None, **details
    )
