"""Accounts as their keepers see them, and who could take over from a member."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.account_rights import KEEPS, kept, require_keeper
from gis.access import Principal, prefix_range
from gis.masking import mask_name

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
    ground_name_en: str | None
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


_ROWS = """
    SELECT a.id, a.username, a.display_name, a.role, a.territory,
           coalesce((SELECT name FROM area WHERE code = a.territory),
                    (SELECT c.name FROM cell AS c JOIN generation AS g ON g.name = c.generation
                     WHERE g.status = 'active' AND c.kind = 'social' AND c.code = a.territory LIMIT 1)
           ) AS ground_name,
           (SELECT name_en FROM area WHERE code = a.territory) AS ground_name_en,
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
    require_keeper(by)
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
