"""The tables of an incident: the case, its append-only story, its photographs, and the synthetic truth."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gis.database import Base, Code, territory_column

STAGES = (
    "reported",
    "registered",
    "dispatched",
    "handling",
    "handled",
    "verified",
    "closed",
    "rejected",
    "parked",
    "void",
    "joined",
)
ENDED = ("closed", "rejected", "void")
"""Stages in which no clock runs and nobody is asked for anything."""
ANSWER_OWED = f"(stage IN {ENDED} AND answered_at IS NULL) OR appealed_at IS NOT NULL"
"""Whose reporter should have heard the end, or an answer to their appeal, and has not."""
JOINED = "joined"
"""One more report of a case that is there already: it lives by that one's clock and ends with it."""

CHANNELS = ("member", "desk", "resident", "hotline", "wechat", "sensor", "import")

LEVELS = ("community", "subdistrict", "district", "city")
"""The ladder a case climbs when a level cannot settle it."""

GRADES = (1, 2, 3, 4)
"""1 特急 at once, 2 紧急 urgent, 3 一般 ordinary, 4 疑难 difficult."""
AT_ONCE, ORDINARY = 1, 3

_MOMENT = DateTime(timezone=True)


class Incident(Base):
    """One case as it stands now. What happened to it is told by `incident_move`, which never changes."""

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("reported_by", "report_key"),
        CheckConstraint(f"stage IN {STAGES}", name="stage_known"),
        CheckConstraint(f"channel IN {CHANNELS}", name="channel_known"),
        CheckConstraint(f"level IN {LEVELS}", name="level_known"),
        CheckConstraint(f"grade IN {GRADES}", name="grade_known"),
        Index("ix_incident_open", "territory", "due_at", postgresql_where=text(f"stage NOT IN {ENDED}")),
        Index("ix_incident_appealed", "territory", postgresql_where=text("appealed_at IS NOT NULL")),
        Index("ix_incident_reported_at", "reported_at"),
        Index("ix_incident_lifetime", "closed_at", "reported_at"),
        Index("ix_incident_handler_open", "handler_id", postgresql_where=text(f"stage NOT IN {ENDED}")),
        Index("ix_incident_joined_to", "joined_to", postgresql_where=text("joined_to IS NOT NULL")),
        Index("ix_incident_answer_owed", "territory", postgresql_where=text(ANSWER_OWED)),
        Index(
            "ix_incident_import_judged",
            text("LEAST(due_at, closed_at)"),
            postgresql_where=text("channel = 'import'"),
        ),
        Index("ix_incident_review", "review_on", postgresql_where=text("stage = 'parked'")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    tracking_code: Mapped[str] = mapped_column(unique=True)
    report_key: Mapped[str]
    body_hash: Mapped[str]
    reported_by: Mapped[int | None]
    channel: Mapped[str]
    category: Mapped[str] = mapped_column(ForeignKey("category.code"), index=True)
    title: Mapped[str]
    description: Mapped[str]
    on_behalf: Mapped[str | None]
    answers: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    """Answers to the questions of its category, by their keys."""
    floor: Mapped[int | None]
    unit: Mapped[str | None]
    room: Mapped[str | None]
    """The door within the floor, as written on it: 302."""

    joined_to: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    """The earlier case of the same thing; kept when both have ended."""
    reports: Mapped[int] = mapped_column(default=1, server_default="1")
    """How many reports the case stands for: its own and those that joined it."""
    open_subtasks: Mapped[int] = mapped_column(default=0, server_default="0")
    """Pieces of work given to other forces (`incidents.subtasks`) that are not done."""

    stage: Mapped[str]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    level: Mapped[str] = mapped_column(default="community", server_default="community")
    grade: Mapped[int] = mapped_column(SmallInteger, default=ORDINARY, server_default="3")

    geom: Mapped[object] = mapped_column(Geometry("POINT", srid=4490), nullable=False)
    source_lon: Mapped[float]
    source_lat: Mapped[float]
    source_crs: Mapped[str]
    accuracy_m: Mapped[float | None]
    accuracy_level: Mapped[int | None] = mapped_column(SmallInteger)
    place: Mapped[str | None]
    building_id: Mapped[int | None] = mapped_column(index=True)
    component_id: Mapped[int | None]

    generation: Mapped[str | None]
    cell_code: Mapped[str | None] = mapped_column(Code, index=True)
    territory: Mapped[str] = territory_column()
    rule: Mapped[str]
    confidence: Mapped[float]
    border_m: Mapped[float | None]
    second_cell: Mapped[str | None] = mapped_column(Code)
    second_member_id: Mapped[int | None]
    reason_zh: Mapped[str]
    reason_en: Mapped[str]
    trace: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default="[]")
    decision: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    """The rest of the routing's answer when it was asked, roster included; a moved pin leaves the old answer,
    words and all, in the story."""

    member_id: Mapped[int | None] = mapped_column(index=True)
    """The owner of the ground and first receiver; stays named when the work goes elsewhere."""
    handler_id: Mapped[int | None]
    """The member who has it now."""
    department_code: Mapped[str | None] = mapped_column(index=True)

    reported_at: Mapped[datetime] = mapped_column(_MOMENT)
    registered_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    dispatched_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    accepted_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    finished_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    verified_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    closed_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    paused_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    due_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    due_soon_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    limit_words_zh: Mapped[str | None]
    limit_words_en: Mapped[str | None]
    """Of an open case the clock that runs now (`incidents.clocks`), of an ended one its handling clock."""

    supervised_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    review_on: Mapped[date | None]
    """When a parked case is looked at again."""
    review_told_on: Mapped[date | None]
    """The `review_on` the desk has been reminded of."""
    extension_asked: Mapped[Decimal | None]
    """Units of the running clock asked for and not yet answered."""
    appealed_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    """An appeal that is not answered yet."""
    answered_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    """When the reporter was told the end; a reopened case owes another answer."""
    anonymised_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    """When what it held of persons was removed (`incidents.anonymising`)."""


class IncidentMove(Base):
    """One row of the story: who moved the case, when, from where to where, and why. Append-only."""

    __tablename__ = "incident_move"
    __table_args__ = (
        UniqueConstraint("incident_id", "version", "move"),
        Index("ix_incident_move_move_at", "move", "at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"))
    move: Mapped[str]
    from_stage: Mapped[str | None]
    to_stage: Mapped[str]
    at: Mapped[datetime] = mapped_column(_MOMENT)
    account_id: Mapped[int | None]
    actor_name: Mapped[str]
    role: Mapped[str]
    member_id: Mapped[int | None]
    note: Mapped[str | None]
    version: Mapped[int]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    """Where the person stood, when their phone said so."""
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    """What the move changed besides the stage: the old place of a moved pin, days of an extension."""
    territory: Mapped[str] = territory_column(index=False)


class IncidentPhoto(Base):
    """A photograph by the hash of its re-encoded file; place and time of the original kept in columns."""

    __tablename__ = "incident_photo"
    __table_args__ = (
        UniqueConstraint("incident_id", "sha256"),
        CheckConstraint("kind IN ('before', 'after')", name="kind_known"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    move_id: Mapped[int | None]
    kind: Mapped[str]
    sha256: Mapped[str] = mapped_column(index=True)
    content_type: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    bytes: Mapped[int]
    taken_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    taken_lon: Mapped[float | None]
    taken_lat: Mapped[float | None]
    at: Mapped[datetime] = mapped_column(_MOMENT)
    territory: Mapped[str] = territory_column()


class IncidentTruth(Base):
    """Where a synthetic incident truly happened, so that routing can be checked against it."""

    __tablename__ = "incident_truth"
    __table_args__ = ({"info": {"open": True}},)

    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), primary_key=True)
    cell_code: Mapped[str | None] = mapped_column(Code)
    lon: Mapped[float]
    lat: Mapped[float]
    building_id: Mapped[int | None]
