"""What the address of the evaluation page says: ground, span, grouping, indicator, the list that is open."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from gis.access import CODE_WIDTHS, code_level
from gis.errors import Invalid
from gis.text import can_be_kept
from incidents.evaluation import GROUND_LEVELS, GROUPINGS, PARTS
from incidents.indicators import INDICATORS, Indicator
from incidents.windows import NAMES, Window, named_window, window_between

PATH = "/evaluation"
FIRST_INDICATOR = "handled_on_time"
FIRST_WINDOW = "30d"


@dataclass(frozen=True, slots=True)
class EvaluationView:
    """One address. Unknown or malformed values are dropped, never an error page."""

    territory: str = ""
    window: str = ""
    from_: str = ""
    to: str = ""
    by: str = ""
    indicator: str = ""
    part: str = ""
    code: str = ""

    @classmethod
    def parse(cls, query: str) -> EvaluationView:
        known = {field.name for field in fields(cls)}
        values: dict[str, str] = {}
        for key, value in parse_qsl(query):
            name = "from_" if key == "from" else key
            if name in known and len(value) <= 40 and can_be_kept(value):
                values[name] = value.strip()
        return cls(**values)._checked()

    def _checked(self) -> EvaluationView:
        choices = {"window": NAMES, "by": tuple(GROUPINGS), "indicator": tuple(INDICATORS), "part": PARTS}
        dropped = {name: "" for name, allowed in choices.items() if getattr(self, name) not in allowed}
        if code_level(self.territory) is None:
            dropped["territory"] = ""
        if not (_day(self.from_) and _day(self.to)):
            dropped |= {"from_": "", "to": ""}
        return replace(self, **dropped)

    @property
    def query(self) -> str:
        pairs = [(field.name.rstrip("_"), getattr(self, field.name)) for field in fields(self)]
        return urlencode([(name, value) for name, value in pairs if value])

    def href(self, path: str = PATH, **changes: str) -> str:
        """An address like this one with something changed. Another question closes the list of cases."""
        closing = {} if "part" in changes else {"part": "", "code": ""}
        query = replace(self, **{**closing, **changes}).query
        return f"{path}?{query}" if query else path

    @property
    def chosen(self) -> Indicator:
        return INDICATORS[self.indicator or FIRST_INDICATOR]

    def span(self, now: datetime, zone: ZoneInfo) -> Window:
        """The window meant. One's own days count with both ends; a span that cannot be is the usual one."""
        first, last = _day(self.from_), _day(self.to)
        if first and last:
            try:
                ends = datetime.combine(last + timedelta(days=1), time(), zone)
                return window_between(datetime.combine(first, time(), zone), ends, zone)
            except (Invalid, OverflowError):  # the day after the last day of the calendar
                pass
        return named_window(self.window or FIRST_WINDOW, now, zone)

    def group_for(self, home: str) -> str:
        """By what lines are told apart: as asked, else the next level of ground; below a cell, people."""
        if self.by and not (self.by in GROUND_LEVELS and CODE_WIDTHS[self.by] < len(self.territory or home)):
            return self.by
        here = len(self.territory or home)
        return next((level for level in GROUND_LEVELS if CODE_WIDTHS[level] > here), "member")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
