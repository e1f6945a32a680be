"""The words of a decision: the trace of its steps and the one readable sentence, in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass, field

POST_NAMES = {
    "member": ("网格员", "member"),
    "leader": ("网格长", "cell leader"),
    "police_officer": ("片警", "police officer"),
    "property_manager": ("物管员", "property manager"),
    "building_head": ("楼栋长", "building head"),
    "street_chief": ("街长", "street chief"),
    "subdistrict_duty_officer": ("街道值班员", "subdistrict duty officer"),
}

_LEADS = {
    "component": ("部件属网格 {code}", "The component belongs to cell {code}"),
    "building": ("在网格 {code} 的楼栋", "At a building of cell {code}"),
    "special": ("在专属网格 {code} 内", "In special cell {code}"),
    "exception": ("在划归网格 {code} 的例外地段", "On ground given to cell {code} by exception"),
    "covered": ("落在网格 {code} 内", "In cell {code}"),
    "shared_edge": (
        "正好在网格边界上，取编码小的 {code}",
        "Exactly on a border: the lower code, {code}",
    ),
}


@dataclass(slots=True)
class Trace:
    """The steps of a decision, in the order they were taken."""

    steps: list[dict[str, str]] = field(default_factory=list)

    def note(self, step: str, zh: str, en: str) -> None:
        self.steps.append({"step": step, "zh": zh, "en": en})


def sentence(
    rule: str,
    code: str | None,
    border_m: float | None,
    confidence: float,
    person: tuple[str, bool] | None,
) -> tuple[str, str]:
    """The reason in one sentence (Chinese, English): cell, metres, confidence, duty.

    `person` is the receiver's name as shown and whether they are on duty.
    """
    who_zh, who_en = _who(person)
    if code is None:
        return (
            f"附近 50 米内没有网格，按属地兜底交街道值班员；{who_zh}。",
            f"No cell within 50 m; by the orphan rule the subdistrict's duty officer answers; {who_en}.",
        )
    sure = _percent(confidence)
    metres_zh, metres_en = _metres(border_m)
    if rule == "near":
        return (
            f"不在任何网格内，最近的是 {code}，相距 {metres_zh}，把握 {sure}%；{who_zh}。",
            f"In no cell; the nearest is {code}, {metres_en} away, {sure} % sure; {who_en}.",
        )
    lead_zh, lead_en = (lead.format(code=code) for lead in _LEADS[rule])
    return (
        f"{lead_zh}，距边界 {metres_zh}，把握 {sure}%；{who_zh}。",
        f"{lead_en}, {metres_en} from its border, {sure} % sure; {who_en}.",
    )


def _who(person: tuple[str, bool] | None) -> tuple[str, str]:
    if person is None:
        return "无人值班", "nobody is on duty"
    name, on_duty = person
    if on_duty:
        return f"{name}正在值班", f"{name} is on duty"
    return f"{name}不在岗，先记名下", f"{name} is off duty"


def _percent(confidence: float) -> int:
    """Whole per cent; 100 only for what is beyond doubt."""
    return 100 if confidence >= 0.9995 else min(99, int(confidence * 100 + 0.5))


def _metres(border_m: float | None) -> tuple[str, str]:
    if border_m is None or border_m < 1:
        return "不到 1 米", "under 1 m"
    return f"{border_m:.0f} 米", f"{border_m:.0f} m"
