"""What anybody may ask without signing in: the months that were published, and their bins.

The application's role with nobody bound reads nothing of a case; the published tables are all there is. A
published month never changes, so its answer is written once and kept.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict

from api.gate import means_of
from incidents import public_bins

router = APIRouter(prefix="/api/v1/public", tags=["public"])

Month = Annotated[str, Path(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="YYYY-MM")]
AN_HOUR, A_MONTH = "public, max-age=3600", "public, max-age=2592000, immutable"
KEPT = 120
"""Answers remembered by a process: ten years of months."""


class MonthShown(BaseModel):
    """A published month. Numbers under `hidden_below` are hidden, others rounded down to `rounded_to`."""

    model_config = ConfigDict(from_attributes=True)

    month: date
    hidden_below: int
    rounded_to: int
    published_at: datetime


class GroupShown(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    code: str
    zh: str
    en: str


class MonthsShown(BaseModel):
    months: list[MonthShown]
    groups: list[GroupShown]


class BinShown(BaseModel):
    """One community, one main class. `shown` null: fewer than `hidden_below`, perhaps none. `share`: told
    (`in_time` of them were done in time), most (fewer than `hidden_below` were not), few (fewer were)."""

    model_config = ConfigDict(from_attributes=True)

    community_code: str
    group_code: str
    shown: int | None
    in_time: int | None
    share: str | None


class MonthBins(MonthShown):
    bins: list[BinShown]


@router.get("/months")
def months(request: Request, response: Response) -> MonthsShown:
    """The published months, the newest first, and the main classes by code."""
    response.headers["Cache-Control"] = AN_HOUR
    with means_of(request).database.unbound_work() as session:
        return MonthsShown(
            months=[MonthShown.model_validate(one) for one in public_bins.months(session)],
            groups=[GroupShown.model_validate(one) for one in public_bins.group_names(session)],
        )


@router.get("/months/{month}", response_model=MonthBins)
def month_bins(request: Request, month: Month) -> Response:
    """Every bin of a published month. There are no totals: what may be known is told bin by bin."""
    kept: dict[str, bytes] = request.app.state.public_months
    if month not in kept:
        with means_of(request).database.unbound_work() as session:
            found, bins = public_bins.bins_of(session, date.fromisoformat(f"{month}-01"))
            told = MonthBins(
                **MonthShown.model_validate(found).model_dump(),
                bins=[BinShown.model_validate(one) for one in bins],
            )
        if len(kept) >= KEPT:
            kept.clear()
        kept[month] = told.model_dump_json().encode()
    return Response(kept[month], media_type="application/json", headers={"Cache-Control": A_MONTH})
