"""The shipped code tables: departments, categories, rule sets and published calendars, for a new database."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis.settings import PROJECT
from grids.members import Department
from incidents.calendar import CalendarDay, published_days
from incidents.categories import Category
from incidents.rules import ClockRule, RuleSet
from incidents.staged_limits import StagedLimit

FOLDER = PROJECT / "data" / "code_tables"


_DELETED_CATEGORIES = sa.text("SELECT key FROM setting_change WHERE subject = 'category' AND after IS NULL")


def shipped(name: str) -> Iterator[dict[str, Any]]:
    """Rows of a shipped table: an empty field is None, yes and no are booleans."""
    words = {"": None, "yes": True, "no": False}
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield {column: words.get(value, value) for column, value in row.items()}


def fill_code_tables(session: Session) -> None:
    """Insert what is shipped and missing; a row that exists stays as the operator made it.

    The lines of a rule set come with the set and the days of a year with the year, and never again; so what
    the operator took out stays out, a deleted category too. Safe to run again, and from two processes at
    once.
    """
    deleted = set(session.scalars(_DELETED_CATEGORIES))
    known_years = set(session.scalars(sa.select(sa.extract("year", CalendarDay.day)).distinct()))
    categories = [{**row, "sort": n, "active": True} for n, row in enumerate(shipped("categories"), 1)]
    for model, rows in (
        (Department, list(shipped("departments"))),
        (Category, [row for row in categories if row["code"] not in deleted]),
        (CalendarDay, [row for row in published_days() if row["day"].year not in known_years]),
    ):
        if rows:
            session.execute(insert(model).on_conflict_do_nothing(), rows)
    new_sets = session.scalars(
        insert(RuleSet).on_conflict_do_nothing().returning(RuleSet.code), list(shipped("rule_sets"))
    ).all()
    lines = [row for row in shipped("clock_rules") if row["rule_set"] in new_sets]
    if lines:
        session.execute(insert(ClockRule), lines)
    steps = [row for row in shipped("staged_limits") if row["rule_set"] in new_sets]
    if steps:
        session.execute(insert(StagedLimit), steps)
