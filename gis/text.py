"""Which text PostgreSQL can keep."""

from __future__ import annotations


def can_be_kept(text: str) -> bool:
    """Whether PostgreSQL takes it: no NUL, and no half of a surrogate pair, which JSON can smuggle in."""
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False
