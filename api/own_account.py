"""What a person does with their own account: another password, the rights they act with, their sign-ins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.account import Account, AccountGrant, refuse_faults
from api.auth import AccessToken, SignedIn, Visitor, end_tokens, issue_token, sign_out, token_hash
from api.passwords import hash_password, password_faults, verify_password
from gis import audit
from gis.access import Principal
from gis.errors import Denied, NotFound


@dataclass(frozen=True, slots=True)
class SignInRow:
    """One sign-in that still stands; `here` marks the one that asks."""

    id: int
    kind: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime
    address: str | None
    agent: str | None
    here: bool


class WrongPassword(Denied):
    """The present password was typed wrongly."""


def own(session: Session, by: Principal) -> Account:
    return session.get_one(Account, by.account_id)


def change_password(
    session: Session,
    token: str,
    present: str,
    new: str,
    *,
    by: Principal,
    now: datetime,
    visitor: Visitor,
) -> SignedIn:
    """Set a new password. Every sign-in of the account ends; the one that asks goes on under a new token.

    Raises WrongPassword, or Invalid telling every fault of the new one.
    """
    account = own(session, by)
    require_password(account, present)
    faults = password_faults(new, account.username, account.display_name)
    if verify_password(new, account.password_hash):
        faults.append(("the new password is the present one", "新密码与当前密码相同"))
    refuse_faults(faults)
    account.password_hash = hash_password(new)
    account.password_set_at, account.password_ends_at, account.must_change_password = now, None, False
    session.flush()
    audit.record(session, "password.changed", "account", account.id, by=by, now=now)
    return renew(session, token, now=now, visitor=visitor, others_too=True)


def require_password(account: Account, typed: str) -> None:
    """Raise WrongPassword unless this is the account's password."""
    if not verify_password(typed, account.password_hash):
        raise WrongPassword(
            en="The present password is wrong.",
            zh="当前密码不对。",
            remedy_en="Type the password you signed in with.",
            remedy_zh="请输入您登录时用的密码。",
        )


def renew(
    session: Session,
    token: str,
    *,
    now: datetime,
    visitor: Visitor,
    others_too: bool = False,
    **changes: Any,
) -> SignedIn:
    """A new token in place of this one, which ends: whenever what it may do changes, so does the token."""
    old = session.execute(sa.select(AccessToken).where(AccessToken.hash == token_hash(token))).scalar_one()
    account = session.get_one(Account, old.account_id)
    values: dict[str, Any] = {"grant_id": old.grant_id, "asks_code": old.code_due} | changes
    if others_too:
        end_tokens(session, account.id, now=now)
    sign_out(session, token, now=now)
    return issue_token(session, account, now=now, kind=old.kind, visitor=visitor, **values)


def act_under(
    session: Session, token: str, grant_id: int | None, *, by: Principal, now: datetime, visitor: Visitor
) -> SignedIn:
    """Go on with the rights of a grant, or with one's own (None), under a new token.

    Raises NotFound for a grant that is not one's own or not in force.
    """
    if grant_id is not None and grant_id not in {grant.id for grant in grants(session, by, now=now)}:
        raise NotFound(
            en=f"You have no grant {grant_id} now.",
            zh=f"您现在没有授权 {grant_id}。",
            remedy_en="Reload the page; grants begin and end.",
            remedy_zh="请刷新页面；授权有起止时间。",
        )
    return renew(session, token, now=now, visitor=visitor, grant_id=grant_id)


def grants(session: Session, by: Principal, *, now: datetime) -> list[AccountGrant]:
    """The grants of the person that are in force now."""
    found = session.scalars(
        sa.select(AccountGrant)
        .where(
            AccountGrant.account_id == by.account_id,
            AccountGrant.starts_at <= now,
            AccountGrant.ends_at > now,
        )
        .order_by(AccountGrant.ends_at)
    )
    return list(found)


def acting_grant(session: Session, token: str) -> int | None:
    """The grant this sign-in acts under, None for the account's own rights."""
    return session.scalar(sa.select(AccessToken.grant_id).where(AccessToken.hash == token_hash(token)))


def sign_ins(session: Session, token: str, *, by: Principal, now: datetime) -> list[SignInRow]:
    """The person's sign-ins that still stand, the newest first."""
    found = session.scalars(
        sa.select(AccessToken)
        .where(
            AccessToken.account_id == by.account_id,
            AccessToken.revoked_at.is_(None),
            AccessToken.expires_at > now,
        )
        .order_by(AccessToken.created_at.desc(), AccessToken.id.desc())
    )
    here = token_hash(token)
    return [
        SignInRow(
            one.id, one.kind, one.created_at, one.last_used_at, one.expires_at, one.address, one.agent,
            bytes(one.hash) == here,
        )
        for one in found
    ]  # fmt: skip


def end_sign_in(session: Session, sign_in_id: int, *, by: Principal, now: datetime) -> None:
    """End one of one's own sign-ins. Raises NotFound for another's."""
    ended = session.execute(
        sa.update(AccessToken)
        .where(AccessToken.id == sign_in_id, AccessToken.account_id == by.account_id)
        .values(revoked_at=sa.func.coalesce(AccessToken.revoked_at, now))
        .returning(AccessToken.id)
    ).first()
    if ended is None:
        raise NotFound(
            en=f"You have no sign-in {sign_in_id}.",
            zh=f"您没有登录记录 {sign_in_id}。",
            remedy_en="Reload the list.",
            remedy_zh="请刷新列表。",
        )
