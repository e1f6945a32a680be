"""How personal fields are shown by default: enough to recognise, not enough to identify."""

from __future__ import annotations

MOST_CROSSES = 3
"""A long name would be known by its length, and fits no row."""


def mask_name(name: str) -> str:
    """王小明 -> 王××: the first sign stays, the rest is crossed out."""
    return name[:1] + "×" * min(max(len(name) - 1, 1), MOST_CROSSES) if name else ""


def mask_phone(phone: str | None) -> str | None:
    """A number of 11 digits keeps its first three and last four; a shorter one only its last two."""
    if not phone:
        return None
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 11 else "****" + phone[-2:]
