"""Forms of accounts: fields, dialogs and small parts; `accounts.js` sends a form's fields as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from dash_app.markup import div, span, tag
from dash_app.texts import Words


def form(
    words: Words,
    method: str,
    address: str,
    *content: Any,
    submit: str,
    then: str = "reload",
    **attributes: Any,
) -> Markup:
    """A form that is sent as JSON. `then` names what the script does with the answer: reload, next, once
    (a one-time password), codes (recovery codes), or handed (who took over)."""
    return tag(
        "form",
        div(cls="problem", role="alert", hidden=True, data_problem=True),
        content,
        div(
            tag("button", words("cancel"), type="button", cls="btn", data_close_dialog=True),
            tag("button", words(submit), type="submit", cls="btn primary"),
            cls="row actions",
        ),
        data_method=method,
        data_url=address,
        data_then=then,
        **attributes,
    )


def field(label: str, name: str, note: str | None = None, **attributes: Any) -> Markup:
    """A labelled input."""
    return tag(
        "label",
        span(label, span(note, cls="mute") if note else None),
        tag("input", name=name, **attributes),
        cls="field",
    )


def choice(
    label: str, name: str, options: Sequence[tuple[str, str]], chosen: str = "", **more: Any
) -> Markup:
    """A labelled selection of (value, words)."""
    return tag(
        "label",
        span(label),
        tag(
            "select",
            [tag("option", text, value=value, selected=value == chosen) for value, text in options],
            name=name,
            **more,
        ),
        cls="field",
    )


def tick(label: str, name: str) -> Markup:
    return tag("label", tag("input", type="checkbox", name=name), span(label), cls="row choice")


def dialog(name: str, title: str, note: str | None, *content: Any) -> Markup:
    """A dialog that waits in the page until a button with `data-open` of its name asks for it."""
    return tag(
        "template",
        tag("h2", title, id="dialog-title"),
        tag("p", note, cls="sub") if note else None,
        content,
        id=name,
    )


def opener(label: str, name: str, cls: str = "btn") -> Markup:
    return tag("button", label, type="button", cls=cls, data_open=name, aria_haspopup="dialog")


def fact(label: str, value: Any) -> Markup:
    return div(tag("dt", label, cls="s12 mute"), tag("dd", value), cls="fact")
