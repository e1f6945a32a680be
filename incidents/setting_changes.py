"""What was changed in the settings, by whom and when, and taking it back.

Every setting is put into a state by one function, which keeps the state it was in. So the history is
complete, and undoing is the same act with the two states exchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import DateTime, Identity
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis import audit, forgetting
from gis.access import Principal
from gis.database import Base
from gis.errors import Conflict, Denied, NotFound
from incidents import calendar_year, category_settings, notice_wording, rule_settings
from incidents.calendar import CITY_ZONE

State = dict[str, Any]

CITY_KEEPERS = frozenset({"admin", "city_officer"})
"""Roles that change what holds in the whole city."""
GROUND_KEEPERS = CITY_KEEPERS | {"district_officer"}
"""Roles that change what holds on their own ground: its rule set, its contacts."""


class SettingChange(Base):
    """One setting put from one state into another; None is "not there". Append-only."""

    __tablename__ = "setting_change"
    __table_args__ = ({"info": {"open": True}},)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    account_id: Mapped[int | None]
    username: Mapped[str]
    subject: Mapped[str]
    key: Mapped[str]
    before: Mapped[State | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[State | None] = mapped_column(JSONB(none_as_null=True))
    undoes: Mapped[int | None]
    """The change this one took back."""


@dataclass(frozen=True, slots=True)
class _Act:
    """Who changes something, and when."""

    by: Principal
    now: datetime
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind of setting: how it is read, and how it is put into a state."""

    read: Callable[[Session, str], State | None]
    write: Callable[[Session, str, State | None, _Act], None]
    of_a_ground: bool = False
    """The key is a territory, and whoever keeps that ground may change it."""
    keepers: frozenset[str] = CITY_KEEPERS


def _dated(
    write: Callable[[Session, str, State | None, datetime], None],
) -> Callable[[Session, str, State | None, _Act], None]:
    return lambda session, key, state, act: write(session, key, state, act.now)


def _plain(
    write: Callable[[Session, str, State | None], None],
) -> Callable[[Session, str, State | None, _Act], None]:
    return lambda session, key, state, _act: write(session, key, state)


def _write_year(session: Session, key: str, state: State | None, act: _Act) -> None:
    calendar_year.write_year(session, int(key), state, by=act.by, now=act.now, zone=act.zone)


SUBJECTS = {
    "rule": Subject(rule_settings.read_line, _dated(rule_settings.write_line)),
    "rule_choice": Subject(rule_settings.read_choice, _dated(rule_settings.write_choice), of_a_ground=True),
    "rule_set": Subject(rule_settings.read_set, _dated(rule_settings.write_set)),
    "category": Subject(category_settings.read_category, _plain(category_settings.write_category)),
    "category_group": Subject(category_settings.read_group, _plain(category_settings.write_group)),
    "calendar": Subject(calendar_year.read_year, _write_year),
    "notice": Subject(notice_wording.read_wording, _plain(notice_wording.write_wording)),
    "retention": Subject(forgetting.read_rule, _plain(forgetting.write_rule), keepers=frozenset({"admin"})),
}
"""Kind of setting -> how it changes. Contacts are kept in the history too, but hold what is personal."""


def change(
    session: Session,
    subject: str,
    key: str,
    state: State | None,
    *,
    by: Principal,
    now: datetime,
    zone: ZoneInfo = CITY_ZONE,
    undoes: int | None = None,
) -> SettingChange | None:
    """Put a setting into a state and keep the one it was in; None where it was in that state already.

    Raises Denied for a role that may not, and what the subject itself raises.
    """
    kind = SUBJECTS[subject]
    _require_keeper_of(kind, key, by)
    before = kind.read(session, key)
    kind.write(session, key, state, _Act(by, now, zone))
    after = kind.read(session, key)
    if after == before:
        return None
    return note(session, subject, key, before, after, by=by, now=now, undoes=undoes)


def note(
    session: Session,
    subject: str,
    key: str,
    before: State | None,
    after: State | None,
    *,
    by: Principal,
    now: datetime,
    undoes: int | None = None,
) -> SettingChange:
    """Append to the history, and to the trail of who did what."""
    changed = SettingChange(
        at=now,
        account_id=by.account_id,
        username=by.username,
        subject=subject,
        key=key,
        before=before,
        after=after,
        undoes=undoes,
    )
    session.add(changed)
    session.flush()
    audit.record(session, "change_setting", subject, key, by=by, now=now, change=changed.id)
    return changed


def changes(session: Session, *, subject: str | None = None, limit: int = 200) -> list[SettingChange]:
    """The history, newest first."""
    wanted = sa.select(SettingChange).order_by(SettingChange.id.desc()).limit(limit)
    return list(
        session.scalars(wanted if subject is None else wanted.where(SettingChange.subject == subject))
    )


def undo(
    session: Session, change_id: int, *, by: Principal, now: datetime, zone: ZoneInfo = CITY_ZONE
) -> SettingChange | None:
    """Put a setting back into the state before a change.

    Raises NotFound for a change that is none, Conflict where the setting has been changed again since or
    cannot be put back, Denied for a role that may not.
    """
    wanted = session.get(SettingChange, change_id)
    if wanted is None or wanted.subject not in SUBJECTS:
        raise NotFound(
            en=f"There is no change {change_id} that could be undone.",
            zh=f"没有可撤销的修改 {change_id}。",
            remedy_en="Reload the page.",
            remedy_zh="请刷新页面。",
        )
    kind = SUBJECTS[wanted.subject]
    _require_keeper_of(kind, wanted.key, by)
    if kind.read(session, wanted.key) != wanted.after:
        raise Conflict(
            en="This setting has been changed again since.",
            zh="该设置后来又改过。",
            remedy_en="Undo the later change first, or set what you want directly.",
            remedy_zh="请先撤销后来的修改，或直接改成需要的值。",
        )
    return change(
        session, wanted.subject, wanted.key, wanted.before, by=by, now=now, zone=zone, undoes=wanted.id
    )


def may_change(by: Principal, subject: str, key: str) -> bool:
    """Whether a person may put this setting into another state."""
    kind = SUBJECTS[subject]
    return may_keep(by, key if kind.of_a_ground else None) and (kind.of_a_ground or by.role in kind.keepers)


def _require_keeper_of(kind: Subject, key: str, by: Principal) -> None:
    require_keeper(by, key if kind.of_a_ground else None)
    if not kind.of_a_ground and by.role not in kind.keepers:
        raise Denied(
            en="This setting is the administrator's.",
            zh="该设置由系统管理员维护。",
            remedy_en="Ask an administrator.",
            remedy_zh="请联系系统管理员。",
        )


def may_keep(by: Principal, ground: str | None = None) -> bool:
    """Whether a person changes the settings of a ground, or with None those of the whole city."""
    if ground:
        return by.role in GROUND_KEEPERS and by.covers(ground)
    return by.role in CITY_KEEPERS


def require_keeper(by: Principal, ground: str | None = None) -> None:
    """Raises Denied where `may_keep` says no."""
    if may_keep(by, ground):
        return
    keepers = sorted(GROUND_KEEPERS if ground else CITY_KEEPERS)
    raise Denied(
        en="This setting is kept by the city; a district chooses its rule set and its contacts.",
        zh="该设置由市级维护；区级可选本区规则集和联系地址。",
        remedy_en="Ask one of: " + ", ".join(keepers) + ".",
        remedy_zh="可修改的角色：" + "、".join(keepers) + "。",
    )
