"""Who looked at people on one's ground: what a supervisor goes through, newest first.

It says at which door a look was and never whose name was read; asking leaves no entry, for no personal record
is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import SUPERVISOR_ROLES, Principal
from gis.errors import Denied
from layers.household_reading import LOOKS

ACTIONS = LOOKS
MOST = 200


@dataclass(frozen=True, slots=True)
class GroundLook:
    """One look: at the list of a building, or at one person of the dwelling `unit`, `door`."""

    id: int
    at: datetime
    username: str
    display_name: str | None
    action: str
    purpose: str | None
    face: str | None
    origin: str | None
    territory: str
    cell: str | None
    building_id: int | None
    building: str | None
    unit: str | None
    door: str | None


_LOOKS = sa.text("SELECT * FROM looks_on_my_ground(:since, :until, :who, :place, :actions, :most)")


def looks_on_ground(
    session: Session,
    since: datetime,
    until: datetime,
    *,
    by: Principal,
    who: str = "",
    place: str = "",
    action: str | None = None,
    most: int = MOST,
) -> list[GroundLook]:
    """Looks from `since` to `until`, the newest first. `who` is an account's name or a part of the person's,
    `place` a part of a building's name or address, `action` one of ACTIONS. Raises Denied for a role that
    supervises nobody."""
    require_supervisor(by)
    told = {
        "since": since, "until": until, "who": who.strip(), "place": place.strip(), "most": most,
        "actions": [action] if action in ACTIONS else list(ACTIONS),
    }  # fmt: skip
    return [GroundLook(**row) for row in session.execute(_LOOKS, told).mappings()]


def require_supervisor(by: Principal) -> None:
    if by.role not in SUPERVISOR_ROLES:
        raise Denied(
            en="Your role does not supervise who looks at people.",
            zh="您的角色不负责监督查看记录。",
            remedy_en="Ask the office of your subdistrict; your own looks are in the list of a dwelling.",
            remedy_zh="请联系所属街道；本人的查看记录可在住户名单旁查看。",
        )
