"""One move with several cases at once: each is moved or refused for itself, with the same reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gis.access import Principal
from gis.errors import CityGridError, Invalid
from incidents import workflow
from incidents.calendar import CITY_ZONE
from incidents.incident import Incident
from incidents.lifecycle import MOVES
from incidents.work_queues import TOGETHER

MOST = 200
"""Cases moved at once at most: what fits one transaction of a second or two."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case: moved, or refused and why."""

    id: int
    case: Incident | None
    refusal: CityGridError | None


def move_together(
    session: Session,
    name: str,
    cases: Sequence[tuple[int, int]],
    *,
    by: Principal,
    now: datetime,
    note: str | None = None,
    zone: ZoneInfo = CITY_ZONE,
) -> list[Outcome]:
    """Make a move with each of these (id, version seen); one that is refused leaves the others as they are.

    A dispatch sends each case to the person its routing found. The outcomes come in the order of `cases`.
    Raises Invalid for a move that has to be told something about the single case, and for too many cases.
    """
    if name not in TOGETHER:
        raise Invalid(
            en=f"The move {name} is made case by case.",
            zh=f"“{MOVES[name].zh if name in MOVES else name}”须逐件办理。",
            remedy_en="Together can be made: " + ", ".join(sorted(TOGETHER)) + ".",
            remedy_zh="可批量办理：" + "、".join(MOVES[one].zh for one in sorted(TOGETHER)) + "。",
        )
    if not 0 < len(cases) <= MOST or len({case for case, _ in cases}) < len(cases):
        raise Invalid(
            en=f"Name 1 to {MOST} different cases.",
            zh=f"一次选 1 至 {MOST} 件，且不重复。",
            remedy_en="Move the rest afterwards.",
            remedy_zh="其余请分批办理。",
        )
    # Locked in the order of their ids, so that two desks with overlapping choices wait and never deadlock.
    found = {
        case: _moved(session, name, case, version, by, now, note, zone) for case, version in sorted(cases)
    }
    return [found[case] for case, _ in cases]


def _moved(
    session: Session,
    name: str,
    case: int,
    version: int,
    by: Principal,
    now: datetime,
    note: str | None,
    zone: ZoneInfo,
) -> Outcome:
    try:
        with session.begin_nested():
            moved = workflow.move(session, case, name, by=by, now=now, version=version, note=note, zone=zone)
    except CityGridError as refusal:
        return Outcome(case, None, refusal)
    return Outcome(case, moved, None)
