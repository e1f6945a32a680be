"""Forms of the settings: a template that opens as a dialog, and whose fields a script sends as JSON.

A field's name is its place in the body (`subject.zh`); `data-type` says what its text becomes: number, null
(nothing where empty), list, questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from dash_app.markup import div, icon, span, tag
from dash_app.texts import Words
from incidents.deadline_words import UNITS


def opener(
    label: str, form: str, sign: str = "", *, cls: str = "btn small", hint: str = "", **values: Any
) -> Markup:
    """A button that opens a form; `values` are written into its fields of these names. `hint` names a button
    that is only a sign."""
    data = {f"data_set_{name}": value for name, value in values.items() if value is not None}
    return tag(
        "button",
        icon(sign, "s") if sign else None,
        label,
        type="button",
        cls=cls,
        aria_label=hint or None,
        title=hint or None,
        data_open=form,
        **data,
    )


def form(
    words: Words,
    name: str,
    title: str,
    *fields: Any,
    method: str,
    url: str,
    note: str = "",
    submit: str = "set.save",
    more: Any = None,
    wide: bool = False,
) -> Markup:
    """The template of a form. `url` may hold `{name}` of fields that stand in the address."""
    return tag(
        "template",
        tag(
            "form",
            tag("h2", title, id="dialog-title"),
            div(note, cls="sub") if note else None,
            div(cls="problem", role="alert", hidden=True, data_problem=True),
            *fields,
            div(
                more,
                span(cls="grow") if more else None,
                tag("button", words("cancel"), type="button", cls="btn", data_close_dialog=True),
                tag("button", words(submit), type="submit", cls="btn primary"),
                cls="actions",
            ),
            data_method=method,
            data_url=url,
            cls="wide" if wide else None,
        ),
        id=name,
    )


def text_field(label: str, name: str, value: Any = None, note: str = "", **attributes: Any) -> Markup:
    control = tag("input", name=name, value=value, autocomplete="off", **attributes)
    return tag("label", span(label, span(note, cls="mute") if note else None), control, cls="field")


def choice_field(
    label: str, name: str, options: Sequence[tuple[str, str]], value: Any = None, **attributes: Any
) -> Markup:
    """A select; `options` are (value, words)."""
    chosen = "" if value is None else str(value)
    inner = [tag("option", text, value=one, selected=one == chosen) for one, text in options]
    return tag("label", span(label), tag("select", inner, name=name, **attributes), cls="field")


def box_field(label: str, name: str, checked: bool = False, **attributes: Any) -> Markup:
    return tag(
        "label",
        tag("input", type="checkbox", name=name, checked=checked, **attributes),
        span(label),
        cls="box-field",
    )


def pair(*fields: Markup) -> Markup:
    """Fields side by side."""
    return div(*fields, cls="pair")


def limit_fields(words: Words, kind: str, value: str, limit: tuple[str, float] | None = None) -> Markup:
    """How long, and in which kind of time; `kind` and `value` name the fields, `limit` fills them."""
    unit, amount = limit or (None, None)
    return pair(
        text_field(
            words("rules.limit"),
            value,
            amount,
            type="number",
            min="0.5",
            max="1000",
            step="0.5",
            required=True,
            data_type="number",
        ),
        choice_field("\u00a0", kind, [(one, words(f"kind.{one}")) for one in UNITS], unit),
    )
