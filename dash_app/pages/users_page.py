"""The accounts page: whom one keeps, what each may do, and the acts of keeping them.

A plain page, drawn on the server: the list in the middle, the chosen account at the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlencode
from zoneinfo import ZoneInfo

from markupsafe import Markup

from api import account_keeping as keeping
from api import undertaking
from api.account import AccountGrant
from api.account_keeping import KEEPS, AccountPage, AccountRow
from dash_app.clock_words import moment_words
from dash_app.desk import Desk, Visit
from dash_app.markup import avatar, chip, div, heading, icon, section, span, tag
from dash_app.panels.account_forms import choice, dialog, fact, field, form, opener, tick
from dash_app.plain_frame import plain_page
from dash_app.texts import Words
from incidents import queries
from incidents.queries import Filter

PATH = "/users"
API = "/api/v1/accounts"
TEXTS = (
    "users.saved",
    "users.once",
    "users.once_note",
    "users.copy",
    "users.copied",
    "users.done",
    "users.handed",
    "users.left",
)


def users_page(desk: Desk, query: str) -> str:
    """The page for an address: `?q=NAME&role=R&state=S&after=NAME&id=ACCOUNT`, each may be left out.

    Raises Denied for a role that keeps no accounts, NotFound for an account that is not theirs to keep.
    """
    asked = {key: values[-1].strip() for key, values in parse_qs(query).items()}
    with desk.reading() as (session, visit, now):
        wanted = Filter(overdue=True, open_only=True)
        overdue = queries.count_incidents(session, wanted, by=visit.principal, now=now)
    by = visit.principal
    role = asked.get("role") if asked.get("role") in KEEPS.get(by.role, ()) else None
    state = asked.get("state") if asked.get("state") in keeping.STATES else None
    with desk.database.system_work() as session:
        page = keeping.list_accounts(
            session, by=by, now=now, q=asked.get("q"), role=role, state=state, after=asked.get("after")
        )
        chosen: AccountRow | None = None
        grants: list[AccountGrant] = []
        successors: list[tuple[int, str, str]] = []
        if asked.get("id", "").isdigit():
            chosen = keeping.get_account(session, int(asked["id"][:9]), by=by, now=now)
            grants = list(keeping.list_grants(session, chosen.id, by=by))
            successors = keeping.successors(session, chosen, by=by)
    view = _View(visit, now, desk.zone, {k: v for k, v in asked.items() if k in ("q", "role", "state")})
    side = view.detail(chosen, grants, successors) if chosen else view.nobody_chosen()
    body = [view.account_list(page), tag("aside", side, cls="acc-side"), view.add_dialog()]
    words = visit.words
    data = {
        "language": words.language,
        "here": PATH,
        "page": "users",
        "offset": now.astimezone(desk.zone).isoformat()[-6:],
        "failed": words("dialog.failed"),
        "offline": words("dialog.offline"),
        "texts": {key: words(key) for key in TEXTS},
    }
    return plain_page(visit, words("users.title"), body, name="accounts", overdue=overdue, data=data)


class _View:
    """The page for one visit; `asked` is the filter, kept in every address."""

    def __init__(self, visit: Visit, now: datetime, zone: ZoneInfo, asked: dict[str, str]) -> None:
        self.words: Words = visit.words
        self.by, self.now, self.zone, self.asked = visit.principal, now, zone, asked
        self.roles = [(role, self.words(f"role.{role}")) for role in KEEPS[self.by.role]]

    def address(self, **more: object) -> str:
        query = {k: v for k, v in {**self.asked, **more}.items() if v}
        return f"{PATH}?{urlencode(query)}" if query else PATH

    def moment(self, at: datetime | None) -> str:
        return moment_words(at, self.now, self.zone, self.words.language) if at else self.words("users.never")

    def ground(self, account: AccountRow) -> str:
        if account.territory is None:
            return self.words("users.no_ground")
        return account.ground_name or account.territory or self.words("users.whole_city")

    def account_list(self, page: AccountPage) -> Markup:
        words = self.words
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
                tag("tbody", [self._row(account) for account in page.accounts]),
                cls="acc-table",
            )
            if page.accounts
            else self._empty()
        )
        more = (
            tag("a", words("users.more"), icon("right", "s"), cls="btn", href=self.address(after=page.after))
            if page.after
            else None
        )
        return tag("main", self._head(len(page.accounts)), div(body, more, cls="acc-scroll"), cls="acc-main")

    def _head(self, count: int) -> Markup:
        words = self.words
        states = [("", words("users.any_state")), *((s, words(f"users.state.{s}")) for s in keeping.STATES)]
        return tag(
            "header",
            tag("h1", words("users.title"), span(words("users.count", n=count), cls="mute s12")),
            tag(
                "form",
                tag(
                    "input",
                    type="search",
                    name="q",
                    value=self.asked.get("q", ""),
                    placeholder=words("users.search"),
                    aria_label=words("users.search"),
                ),
                self._filter("role", [("", words("users.any_role")), *self.roles]),
                self._filter("state", states),
                cls="row grow",
                role="search",
                method="get",
                action=PATH,
                data_filter=True,
            ),
            opener(words("users.add"), "add-account", "btn primary"),
            cls="acc-head",
        )

    def _filter(self, name: str, options: Sequence[tuple[str, str]]) -> Markup:
        chosen = self.asked.get(name, "")
        return tag(
            "select",
            [tag("option", text, value=value, selected=value == chosen) for value, text in options],
            name=name,
            aria_label=self.words(f"users.{name}"),
        )

    def _empty(self) -> Markup:
        words = self.words
        return div(
            tag("b", words("users.none")),
            tag("p", words("users.none_note"), cls="mid"),
            tag("a", words("users.clear"), cls="btn", href=PATH) if self.asked else None,
            cls="acc-empty",
        )

    def _row(self, account: AccountRow) -> Markup:
        words = self.words
        name = tag(
            "a",
            avatar(account.display_name, on_duty=None, small=True, quiet=not account.active),
            span(tag("b", account.display_name), tag("br"), span(account.username, cls="s12 mute")),
            cls="row acc-name",
            href=self.address(id=account.id),
        )
        state = words(f"users.state.{'active' if account.active else 'locked'}")
        return tag(
            "tr",
            tag("td", name),
            tag("td", words(f"role.{account.role}")),
            tag("td", self.ground(account)),
            tag("td", state, chip(words("users.first")) if account.active and _first(account) else None),
            tag("td", self.moment(account.last_seen_at), cls="mid nowrap"),
            data_account=account.id,
            cls="" if account.active else "off",
        )

    def nobody_chosen(self) -> Markup:
        return div(
            tag("b", self.words("users.choose")),
            tag("p", self.words("users.choose_note"), cls="mid"),
            cls="acc-empty",
        )

    def detail(
        self, account: AccountRow, grants: Sequence[AccountGrant], successors: Sequence[tuple[int, str, str]]
    ) -> list[Markup]:
        words = self.words
        own = account.id == self.by.account_id
        first = [words(f"users.first.{name}") for name in _first(account)]
        facts = tag(
            "dl",
            fact(words("users.role"), words(f"role.{account.role}")),
            fact(
                words("users.ground"),
                span(self.ground(account), span(account.territory, cls="s12 mute"), cls="row"),
            ),
            fact(words("users.second_factor"), words(f"users.second_factor.{account.second_factor}")),
            fact(words("users.seen"), self.moment(account.last_seen_at)),
            fact(words("users.first"), words("people.and").join(first)) if first else None,
            cls="facts",
        )
        locked = None
        if not account.active:
            text = words(
                "users.locked_since", time=self.moment(account.locked_at), reason=account.lock_reason or "–"
            )
            locked = div(icon("lock", "s"), text, cls="acc-locked")
        head = section(
            div(
                avatar(account.display_name, on_duty=None, quiet=not account.active),
                div(tag("h2", account.display_name), div(account.username, cls="s12 mute"), cls="grow"),
                tag("a", icon("x", "s"), cls="icon-btn", href=self.address(), aria_label=words("close")),
                cls="row",
            ),
            locked,
            facts,
        )
        return (
            [head]
            if own
            else [
                head,
                self._acts(account),
                self._grants(account, grants),
                *self._dialogs(account, successors),
            ]
        )

    def _acts(self, account: AccountRow) -> Markup:
        words, at = self.words, f"{API}/{account.id}"
        if not account.active:
            unlock = tag(
                "button",
                words("users.unlock"),
                type="button",
                cls="btn primary",
                data_act="POST",
                data_url=f"{at}/unlock",
            )
            return section(div(unlock, opener(words("users.change"), "change-account"), cls="row wrap"))
        return section(
            div(
                opener(words("users.change"), "change-account"),
                opener(words("users.reset"), "reset-password"),
                opener(words("users.lock"), "lock-account"),
                opener(words("users.leave"), "leave-post"),
                cls="row wrap",
            )
        )

    def _grants(self, account: AccountRow, grants: Sequence[AccountGrant]) -> Markup:
        words = self.words
        lines = [
            tag(
                "li",
                div(
                    tag("b", words(f"role.{one.role}")),
                    span(one.territory or words("users.whole_city"), cls="mid"),
                    span(cls="grow"),
                    tag(
                        "button",
                        words("users.end_grant"),
                        type="button",
                        cls="btn quiet",
                        data_act="DELETE",
                        data_url=f"{API}/{account.id}/grants/{one.id}",
                    )
                    if one.ends_at > self.now
                    else span(words("users.over"), cls="s12 mute"),
                    cls="row",
                ),
                div(f"{self.moment(one.starts_at)} – {self.moment(one.ends_at)}", cls="s12"),
                div(f"{one.reason} · {words('users.by', name=one.granted_by)}", cls="s12 mute"),
                cls="grant-row",
            )
            for one in grants
        ]
        body = tag("ul", lines) if lines else tag("p", words("users.no_grants"), cls="mute")
        give = opener(words("users.grant"), "give-grant", "btn quiet") if account.active else None
        return section(heading(words("users.grants"), give), body)

    def _dialogs(self, account: AccountRow, successors: Sequence[tuple[int, str, str]]) -> list[Markup]:
        words, at = self.words, f"{API}/{account.id}"
        reason = field(words("users.reason"), "reason", required=True, maxlength=200, autocomplete="off")
        ground, has_factor = account.territory, account.second_factor == "on"
        takers = [
            ("", words("users.to_leader")),
            *((str(i), f"{name} · {words(f'role.{post}')}") for i, name, post in successors),
        ]
        return [
            dialog(
                "change-account",
                words("users.change"),
                words("users.change_note"),
                form(
                    words,
                    "PATCH",
                    at,
                    field(words("users.name"), "display_name", value=account.display_name, required=True),
                    choice(words("users.role"), "role", self.roles, account.role),
                    self._ground_field(ground),
                    submit="users.save",
                ),
            ),
            dialog(
                "reset-password",
                words("users.reset"),
                words("users.reset_note"),
                form(
                    words,
                    "POST",
                    f"{at}/reset",
                    has_factor and tick(words("users.reset_factor"), "second_factor"),
                    submit="users.reset",
                    then="once",
                ),
            ),
            dialog(
                "lock-account",
                words("users.lock"),
                words("users.lock_note"),
                form(words, "POST", f"{at}/lock", reason, submit="users.lock"),
            ),
            dialog(
                "leave-post",
                words("users.leave"),
                words("users.leave_note"),
                form(
                    words,
                    "POST",
                    f"{at}/departure",
                    choice(words("users.successor"), "to_member_id", takers, data_type="number")
                    if account.member_id
                    else None,
                    reason,
                    submit="users.leave",
                    then="handed",
                ),
            ),
            dialog(
                "give-grant",
                words("users.grants"),
                words("users.grant_note"),
                form(
                    words,
                    "POST",
                    f"{at}/grants",
                    choice(words("users.role"), "role", self.roles, account.role),
                    self._ground_field(ground, required=True),
                    div(
                        field(
                            words("users.from"),
                            "starts_at",
                            type="datetime-local",
                            required=True,
                            data_type="moment",
                            value=self._local(0),
                        ),
                        field(
                            words("users.to"),
                            "ends_at",
                            type="datetime-local",
                            required=True,
                            data_type="moment",
                            value=self._local(7),
                        ),
                        cls="row",
                    ),
                    reason,
                    submit="users.grant",
                ),
            ),
        ]

    def add_dialog(self) -> Markup:
        words = self.words
        return dialog(
            "add-account",
            words("users.add"),
            words("users.reset_note"),
            form(
                words,
                "POST",
                API,
                field(
                    words("users.username"),
                    "username",
                    required=True,
                    maxlength=40,
                    autocomplete="off",
                    autocapitalize="none",
                    spellcheck="false",
                ),
                field(words("users.name"), "display_name", required=True, maxlength=80, autocomplete="off"),
                choice(words("users.role"), "role", self.roles, "member"),
                self._ground_field(self.by.territory),
                submit="users.add",
                then="once",
            ),
        )

    def _ground_field(self, value: str | None, *, required: bool = False) -> Markup:
        return field(
            self.words("users.ground"),
            "territory",
            self.words("users.ground_note"),
            value=value or "",
            inputmode="numeric",
            pattern=r"\d{4}|\d{6}|\d{9}|\d{12}|\d{15}",
            required=required,
            data_type="null",
            autocomplete="off",
        )

    def _local(self, days: int) -> str:
        """A moment some days from now as a `datetime-local` field writes it, in the city's time."""
        local = self.now.astimezone(self.zone) + timedelta(days=days)
        return local.strftime("%Y-%m-%dT%H:%M")


def _first(account: AccountRow) -> list[str]:
    """What the account has yet to do at its next sign-in."""
    due = {
        "password": account.must_change_password,
        "second_factor": account.second_factor == "due",
        "undertaking": undertaking.is_due(account.role, account.undertaking_version),
    }
    return [name for name, is_due in due.items() if is_due]
