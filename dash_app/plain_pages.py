"""Pages without Dash: signing in, and what went wrong. Plain HTML, one style sheet, one small script."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from markupsafe import Markup

from dash_app.frame import document
from dash_app.markup import LOGO, div, icon, join, language_buttons, span, sprite, tag
from dash_app.texts import Words
from dash_app.tokens import css_variables
from gis.access import DESK_ROLES
from gis.errors import CityGridError

PROVIDER_FAILURES = ("refused", "forged", "unknown", "down", "often")
SIGN_IN_TEXTS = ("sign.failed", "sign.healthy", "sign.unhealthy", "dialog.offline")


def sign_in_page(
    words: Words,
    theme: str,
    next_: str,
    demo: Sequence[tuple[str, str, str]] = (),
    *,
    has_provider: bool = False,
    failed: str | None = None,
) -> str:
    """The door: name and password beside the city. `next_` is where to go afterwards, an address of ours.

    `demo` lists (role, user name, password) of the demo city's accounts; a real city has none to show.
    `has_provider`: the city has an account service of its own; `failed` names why it let nobody in.
    """
    card = div(
        div(
            LOGO,
            div(tag("h1", words("product")), div(words("sign.product"), cls="mid")),
            cls="sign-brand",
        ),
        _form(words, failed if failed in PROVIDER_FAILURES else None),
        _provider(words, next_) if has_provider else None,
        tag("p", words("sign.rule"), cls="s12 mute"),
        _demo(words, demo) if demo else None,
        cls="sign-card",
    )
    foot = div(
        span(tag("i"), span(words("sign.checking"), data_health_word=True), cls="live", data_health=True),
        span(cls="grow"),
        tag("a", words("public.title"), cls="link", href="/public"),
        language_buttons(words.language, ("中", "EN"), "语言 Language"),
        cls="sign-foot row",
    )
    poster = tag(
        "section",
        tag("img", src=f"/assets/sign_in_{theme}.webp", alt="", width=1650, height=1500),
        div(tag("h2", words("sign.headline")), tag("p", words("sign.subline")), cls="sign-words"),
        cls="sign-poster",
    )
    data = {
        "next": next_,
        "language": words.language,
        "desk": sorted(DESK_ROLES),
        "texts": {key: words(key) for key in SIGN_IN_TEXTS},
    }
    body = join([sprite(), poster, tag("main", card, foot, cls="sign-side"), _data(data)])
    return _page(words, theme, words("sign.title"), body, script="/assets/sign_in.js")


def _form(words: Words, failed: str | None) -> Markup:
    told = [tag("b", words("sign.failed")), words(f"sign.failed.{failed}")] if failed else None
    return tag(
        "form",
        div(told, cls="problem", role="alert", hidden=not failed, data_problem=True),
        tag(
            "label",
            span(words("sign.username")),
            tag("input", name="username", autocomplete="username", required=True, autofocus=True),
            cls="field",
        ),
        tag(
            "label",
            span(words("sign.password")),
            span(
                tag(
                    "input",
                    name="password",
                    type="password",
                    autocomplete="current-password",
                    required=True,
                ),
                tag(
                    "button",
                    icon("eye"),
                    type="button",
                    cls="icon-btn",
                    data_show_password=True,
                    aria_pressed="false",
                    aria_label=words("sign.show"),
                    title=words("sign.show"),
                ),
                cls="with-button",
            ),
            cls="field",
        ),
        tag("button", words("sign.submit"), type="submit", cls="btn primary"),
        cls="sign-form",
        data_sign_in=True,
    )


def _provider(words: Words, next_: str) -> Markup:
    """The other way in: by the city's own account service."""
    address = f"/api/v1/session/oidc?{urlencode({'next': next_})}"
    return div(
        div(span(words("sign.or")), cls="sign-or mid s12"),
        tag("a", icon("shield", "s"), words("sign.oidc"), cls="btn sign-other", href=address),
    )


def _demo(words: Words, accounts: Sequence[tuple[str, str, str]]) -> Markup:
    """The accounts one may try, each a click away."""
    return tag(
        "section",
        tag("h2", words("sign.demo"), cls="s12 mid"),
        div(
            [
                tag(
                    "button",
                    tag("b", words(f"role.{role}")),
                    span(f"{username} / {password}", cls="mute"),
                    type="button",
                    data_username=username,
                    data_password=password,
                )
                for role, username, password in accounts
            ],
            cls="demo-accounts",
        ),
        cls="sign-demo",
    )


def error_page(words: Words, theme: str, error: CityGridError | None, reference: str = "") -> str:
    """What went wrong, what to do about it, and the way back. None is a fault of ours, with its number."""
    if error is not None:
        message = words.either(error.message_zh, error.message_en)
        remedy = words.either(error.remedy_zh, error.remedy_en)
    else:
        message, remedy = words("error.unexpected"), words("error.unexpected_remedy")
    body = tag(
        "main",
        tag("a", LOGO, href="/", aria_label=words("product.full")),
        tag("h1", message),
        tag("p", remedy),
        div(tag("a", words("error.home"), cls="btn primary", href="/"), cls="row"),
        tag("p", f"{words('error.number_label')} {reference}", cls="s11 mute") if reference else None,
        cls="error-page",
    )
    return _page(words, theme, message, body)


def _page(words: Words, theme: str, title: str, body: Markup, script: str | None = None) -> str:
    head = join(
        [
            tag("title", f"{title} · {words('product.full')}"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("link", rel="icon", href="/icon.svg", type="image/svg+xml"),
            tag("style", Markup(css_variables())),
            tag("link", rel="stylesheet", href="/assets/desk.css"),
            tag("link", rel="stylesheet", href="/assets/sign_in.css"),
            tag("script", src=script, defer=True) if script else None,
        ]
    )
    return document(words.language, theme, head, body)


def _data(data: Mapping[str, object]) -> Markup:
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return tag("script", Markup(text), id="sign-in-page", type="application/json")
