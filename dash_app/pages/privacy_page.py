"""The page of a person's rights: find somebody exactly, see what is held and who saw it, put it right.

Nothing about people is in the page itself: its script asks for a report, which is recorded, and draws it.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dash_app.desk import Desk
from dash_app.markup import div, icon, section, span, tag
from dash_app.plain_frame import plain_page
from dash_app.texts import Words
from dash_app.texts_privacy import PRIVACY_JS_KEYS
from gis.errors import Denied
from incidents import queries
from incidents.queries import Filter
from layers.household_reading import CARERS
from layers.subject_rights import CORRECTABLE, CORRECTORS, GROUNDS, OFFICERS, PURPOSES, REPORTERS

PATH = "/privacy"


def privacy_page(desk: Desk) -> str:
    """The page, the same for everybody who may open it. Raises Denied."""
    with desk.reading() as (session, visit, now):
        wanted = Filter(overdue=True, open_only=True)
        overdue = queries.count_incidents(session, wanted, by=visit.principal, now=now)
    words, by = visit.words, visit.principal
    if by.role not in REPORTERS:
        raise Denied(
            en="Your role does not answer for people's records.",
            zh="您的角色不办理个人信息查询和更正。",
            remedy_en="Ask the office of the subdistrict.",
            remedy_zh="请联系街道。",
        )
    body = tag(
        "main",
        tag("h1", words("person.title")),
        section(tag("p", words("person.note"), cls="s12 mute"), _search(words), cls="card"),
        div(data_reports=True, cls="reports", aria_live="polite"),
        cls="rights",
    )
    fields = [name for name in CORRECTABLE if name != "tags" or by.role in CARERS]
    data = {
        "cancel": words("cancel"),
        "correctable": fields if by.role in CORRECTORS else [],
        "erases": by.role in OFFICERS,
        "grounds": {code: words.either(*names) for code, names in GROUNDS.items()},
        "purposes": {code: words.either(*names) for code, names in PURPOSES.items()},
        "texts": {key: words(key) for key in PRIVACY_JS_KEYS},
    }
    return plain_page(visit, words("person.title"), body, name="privacy", overdue=overdue, data=data)


def _search(words: Words) -> Markup:
    purposes = [tag("option", words.either(*names), value=code) for code, names in PURPOSES.items()]
    return tag(
        "form",
        div(cls="problem", role="alert", hidden=True, data_problem=True),
        div(
            _field(words("person.name"), "name", maxlength=80),
            _field(words("person.phone"), "phone", maxlength=20, inputmode="tel"),
            span(words("person.or"), cls="mid or"),
            _field(words("person.number"), "resident", type="number", min=1, max=2147483647),
            tag(
                "label",
                span(words("person.purpose")),
                tag("select", purposes, name="purpose"),
                cls="field",
            ),
            tag(
                "button",
                icon("search", "s"),
                words("person.find"),
                type="submit",
                cls="btn primary",
            ),
            cls="find",
        ),
        data_find=True,
        autocomplete="off",
    )


def _field(label: str, name: str, **attributes: Any) -> Markup:
    control = tag("input", name=name, autocomplete="off", **attributes)
    return tag("label", span(label), control, cls="field")
