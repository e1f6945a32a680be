"""What the reporter of a case is shown by its tracking code: what happened when, the answer, their rating.

Whoever holds the code may look, so nothing personal is among it: no names, no place, no words of the report.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, DateTime, ForeignKey, SmallInteger
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base, territory_column
from gis.errors import Conflict, Invalid, NotFound
from gis.text import can_be_kept
from incidents.categories import Category
from incidents.incident import ENDED, JOINED, Incident, IncidentMove
from incidents.lifecycle import ANSWERS

LOW = 2
"""A rating up to this one offers to reopen the case."""
MAX_COMMENT = 500
SHOWN = (
    "report",
    "register",
    "confirm",
    "dispatch",
    "accept",
    "finish",
    "verify",
    "rework",
    "park",
    "resume",
    "close",
    "reject",
    "void",
    "appeal",
    "dismiss",
    "reopen",
    "join",
    "split",
)
"""Moves a reporter is told of; the others are the house's own business."""


class Rating(Base):
    """What the reporter thinks of how their case ended, 1 (poor) to 5; the last word counts."""

    __tablename__ = "rating"
    __table_args__ = (CheckConstraint("score BETWEEN 1 AND 5", name="score_known"),)

    incident_id: Mapped[int] = mapped_column(ForeignKey(Incident.id, ondelete="CASCADE"), primary_key=True)
    score: Mapped[int] = mapped_column(SmallInteger)
    comment: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    territory: Mapped[str] = territory_column()


@dataclass(frozen=True, slots=True)
class Step:
    """One move the reporter is told of."""

    move: str
    to_stage: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RatingRow:
    """A rating as shown."""

    score: int
    comment: str | None
    at: datetime

    @property
    def offers_reopen(self) -> bool:
        return self.score <= LOW


@dataclass(frozen=True, slots=True)
class Tracked:
    """A case as its reporter sees it."""

    number: str
    stage: str
    category_zh: str
    category_en: str
    icon: str
    reported_at: datetime
    due_at: datetime | None
    steps: list[Step]
    reply: str | None
    """What the answer said, once there is one."""
    rating: RatingRow | None

    @property
    def may_be_rated(self) -> bool:
        return self.stage in ENDED


def track(session: Session, code: str) -> Tracked:
    """The case of a tracking code. Raises NotFound."""
    found = _case_of(session, code)
    case, category = found
    moves = session.execute(
        sa.select(IncidentMove.move, IncidentMove.to_stage, IncidentMove.at, IncidentMove.note)
        .where(IncidentMove.incident_id == case.id)
        .order_by(IncidentMove.at, IncidentMove.id)
    ).all()
    answers = [move.note for move in moves if move.move in ANSWERS]
    steps = [Step(move.move, move.to_stage, move.at) for move in moves if move.move in SHOWN]
    return Tracked(
        number=case.number,
        stage=case.stage,
        category_zh=category.name_zh,
        category_en=category.name_en,
        icon=category.icon,
        reported_at=case.reported_at,
        due_at=None if case.stage in ENDED else _due_at(session, case),
        steps=_with_the_other(session, case, steps),
        reply=answers[-1] if answers and case.stage in ENDED else None,
        rating=rating_of(session, case.id),
    )


def _due_at(session: Session, case: Incident) -> datetime | None:
    """The deadline that counts: of a report that joined another case, that one's."""
    if case.stage != JOINED:
        return case.due_at
    return session.scalar(sa.select(Incident.due_at).where(Incident.id == case.joined_to))


def _with_the_other(session: Session, case: Incident, steps: list[Step]) -> list[Step]:
    """The steps of a report that lives by another case go on with what happens to that one."""
    if case.stage != JOINED:
        return steps
    theirs = session.execute(
        sa.select(IncidentMove.move, IncidentMove.to_stage, IncidentMove.at)
        .where(IncidentMove.incident_id == case.joined_to, IncidentMove.at > steps[-1].at)
        .order_by(IncidentMove.at, IncidentMove.id)
    )
    return steps + [Step(*row) for row in theirs if row.move in SHOWN]


def _case_of(session: Session, code: str) -> tuple[Incident, Category]:
    row = None
    if can_be_kept(code):
        row = session.execute(
            sa.select(Incident, Category)
            .join(Category, Category.code == Incident.category)
            .where(Incident.tracking_code == code)
        ).one_or_none()
    if row is None:
        raise NotFound(
            en="There is no report with this tracking code.",
            zh="没有这个查询码对应的上报。",
            remedy_en="Check the link or scan the code again.",
            remedy_zh="请核对链接，或重新扫码。",
        )
    return row[0], row[1]


def rate(session: Session, code: str, score: int, comment: str | None, *, now: datetime) -> None:
    """Keep the reporter's rating of an ended case; a later one takes its place.

    Raises NotFound for an unknown code, Conflict while the case has not ended, Invalid for a score outside 1
    to 5 or a comment that is too long.
    """
    case, _ = _case_of(session, code)
    comment = (comment or "").strip() or None
    if not 1 <= score <= 5 or (comment and (len(comment) > MAX_COMMENT or not can_be_kept(comment))):
        raise Invalid(
            en=f"A rating is 1 to 5, its comment at most {MAX_COMMENT} characters.",
            zh=f"评分为 1 至 5，留言不超过 {MAX_COMMENT} 字。",
            remedy_en="Choose a rating, shorten the comment.",
            remedy_zh="请选择评分，缩短留言。",
        )
    if case.stage not in ENDED:
        raise Conflict(
            en="The case has not ended yet.",
            zh="该事件尚未办结。",
            remedy_en="Come back when it has an answer.",
            remedy_zh="请在收到答复后再评价。",
        )
    kept = {"score": score, "comment": comment, "at": now, "territory": case.territory}
    session.execute(
        insert(Rating)
        .values(incident_id=case.id, **kept)
        .on_conflict_do_update(index_elements=["incident_id"], set_=kept)
    )


def rating_of(session: Session, incident_id: int) -> RatingRow | None:
    """The rating of a case, if its reporter gave one."""
    row = session.execute(
        sa.select(Rating.score, Rating.comment, Rating.at).where(Rating.incident_id == incident_id)
    ).one_or_none()
    return RatingRow(*row) if row else None
