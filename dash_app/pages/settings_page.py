"""The settings page: rules of time, categories, holidays, words of notices, contacts, and their history.

A plain page, drawn on the server: a small script sends a change to the API and asks for the page again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import parse_qs

from markupsafe import Markup

from api import retention
from dash_app.desk import Desk, Visit
from dash_app.markup import div, icon, tag
from dash_app.panels.settings_calendar import calendar_panel
from dash_app.panels.settings_categories import categories_panel
from dash_app.panels.settings_contacts import contacts_panel
from dash_app.panels.settings_history import history_list
from dash_app.panels.settings_notices import notices_panel
from dash_app.panels.settings_retention import retention_panel
from dash_app.panels.settings_rules import rules_panel
from dash_app.plain_frame import plain_page
from dash_app.texts import Words
from gis.database import Session
from grids.members import departments
from incidents import queries
from incidents.calendar_year import read_year, years_wanted
from incidents.categories import every_category
from incidents.contacts import contacts
from incidents.notice_wording import own_wordings, worded_kinds
from incidents.queries import Filter
from incidents.rule_overview import overview
from incidents.setting_changes import changes, may_change, may_keep

PATH = "/settings"
SECTIONS = {
    "rules": ("clock", ("rule", "rule_choice", "rule_set")),
    "categories": ("list", ("category", "category_group")),
    "calendar": ("cal", ("calendar",)),
    "notices": ("bell", ("notice",)),
    "contacts": ("phone", ("contact",)),
    "retention": ("trash", ("retention",)),
    "changes": ("book", ()),
}
"""Section -> its icon, and the subjects whose changes stand beside it."""
BESIDE, ALL = 12, 300
"""Changes listed beside a section, and on the page of the history."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """One look at the settings: who looks, when, and what the address says."""

    desk: Desk
    session: Session
    visit: Visit
    now: datetime
    asked: dict[str, str]

    @property
    def words(self) -> Words:
        return self.visit.words

    @property
    def keeps(self) -> bool:
        return may_keep(self.visit.principal)


def settings_page(desk: Desk, query: str) -> str:
    """The page for an address: `?section=rules&set=CODE`, and what else a section is asked."""
    asked = {key: values[-1].strip() for key, values in parse_qs(query).items()}
    section = asked.get("section") if asked.get("section") in SECTIONS else "rules"
    with desk.reading() as (session, visit, now):
        look = _Asking(desk, session, visit, now, asked)
        body = _body(look, str(section))
        wanted = Filter(overdue=True, open_only=True)
        overdue = queries.count_incidents(session, wanted, by=visit.principal, now=now)
    words = visit.words
    texts = ("set.saved", "set.unchanged", "set.undone", "contact.sent", "contact.remove_sure", "cal.totals")
    data = {
        "texts": {key: words(key) for key in texts},
    }
    return plain_page(visit, words("set.title"), body, name="settings", overdue=overdue, data=data)


def _body(look: _Asking, section: str) -> Markup:
    words = look.words
    _, subjects = SECTIONS[section]
    recent = [one for one in changes(look.session, limit=ALL) if not subjects or one.subject in subjects]
    content = _PANELS[section](look) if section != "changes" else None
    history = history_list(
        words,
        recent if section == "changes" else recent[:BESIDE],
        keeps=lambda one: may_change(look.visit.principal, one.subject, one.key),
        now=look.now,
        zone=look.desk.zone,
    )
    return tag(
        "main",
        _sections(words, section),
        div(
            tag("h1", words(f"set.{section}")),
            tag("p", words("set.read_only"), cls="s12 mute")
            if not look.keeps and section not in ("contacts", "retention")
            else None,
            content if content is not None else tag("section", history, cls="card"),
            cls="set-main",
            id="settings-main",
        ),
        tag("aside", tag("h2", words("set.recent")), history, cls="set-aside")
        if content is not None
        else None,
        cls="settings",
    )


def _sections(words: Words, current: str) -> Markup:
    return tag(
        "nav",
        [
            tag(
                "a",
                icon(sign, "s"),
                words(f"set.{name}"),
                href=f"{PATH}?section={name}",
                aria_current="page" if name == current else None,
            )
            for name, (sign, _) in SECTIONS.items()
        ],
        cls="set-nav",
        aria_label=words("set.title"),
    )


def _rules(look: _Asking) -> Markup:
    by = look.visit.principal
    found = overview(look.session, by=by, now=look.now, zone=look.desk.zone)
    mine = {ground.code for ground in found.grounds if may_keep(by, ground.code)}
    return rules_panel(
        look.words,
        found,
        look.asked.get("set"),
        keeps=look.keeps,
        keeps_ground=mine,
        now=look.now,
        zone=look.desk.zone,
    )


def _categories(look: _Asking) -> Markup:
    return categories_panel(
        look.words,
        every_category(look.session),
        departments(look.session),
        q=look.asked.get("q", "")[:40],
        retired="retired" in look.asked,
        keeps=look.keeps,
    )


def _calendar(look: _Asking) -> Markup:
    today = look.now.astimezone(look.desk.zone).date()
    year = _year(look.asked.get("year"), today)
    return calendar_panel(
        look.words,
        year,
        read_year(look.session, str(year)),
        years_wanted(look.session, look.desk.zone),
        today=today,
        keeps=look.keeps,
    )


def _year(asked: str | None, today: date) -> int:
    """The year asked for, else this one; nonsense counts as nothing."""
    if asked and asked.isdecimal() and 2000 <= int(asked) <= 2100:
        return int(asked)
    return today.year


def _notices(look: _Asking) -> Markup:
    return notices_panel(
        look.words,
        worded_kinds(look.session),
        own_wordings(look.session),
        look.asked.get("kind"),
        keeps=look.keeps,
    )


def _contacts(look: _Asking) -> Markup:
    """Those of one's own ground, for whoever keeps it; addresses are masked."""
    by = look.visit.principal
    if not may_keep(by, by.territory):
        return div(look.words("contact.not_yours"), cls="card mute")
    grounds = overview(look.session, by=by, now=look.now, zone=look.desk.zone).grounds
    named = {one.code: look.words.either(one.name, one.name_en) for one in grounds if may_keep(by, one.code)}
    found = [one for one in contacts(look.session) if by.covers(one.territory)]
    words = look.words
    of_departments = {one.code: words.either(one.name_zh, one.name_en) for one in departments(look.session)}
    return contacts_panel(words, found, look.desk.ways, named, by.territory or "", of_departments)


def _retention(look: _Asking) -> Markup:
    """For those who keep the city's settings. What is due is counted over everything, by the house itself."""
    if not look.keeps:
        return div(look.words("keep.not_yours"), cls="card mute")
    with look.desk.database.system_work() as session:
        rules = retention.overview(session, look.now)
    keeps = all(may_change(look.visit.principal, "retention", one.kind) for one in rules)
    return retention_panel(look.words, rules, keeps=keeps, now=look.now, zone=look.desk.zone)


_PANELS: dict[str, Callable[[_Asking], Markup]] = {
    "rules": _rules,
    "categories": _categories,
    "calendar": _calendar,
    "notices": _notices,
    "contacts": _contacts,
    "retention": _retention,
}
