"""How long what is kept is kept: the rules as rows, with bounds that nobody may leave.

One rule a kind of thing. What a rule removes, and how, is told by `api.retention`, the room that sees every
table; here stand its words, its bounds and why they are there, and the days a city has set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, DateTime
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base
from gis.errors import Invalid, NotFound

MARK = "已匿名 anonymised"
"""What stands where personal text stood. The triggers of append-only tables let nothing else be written."""

THREE_YEARS = 1095
HALF_A_YEAR = 180

_SHORTEST_NEED = (
    "《个人信息保护法》第十九条：保存期限为实现处理目的所必要的最短时间",
    "PIPL art. 19: no longer than the purpose needs",
)
_LOGS = (
    "《网络安全法》第二十一条：网络日志留存不少于六个月",
    "Cybersecurity Law art. 21: logs are kept six months at least",
)
_RECORDS = (
    "《个人信息保护法》第五十六条：处理情况记录至少保存三年",
    "PIPL art. 56: records of processing are kept three years at least",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that is forgotten: from when its days count, what becomes of it, and its bounds.

    `act` is delete or anonymise; `basis` says what the bounds stand on. All words are (Chinese, English).
    """

    title: tuple[str, str]
    counted_from: tuple[str, str]
    act: str
    tables: tuple[str, ...]
    least: int
    most: int
    basis: tuple[str, str]


KINDS: Mapping[str, Kind] = {
    "cases": Kind(
        ("事件中的个人信息", "Persons in cases"), ("结案", "its end"), "anonymise",
        ("incident", "incident_move", "subtask", "rating", "dispatch_override"),
        HALF_A_YEAR, 3650, _SHORTEST_NEED,
    ),
    "photos": Kind(
        ("事件照片", "Photographs"), ("结案", "the case's end"), "delete", ("incident_photo",),
        HALF_A_YEAR, 3650, _SHORTEST_NEED,
    ),
    "notices": Kind(
        ("通知与外发记录", "Notices and deliveries"), ("生成", "its writing"), "delete",
        ("notice", "delivery"), 30, 1825, _SHORTEST_NEED,
    ),
    "contacts": Kind(
        ("诉求人联系地址", "Reporters' addresses"), ("最后一件结案", "the end of their last case"), "delete",
        ("contact",), 30, 1825, _SHORTEST_NEED,
    ),
    "departed": Kind(
        ("离岗人员", "Members who left"), ("最后一个岗位结束", "the end of their last post"), "anonymise",
        ("member", "account", "undertaking_signature", "contact", "incident_move", "dispatch_override"),
        HALF_A_YEAR, 3650, _SHORTEST_NEED,
    ),
    "corrections": Kind(
        ("更正前的居民信息", "What residents' records said before"), ("更正", "the correction"), "delete",
        ("resident_correction",), HALF_A_YEAR, 3650, _SHORTEST_NEED,
    ),
    "tries": Kind(
        ("登录尝试计数", "Counts of sign-in tries"), ("计数归零", "the count's end"), "delete",
        ("sign_in_try",), 1, 30, _SHORTEST_NEED,
    ),
    "sessions": Kind(
        ("已结束的会话", "Sessions that ended"), ("失效", "its end"), "delete", ("access_token",),
        HALF_A_YEAR, 1825, _LOGS,
    ),
    "exports": Kind(
        ("导出登记", "The register of exports"), ("申请", "the request"), "delete",
        ("export_request", "export_file"), THREE_YEARS, 7300, _RECORDS,
    ),
    "trail": Kind(
        ("审计留痕", "The trail"), ("记录", "the entry"), "delete", ("audit_entry",),
        THREE_YEARS, 36500, _RECORDS,
    ),
}  # fmt: skip
"""Kind -> what is forgotten. Residents have none: they are kept as long as they live there, and the next file
or an erasure ends it (`layers.subject_rights`)."""


class RetentionRule(Base):
    """After how many days a kind is forgotten; when it was last looked at, and how many rows that took."""

    __tablename__ = "retention_rule"
    __table_args__ = (CheckConstraint("days > 0", name="days_positive"), {"info": {"open": True}})

    kind: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int]
    last_run_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_rows: Mapped[int | None]


def rules(session: Session) -> dict[str, RetentionRule]:
    """Every rule by its kind, in the order of `KINDS`."""
    found = {rule.kind: rule for rule in session.scalars(sa.select(RetentionRule))}
    return {kind: found[kind] for kind in KINDS if kind in found}


def read_rule(session: Session, kind: str) -> dict[str, Any] | None:
    """The state of a rule, for the history of settings."""
    rule = session.get(RetentionRule, kind)
    return None if rule is None else {"days": rule.days}


def write_rule(session: Session, kind: str, state: Mapping[str, Any] | None) -> None:
    """Set the days of a rule. Raises NotFound for a kind that is none, Invalid beyond its bounds."""
    bounds = KINDS.get(kind)
    if bounds is None or state is None:
        raise NotFound(
            en=f"There is no retention rule {kind}.",
            zh=f"没有留存规则 {kind}。",
            remedy_en="Rules are " + ", ".join(KINDS) + ".",
            remedy_zh="规则有：" + "、".join(KINDS) + "。",
        )
    days = state["days"]
    if not isinstance(days, int) or not bounds.least <= days <= bounds.most:
        raise Invalid(
            en=f"{bounds.title[1]}: {bounds.least} to {bounds.most} days.",
            zh=f"{bounds.title[0]}：{bounds.least} 至 {bounds.most} 天。",
            remedy_en=f"Choose a number of days within the bounds ({bounds.basis[1]}).",
            remedy_zh=f"请在范围内填写天数（{bounds.basis[0]}）。",
        )
    session.execute(sa.update(RetentionRule).where(RetentionRule.kind == kind).values(days=days))
