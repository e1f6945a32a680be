"""Who can sign in to the demo city: one obviously synthetic account for each role, with an easy password.

They exist only there: real cities start with `citygrid user add`. A password somebody has changed is no demo
password any more and is not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api import undertaking
from api.account import Account, write_account
from api.passwords import hash_password, verify_password
from etl.demo_city import DemoSummary

PASSWORD = "citygrid"
DISTRICT = "990101"
"""The demo city's district: a code no real one has (decision 5)."""

USERNAMES = (
    "admin",
    "city",
    "district",
    "subdistrict",
    "community",
    "command",
    "leader",
    "member",
    "department",
    "inspector",
    "analyst",
    "resident",
)


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """What to type."""

    username: str
    password: str
    role: str


def create_demo_accounts(session: Session, summary: DemoSummary, *, now: datetime) -> list[DemoAccount]:
    """Make the accounts for a freshly loaded demo city.

    The member's own reports among the synthetic cases become theirs, so that "my reports" is alive. They need
    no second factor and have signed the undertaking: nobody's data are in this city.
    """
    for username, display_name, role, more in _people(summary):
        write_account(
            session, username, hash_password(PASSWORD), role=role, display_name=display_name, now=now,
            undertaking_version=undertaking.version(), **more,
        )  # fmt: skip
    session.execute(
        sa.text(
            """
            UPDATE incident SET reported_by = a.id FROM account AS a
            WHERE a.username = 'member' AND incident.reported_by IS NULL AND incident.channel = 'member'
              AND incident.member_id = a.member_id
            """
        )
    )
    return demo_accounts(session)


def _people(summary: DemoSummary) -> list[tuple[str, str, str, dict[str, Any]]]:
    """(username, name on screen, role, territory and member) in the order they are printed."""
    cell = {"territory": summary.cell}
    return [
        ("admin", "演示管理员", "admin", {}),
        ("city", "演示市级", "city_officer", {}),
        ("district", "演示区级", "district_officer", {"territory": DISTRICT}),
        ("subdistrict", "演示街道", "subdistrict_officer", {"territory": summary.subdistrict}),
        ("community", "演示社区", "community_officer", {"territory": summary.community}),
        ("command", "演示指挥", "command_operator", {}),
        ("leader", "演示网格长", "leader", cell | {"member_id": summary.leader_id}),
        ("member", "演示网格员", "member", cell | {"member_id": summary.member_id}),
        ("department", "演示部门", "department_handler", {"territory": DISTRICT}),
        ("inspector", "演示监督员", "inspector", {"territory": summary.subdistrict}),
        ("analyst", "演示分析员", "analyst", {}),
        ("resident", "演示居民", "resident", {}),
    ]


def demo_accounts(session: Session) -> list[DemoAccount]:
    """The demo accounts that still have their easy password; none outside the demo city."""
    in_demo_city = session.execute(
        sa.text("SELECT EXISTS (SELECT FROM area WHERE code = :code)"), {"code": DISTRICT}
    ).scalar()
    if not in_demo_city:
        return []
    found = session.scalars(sa.select(Account).where(Account.username.in_(USERNAMES), Account.active))
    still = {
        account.username: account for account in found if verify_password(PASSWORD, account.password_hash)
    }
    return [DemoAccount(name, PASSWORD, still[name].role) for name in USERNAMES if name in still]
