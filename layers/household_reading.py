"""Reading about people: who lives in a building, masked, and one person's name and number, for a purpose.

The tables themselves are closed (`gis.policies`). The functions of `api.migrations.functions` answer instead,
ask whether it is the person's duty and ground, and leave one entry in the trail for each set of records, also
for one they refuse. What is masked is masked in the database: the plain text never leaves it unasked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import Principal
from gis.errors import Denied, Invalid, NotFound

READERS = frozenset(
    {
        "city_officer",
        "district_officer",
        "subdistrict_officer",
        "community_officer",
        "leader",
        "member",
        "police_officer",
    }
)
"""Roles whose duty it is to know who lives on their ground; those who run the system are not among them."""

CARERS = frozenset({"subdistrict_officer", "community_officer", "leader", "member"})
"""Roles that also see what is sensitive: who lives alone, who is disabled, where there are small children."""

PURPOSES = {
    "visit": ("入户走访", "Home visit"),
    "care": ("关怀服务", "Care"),
    "check": ("信息核对", "Checking the ledger"),
    "mediation": ("矛盾调处", "Mediation"),
    "emergency": ("应急处置", "Emergency"),
    "case": ("办理事件", "Handling a case"),
}
"""What a name or number may be opened for, in Chinese and English."""

MASKED, PLAIN, REFUSED = "read_households", "unmask_resident", "read_refused"
REPORT = "report_subject"
"""All that is held about one person, for a person's rights (`layers.subject_rights`)."""
LOOKS = (MASKED, PLAIN, REPORT, REFUSED)
"""Actions of the trail that are looks at people."""


@dataclass(frozen=True, slots=True)
class ResidentLine:
    """One person in a list: 张*, 138****1234. `tags` are empty for those whose duty is not care."""

    id: int
    name: str
    gender: str | None
    phone: str | None
    is_head: bool
    tags: list[str]


@dataclass(frozen=True, slots=True)
class HouseholdLine:
    """One dwelling with those who live in it."""

    id: int
    unit: str | None
    floor: int | None
    door: str | None
    residents: list[ResidentLine]


@dataclass(frozen=True, slots=True)
class OpenedResident:
    """One person unmasked."""

    id: int
    household_id: int
    name: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody's look at a household: the list it is in, or a person of it opened for a purpose."""

    at: datetime
    username: str
    action: str
    purpose: str | None
    face: str | None
    origin: str | None
    refused: bool


@dataclass(frozen=True, slots=True)
class From:
    """Where a person looks from: one of `gis.audit.FACES`, and the network address."""

    face: str
    address: str | None = None


def households_of(
    session: Session, building_id: int, *, by: Principal, now: datetime, where: From
) -> list[HouseholdLine] | None:
    """The households of a building, top floor first, names and numbers masked.

    None where the building is not on the person's ground: the attempt stands in the trail once the
    transaction is committed, so the door raises `no_households` after it. Raises Denied for a role without
    the duty.
    """
    _require_duty(by)
    found = _ask(session, "read_households(:id, :now, :face, :origin)", building_id, now, where)
    if found is None:
        return None
    return [
        HouseholdLine(**{**line, "residents": [ResidentLine(**one) for one in line["residents"]]})
        for line in found
    ]


def open_resident(
    session: Session, resident_id: int, purpose: str, *, by: Principal, now: datetime, where: From
) -> OpenedResident | None:
    """One person's name and number, for a purpose that is kept with the look. None as in `households_of`.

    Raises Denied for a role without the duty, Invalid for a purpose that is none.
    """
    _require_duty(by)
    if purpose not in PURPOSES:
        raise Invalid(
            en=f"There is no purpose {purpose}.",
            zh=f"没有用途 {purpose}。",
            remedy_en="Choose one of " + ", ".join(PURPOSES) + ".",
            remedy_zh="可选用途：" + "、".join(zh for zh, _ in PURPOSES.values()) + "。",
        )
    wanted = "unmask_resident(:id, :now, :face, :origin, :purpose)"
    found = _ask(session, wanted, resident_id, now, where, purpose=purpose)
    return None if found is None else OpenedResident(**found)


def looks_at(session: Session, household_id: int) -> Sequence[Look]:
    """Who looked at a household, newest first: for a supervisor those of their ground, else their own.

    Empty where there is no such household, or none the person may ask about.
    """
    rows = session.execute(sa.text("SELECT * FROM looks_at_household(:id)"), {"id": household_id}).mappings()
    return [Look(**row) for row in rows]


def no_households() -> NotFound:
    return NotFound(
        en="There is no such record on your ground.",
        zh="您的辖区内没有这条记录。",
        remedy_en="Check that name, telephone or number are exactly as registered, or open it from a building"
        " of your own ground; this attempt was recorded.",
        remedy_zh="请核对姓名、电话或编号是否与登记完全一致，或从本辖区的楼栋打开；本次尝试已记录。",
    )


def _ask(session: Session, call: str, id_: int, now: datetime, where: From, **more: Any) -> Any:
    told = {"id": id_, "now": now, "face": where.face, "origin": where.address, **more}
    return session.execute(sa.text(f"SELECT {call}"), told).scalar_one()


def _require_duty(by: Principal) -> None:
    if by.role not in READERS:
        raise Denied(
            en="Your role does not read about households.",
            zh="您的角色无权查看住户信息。",
            remedy_en="Ask the community or the member of the cell.",
            remedy_zh="请联系社区或该网格的网格员。",
        )
