"""What a report can be about: categories with their icon, their first handler and their default limit.

The shipped list lies in `data/code_tables/`; a city edits its own in the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base, Code
from grids.responsibility import unknown_category

QUESTION_KINDS = ("text", "number", "yes_no", "choice")
"""What an answer to a category's question is."""


class Category(Base):
    """One small class of components or events."""

    __tablename__ = "category"
    __table_args__ = ({"info": {"open": True}},)

    code: Mapped[str] = mapped_column(Code, primary_key=True)
    kind: Mapped[str]
    group_code: Mapped[str]
    group_zh: Mapped[str]
    group_en: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    icon: Mapped[str]
    default_role: Mapped[str]
    department_code: Mapped[str | None]
    needs_confirm: Mapped[bool]
    urgent: Mapped[bool]
    limit_kind: Mapped[str]
    limit_value: Mapped[Decimal]
    standard: Mapped[str | None]
    sort: Mapped[int]
    active: Mapped[bool]
    same_within_m: Mapped[int] = mapped_column(default=30, server_default="30")
    same_within_hours: Mapped[int] = mapped_column(default=72, server_default="72")
    """How near in space and time two reports of it may be one thing (`incidents.duplicates`)."""
    questions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default="[]")
    """What a report of it is asked besides: {key, zh, en, kind, required, options: [{zh, en}]}."""


@dataclass(frozen=True, slots=True)
class Group:
    """A main class with the categories in it."""

    code: str
    zh: str
    en: str
    categories: tuple[Category, ...]


def active_categories(session: Session) -> list[Category]:
    """All categories a report may name, in the order of the lists on screen."""
    wanted = sa.select(Category).where(Category.active).order_by(Category.sort, Category.code)
    return list(session.scalars(wanted))


def every_category(session: Session) -> list[Category]:
    """All categories in order, the retired ones too."""
    return list(session.scalars(sa.select(Category).order_by(Category.sort, Category.code)))


def groups(session: Session) -> list[Group]:
    """The main classes in order, each with its active categories."""
    found: dict[str, list[Category]] = {}
    for category in active_categories(session):
        found.setdefault(category.group_code, []).append(category)
    return [
        Group(code, members[0].group_zh, members[0].group_en, tuple(members))
        for code, members in found.items()
    ]


def category_of(session: Session, code: str) -> Category:
    """An active category. Raises Invalid for a code that is none, or no longer."""
    category = session.get(Category, code)
    if category is None or not category.active:
        raise unknown_category(code)
    return category
