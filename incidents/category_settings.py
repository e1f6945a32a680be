"""Changing the categories: adding, renaming, retiring, and the questions a report of one is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.errors import Conflict, Invalid, NotFound
from grids.members import Department
from incidents.categories import QUESTION_KINDS, Category
from incidents.deadlines import KINDS, MAX_VALUE
from incidents.incident import Incident
from incidents.lifecycle import FIELD

State = dict[str, Any]
Faults = list[tuple[str, str]]

MAX_QUESTIONS = 8
_CODE = re.compile(r"[0-9]{4,8}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,29}")
_ICON = re.compile(r"[a-z_]{1,20}")
FIELDS = (
    "kind", "group_code", "group_zh", "group_en", "name_zh", "name_en", "icon", "default_role",
    "department_code", "needs_confirm", "urgent", "limit_kind", "limit_value", "standard", "sort", "active",
    "questions",
)  # fmt: skip


def read_category(session: Session, code: str) -> State | None:
    """A category as plain values, None where there is none."""
    found = session.get(Category, code)
    if found is None:
        return None
    return {name: getattr(found, name) for name in FIELDS} | {"limit_value": float(found.limit_value)}


def write_category(session: Session, code: str, state: State | None) -> None:
    """Add or change a category; None deletes one that no case has.

    Cases keep the category they were reported under, and their running clocks the limit they were given.
    Raises Invalid with every fault at once, Conflict for deleting what is in use.
    """
    if state is None:
        _delete(session, code)
        return
    state = {"standard": "local", "department_code": None, "questions": [], **state}
    faults = _faults(session, code, state)
    if faults:
        raise Invalid(
            en="The category cannot be: " + "; ".join(en for en, _ in faults) + ".",
            zh="类别有误：" + "；".join(zh for _, zh in faults) + "。",
            remedy_en="Correct these and save again.",
            remedy_zh="请更正后再保存。",
        )
    category = session.get(Category, code)
    if category is None:
        state.setdefault("sort", _last_place(session, state["group_code"]))
        category = Category(code=code)
        session.add(category)
    for name in FIELDS:
        if name in state:
            setattr(category, name, state[name])
    category.limit_value = Decimal(str(state["limit_value"]))
    session.flush()


def _last_place(session: Session, group_code: str) -> int:
    """Behind the others of its main class."""
    last = sa.select(sa.func.max(Category.sort)).where(Category.group_code == group_code)
    return session.scalar(last) or session.scalar(sa.select(sa.func.max(Category.sort))) or 1


def _delete(session: Session, code: str) -> None:
    category = session.get(Category, code)
    if category is None:
        raise NotFound(
            en=f"There is no category {code}.",
            zh=f"没有类别 {code}。",
            remedy_en="Reload the page.",
            remedy_zh="请刷新页面。",
        )
    cases = session.scalar(sa.select(sa.func.count()).where(Incident.category == code)) or 0
    if cases:
        raise Conflict(
            en=f"{cases} cases are of the category {category.name_en}; it cannot be deleted.",
            zh=f"已有 {cases} 件“{category.name_zh}”，不能删除。",
            remedy_en="Retire it: nobody can report it any more, and what was reported stays.",
            remedy_zh="请改为停用：不再能上报，已有事件不受影响。",
            cases=cases,
        )
    session.delete(category)
    session.flush()


def _faults(session: Session, code: str, state: State) -> Faults:
    found: Faults = []
    if not _CODE.fullmatch(code):
        found.append(("the code has 4 to 8 digits", "编码为 4 至 8 位数字"))
    elif not code.startswith(str(state.get("group_code") or "-")) and session.get(Category, code) is None:
        found.append(("the code begins with that of its main class", "编码须以大类编码开头"))
    for name, zh, most in (
        ("name_zh", "中文名称", 30), ("name_en", "英文名称", 60), ("group_zh", "大类中文名", 30),
        ("group_en", "大类英文名", 60),
    ):  # fmt: skip
        if not 0 < len(str(state.get(name) or "").strip()) <= most:
            found.append((f"{name} must have 1 to {most} characters", f"{zh}须为 1 至 {most} 字"))
    if not _ICON.fullmatch(str(state.get("icon") or "")):
        found.append(("there is no such icon", "没有这个图标"))
    if state.get("kind") not in ("component", "event"):
        found.append(("kind is component or event", "性质为部件或事件"))
    if state.get("default_role") not in FIELD:
        found.append(("the default role is one of a cell's team", "默认角色须为网格团队成员"))
    department = state.get("department_code")
    if department is not None and session.get(Department, department) is None:
        found.append((f"there is no department {department}", f"没有部门 {department}"))
    if state.get("limit_kind") not in KINDS:
        found.append(("the kind of time is unknown", "计时方式不认识"))
    if not 0 < float(state.get("limit_value") or 0) <= MAX_VALUE:
        found.append(
            (f"the limit must be above 0 and at most {MAX_VALUE}", f"时限须大于 0、不超过 {MAX_VALUE}")
        )
    return found + _question_faults(state["questions"])


def _question_faults(questions: Iterable[State]) -> Faults:
    questions = list(questions)
    found: Faults = []
    if len(questions) > MAX_QUESTIONS:
        found.append((f"at most {MAX_QUESTIONS} questions", f"问题最多 {MAX_QUESTIONS} 个"))
    keys = [str(question.get("key") or "") for question in questions]
    if len(set(keys)) < len(keys):
        found.append(("two questions have one key", "问题的标识重复"))
    for n, question in enumerate(questions, 1):
        named = all(0 < len(str(question.get(name) or "").strip()) <= 60 for name in ("zh", "en"))
        if not _KEY.fullmatch(keys[n - 1]) or not named:
            found.append(
                (f"question {n} needs a key and words in both languages", f"第 {n} 题须有标识和中英文")
            )
        if question.get("kind") not in QUESTION_KINDS:
            found.append((f"question {n} is of no known kind", f"第 {n} 题的类型不认识"))
        if question.get("kind") == "choice" and len(question.get("options") or ()) < 2:
            found.append((f"question {n} needs two choices or more", f"第 {n} 题至少两个选项"))
    return found


def read_group(session: Session, code: str) -> State | None:
    """The names of a main class, None where no category is in it."""
    row = session.execute(
        sa.select(Category.group_zh, Category.group_en).where(Category.group_code == code).limit(1)
    ).first()
    return None if row is None else {"zh": row.group_zh, "en": row.group_en}


def write_group(session: Session, code: str, state: State | None) -> None:
    """Rename a main class, in all its categories."""
    names = [str((state or {}).get(name) or "").strip() for name in ("zh", "en")]
    if state is None or not all(0 < len(name) <= 60 for name in names):
        raise Invalid(
            en="A main class needs a name in both languages.",
            zh="大类须有中英文名称。",
            remedy_en="Give 1 to 60 characters each.",
            remedy_zh="各填 1 至 60 字。",
        )
    session.execute(
        sa.update(Category).where(Category.group_code == code).values(group_zh=names[0], group_en=names[1])
    )
    session.expire_all()
