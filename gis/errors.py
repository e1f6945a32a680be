"""The five ways a request can fail, each told in two languages and with its remedy.

Rooms above raise subclasses that live beside the code that raises them; the door maps the five kinds to
statuses (`api.errors`). `details` carries facts a program can use, never personal data.
"""

from __future__ import annotations

from typing import Any


class CityGridError(Exception):
    """A failure a person can act on. Raise one of the five kinds below, never this class itself."""

    def __init__(self, en: str, zh: str, *, remedy_en: str = "", remedy_zh: str = "", **details: Any) -> None:
        super().__init__(en)
        self.message_en = en
        self.message_zh = zh
        self.remedy_en = remedy_en
        self.remedy_zh = remedy_zh
        self.details = details

    def __str__(self) -> str:
        return f"{self.message_en} {self.remedy_en}".strip()


class Invalid(CityGridError):
    """The input is wrong, and sending it again unchanged stays wrong."""


class Denied(CityGridError):
    """The caller is known but may not do this. A row outside one's territory is NotFound, not Denied."""


class NotFound(CityGridError):
    """There is no such thing, or the caller may not know that there is."""


class Conflict(CityGridError):
    """The world changed meanwhile, or the same key came with another body."""


class Unavailable(CityGridError):
    """Something this needs is not there now; trying again later may work."""
