"""The way to the households of a building: a button, and the dialog its script fills in.

Nothing about people is in the page itself. The list is asked for when somebody wants it, leaves a record, and
is gone with the dialog; a name or number is opened one at a time, for a purpose.
"""

from __future__ import annotations

from markupsafe import Markup

from dash_app.markup import div, icon, span, tag
from dash_app.panels.moves import field
from dash_app.texts import Words
from gis.access import SUPERVISOR_ROLES, Principal
from layers.household_reading import PURPOSES, READERS
from layers.subject_rights import CORRECTORS


def households_opener(words: Words, building_id: int, title: str, by: Principal) -> Markup | None:
    """The button for those whose duty it is to know who lives there; for others there is none."""
    if by.role not in READERS:
        return None
    return div(
        tag(
            "button",
            icon("people", "s"),
            words("households.open"),
            type="button",
            cls="btn",
            data_households=building_id,
            data_supervises=by.role in SUPERVISOR_ROLES,
        ),
        span(words("households.open_note"), cls="s11 mute"),
        _dialog(words, title, by),
        cls="row",
        style="margin-top:10px",
        data_key="households",
    )


def _dialog(words: Words, title: str, by: Principal) -> Markup:
    purposes = [tag("option", words("households.choose"), value="")]
    purposes += [tag("option", words.either(*names), value=code) for code, names in PURPOSES.items()]
    return tag(
        "template",
        tag(
            "form",
            tag("h2", words("households.title"), id="dialog-title"),
            div(title, cls="sub"),
            div(cls="problem", role="alert", hidden=True, data_problem=True),
            div(words("households.loading"), cls="households", data_list=True, aria_live="polite"),
            tag(
                "template",
                field(words("households.purpose"), tag("select", purposes, name="purpose")),
                tag("button", words("households.confirm"), type="button", cls="btn", data_confirm=True),
                data_purpose=True,
            ),
            _correction(words) if by.role in CORRECTORS else None,
            div(
                span(cls="mute s12 grow", data_recorded=True),
                tag("button", words("close"), type="button", cls="btn", data_close_dialog=True),
                cls="actions",
            ),
        ),
        data_household_dialog=True,
    )


def _correction(words: Words) -> Markup:
    """What a person who was opened should say: of the fields the list shows."""
    names = [tag("option", words(f"households.{name}"), value=name) for name in ("name", "phone")]
    return tag(
        "template",
        field(words("households.field"), tag("select", names, name="field")),
        field(words("person.value"), tag("input", name="value", autocomplete="off")),
        field(words("person.reason"), tag("input", name="reason", autocomplete="off")),
        tag("button", words("person.save"), type="button", cls="btn", data_confirm=True),
        data_correction=True,
    )
