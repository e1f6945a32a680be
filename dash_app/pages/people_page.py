"""The people page: the roster of a subdistrict as a calendar, its holes, and leave to decide on.

A plain page, drawn on the server; what one changes goes to the API by a small script, and the page is asked
for again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from urllib.parse import parse_qs, urlencode
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dash_app.clock_words import day_words
from dash_app.desk import Desk, Visit
from dash_app.markup import div, icon, join, span, tag
from dash_app.panels.roster import Week, calendar_table, hole_list, leave_list
from dash_app.panels.roster_dialogs import HOURS, end_dialog, give_dialog, hours_dialog
from dash_app.plain_frame import plain_page
from dash_app.texts import Words
from dash_app.view_state import midnight
from gis.database import Session
from gis.errors import NotFound
from grids.assignments import assignable
from grids.leaves import leaves
from grids.members import ROSTER_KEEPERS
from grids.roster_calendar import roster_calendar, subdistricts_of
from incidents import queries
from incidents.queries import Filter
from incidents.workload import loads

PATH = "/people"
DAYS = 7


def people_page(desk: Desk, query: str) -> str:
    """The page for an address: `?subdistrict=CODE&from=YYYY-MM-DD`, both may be left out.

    Raises NotFound when the person sees no subdistrict, or not the one asked for.
    """
    asked = {key: values[-1] for key, values in parse_qs(query).items()}
    with desk.reading() as (session, visit, now):
        body = _body(desk, session, visit, asked, now)
        wanted = Filter(overdue=True, open_only=True)
        overdue = queries.count_incidents(session, wanted, by=visit.principal, now=now)
    words = visit.words
    return plain_page(visit, words("rail.people"), body, name="people", overdue=overdue, data=_data(words))


def _body(desk: Desk, session: Session, visit: Visit, asked: dict[str, str], now: datetime) -> Markup:
    words, by = visit.words, visit.principal
    mine = subdistricts_of(session, by)
    if not mine:
        raise NotFound(
            en="There is no roster on your ground.",
            zh="您的辖区内没有值班表。",
            remedy_en="Sign in with an account of a subdistrict or above.",
            remedy_zh="请以街道或以上的账户登录。",
        )
    code = asked.get("subdistrict") or mine[0][0]
    week = Week(_first_day(asked.get("from"), now, desk.zone), DAYS, desk.zone)
    calendar = roster_calendar(session, code, week.start, week.end, by=by, zone=desk.zone)
    theirs = [row for row in leaves(session, week.start, week.end, by=by) if row.territory.startswith(code)]
    keeps = by.role in ROSTER_KEEPERS
    parts = [
        tag(
            "main",
            _head(words, mine, code, week),
            div(calendar_table(words, calendar, week, now=now, keeps=keeps), cls="roster-scroll"),
            cls="people",
        ),
        tag(
            "aside",
            hole_list(words, calendar.holes, week),
            leave_list(words, theirs, calendar, week, keeps=keeps),
            cls="people-side",
        ),
        (hours_dialog(words), end_dialog(words)) if keeps else None,
    ]
    if keeps and any(hole.kind == "vacant" for hole in calendar.holes):
        people = assignable(session, code, now=now)
        parts.append(give_dialog(words, people, loads(session, [one.member_id for one in people], now=now)))
    return join(parts)


def _first_day(asked: str | None, now: datetime, zone: ZoneInfo) -> datetime:
    """Midnight of the day asked for, else of this week's Monday; nonsense counts as nothing."""
    try:
        day = date.fromisoformat(asked or "")
        return datetime(day.year, day.month, day.day, tzinfo=zone)
    except ValueError:
        today = midnight(now, zone)
        return today - timedelta(days=today.weekday())


def _head(words: Words, mine: Sequence[tuple[str, str]], code: str, week: Week) -> Markup:
    options = [tag("option", name, value=one, selected=one == code) for one, name in mine]
    days = f"{day_words(week.dates[0], words.language)} – {day_words(week.dates[-1], words.language)}"
    return tag(
        "header",
        tag("h1", words("people.title")),
        tag("select", options, data_subdistrict=True, aria_label=words("territory.label")),
        span(cls="grow"),
        _legend(words),
        tag(
            "a",
            icon("left", "s"),
            cls="icon-btn boxed",
            href=_address(code, week.start - timedelta(days=DAYS)),
            aria_label=words("people.earlier"),
        ),
        tag("a", words("people.this_week"), cls="btn", href=_address(code, None)),
        tag(
            "a",
            icon("right", "s"),
            cls="icon-btn boxed",
            href=_address(code, week.start + timedelta(days=DAYS)),
            aria_label=words("people.later"),
        ),
        span(days, cls="bold nowrap"),
        cls="people-head",
    )


def _legend(words: Words) -> Markup:
    signs = [("there", "people.there"), ("stand-in", "people.stand_in"), ("hole", "people.hole")]
    return span(
        [
            span(span(cls=f"bar {kind}", aria_hidden="true"), words(key), cls="legend-item")
            for kind, key in signs
        ],
        cls="roster-legend s12 mid",
    )


def _address(code: str, start: datetime | None) -> str:
    asked = {"subdistrict": code} | ({"from": start.date().isoformat()} if start else {})
    return f"{PATH}?{urlencode(asked)}"


def _data(words: Words) -> dict[str, object]:
    """What the script needs to know."""
    return {
        "hours": {
            name: [{"weekday": day, "starts": starts, "ends": ends} for day, starts, ends in hours]
            for name, hours in HOURS
        },
    }
