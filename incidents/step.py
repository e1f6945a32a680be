"""One move being made: the case, its clocks, who moves it, and what the move was told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gis.access import Principal
from gis.errors import Invalid
from grids.members import Member
from incidents.clocks import CaseClocks
from incidents.incident import Incident
from incidents.locating import DeclaredPlace


@dataclass(slots=True)
class Step:
    """One move being made: the case, its clocks, who moves it, and what the move was told."""

    move: str
    session: Session
    case: Incident
    clocks: CaseClocks
    by: Principal
    now: datetime
    zone: ZoneInfo
    lon_lat: tuple[float, float]
    rules_stamp: str
    note: str | None = None
    member_id: int | None = None
    amount: float | None = None
    review_on: date | None = None
    place: DeclaredPlace | None = None
    department: str | None = None
    subtask_id: int | None = None
    case_id: int | None = None
    parked: dict[str, Any] = field(default_factory=dict)
    """What the story kept when the case was parked or joined last."""
    details: dict[str, Any] = field(default_factory=dict)
    """What the story keeps beside the stages."""
    follow_up: str | None = None
    """A move that follows from this one by itself."""
    notices: list[dict[str, Any]] = field(default_factory=list)
    """Who hears of it besides whoever has the case."""
    helpers: dict[str, list[Any]] = field(default_factory=dict)
    """Members and departments whose pages are told as well: {"members": [...], "departments": [...]}."""


def member_named(step: Step, wanted: int | None) -> Member:
    """The member a move names. Raises Invalid where it names nobody, or nobody we know."""
    member = step.session.get(Member, wanted) if wanted is not None else None
    if member is None:
        raise Invalid(
            en="Nobody is named to dispatch to." if wanted is None else f"There is no member {wanted}.",
            zh="没有指定派给谁。" if wanted is None else f"没有人员 {wanted}。",
            remedy_en="Choose a person of the cell's team.",
            remedy_zh="请从网格团队中选人。",
        )
    return member
