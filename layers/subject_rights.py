"""The rights of the person: what is held about them and who saw it, putting it right, making it nameless.

As in `layers.household_reading` the tables are closed, and functions of the database answer: they ask for
duty and ground, mask for those who may not read plainly, and leave an entry of the trail in the same breath.
The trail holds no word of the person: of a correction it keeps a salted digest, whose salt goes with the
correction's row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis.access import SUPERVISOR_ROLES, Principal
from gis.errors import Conflict, Denied, Invalid
from gis.text import can_be_kept
from layers.catalog import LAYERS, Privacy
from layers.household_reading import READERS, From

REPORTERS = SUPERVISOR_ROLES
"""Roles that answer a person who asks what is held. Who only runs the system sees the answer masked."""
OFFICERS = READERS & SUPERVISOR_ROLES
"""Of them those whose duty is to know who lives on their ground; they also make a person nameless."""
CORRECTORS = OFFICERS | {"community_officer"}
"""Roles that put a record right."""

CORRECT, ERASE = "correct_resident", "erase_resident"
"""Actions of the trail, besides the looks of `layers.household_reading`."""

PURPOSES = {
    "request": ("本人申请", "The person asked"),
    "complaint": ("投诉核查", "A complaint"),
    "inspection": ("监督检查", "An inspection"),
}
"""What a report may be made for."""

GROUNDS = {
    "moved_away": ("已迁出，目的已实现", "Moved away: the purpose is met"),
    "withdrawn": ("本人撤回同意", "Consent withdrawn"),
    "unlawful": ("违法或违约处理", "Held against the law"),
    "deceased": ("已故，近亲属请求", "Deceased, the family asked"),
    "ordered": ("主管机关决定", "Ordered by an authority"),
}
"""Why a person may be made nameless (PIPL art. 47 and 49); there is no other reason."""

CORRECTABLE = ("name", "gender", "birth_year", "phone", "is_head", "tags")
MAX_TEXT = 200

_LABELS = {
    ("contact", "address"): ("地址", "Address", Privacy.PERSONAL),
    ("contact", "sender"): ("方式", "By", Privacy.INTERNAL),
    ("member", "name"): ("姓名", "Name", Privacy.INTERNAL),
    ("member", "phone"): ("电话", "Phone", Privacy.PERSONAL),
    ("member", "role"): ("岗位", "Post", Privacy.OPEN),
    ("account", "username"): ("用户名", "User name", Privacy.INTERNAL),
    ("resident_correction", "field"): ("字段", "Field", Privacy.INTERNAL),
    ("resident_correction", "before"): ("更正前", "Before", Privacy.PERSONAL),
    ("resident_correction", "after"): ("更正后", "After", Privacy.PERSONAL),
    ("resident_correction", "reason"): ("原因", "Reason", Privacy.PERSONAL),
}
"""(table, field) -> its words and class, for what is in no layer."""


@dataclass(frozen=True, slots=True)
class Held:
    """One field and what it holds; masked where the reader's duty does not reach."""

    name: str
    zh: str
    en: str
    privacy: str
    value: Any


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """One row about the person: where it came from, until when it is kept (None: while they live there)."""

    table: str
    key: str
    source: str | None
    kept_until: datetime | None
    fields: list[Held]


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the person, as the trail tells it."""

    at: datetime
    username: str
    action: str
    purpose: str | None
    face: str | None


@dataclass(frozen=True, slots=True)
class SubjectReport:
    """Everything held about one person, and who saw it. `masked`: the reader may not read it plainly."""

    resident_id: int
    territory: str
    masked: bool
    records: list[HeldRecord]
    seen: list[Seen]
    loads: list[str]
    """Files that the register of residents was last loaded from."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A correction that was made; None where the record said so already."""

    correction: int | None


def report(
    session: Session,
    *,
    resident_id: int | None = None,
    name: str | None = None,
    phone: str | None = None,
    purpose: str,
    by: Principal,
    now: datetime,
    where: From,
    kept_days: Mapping[str, int],
) -> list[SubjectReport]:
    """What is held about a person, found by number, or by exact name and telephone; usually one, or nobody.

    `kept_days` tells after how many days corrections and cases are forgotten. Nobody found is kept in the
    trail too, so the door tells its failure after the commit. Raises Denied, Invalid.
    """
    _require(by, REPORTERS)
    if purpose not in PURPOSES:
        raise _no_choice("purpose", "用途", purpose, PURPOSES)
    if resident_id is None and not (name and phone):
        raise Invalid(
            en="A person is found by their number, or by exact name and telephone.",
            zh="查询须提供居民编号，或准确的姓名和电话。",
            remedy_en="Fill in both name and telephone.",
            remedy_zh="请同时填写姓名和电话。",
        )
    found = session.execute(
        sa.text("SELECT subject_report(:id, :name, :phone, :now, :face, :origin, :purpose)"),
        {
            "id": resident_id, "name": name, "phone": phone, "now": now, "face": where.face,
            "origin": where.address, "purpose": purpose,
        },
    ).scalar_one()  # fmt: skip
    return [_report(one, kept_days) for one in found]


def correct(
    session: Session,
    resident_id: int,
    field: str,
    value: str | None,
    reason: str,
    *,
    by: Principal,
    now: datetime,
    where: From,
    undoes: int | None = None,
) -> Corrected | None:
    """Put one field of a person right; what it said before is kept with the reason.

    `value` is text: a year, true or false, tags with commas. None back where there is no such person on the
    reader's ground. Raises Denied, Invalid.
    """
    _require(by, CORRECTORS)
    if field not in CORRECTABLE:
        raise _no_choice("field", "字段", field, CORRECTABLE)
    if not 1 <= len(reason.strip()) <= MAX_TEXT or not can_be_kept(reason):
        raise Invalid(
            en=f"A correction needs a reason of at most {MAX_TEXT} characters.",
            zh=f"更正须写明原因，不超过 {MAX_TEXT} 字。",
            remedy_en="Write what it rests on: a document, the person's own word.",
            remedy_zh="请写明依据：证件、本人说明等。",
        )
    found = session.execute(
        sa.text("SELECT correct_resident(:id, :field, :value, :reason, :undoes, :now, :face, :origin)"),
        {
            "id": resident_id, "field": field, "value": _checked(field, value), "reason": reason.strip(),
            "undoes": undoes, "now": now, "face": where.face, "origin": where.address,
        },
    ).scalar_one()  # fmt: skip
    return None if found is None else Corrected(found["correction"])


def undo(
    session: Session, correction_id: int, reason: str, *, by: Principal, now: datetime, where: From
) -> Corrected | None:
    """Take a correction back. None where there is none on the reader's ground.

    Raises Conflict where the field was changed again since, and what `correct` raises.
    """
    _require(by, CORRECTORS)
    row = session.execute(
        sa.text("SELECT * FROM correction_to_undo(:id) AS t(resident_id, field, before, fits)"),
        {"id": correction_id},
    ).first()
    if row is None:
        return None
    if not row.fits:
        raise Conflict(
            en="The field was changed again since, or this was taken back already.",
            zh="该字段后来又改过，或已撤销。",
            remedy_en="Correct it to what you want directly.",
            remedy_zh="请直接更正为需要的内容。",
        )
    return correct(
        session, row.resident_id, row.field, row.before, reason, by=by, now=now, where=where,
        undoes=correction_id,
    )  # fmt: skip


def erase(
    session: Session, resident_id: int, ground: str, *, by: Principal, now: datetime, where: From
) -> bool:
    """Make one person nameless, for good: no file and no correction names them again. The dwelling stays.

    False where there is no such person on the reader's ground. Raises Denied, Invalid for a ground the law
    does not know.
    """
    _require(by, OFFICERS)
    if ground not in GROUNDS:
        raise _no_choice("ground", "理由", ground, GROUNDS)
    told = {"id": resident_id, "ground": ground, "now": now, "face": where.face, "origin": where.address}
    done = session.execute(sa.text("SELECT erase_resident(:id, :ground, :now, :face, :origin)"), told)
    return bool(done.scalar_one())


def _checked(field: str, value: str | None) -> str | None:
    """The text a field may hold. Raises Invalid."""
    text = (value or "").strip()
    fits = {
        "name": 1 <= len(text) <= 80,
        "gender": text in ("", "m", "f"),
        "birth_year": text == "" or (text.isascii() and text.isdigit() and 1880 <= int(text[:5]) <= 2100),
        "phone": text == "" or (5 <= len(text) <= 20 and set(text) <= set("0123456789+- ")),
        "is_head": text in ("true", "false"),
        "tags": len(text) <= MAX_TEXT,
    }[field] and can_be_kept(text)
    if not fits:
        raise Invalid(
            en=f"{field} cannot hold that.",
            zh=f"“{_label('resident', field)[0]}”不能是该内容。",
            remedy_en="A name of at most 80 characters; gender m or f; a year; a telephone number;"
            " true or false; tags with commas.",
            remedy_zh="姓名不超过 80 字；性别填 m 或 f；出生年四位；电话填号码；"
            "户主填 true 或 false；标签用逗号分开。",
        )
    return text or None


def _report(found: Mapping[str, Any], kept_days: Mapping[str, int]) -> SubjectReport:
    resident, masked = found["resident"], found["masked"]
    records = [_record("resident", resident["id"], resident, resident.get("source_code"))]
    home = found["household"]
    records.append(_record("household", home["id"], home, home.get("source_code")))
    for one in found["corrections"]:
        until = _until(one["at"], kept_days["corrections"])
        records.append(_record("resident_correction", one["id"], one, one["username"], until))
    for one in found["cases"]:
        until = _until(one["closed_at"], kept_days["cases"])
        records.append(_record("incident", one["number"], one, one["channel"], until))
    for table in ("contact", "member", "account"):
        records += [_record(table, one["id"], one, None) for one in found[f"{table}s"]]
    seen = [Seen(**{**one, "at": datetime.fromisoformat(one["at"])}) for one in found["looks"]]
    return SubjectReport(resident["id"], resident["territory"], masked, records, seen, found["loads"])


def _until(start: str | None, days: int) -> datetime | None:
    return None if start is None else datetime.fromisoformat(start) + timedelta(days=days)


def _record(
    table: str, key: object, row: Mapping[str, Any], source: str | None, until: datetime | None = None
) -> HeldRecord:
    known = [field.name for field in _fields(table)] + [name for of, name in _LABELS if of == table]
    held = [Held(name, *_label(table, name), row[name]) for name in known if name in row]
    return HeldRecord(table, str(key), source, until, held)


def _fields(table: str) -> Iterable[Any]:
    return next((layer.fields for layer in LAYERS.values() if layer.table == table), ())


def _label(table: str, name: str) -> tuple[str, str, str]:
    """(Chinese, English, privacy class) of a field."""
    for field in _fields(table):
        if field.name == name:
            return field.zh, field.en, field.privacy.value
    zh, en, privacy = _LABELS[table, name]
    return zh, en, privacy.value


def _require(by: Principal, roles: Iterable[str]) -> None:
    if by.role not in roles:
        raise Denied(
            en="Your role does not answer for people's records.",
            zh="您的角色不办理个人信息查询和更正。",
            remedy_en="Ask the office of the subdistrict.",
            remedy_zh="请联系街道。",
        )


def _no_choice(en: str, zh: str, given: str, known: Iterable[str]) -> Invalid:
    listed = list(known)
    return Invalid(
        en=f"There is no {en} {given[:40]}.",
        zh=f"没有{zh} {given[:40]}。",
        remedy_en="Choose one of " + ", ".join(listed) + ".",
        remedy_zh="可选：" + "、".join(listed) + "。",
    )
