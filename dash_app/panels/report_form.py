"""Taking down a case at the desk: the button over the queue, and its dialog in waiting."""

from __future__ import annotations

import json
from collections.abc import Sequence

from markupsafe import Markup

from dash_app.markup import div, icon, join, span, tag
from dash_app.texts import Words
from incidents.categories import Category, Group
from incidents.channels import channels_open_to


def report_button(words: Words, groups: Sequence[Group], role: str) -> Markup:
    """The place is pointed at first, then the dialog asks for the rest."""
    return join(
        [
            tag(
                "button",
                icon("plus", "s"),
                type="button",
                cls="tool",
                data_new_case=True,
                aria_label=words("report.new"),
                title=f"{words('report.new')} (N)",
            ),
            tag("template", _form(words, groups, role), data_new_case_form=True),
        ]
    )


def _form(words: Words, groups: Sequence[Group], role: str) -> Markup:
    channels = channels_open_to(role)
    options = [tag("option", words("report.choose"), value="")] + [
        tag(
            "optgroup",
            [_category(words, one) for one in group.categories],
            label=words.either(group.zh, group.en),
        )
        for group in groups
    ]
    return tag(
        "form",
        tag("h2", words("report.new"), id="dialog-title"),
        div(cls="problem", role="alert", hidden=True, data_problem=True),
        _field(
            words("report.place"), tag("input", name="place", readonly=True, required=True, data_place=True)
        ),
        div(
            _field(words("filter.category"), tag("select", options, name="category", required=True)),
            _field(
                words("report.channel"),
                tag(
                    "select",
                    [tag("option", words(f"channel.{one}"), value=one) for one in channels],
                    name="channel",
                ),
            ),
            cls="pair",
        ),
        div(cls="reason", hidden=True, data_who=True, role="status"),
        div(data_asked=True),
        _field(words("report.description"), tag("textarea", name="description", maxlength=4000, rows=3)),
        div(
            _field(
                words("report.on_behalf"), tag("input", name="on_behalf", maxlength=80, autocomplete="off")
            ),
            _field(words("building.floors"), tag("input", name="floor", type="number", min=-20, max=200)),
            _field(words("building.units"), tag("input", name="unit", maxlength=40, autocomplete="off")),
            cls="pair",
        ),
        _field(
            words("report.photos"), tag("input", type="file", name="photos", accept="image/*", multiple=True)
        ),
        div(
            tag("button", words("cancel"), type="button", cls="btn", data_close_dialog=True),
            tag("button", words("report.send"), type="submit", cls="btn primary"),
            cls="actions",
        ),
    )


def _category(words: Words, one: Category) -> Markup:
    asked = json.dumps(one.questions, ensure_ascii=False) if one.questions else None
    return tag("option", words.either(one.name_zh, one.name_en), value=one.code, data_questions=asked)


def _field(label: str, control: Markup) -> Markup:
    return tag("label", span(label), control, cls="field")
