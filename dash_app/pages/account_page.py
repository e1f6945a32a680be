"""One's own account: password, second factor, devices, the rights in use, language."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from api import own_account
from api.account import Account, AccountGrant
from api.own_account import SignInRow
from api.passwords import MIN_LENGTH
from dash_app.bare_frame import bare_page
from dash_app.clock_words import moment_words
from dash_app.desk import Desk, Visit
from dash_app.markup import chip, div, icon, section, span, tag
from dash_app.panels.account_forms import dialog, field, form, opener
from dash_app.panels.rail import manner_rows
from dash_app.plain_frame import plain_page
from dash_app.texts import Words
from gis.access import DESK_ROLES
from incidents import queries
from incidents.queries import Filter

PATH = "/account"
TEXTS = (
    "users.saved",
    "users.copy",
    "users.copied",
    "users.done",
    "own.codes",
    "own.codes_note",
    "own.continue",
)


def account_page(desk: Desk, token: str) -> str:
    """The page of the person asking; `token` tells which of the sign-ins is theirs here."""
    with desk.reading() as (session, visit, now):
        by = visit.principal
        account = own_account.own(session, by)
        rows = own_account.sign_ins(session, token, by=by, now=now)
        grants = own_account.grants(session, by, now=now)
        acting = own_account.acting_grant(session, token)
        wanted = Filter(overdue=True, open_only=True)
        overdue = queries.count_incidents(session, wanted, by=by, now=now)
    words = visit.words
    at_desk = by.role in DESK_ROLES
    back = tag("a", icon("left", "s"), cls="icon-btn", href="/m", aria_label=words("back_to_phone"))
    body = tag(
        "main",
        tag("h1", None if at_desk else back, words("own.title")),
        _who(visit, account),
        _acting(words, account, grants, acting, now, desk.zone) if grants or acting else None,
        _password(words, account, now, desk.zone),
        _factor(words, account),
        _sign_ins(words, rows, now, desk.zone),
        section(tag("h2", words("own.manner")), manner_rows(words, visit.theme), cls="card"),
        cls="own" if at_desk else "own bare",
    )
    data = {"page": "account"}
    if not at_desk:
        return bare_page(words, visit.theme, words("own.title"), body, data, TEXTS)
    told = data | {"texts": {key: words(key) for key in TEXTS}}
    return plain_page(visit, words("own.title"), body, name="accounts", overdue=overdue, data=told)


def _who(visit: Visit, account: Account) -> Markup:
    words, by = visit.words, visit.principal
    signed = (
        span(icon("check", "s"), words("own.signed", version=account.undertaking_version), cls="row s12 mid")
        if account.undertaking_version
        else None
    )
    return section(
        div(
            tag("b", by.display_name),
            span(by.username, cls="mute"),
            chip(words(f"role.{by.role}")),
            span(by.territory or "", cls="s12 mute"),
            cls="row",
        ),
        signed,
        cls="card",
    )


def _acting(
    words: Words,
    account: Account,
    grants: list[AccountGrant],
    acting: int | None,
    now: datetime,
    zone: ZoneInfo,
) -> Markup:
    """The person's own rights and the grants in force: one of them is in use, the others a click away."""
    own = (None, words("own.own_rights"), words(f"role.{account.role}"), account.territory or "")
    choices = [own] + [
        (
            grant.id,
            words("own.until", time=moment_words(grant.ends_at, now, zone, words.language)),
            words(f"role.{grant.role}"),
            grant.territory,
        )
        for grant in grants
    ]
    lines = [
        div(
            tag("b", role),
            span(ground, cls="mid"),
            span(note, cls="s12 mute"),
            span(cls="grow"),
            chip(words("own.in_use"))
            if grant_id == acting
            else tag(
                "button",
                words("own.use"),
                type="button",
                cls="btn",
                data_act="PUT",
                data_url="/api/v1/session/grant",
                data_body=f'{{"grant_id": {grant_id or "null"}}}',
            ),
            cls="own-row",
        )
        for grant_id, note, role, ground in choices
    ]
    return section(tag("h2", words("own.acting")), div(lines, cls="rows"), cls="card")


def _password(words: Words, account: Account, now: datetime, zone: ZoneInfo) -> Markup:
    since = account.password_set_at
    return section(
        div(
            tag("h2", words("own.password")),
            span(
                words("own.password_since", time=moment_words(since, now, zone, words.language)),
                cls="s12 mute",
            )
            if since
            else None,
            span(cls="grow"),
            opener(words("own.change"), "change-password"),
            cls="row",
        ),
        dialog(
            "change-password",
            words("own.change"),
            words("own.change_note"),
            form(words, "PUT", "/api/v1/me/password", password_fields(words), submit="own.change"),
        ),
        cls="card",
    )


def password_fields(words: Words) -> list[Markup]:
    """The present password and the new one, with the rules it must keep."""
    return [
        field(
            words("own.present"), "present", type="password", required=True, autocomplete="current-password"
        ),
        field(
            words("own.new"),
            "new",
            type="password",
            required=True,
            autocomplete="new-password",
            minlength=MIN_LENGTH,
            aria_describedby="password-rules",
        ),
        tag("p", words("own.rules", n=MIN_LENGTH), cls="s12 mute", id="password-rules"),
    ]


def _factor(words: Words, account: Account) -> Markup:
    on = account.second_factor == "on"
    act = (
        opener(words("own.factor_stop"), "factor-off")
        if on
        else tag("button", words("own.factor_begin"), type="button", cls="btn", data_enrol=True)
    )
    off = dialog(
        "factor-off",
        words("own.factor_stop"),
        None,
        form(
            words,
            "POST",
            "/api/v1/me/second-factor/off",
            field(
                words("own.present"),
                "present",
                type="password",
                required=True,
                autocomplete="current-password",
            ),
            submit="own.factor_stop",
        ),
    )
    return section(
        div(
            div(
                tag("h2", words("own.factor")),
                tag("p", words("own.factor_on" if on else "own.factor_off"), cls="s12 mute"),
                cls="grow",
            ),
            act,
            cls="row",
        ),
        off if on else enrolment(words),
        cls="card",
    )


def enrolment(words: Words) -> Markup:
    """The dialog in which an app is given its secret and proves that it has it."""
    return dialog(
        "enrol",
        words("own.factor"),
        words("own.factor_scan"),
        enrolment_form(words),
    )


def enrolment_form(words: Words) -> Markup:
    return form(
        words,
        "PUT",
        "/api/v1/me/second-factor",
        div(tag("img", alt="", width=180, height=180, data_qr=True), tag("code", data_secret=True), cls="qr"),
        field(
            words("own.code"),
            "code",
            inputmode="numeric",
            autocomplete="one-time-code",
            required=True,
            maxlength=20,
        ),
        submit="own.confirm",
        then="codes",
    )


def _sign_ins(words: Words, rows: list[SignInRow], now: datetime, zone: ZoneInfo) -> Markup:
    lines = []
    for row in rows:
        since = words("own.since", time=moment_words(row.created_at, now, zone, words.language))
        used = (
            words("own.used", time=moment_words(row.last_used_at, now, zone, words.language))
            if row.last_used_at
            else ""
        )
        end = tag(
            "button",
            words("own.end"),
            type="button",
            cls="btn quiet",
            data_act="DELETE",
            data_url=f"/api/v1/me/sign-ins/{row.id}",
        )
        lines.append(
            tag(
                "li",
                div(
                    div(
                        tag("b", words(f"own.kind.{row.kind}")), span(device(row.agent), cls="mid"), cls="row"
                    ),
                    div(" · ".join(filter(None, (since, used, row.address))), cls="s12 mute"),
                    cls="grow",
                ),
                chip(words("own.here")) if row.here else end,
                cls="own-row",
            )
        )
    return section(tag("h2", words("own.sign_ins")), tag("ul", lines, cls="rows"), cls="card")


def device(agent: str | None) -> str:
    """A browser's own description in two words: Firefox · Android."""
    agent = agent or ""
    browsers = ("Edg", "Firefox", "Chrome", "Safari", "QGIS", "python-httpx", "curl")
    systems = ("Android", "iPhone", "Windows", "Mac OS", "Linux")
    found = [next((name for name in names if name in agent), "") for names in (browsers, systems)]
    return " · ".join(filter(None, found)).replace("Edg", "Edge")
