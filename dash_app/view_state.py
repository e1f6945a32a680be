"""What the address bar says: the filter, the selection and the order. Everything on the desk is a link.

Reading and writing an address are inverse, so a reload, a bookmark or a link in a message shows the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from dash_app.tokens import CLOCKS
from gis.text import can_be_kept
from incidents.case_rows import ANSWER_STATES
from incidents.incident import ENDED, STAGES
from incidents.queries import Filter
from incidents.work_queues import QUEUES

TO_DISPATCH = "reported,registered"
HANDLING = "dispatched,handling,handled,verified,parked"
SELECTABLE = ("incident", "cell", "building", "shop", "component", "strip", "exception")
SPANS = {"today": 1, "7d": 7, "30d": 30}
TABS = ("mine", "dispatch", "all")
ORDERS = ("due", "reported")
SCOPES = ("every", "ended")
"""What the case page lists besides open cases, which is what it does when nothing is said."""


_DOOR = re.compile(r"[^~]{0,40}~(-?\d{1,3})?")


def midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """The beginning of the city's own day."""
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class ViewState:
    """One address of the desk. Unknown or malformed values are dropped, never an error page."""

    territory: str = ""
    stage: str = ""
    clock: str = ""
    category: str = ""
    when: str = ""
    from_: str = ""
    to: str = ""
    q: str = ""
    tab: str = ""
    work: str = ""
    """Which work queue of "my turn"."""
    answer: str = ""
    """Which state of 件件有回音 (`incidents.case_rows.ANSWER_STATES`)."""
    sort: str = ""
    span: str = ""
    scope: str = ""
    incident: str = ""
    cell: str = ""
    building: str = ""
    door: str = ""
    """Of the building: a unit and a floor, `unit~floor` (`panels.stack`)."""
    shop: str = ""
    component: str = ""
    strip: str = ""
    exception: str = ""

    @classmethod
    def parse(cls, search: str | None) -> ViewState:
        """Read a query string, with or without its question mark."""
        known = {field.name for field in fields(cls)}
        values: dict[str, str] = {}
        for key, value in parse_qsl((search or "").lstrip("?")):
            name = "from_" if key == "from" else key
            if name in known and len(value) <= 200 and can_be_kept(value):
                values[name] = value.strip()
        return cls(**values)._checked()

    def _checked(self) -> ViewState:
        """The same address with everything that cannot mean anything left out."""
        changes: dict[str, str] = {}
        for name in ("territory", *SELECTABLE):
            if not getattr(self, name).isdecimal():
                changes[name] = ""
        if len(self.territory) not in (4, 6, 9, 12, 15):
            changes["territory"] = ""
        changes["stage"] = ",".join(part for part in self.stage.split(",") if part in STAGES)
        changes["clock"] = ",".join(part for part in self.clock.split(",") if part in CLOCKS)
        choices: dict[str, Collection[str]] = {
            "tab": TABS,
            "work": QUEUES,
            "answer": ANSWER_STATES,
            "span": SPANS,
            "when": SPANS,
            "sort": ORDERS,
            "scope": SCOPES,
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                changes[name] = ""
        for name in ("from_", "to"):
            if _moment(getattr(self, name)) is None:
                changes[name] = ""
        chosen = next((name for name in SELECTABLE if changes.get(name, getattr(self, name))), None)
        for name in SELECTABLE:
            if name != chosen:
                changes[name] = ""
        if chosen != "building" or not _DOOR.fullmatch(self.door):
            changes["door"] = ""
        return replace(self, **changes)

    @property
    def query(self) -> str:
        """The query string without its question mark; empty for the plain desk."""
        pairs = [
            ("from" if field.name == "from_" else field.name, getattr(self, field.name))
            for field in fields(self)
            if getattr(self, field.name)
        ]
        return urlencode(pairs, safe=",:")

    def href(self, path: str = "/", **changes: str | int) -> str:
        """An address like this one with something changed; choosing one thing lets go of the other."""
        values = {name: str(value) for name, value in changes.items()}
        if any(name in SELECTABLE for name in values):
            values = {**dict.fromkeys((*SELECTABLE, "door"), ""), **values}
        query = replace(self, **values).query
        return f"{path}?{query}" if query else path

    @property
    def selection(self) -> tuple[str, str] | None:
        """What is chosen: its kind and its number or code."""
        return next(((name, getattr(self, name)) for name in SELECTABLE if getattr(self, name)), None)

    @property
    def without_selection(self) -> ViewState:
        return replace(self, **dict.fromkeys((*SELECTABLE, "door"), ""))

    @property
    def filtered(self) -> bool:
        """Whether the list is narrowed by anything but the territory."""
        return bool(
            self.answer
            or self.stage
            or self.clock
            or self.category
            or self.when
            or self.from_
            or self.to
            or self.q
        )

    @property
    def wants_closed(self) -> bool:
        """Whether finished cases belong in the list."""
        return "closed" in self.clock.split(",") or bool(
            {"closed", "rejected", "void"} & set(self.stage.split(","))
        )

    def window(self, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The time bar's window: today from midnight to midnight, or the last days up to midnight."""
        start, days = midnight(now, zone), SPANS.get(self.span, 1)
        return start - timedelta(days=days - 1), start + timedelta(days=1)

    def filter(self, now: datetime, zone: ZoneInfo, categories: dict[str, list[str]]) -> Filter:
        """The filter the queries understand. `categories` maps a group's code to its categories' codes.

        Open cases are meant unless the address asks for finished ones (by scope, stage or clock) or for a
        period. Finished ones by clock alone are those of today: the counter says so.
        """
        since = _moment(self.from_)
        until = _moment(self.to)
        if self.when:
            since = midnight(now, zone) - timedelta(days=SPANS[self.when] - 1)
        wanted = [code for part in self.category.split(",") if part for code in categories.get(part, [part])]
        ended_today = None
        if self.wants_closed and not since and not self.scope:
            ended_today = midnight(now, zone)
        return Filter(
            territory=self.territory or None,
            stages=self._stages,
            clocks=tuple(part for part in self.clock.split(",") if part),
            categories=tuple(wanted),
            since=since,
            until=until,
            closed_since=ended_today,
            answer=self.answer or None,
            q=self.q or None,
            open_only=not (self.scope or self.wants_closed or since or self.answer),
        )

    @property
    def _stages(self) -> tuple[str, ...]:
        chosen = tuple(part for part in self.stage.split(",") if part)
        return chosen or (ENDED if self.scope == "ended" else ())


def _moment(text: str) -> datetime | None:
    """An ISO moment with its offset, or None."""
    try:
        found = datetime.fromisoformat(text.replace(" ", "+")) if text else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None
