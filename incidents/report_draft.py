"""What somebody reports, before anything of it is believed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from typing import Any

import orjson

from gis.errors import Invalid
from gis.text import can_be_kept

MAX_DESCRIPTION = 4000
MAX_TITLE = 60


@dataclass(frozen=True, slots=True)
class ReportDraft:
    """What somebody reports. `lon`, `lat` are in the declared `crs`; nothing here is trusted yet."""

    report_key: str
    lon: float
    lat: float
    crs: str
    category: str
    description: str = ""
    title: str | None = None
    accuracy_m: float | None = None
    accuracy_level: int | None = None
    floor: int | None = None
    unit: str | None = None
    room: str | None = None
    component_id: int | None = None
    channel: str = "member"
    on_behalf: str | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    """To the questions of its category, by their keys."""
    chosen_cell: str | None = None
    """The reporter's answer to "which side of the road?": the cell they say they stand in."""
    same_as: int | None = None
    """The case nearby that the reporter says is the same thing; believed where it is alike."""


_FIELDS = tuple(field.name for field in fields(ReportDraft))


def refuse_faulty(draft: ReportDraft) -> None:
    """Faults of the text itself, all at once."""
    faults = []
    if not 1 <= len(draft.report_key) <= 80:
        faults.append(("report_key must have 1 to 80 characters", "report_key 须为 1 至 80 个字符"))
    if len(draft.description) > MAX_DESCRIPTION:
        faults.append(
            (f"description is longer than {MAX_DESCRIPTION} characters", f"描述超过 {MAX_DESCRIPTION} 字")
        )
    if draft.title and len(draft.title) > MAX_TITLE:
        faults.append((f"title is longer than {MAX_TITLE} characters", f"标题超过 {MAX_TITLE} 字"))
    told = (getattr(draft, name) for name in _FIELDS)
    if not all(can_be_kept(text) for text in told if isinstance(text, str)):
        faults.append(("text holds a character that is none", "文字中含有无法保存的字符"))
    if faults:
        raise Invalid(
            en="; ".join(en for en, _ in faults) + ".",
            zh="；".join(zh for _, zh in faults) + "。",
            remedy_en="Shorten or correct these and send again.",
            remedy_zh="请改短或更正后重新提交。",
        )


def body_hash(draft: ReportDraft) -> str:
    """Of all that was sent: the same key with another body is another report."""
    body = {name: getattr(draft, name) for name in _FIELDS}
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
