"""The shipped code tables: complete, consistent with the house, and never written over an operator's own."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from gis.errors import Invalid
from gis.settings import PROJECT
from grids.duties import POSTS
from grids.members import Department
from incidents.categories import Category, active_categories, category_of, groups
from incidents.code_tables import fill_code_tables, shipped
from incidents.deadlines import KINDS
from incidents.incident import CHANNELS, LEVELS
from incidents.rules import ClockRule, RuleSet

CATEGORIES = list(shipped("categories"))
ICONS = set(re.findall(r'id="i-([\w-]+)"', (PROJECT / "dash_app" / "icons.svg").read_text()))
DEPARTMENTS = {row["code"] for row in shipped("departments")}


@pytest.mark.parametrize("row", CATEGORIES, ids=lambda row: row["code"])
def test_every_category_points_at_things_that_exist(row):
    assert re.fullmatch(r"[123]\d{4}", row["code"]) and row["code"].startswith(row["group_code"])
    assert row["icon"] in ICONS
    assert row["department_code"] is None or row["department_code"] in DEPARTMENTS
    assert row["default_role"] in POSTS
    assert row["limit_kind"] in KINDS and float(row["limit_value"]) > 0
    assert row["kind"] == ("component" if row["code"].startswith("1") else "event")
    assert None not in (row["name_zh"], row["name_en"], row["group_zh"], row["group_en"], row["standard"])


def test_codes_and_names_are_not_given_twice():
    assert len({row["code"] for row in CATEGORIES}) == len(CATEGORIES)
    assert len({(row["group_code"], row["name_zh"]) for row in CATEGORIES}) == len(CATEGORIES)


def test_the_main_classes_of_the_standard_and_of_the_community_are_there():
    names = {row["group_zh"] for row in CATEGORIES}
    assert {"公用设施", "道路交通", "市容环境", "宣传广告", "施工管理", "突发事件", "街面秩序"} <= names
    assert {"矛盾纠纷", "安全隐患", "环境卫生", "乱停乱放", "乱搭乱建", "消防"} <= names


@pytest.mark.parametrize(
    "row", list(shipped("clock_rules")), ids=lambda row: f"{row['rule_set']}-{row['clock']}"
)
def test_every_rule_names_what_exists(row):
    assert row["rule_set"] in {rule_set["code"] for rule_set in shipped("rule_sets")}
    assert row["channel"] is None or row["channel"] in CHANNELS
    assert row["level"] is None or row["level"] in LEVELS


def test_a_migrated_database_has_them_all(session):
    assert len(active_categories(session)) == len(CATEGORIES)
    assert session.scalar(sa.select(RuleSet.code).where(RuleSet.active)) == "gbt30428"
    first = groups(session)[0]
    assert (first.code, first.zh, first.categories[0].code) == ("101", "公用设施", "10101")


def test_filling_again_changes_nothing_and_leaves_the_operators_own_edits(session):
    session.execute(sa.update(Category).where(Category.code == "20102").values(name_zh="垃圾", limit_value=2))
    session.execute(sa.delete(ClockRule).where(ClockRule.clock == "verify"))
    session.execute(sa.delete(Department).where(Department.code == "health"))
    fill_code_tables(session)
    kept = category_of(session, "20102")
    assert (kept.name_zh, kept.limit_value) == ("垃圾", 2)
    assert not session.scalars(sa.select(ClockRule).where(ClockRule.clock == "verify")).all()
    assert session.get(Department, "health") is not None, "what is missing comes back"
    assert session.scalar(sa.select(sa.func.count()).select_from(Category)) == len(CATEGORIES)


def test_a_category_that_is_no_longer_used_cannot_be_reported(session):
    session.execute(sa.update(Category).where(Category.code == "20102").values(active=False))
    with pytest.raises(Invalid):
        category_of(session, "20102")
    assert "20102" not in {category.code for category in active_categories(session)}


def test_a_category_in_use_cannot_be_deleted(town):
    town.report(town.member)
    with pytest.raises(sa.exc.IntegrityError), town.session.begin_nested():
        town.session.execute(sa.delete(Category).where(Category.code == "9901"))
