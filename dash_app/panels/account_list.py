"""The list of accounts, and what its parts stand on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from markupsafe import Markup

from api import undertaking
from api.account_list import STATES, AccountPage, AccountRow
from api.account_rights import KEEPS
from dash_app.clock_words import moment_words
from dash_app.desk import Visit
from dash_app.markup import avatar, chip, div, icon, span, tag
from dash_app.panels.account_forms import opener
from dash_app.texts import Words
from gis.access import Principal

PATH = "/users"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the page: who looks, when, the filter that stays in every address, the account chosen."""

    visit: Visit
    now: datetime
    zone: ZoneInfo
    asked: dict[str, str]
    chosen: int | None = None

    @property
    def words(self) -> Words:
        return self.visit.words

    @property
    def by(self) -> Principal:
        return self.visit.principal

    @property
    def roles(self) -> list[tuple[str, str]]:
        """The roles whose accounts the person keeps, with their words."""
        return [(role, self.words(f"role.{role}")) for role in KEEPS[self.by.role]]

    def address(self, **more: object) -> str:
        query = {k: v for k, v in {**self.asked, **more}.items() if v}
        return f"{PATH}?{urlencode(query)}" if query else PATH

    def moment(self, at: datetime | None) -> str:
        return moment_words(at, self.now, self.zone, self.words.language) if at else self.words("users.never")

    def ground(self, account: AccountRow) -> str:
        if account.territory is None:
            return self.words("users.no_ground")
        if account.ground_name:
            return self.words.either(account.ground_name, account.ground_name_en)
        return account.territory or self.words("users.whole_city")

    def in_days(self, days: int) -> str:
        """A moment some days from now as a `datetime-local` field writes it, in the city's time."""
        local = self.now.astimezone(self.zone) + timedelta(days=days)
        return local.strftime("%Y-%m-%dT%H:%M")


def account_list(look: Look, page: AccountPage) -> Markup:
    """The table with its filter; a row leads to its account."""
    words = look.words
    body = (
        tag(
            "table",
            tag(
                "thead",
                tag(
                    "tr",
                    [
                        tag("th", words(f"users.{name}"), scope="col")
                        for name in ("name", "role", "ground", "state", "seen")
                    ],
                ),
            ),
            tag("tbody", [_row(look, account) for account in page.accounts]),
            cls="acc-table",
        )
        if page.accounts
        else _empty(look)
    )
    more = (
        tag("a", words("users.more"), icon("right", "s"), cls="btn", href=look.address(after=page.after))
        if page.after
        else None
    )
    return tag("main", _head(look, len(page.accounts)), div(body, more, cls="acc-scroll"), cls="acc-main")


def _head(look: Look, count: int) -> Markup:
    words = look.words
    states = [("", words("users.any_state")), *((s, words(f"users.state.{s}")) for s in STATES)]
    return tag(
        "header",
        tag("h1", words("users.title"), span(words("users.count", n=count), cls="mute s12")),
        tag(
            "form",
            tag(
                "input",
                type="search",
                name="q",
                value=look.asked.get("q", ""),
                placeholder=words("users.search"),
                aria_label=words("users.search"),
            ),
            _filter(look, "role", [("", words("users.any_role")), *look.roles]),
            _filter(look, "state", states),
            cls="row grow",
            role="search",
            method="get",
            action=PATH,
            data_filter=True,
        ),
        opener(words("users.add"), "add-account", "btn primary"),
        cls="acc-head",
    )


def _filter(look: Look, name: str, options: Sequence[tuple[str, str]]) -> Markup:
    chosen = look.asked.get(name, "")
    return tag(
        "select",
        [tag("option", text, value=value, selected=value == chosen) for value, text in options],
        name=name,
        aria_label=look.words(f"users.{name}"),
    )


def _empty(look: Look) -> Markup:
    words = look.words
    return div(
        tag("b", words("users.none")),
        tag("p", words("users.none_note"), cls="mid"),
        tag("a", words("users.clear"), cls="btn", href=PATH) if look.asked else None,
        cls="acc-empty",
    )


def _row(look: Look, account: AccountRow) -> Markup:
    words = look.words
    name = tag(
        "a",
        avatar(account.display_name, on_duty=None, small=True, quiet=not account.active),
        span(tag("b", account.display_name), tag("br"), span(account.username, cls="s12 mute")),
        cls="row acc-name",
        href=look.address(id=account.id),
    )
    state = words(f"users.state.{'active' if account.active else 'locked'}")
    return tag(
        "tr",
        tag("td", name),
        tag("td", words(f"role.{account.role}")),
        tag("td", look.ground(account)),
        tag("td", state, chip(words("users.first")) if account.active and first_things(account) else None),
        tag("td", look.moment(account.last_seen_at), cls="mid nowrap"),
        data_account=account.id,
        aria_current="true" if account.id == look.chosen else None,
        cls="" if account.active else "off",
    )


def first_things(account: AccountRow) -> list[str]:
    """What the account has yet to do at its next sign-in."""
    due = {
        "password": account.must_change_password,
        "second_factor": account.second_factor == "due",
        "undertaking": undertaking.is_due(account.role, account.undertaking_version),
    }
    return [name for name, is_due in due.items() if is_due]
