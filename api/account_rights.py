"""Who keeps whose account: an office those of its own ground and of the roles below it, never its own."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.account import ROLES, Account
from gis.access import Principal
from gis.errors import Conflict, Denied, NotFound

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


def keeps_accounts(by: Principal) -> bool:
    return by.role in KEEPS and by.territory is not None


def may_keep(by: Principal, role: str, territory: str | None) -> bool:
    """Whether the person keeps accounts of this role on this ground; without any ground, only a whole city's
    keeper does."""
    on_own_ground = by.covers(territory) if territory is not None else by.territory == ""
    return keeps_accounts(by) and role in KEEPS[by.role] and on_own_ground


def kept(session: Session, account_id: int, by: Principal) -> Account:
    """The account itself, locked for a change. Raises NotFound for one that is not the person's to keep."""
    require_keeper(by)
    account = session.get(Account, account_id, with_for_update=True)
    if account is None or not may_keep(by, account.role, account.territory):
        raise NotFound(
            en=f"There is no account {account_id} that you keep.",
            zh=f"没有由您管理的账户 {account_id}。",
            remedy_en="Look in the list of accounts.",
            remedy_zh="请在账户列表中查找。",
        )
    return account


def require_keeper(by: Principal) -> None:
    if not keeps_accounts(by):
        raise Denied(
            en="Your role keeps no accounts.",
            zh="您的角色不能管理账户。",
            remedy_en="Ask the office of your territory or an administrator.",
            remedy_zh="请联系属地或系统管理员。",
        )


def require_right(by: Principal, role: str, territory: str | None) -> None:
    require_keeper(by)
    if not may_keep(by, role, territory):
        raise Denied(
            en=f"You cannot give the role {role} on this ground.",
            zh="您不能授予该角色或该辖区。",
            remedy_en="Roles you can give, within your own territory: " + ", ".join(KEEPS[by.role]) + ".",
            remedy_zh="请在本辖区内授予下级角色，或联系上级。",
        )


def refuse_own(account: Account, by: Principal) -> None:
    if account.id == by.account_id:
        raise Denied(
            en="Nobody changes the rights of their own account.",
            zh="不能修改自己账户的权限。",
            remedy_en="Ask another administrator; your password you change at /account.",
            remedy_zh="请由其他管理员办理；修改密码请到“我的账户”。",
        )


def refuse_last_admin(session: Session, account: Account) -> None:
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
