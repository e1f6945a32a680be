"""When somebody leaves: their account is locked, and what they had passes on, in one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api import account_keeping as keeping
from api.account import AccountGrant
from gis import audit
from gis.access import Principal
from gis.errors import NotFound
from incidents.handover import HandedOver, hand_over


def leave(
    session: Session,
    account_id: int,
    to_member_id: int | None,
    reason: str,
    *,
    by: Principal,
    now: datetime,
    zone: ZoneInfo,
) -> HandedOver | None:
    """Lock the account, end its grants, and hand over what its member had; None for an account of no member.

    Raises what `account_keeping.lock` and `incidents.handover.hand_over` raise.
    """
    account = keeping.lock(session, account_id, reason, by=by, now=now)
    session.execute(
        sa.update(AccountGrant)
        .where(
            AccountGrant.account_id == account.id, AccountGrant.starts_at < now, AccountGrant.ends_at > now
        )
        .values(ends_at=now)
    )
    session.execute(
        sa.delete(AccountGrant).where(AccountGrant.account_id == account.id, AccountGrant.starts_at >= now)
    )
    if account.member_id is None:
        return None
    _refuse_stranger(session, to_member_id, by)
    # A case of theirs may lie next door; whoever keeps the account passes on all of them.
    handed = hand_over(
        session,
        account.member_id,
        to_member_id,
        by=replace(by, territory=""),
        now=now,
        note=reason,
        zone=zone,
    )
    audit.record(
        session, "account.left", "account", account.id, by=by, now=now, territory=account.territory,
        to_member=handed.member_id, cases=handed.cases, assists=handed.assists,
        posts=handed.posts,
    )  # fmt: skip
    return handed


def _refuse_stranger(session: Session, member_id: int | None, by: Principal) -> None:
    """The successor must be somebody of the keeper's own ground."""
    if member_id is None:
        return
    territory = session.execute(
        sa.text("SELECT territory FROM member WHERE id = :id"), {"id": member_id}
    ).scalar()
    if not by.covers(territory):
        raise NotFound(
            en=f"There is no member {member_id} on your ground.",
            zh=f"您的辖区内没有人员 {member_id}。",
            remedy_en="Choose somebody of the list.",
            remedy_zh="请从列表中选择。",
        )
