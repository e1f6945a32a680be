"""Answers to the questions a category asks of a report: checked against the questions as they read now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gis.errors import Invalid

MAX_TEXT = 200


def refuse_faulty(questions: Sequence[Mapping[str, Any]], answers: Mapping[str, Any]) -> None:
    """Raises Invalid with every fault at once: an unknown key, an answer of the wrong kind, one missing."""
    known = {question["key"]: question for question in questions}
    faults = [(f"nobody asks {key}", f"没有问题 {key}") for key in answers if key not in known]
    for key, question in known.items():
        given = answers.get(key)
        if given is None or given == "":
            if question.get("required"):
                faults.append((f"“{question['en']}” wants an answer", f"“{question['zh']}”须回答"))
        elif not _fits(question, given):
            faults.append((f"“{question['en']}” has no such answer", f"“{question['zh']}”的回答不合要求"))
    if faults:
        raise Invalid(
            en="The answers cannot be taken: " + "; ".join(en for en, _ in faults) + ".",
            zh="补充信息有误：" + "；".join(zh for _, zh in faults) + "。",
            remedy_en="GET /api/v1/categories lists the questions of each category.",
            remedy_zh="请按类别列出的问题填写。",
        )


def _fits(question: Mapping[str, Any], given: object) -> bool:
    kind = question["kind"]
    if kind == "yes_no":
        return isinstance(given, bool)
    if kind == "number":
        return isinstance(given, int | float) and not isinstance(given, bool) and abs(given) < 1e9
    if kind == "choice":
        return given in [option["zh"] for option in question.get("options") or ()]
    return isinstance(given, str) and len(given) <= MAX_TEXT
