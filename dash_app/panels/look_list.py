"""Each look at people on one's ground: the table, its search, and what both stand on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dash_app.clock_words import moment_words
from dash_app.desk import Visit
from dash_app.markup import div, icon, section, span, tag
from dash_app.texts import Words
from layers.household_reading import PURPOSES
from layers.looks import ACTIONS, MOST, GroundLook

PATH = "/audit"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the page: who looks, when, and what was asked for (days, who, place, action)."""

    visit: Visit
    now: datetime
    zone: ZoneInfo
    days: int
    who: str
    place: str
    action: str

    @property
    def words(self) -> Words:
        return self.visit.words

    def moment(self, at: datetime) -> str:
        return moment_words(at, self.now, self.zone, self.words.language)

    def span(self, since: datetime, until: datetime) -> str:
        """From when to when; one moment where both read the same."""
        first, last = self.moment(since), self.moment(until)
        return first if first == last else f"{first} – {last}"

    def address(self, **changed: object) -> str:
        asked = {"days": self.days, "who": self.who, "place": self.place, "action": self.action, **changed}
        return f"{PATH}?{urlencode({name: value for name, value in asked.items() if value})}"


def look_list(look: Look, looks: list[GroundLook]) -> Markup:
    """The table with its search; nothing found says so and leads out."""
    words = look.words
    columns = ("when", "who", "what", "place", "why", "from")
    if looks:
        body: object = div(
            tag(
                "table",
                tag("thead", tag("tr", [tag("th", words(f"audit.{name}"), scope="col") for name in columns])),
                tag("tbody", [_row(look, alike) for alike in _folded(look, looks)]),
                cls="acc-table still",
            ),
            tag("p", words("audit.most", n=MOST), cls="s12 mute") if len(looks) == MOST else None,
            cls="audit-table",
        )
    elif look.who or look.place or look.action:
        clear = tag("a", words("audit.clear"), cls="btn", href=look.address(who="", place="", action=""))
        body = div(tag("p", words("audit.none_fits"), cls="mute"), clear, cls="acc-empty")
    else:
        body = div(tag("p", words("audit.none"), cls="mute"), cls="acc-empty")
    return section(tag("h2", words("audit.looks")), _search(look), body, cls="card")


def _search(look: Look) -> Markup:
    words = look.words
    actions = [("", words("audit.any")), *((a, words(f"audit.action.{a}")) for a in ACTIONS)]

    def typed(name: str, value: str) -> Markup:
        return tag(
            "input", type="search", name=name, value=value, maxlength=80, autocomplete="off",
            placeholder=words(f"audit.{name}_hint"), aria_label=words(f"audit.{name}"),
        )  # fmt: skip

    return tag(
        "form",
        tag("input", type="hidden", name="days", value=look.days),
        typed("who", look.who),
        typed("place", look.place),
        tag(
            "select",
            [tag("option", said, value=value, selected=value == look.action) for value, said in actions],
            name="action",
            aria_label=words("audit.what"),
        ),
        tag("button", icon("search", "s"), words("audit.search"), type="submit", cls="btn"),
        method="get",
        action=PATH,
        cls="audit-search row wrap",
        role="search",
    )


def _folded(look: Look, looks: list[GroundLook]) -> list[list[GroundLook]]:
    """Looks of a day that follow each other and differ in nothing but their time, put together."""

    def alike(one: GroundLook) -> tuple[object, ...]:
        day = one.at.astimezone(look.zone).date()
        place = (one.territory, one.building_id, one.unit, one.door)
        return day, one.username, one.action, place, one.purpose, one.face, one.origin

    return [list(same) for _, same in groupby(looks, key=alike)]


def _row(look: Look, alike: list[GroundLook]) -> Markup:
    words, one = look.words, alike[0]
    refused = one.action == "read_refused"
    unit = words("building.unit", unit=one.unit) if one.unit else None
    door = " ".join(part for part in (one.building, unit, one.door) if part)
    purpose = words.either(*PURPOSES[one.purpose]) if one.purpose in PURPOSES else ""
    name = one.display_name if one.display_name and one.display_name != one.username else None
    face = words.get(f"audit.face.{one.face}", one.face or "") if one.face else ""
    return tag(
        "tr",
        tag("td", look.span(alike[-1].at, one.at), cls="nowrap"),
        tag("td", div(name or one.username), div(one.username, cls="s12 mute") if name else None),
        tag(
            "td",
            words(f"audit.action.{one.action}"),
            span(words("audit.times", n=len(alike)), cls="tag") if len(alike) > 1 else None,
            cls="alarm-text" if refused else None,
        ),
        tag("td", div(door or one.cell or one.territory), div(one.cell, cls="s12 mute") if door else None),
        tag("td", purpose),
        tag("td", " · ".join(part for part in (face, one.origin or "") if part), cls="s12 mute"),
    )
