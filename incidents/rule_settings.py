"""Changing the rules of time: a line gets a new version, a ground another set, a city a set of its own.

Nothing is overwritten. A change ends what held and begins what holds from now on, so cases that were reported
before go on by the rules they were reported under.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import code_level
from gis.errors import Conflict, Invalid, NotFound
from incidents.categories import Category
from incidents.deadlines import KINDS, MAX_VALUE
from incidents.incident import CHANNELS, GRADES, LEVELS
from incidents.rules import CLOCKS, ClockRule, RuleChoice, RuleSet, office_hours

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LineKey:
    """Which line of which set; None means any. Written `wuzhou|level||district||`."""

    rule_set: str
    clock: str
    category: str | None = None
    level: str | None = None
    channel: str | None = None
    grade: int | None = None

    @classmethod
    def parse(cls, text: str) -> LineKey:
        """Raises Invalid for what is no key."""
        parts = text.split("|")
        if len(parts) != 6 or not all(part.isdigit() for part in parts[5:] if part):
            raise _faulty([(f"{text!r} names no line", f"“{text}”不是一条规则")])
        named = [part or None for part in parts]
        return cls(parts[0], parts[1], named[2], named[3], named[4], int(parts[5]) if parts[5] else None)

    def __str__(self) -> str:
        return "|".join("" if part is None else str(part) for part in astuple(self))

    def faults(self, session: Session) -> list[tuple[str, str]]:
        """What is wrong with it, in English and Chinese."""
        found = []
        for name, zh, value, known in (
            ("clock", "时限", self.clock, CLOCKS),
            ("level", "层级", self.level, LEVELS),
            ("channel", "渠道", self.channel, CHANNELS),
            ("grade", "等级", self.grade, GRADES),
        ):
            if value is not None and value not in known:
                found.append((f"there is no {name} {value}", f"没有{zh} {value}"))
        if session.get(RuleSet, self.rule_set) is None:
            found.append((f"there is no rule set {self.rule_set}", f"没有规则集 {self.rule_set}"))
        if self.category is not None and not _some_category(session, self.category):
            found.append((f"no category begins with {self.category}", f"没有以 {self.category} 开头的类别"))
        return found


def _some_category(session: Session, beginning: str) -> bool:
    return bool(session.scalar(sa.select(sa.exists().where(sa.func.starts_with(Category.code, beginning)))))


def _now_holding(key: LineKey) -> sa.ColumnElement[bool]:
    columns = (ClockRule.rule_set, ClockRule.clock, ClockRule.category, ClockRule.level, ClockRule.channel)
    parts = zip((*columns, ClockRule.grade), astuple(key), strict=True)
    return sa.and_(
        ClockRule.valid_until.is_(None), *(column.is_not_distinct_from(value) for column, value in parts)
    )


def read_line(session: Session, key: str) -> State | None:
    """What a line says now, None where there is none."""
    line = session.scalar(sa.select(ClockRule).where(_now_holding(LineKey.parse(key))))
    return None if line is None else {"kind": line.kind, "value": float(line.value)}


def write_line(session: Session, key: str, state: State | None, now: datetime) -> None:
    """End what a line said, and let it say something else from now on; None takes it out of the set."""
    line = LineKey.parse(key)
    faults = line.faults(session)
    if state is not None:
        if state.get("kind") not in KINDS:
            faults.append(("the kind of time is unknown", "计时方式不认识"))
        if not 0 < float(state.get("value") or 0) <= MAX_VALUE:
            faults.append(
                (f"the limit must be above 0 and at most {MAX_VALUE}", f"时限须大于 0、不超过 {MAX_VALUE}")
            )
    if faults:
        raise _faulty(faults)
    session.execute(sa.update(ClockRule).where(_now_holding(line)).values(valid_until=now))
    if state is not None:
        session.add(_version(line, state["kind"], state["value"], now))
    session.flush()


def _version(line: LineKey, kind: str, value: float, since: datetime | None) -> ClockRule:
    return ClockRule(
        rule_set=line.rule_set,
        clock=line.clock,
        category=line.category,
        level=line.level,
        channel=line.channel,
        grade=line.grade,
        kind=kind,
        value=Decimal(str(value)),
        valid_from=since,
    )


def read_choice(session: Session, ground: str) -> State | None:
    """Which set was chosen for a ground, None where it follows the ground around it."""
    chosen = session.scalar(
        sa.select(RuleChoice.rule_set).where(RuleChoice.ground == ground, RuleChoice.valid_until.is_(None))
    )
    return None if chosen is None else {"rule_set": chosen}


def write_choice(session: Session, ground: str, state: State | None, now: datetime) -> None:
    """Let a ground live by a set from now on; None lets it follow the ground around it again."""
    faults = []
    if ground and code_level(ground) is None:
        faults.append((f"{ground!r} is no territory code", f"“{ground}”不是辖区编码"))
    if state is not None and session.get(RuleSet, state.get("rule_set") or "") is None:
        faults.append(
            (f"there is no rule set {state.get('rule_set')}", f"没有规则集 {state.get('rule_set')}")
        )
    if faults:
        raise _faulty(faults)
    session.execute(
        sa.update(RuleChoice)
        .where(RuleChoice.ground == ground, RuleChoice.valid_until.is_(None))
        .values(valid_until=now)
    )
    if state is not None:
        session.add(RuleChoice(ground=ground, rule_set=state["rule_set"], valid_from=now))
    session.flush()


_LINE = ("clock", "category", "level", "channel", "grade", "kind", "value")


def read_set(session: Session, code: str) -> State | None:
    """A set with its lines as they read now, None where there is none."""
    found = session.get(RuleSet, code)
    if found is None:
        return None
    lines = session.scalars(
        sa.select(ClockRule)
        .where(ClockRule.rule_set == code, ClockRule.valid_until.is_(None))
        .order_by(ClockRule.id)
    )
    named = ("name_zh", "name_en", "source", "office_hours")
    return {name: getattr(found, name) for name in named} | {
        "lines": [[*(getattr(line, name) for name in _LINE[:-1]), float(line.value)] for line in lines]
    }


def write_set(session: Session, code: str, state: State | None, now: datetime) -> None:
    """Add a set with its lines, or take out one that nobody has ever lived by.

    Raises Invalid for a set that cannot be, Conflict for one that is used or known already.
    """
    if state is None:
        _remove_set(session, code)
        return
    faults = []
    if not code.isidentifier() or len(code) > 30:
        faults.append(
            (f"{code!r} is no code: letters, digits and _", f"“{code}”不能作编码：只用字母、数字、下划线")
        )
    for name, zh in (("name_zh", "中文名称"), ("name_en", "英文名称")):
        if not 0 < len(str(state.get(name) or "").strip()) <= 80:
            faults.append((f"{name} must have 1 to 80 characters", f"{zh}须为 1 至 80 字"))
    faults += hour_faults(str(state.get("office_hours") or ""))
    if faults:
        raise _faulty(faults)
    if session.get(RuleSet, code) is not None:
        raise Conflict(
            en=f"There is a rule set {code} already.",
            zh=f"已有规则集 {code}。",
            remedy_en="Give the new one another code; sets in use are changed line by line.",
            remedy_zh="请换一个编码；已有规则集请逐条修改。",
        )
    named = {name: str(state[name]).strip() for name in ("name_zh", "name_en", "office_hours")}
    session.add(RuleSet(code=code, source=str(state.get("source") or ""), active=False, **named))
    session.flush()
    for clock, category, level, channel, grade, kind, value in state.get("lines") or ():
        line = LineKey(code, clock, category, level, channel, grade)
        if line_faults := line.faults(session):
            raise _faulty(line_faults)
        session.add(_version(line, kind, value, None))
    session.flush()


def _remove_set(session: Session, code: str) -> None:
    found = session.get(RuleSet, code)
    if found is None:
        raise NotFound(
            en=f"There is no rule set {code}.",
            zh=f"没有规则集 {code}。",
            remedy_en="Reload the page.",
            remedy_zh="请刷新页面。",
        )
    used = session.scalar(sa.select(sa.exists().where(RuleChoice.rule_set == code)))
    if found.active or used:
        raise Conflict(
            en=f"Cases have been measured by the rule set {code}; it stays.",
            zh=f"已有事件按规则集 {code} 计时，不能删除。",
            remedy_en="Choose another set for the ground; this one then simply rests.",
            remedy_zh="请为辖区另选规则集，该集停用即可。",
        )
    session.delete(found)
    session.flush()


def hour_faults(words: str) -> list[tuple[str, str]]:
    """What is wrong with office hours written as 08:30-12:00,13:30-17:30."""
    try:
        spans = office_hours(words)
        ends = [moment for span in spans for moment in span]
        if spans and ends == sorted(set(ends)):
            return []
    except ValueError:
        pass
    return [("office hours read like 08:30-12:00,13:30-17:30", "办公时间写作 08:30-12:00,13:30-17:30")]


def _faulty(faults: Sequence[tuple[str, str]]) -> Invalid:
    return Invalid(
        en="The rule cannot be: " + "; ".join(en for en, _ in faults) + ".",
        zh="规则有误：" + "；".join(zh for _, zh in faults) + "。",
        remedy_en="Correct these and save again.",
        remedy_zh="请更正后再保存。",
    )
