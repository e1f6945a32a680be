"""Keeping others' accounts: adding, changing, locking, resetting, granting.

Whose account is whose to keep is told by `api.account_rights`. Every act stands in the trail, and every
change of rights ends the account's sign-ins at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api import second_factor
from api.account import (
    MAX_NAME,
    SECOND_FACTOR_ROLES,
    Account,
    AccountGrant,
    account_faults,
    refuse_faults,
    rights_faults,
    write_account,
)
from api.account_rights import kept, refuse_last_admin, refuse_own, require_right
from api.auth import AccessToken, end_tokens
from api.passwords import hash_password, one_time_password
from gis import audit
from gis.access import CITY_WIDE_ROLES, Principal
from gis.errors import Invalid, NotFound

ONE_TIME_FOR = timedelta(days=3)
"""How long a password given by an administrator may be used for the first sign-in."""
LONGEST_GRANT = timedelta(days=366)


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
    require_right(by, role, territory)
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
    refuse_own(account, by)
    role, territory = changes.get("role", account.role), changes.get("territory", account.territory)
    if territory is None and role in CITY_WIDE_ROLES:
        territory = ""
    changes = changes | {"territory": territory}
    refuse_faults(rights_faults(role, territory) + _name_faults(changes.get("display_name")))
    require_right(by, role, territory)
    if role != "admin":
        refuse_last_admin(session, account)
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
    refuse_own(account, by)
    refuse_last_admin(session, account)
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
    refuse_own(account, by)
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
    refuse_own(account, by)
    refuse_faults(rights_faults(role, territory))
    require_right(by, role, territory)
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
