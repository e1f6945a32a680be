"""The rail at the left: where one can go, how it is shown, who one is."""

from __future__ import annotations

from markupsafe import Markup

from api.account_rights import keeps_accounts
from dash_app.markup import LOGO, div, icon, join, language_buttons, span, tag
from dash_app.texts import Words
from dash_app.tokens import THEMES
from dash_app.view_state import ViewState
from gis.access import SUPERVISOR_ROLES, Principal
from layers.subject_rights import REPORTERS


def rail(words: Words, principal: Principal, state: ViewState, *, theme: str, overdue: int) -> Markup:
    """`overdue` is written on the way to the cases; none is no figure."""
    base = state.without_selection
    return join(
        [
            tag("a", LOGO, href="/", aria_label=words("product.full"), title=words("product.full")),
            _item("map", words("rail.map"), base.href(), page="map"),
            _item("case", words("rail.cases"), base.href("/cases"), _count(words, overdue), page="cases"),
            _item("people", words("rail.people"), "/people", page="people"),
            _item("chart", words("rail.evaluation"), "/evaluation", page="evaluation"),
            span(cls="grow"),
            _settings(words, theme),
            _account(words, principal),
        ]
    )


def _item(sign: str, name: str, href: str, *more: Markup | None, page: str) -> Markup:
    return tag("a", icon(sign), name, *more, cls="rail-item", href=href, data_page=page)


def _count(words: Words, overdue: int) -> Markup | None:
    if not overdue:
        return None
    return span(overdue, cls="count", role="img", aria_label=words("rail.overdue", n=overdue))


def _settings(words: Words, theme: str) -> Markup:
    return tag(
        "details",
        tag("summary", icon("gear"), words("rail.settings"), cls="rail-item", data_page="settings"),
        div(
            manner_rows(words, theme),
            tag(
                "button",
                words("settings.sound"),
                span(cls="grow"),
                span(cls="switch"),
                type="button",
                cls="menu-row",
                role="switch",
                aria_checked="false",
                data_sound=True,
                data_keep=True,
            ),
            div(cls="menu-line"),
            tag("a", icon("list", "s"), words("set.all"), cls="menu-item", href="/settings"),
            cls="menu-body",
        ),
        cls="menu",
        data_key="settings",
    )


def manner_rows(words: Words, theme: str) -> list[Markup]:
    """Language and light, each a choice of two."""
    return [
        _row(
            words("settings.language"),
            language_buttons(words.language, ("中文", "English"), words("settings.language")),
        ),
        _row(words("settings.theme"), _themes(words, theme)),
    ]


def _row(name: str, choice: Markup) -> Markup:
    return div(name, span(cls="grow"), choice, cls="menu-row")


def _themes(words: Words, theme: str) -> Markup:
    return span(
        [
            tag(
                "button",
                icon("sun" if name == "light" else "moon", "xs"),
                words(f"settings.{name}"),
                type="button",
                aria_pressed=str(name == theme).lower(),
                data_theme_choice=name,
                data_keep=True,
            )
            for name in THEMES
        ],
        cls="segments",
        role="group",
        aria_label=words("settings.theme"),
    )


def _account(words: Words, principal: Principal) -> Markup:
    role = words(f"role.{principal.role}")
    return tag(
        "details",
        tag(
            "summary",
            span((principal.display_name or principal.username)[0].upper(), cls="me"),
            aria_label=words("rail.account", name=principal.display_name, role=role),
            title=words("rail.account", name=principal.display_name, role=role),
        ),
        div(
            div(tag("b", principal.display_name), div(role, cls="s12 mute"), cls="menu-row who"),
            div(cls="menu-line"),
            tag("a", icon("lock", "s"), words("rail.own_account"), cls="menu-item", href="/account"),
            tag("a", icon("download", "s"), words("rail.exports"), cls="menu-item", href="/exports"),
            tag("a", icon("shield", "s"), words("rail.privacy"), cls="menu-item", href="/privacy")
            if principal.role in REPORTERS
            else None,
            tag("a", icon("people", "s"), words("rail.users"), cls="menu-item", href="/users")
            if keeps_accounts(principal)
            else None,
            tag("a", icon("eye", "s"), words("rail.audit"), cls="menu-item", href="/audit")
            if principal.role in SUPERVISOR_ROLES
            else None,
            tag(
                "a", icon("phone", "s"), words("settings.phone"), cls="menu-item", href="/m", data_native=True
            ),
            tag(
                "button",
                icon("out", "s"),
                words("settings.sign_out"),
                type="button",
                cls="menu-item",
                data_sign_out=True,
            ),
            cls="menu-body",
        ),
        cls="menu",
        data_key="account",
    )
