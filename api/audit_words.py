"""What a check of the trail found, in words."""

from __future__ import annotations

from gis.audit_chain import Verdict


def fault_words(verdict: Verdict) -> tuple[str, str]:
    """(Chinese, English) of the first fault; both empty when the trail is as it was sealed."""
    if verdict.fault is None:
        return "", ""
    entry = verdict.entry_id
    return {
        "changed": (f"第 {entry} 条被改过", f"entry {entry} was changed"),
        "missing": (f"第 {entry} 条被删除", f"entry {entry} was removed"),
        "added": (f"第 {entry} 条是后来塞入的", f"entry {entry} was put in afterwards"),
        "cut": (f"第 {entry} 条所称的裁剪不属实", f"the cut that entry {entry} tells of is not true"),
        "seal": (f"封存 {verdict.seal_id} 被改过", f"seal {verdict.seal_id} was changed"),
    }[verdict.fault]
