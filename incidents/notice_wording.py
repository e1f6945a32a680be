"""The city's own words for a kind of notice, in place of the shipped ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from string import Formatter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.database import Base
from gis.errors import Invalid, NotFound
from incidents.contacts import LANGUAGES, SENDERS
from incidents.notice_kinds import BLANKS, NoticeKind, notice_kinds

State = dict[str, Any]

MAX_SUBJECT, MAX_TEXT = 80, 500

SAMPLE: dict[str, dict[str, str]] = {
    "zh": {
        "number": "20261125-0147",
        "title": "暴露垃圾（示例）",
        "place": "锦绣路 412 弄 3 号楼北侧",
        "stage": "已结案",
        "due": "11-25 16:48",
        "reply": "垃圾已清运。",
        "link": "/r/0123456789abcdef",
        "what": "清理路面",
        "joined_to": "20261125-0139",
    },
    "en": {
        "number": "20261125-0147",
        "title": "Dumped rubbish (sample)",
        "place": "Jinxiu Road 412, no. 3",
        "stage": "Closed",
        "due": "11-25 16:48",
        "reply": "The rubbish was taken away.",
        "link": "/r/0123456789abcdef",
        "what": "Clear the road",
        "joined_to": "20261125-0139",
    },
}
"""A case that never was, to show what a notice will read like."""


class NoticeWording(Base):
    """A kind of notice as this city words and sends it."""

    __tablename__ = "notice_wording"
    __table_args__ = ({"info": {"open": True}},)

    kind: Mapped[str] = mapped_column(primary_key=True)
    urgent: Mapped[bool]
    senders: Mapped[list[str]] = mapped_column(ARRAY(sa.Text()))
    subject_zh: Mapped[str]
    subject_en: Mapped[str]
    text_zh: Mapped[str]
    text_en: Mapped[str]


def worded_kinds(session: Session) -> dict[str, NoticeKind]:
    """Every kind by its name, in this city's words where it has its own."""
    own = {row.kind: row for row in session.scalars(sa.select(NoticeWording))}
    return {name: _worded(kind, own.get(name)) for name, kind in notice_kinds().items()}


def own_wordings(session: Session) -> set[str]:
    """The kinds this city has its own words for."""
    return set(session.scalars(sa.select(NoticeWording.kind)))


def _worded(kind: NoticeKind, own: NoticeWording | None) -> NoticeKind:
    if own is None:
        return kind
    return replace(
        kind,
        urgent=own.urgent,
        senders=tuple(own.senders),
        subject={"zh": own.subject_zh, "en": own.subject_en},
        text={"zh": own.text_zh, "en": own.text_en},
    )


def read_wording(session: Session, kind: str) -> State | None:
    """The city's own words for a kind, None where the shipped ones hold."""
    own = session.get(NoticeWording, kind)
    if own is None:
        return None
    shown = asdict(_worded(_shipped(kind), own))
    return {
        name: list(value) if name == "senders" else value for name, value in shown.items() if name != "name"
    }


def write_wording(session: Session, kind: str, state: State | None) -> None:
    """Give a kind words of the city's own; None goes back to the shipped ones.

    Raises NotFound for a kind that is none, Invalid with every fault at once.
    """
    _shipped(kind)
    own = session.get(NoticeWording, kind)
    if state is None:
        if own is not None:
            session.delete(own)
            session.flush()
        return
    faults = [fault for name in ("subject", "text") for fault in _word_faults(name, state.get(name) or {})]
    if not set(state.get("senders") or ()) <= set(SENDERS):
        faults.append(("senders are " + ", ".join(SENDERS), "发送方式为 " + "、".join(SENDERS)))
    _refuse(faults)
    if own is None:
        own = NoticeWording(kind=kind)
        session.add(own)
    own.urgent, own.senders = bool(state.get("urgent")), [one for one in SENDERS if one in state["senders"]]
    own.subject_zh, own.subject_en = (state["subject"][language].strip() for language in LANGUAGES)
    own.text_zh, own.text_en = (state["text"][language].strip() for language in LANGUAGES)
    session.flush()


def preview(subject: str, text: str, language: str) -> tuple[str, str]:
    """Subject and text with the sample case's facts in them. Raises Invalid for a blank there is none of."""
    _refuse([*_blank_faults("subject", subject, language), *_blank_faults("text", text, language)])
    sample = SAMPLE[language if language in SAMPLE else "zh"]
    return subject.format_map(sample), text.format_map(sample)


def _shipped(kind: str) -> NoticeKind:
    found = notice_kinds().get(kind)
    if found is None:
        raise NotFound(
            en=f"There is no kind of notice {kind}.",
            zh=f"没有通知类型 {kind}。",
            remedy_en="Kinds are " + ", ".join(notice_kinds()) + ".",
            remedy_zh="类型有 " + "、".join(notice_kinds()) + "。",
        )
    return found


_PARTS = {"subject": ("标题", MAX_SUBJECT), "text": ("正文", MAX_TEXT)}
_LANGUAGE_NAMES = {"zh": ("Chinese", "中文"), "en": ("English", "英文")}


def _word_faults(part: str, words: Mapping[str, str]) -> list[tuple[str, str]]:
    """Faults of the subject or the text, in both languages."""
    found: list[tuple[str, str]] = []
    zh, most = _PARTS[part]
    for language in LANGUAGES:
        said = (words.get(language) or "").strip()
        language_en, language_zh = _LANGUAGE_NAMES[language]
        if not 0 < len(said) <= most:
            found.append(
                (
                    f"the {language_en} {part} must have 1 to {most} characters",
                    f"{language_zh}{zh}须为 1 至 {most} 字",
                )
            )
        found += _blank_faults(part, said, language)
    return found


def _blank_faults(part: str, said: str, language: str) -> list[tuple[str, str]]:
    """Blanks that are unknown, or braces that open and do not close."""
    zh = _PARTS[part][0]
    language_en, language_zh = _LANGUAGE_NAMES.get(language, _LANGUAGE_NAMES["zh"])
    try:
        parsed = [(name, spec, turn) for _, name, spec, turn in Formatter().parse(said) if name is not None]
    except ValueError:
        return [(f"a brace in the {language_en} {part} does not close", f"{language_zh}{zh}里的花括号不成对")]
    wrong = [name for name, spec, turn in parsed if name not in BLANKS or spec or turn]
    return [
        (
            f"{{{name}}} in the {language_en} {part} is no blank",
            f"{language_zh}{zh}里的 {{{name}}} 不是可用的占位符",
        )
        for name in dict.fromkeys(wrong)
    ]


def _refuse(faults: list[tuple[str, str]]) -> None:
    if faults:
        raise Invalid(
            en="The notice cannot be: " + "; ".join(en for en, _ in faults) + ".",
            zh="通知模板有误：" + "；".join(zh for _, zh in faults) + "。",
            remedy_en="Blanks are " + ", ".join(f"{{{blank}}}" for blank in BLANKS) + ".",
            remedy_zh="可用的占位符：" + "、".join(f"{{{blank}}}" for blank in BLANKS) + "。",
        )
