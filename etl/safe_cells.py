"""Text in tables that a spreadsheet shows and never runs.

A spreadsheet takes a CSV cell for a formula by its first sign, whatever quotes stand around it, and a case's
title is written by whoever reports. Such a cell goes out behind an apostrophe, as one would type it, and is
read again without.
"""

from __future__ import annotations

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""The full-width ones count where a spreadsheet is set to Chinese or Japanese."""


def safe_cell(text: str) -> str:
    return "'" + text if text.startswith(_STARTS) else text


def read_cell(text: str) -> str:
    """A cell as it was before `safe_cell`; an apostrophe before anything else is the text's own."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(_STARTS) else text
