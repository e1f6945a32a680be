"""Settings, contacts: who is told outside, shown masked, each with a test message."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from markupsafe import Markup

from dash_app.markup import chip, div, icon, join, span, tag
from dash_app.panels.settings_forms import choice_field, form, opener, pair, text_field
from dash_app.texts import Words
from incidents.contacts import SENDERS, Contact, masked_address

_SIGNS = {"email": "doc", "sms": "phone", "webhook": "link"}


def contacts_panel(
    words: Words,
    found: Sequence[Contact],
    ways: Collection[str],
    grounds: Mapping[str, str],
    ground: str,
    departments: Mapping[str, str],
) -> Markup:
    """`ways` are the senders this server has, `grounds` names by code, `ground` the person's own;
    `departments` are names by code."""
    return join(
        [
            tag(
                "section",
                div(
                    span(words("contact.ways"), cls="bold"),
                    [chip(words(f"sender.{way}")) for way in ways],
                    span(words("contact.no_ways"), cls="s12 mute") if not ways else None,
                    span(cls="grow"),
                    opener(words("contact.add"), "contact-form", "plus", territory=ground),
                    cls="row",
                ),
                tag("p", words("contact.private"), cls="s12 mute"),
                cls="card",
            ),
            tag(
                "section",
                div([_row(words, one, grounds, departments) for one in found], cls="rows")
                if found
                else _empty(words, ground),
                cls="card",
            ),
            _form(words, grounds, ground, departments),
        ]
    )


def _row(words: Words, one: Contact, grounds: Mapping[str, str], departments: Mapping[str, str]) -> Markup:
    where = grounds.get(one.territory, one.territory) or words("rules.city")
    whose = words("contact.desk", ground=where)
    if one.member_id is not None:
        whose = words("contact.member", id=one.member_id)
    elif one.account_id is not None:
        whose = words("contact.account", id=one.account_id)
    elif one.department_code is not None:
        name = departments.get(one.department_code, one.department_code)
        whose = words("contact.department", name=name, ground=where)
    return div(
        icon(_SIGNS[one.sender]),
        span(masked_address(one), cls="bold name"),
        chip(words(f"sender.{one.sender}")),
        chip({"zh": "中文", "en": "English"}[one.language]),
        span(whose, cls="s12 mid cut grow"),
        tag("button", words("contact.test"), type="button", cls="btn small", data_test_contact=one.id),
        tag(
            "button",
            icon("x", "s"),
            type="button",
            cls="icon-btn",
            data_remove_contact=one.id,
            aria_label=words("set.remove"),
            title=words("set.remove"),
        ),
        cls="set-row",
        data_key=f"a{one.id}",
    )


def _empty(words: Words, ground: str) -> Markup:
    return div(
        div(words("contact.none"), cls="what"),
        div(words("contact.none_note"), cls="then"),
        opener(words("contact.add"), "contact-form", cls="btn primary", territory=ground),
        cls="empty",
        role="status",
    )


def _form(words: Words, grounds: Mapping[str, str], ground: str, departments: Mapping[str, str]) -> Markup:
    where = [(code, name or words("rules.city")) for code, name in grounds.items()]
    whose = [("", words("contact.of_desk")), *departments.items()]
    return form(
        words,
        "contact-form",
        words("contact.add"),
        pair(
            choice_field(
                words("contact.sender"), "sender", [(one, words(f"sender.{one}")) for one in SENDERS]
            ),
            choice_field(
                words("contact.language"), "language", [("zh", "中文"), ("en", "English")], words.language
            ),
        ),
        text_field(
            words("contact.address"),
            "address",
            required=True,
            maxlength=260,
            placeholder=words("contact.address_hint"),
        ),
        pair(
            choice_field(words("contact.whose"), "department", whose, data_type="null"),
            choice_field(words("contact.ground"), "territory", where, ground),
        ),
        tag("p", words("contact.whose_note"), cls="s12 mute"),
        method="POST",
        url="/api/v1/settings/contacts",
        submit="set.add",
    )
