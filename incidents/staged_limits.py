"""Deadlines in steps: an unlawful structure is stopped in hours, fined in days, gone in weeks.

A rule set may cut the work of a category into steps, each with a limit of its own. They begin with the
dispatch, as pieces of work of whoever has the case (`incidents.subtasks`): each has its clock and its
reminder, and the case is done when the last step is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.access import Principal
from gis.database import Base, Code
from incidents import subtasks
from incidents.deadlines import KINDS
from incidents.incident import LEVELS, Incident
from incidents.rules import Limit, Rulebook
from incidents.step import Step


class StagedLimit(Base):
    """One step of a category's work under a rule set. `category` is a code or the beginning of one."""

    __tablename__ = "staged_limit"
    __table_args__ = (
        CheckConstraint(f"kind IN {tuple(KINDS)}", name="kind_known"),
        CheckConstraint("value > 0", name="value_positive"),
        {"info": {"open": True}},
    )

    rule_set: Mapped[str] = mapped_column(ForeignKey("rule_set.code", ondelete="CASCADE"), primary_key=True)
    category: Mapped[str] = mapped_column(Code, primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    kind: Mapped[str]
    value: Mapped[Decimal]


@dataclass(frozen=True, slots=True)
class WorkStep:
    """A `StagedLimit` without its table."""

    rule_set: str
    category: str
    number: int
    name_zh: str
    name_en: str
    limit: Limit


_kept: dict[str, tuple[WorkStep, ...]] = {}


def steps_of(session: Session, rule_set: str, category: str, *, stamp: str) -> list[WorkStep]:
    """The steps of a category in order, those of the longest fitting code; kept by the stamp of the rules."""
    known = _kept.get(stamp)
    if known is None:
        rows = session.scalars(sa.select(StagedLimit).order_by(StagedLimit.step))
        known = tuple(
            WorkStep(r.rule_set, r.category, r.step, r.name_zh, r.name_en, Limit(r.kind, float(r.value)))
            for r in rows
        )
        _kept.clear()
        _kept[stamp] = known
    fitting = [step for step in known if step.rule_set == rule_set and category.startswith(step.category)]
    longest = max((len(step.category) for step in fitting), default=0)
    return [step for step in fitting if len(step.category) == longest]


def begin(step: Step) -> None:
    """Begin the steps of a case that is dispatched; one that was begun before goes on as it is."""
    case, session = step.case, step.session
    wanted = steps_of(session, step.clocks.rules.code, case.category, stamp=step.rules_stamp)
    if wanted and not subtasks.has_steps(session, case.id):
        case.open_subtasks += begin_all(session, case, wanted, step.clocks.rules, step.now, step.by)


def begin_with_report(
    session: Session,
    case_id: int,
    category: str,
    values: Mapping[str, Any],
    rules: Rulebook,
    *,
    stamp: str,
    by: Principal,
    now: datetime,
) -> None:
    """Begin the steps of a case that is dispatched with its report; `values` are its columns."""
    wanted = steps_of(session, rules.code, category, stamp=stamp)
    if wanted:
        case = Incident(id=case_id, territory=values["territory"], level=LEVELS[0])
        count = begin_all(session, case, wanted, rules, now, by)
        session.execute(sa.update(Incident).where(Incident.id == case_id).values(open_subtasks=count))


def begin_all(
    session: Session,
    case: subtasks.CaseGround,
    wanted: list[WorkStep],
    rules: Rulebook,
    now: datetime,
    by: Principal,
) -> int:
    """Write the steps with their clocks. Returns how many."""
    for one in wanted:
        subtasks.begin(
            session,
            case,
            one.name_zh,
            one.limit,
            rules,
            asked_by=by.display_name,
            now=now,
            what_en=one.name_en,
            step_number=one.number,
        )
    return len(wanted)
