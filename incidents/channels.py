"""By which channel a report comes in, and who may say that it came by which."""

from __future__ import annotations

from gis.errors import Denied
from incidents.incident import CHANNELS
from incidents.lifecycle import DESK, FIELD

_OF_THE_FORCE = ("member",)
_OF_THE_DESK = ("desk", "hotline", "wechat", "sensor", "resident")
_OF_A_RESIDENT = ("resident",)


def channels_open_to(role: str) -> tuple[str, ...]:
    """The channels a role may report by; the first is taken where a report names none.

    The desk takes down what the hotline, a chat, a sensor or a resident at the counter says; the grid force
    reports what it sees; everybody else speaks for themselves.
    """
    if role in DESK:
        return _OF_THE_DESK
    if role in FIELD or role in ("inspector", "department_handler", "analyst"):
        return _OF_THE_FORCE
    return _OF_A_RESIDENT


def channel_for(role: str, wanted: str | None) -> str:
    """The channel of a report. Raises Denied for one the role may not report by, or that does not exist.

    A channel decides whether a report waits for confirmation, so it is never taken on trust.
    """
    allowed = channels_open_to(role)
    if wanted is None:
        return allowed[0]
    if wanted in allowed:
        return wanted
    known = "" if wanted in CHANNELS else " (there is no such channel)"
    raise Denied(
        en=f"The role {role} does not report by {wanted[:20]!r}{known}.",
        zh=f"角色 {role} 不能以“{wanted[:20]}”渠道上报。",
        remedy_en="Leave channel out, or use one of: " + ", ".join(allowed) + ".",
        remedy_zh="请不填 channel，或用：" + "、".join(allowed) + "。",
    )
