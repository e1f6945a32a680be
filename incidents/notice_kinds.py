"""The kinds of notice that are told outside the house, and their shipped words (`data/code_tables`).

A city may give a kind words of its own: `incidents.notice_wording`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from incidents.code_tables import shipped

BLANKS = ("number", "title", "place", "stage", "due", "reply", "link", "what", "joined_to")
"""What the words of a kind may speak of."""

ENDS = {
    "closed": {"zh": "已结案", "en": "Closed"},
    "rejected": {"zh": "不予立案", "en": "Not taken up"},
    "void": {"zh": "已作废", "en": "Made void"},
}
"""How a case can end, in words for its reporter."""


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """One kind: whether it may wake somebody, who carries it, and its words by language."""

    name: str
    urgent: bool
    senders: tuple[str, ...]
    subject: Mapping[str, str]
    text: Mapping[str, str]


@lru_cache(maxsize=1)
def notice_kinds() -> dict[str, NoticeKind]:
    """Every kind by its name, in the order of the file."""
    return {
        row["kind"]: NoticeKind(
            name=row["kind"],
            urgent=row["urgent"],
            senders=tuple(row["senders"].split()),
            subject={"zh": row["subject_zh"], "en": row["subject_en"]},
            text={"zh": row["text_zh"], "en": row["text_en"]},
        )
        for row in shipped("notice_kinds")
    }
