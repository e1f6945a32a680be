"""The chosen account: what it may do, and the acts of keeping it, each with its consequence told."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from api.account import AccountGrant
from api.account_list import AccountRow
from dash_app.markup import avatar, div, heading, icon, section, span, tag
from dash_app.panels.account_forms import choice, dialog, fact, field, form, opener, tick
from dash_app.panels.account_list import Look, first_things

API = "/api/v1/accounts"


def nobody_chosen(look: Look) -> Markup:
    """What one can do here, before an account is chosen."""
    return div(
        tag("b", look.words("users.choose")),
        tag("p", look.words("users.choose_note"), cls="mid"),
        cls="acc-empty",
    )


def detail(
    look: Look,
    account: AccountRow,
    grants: Sequence[AccountGrant],
    successors: Sequence[tuple[int, str, str]],
) -> list[Markup]:
    """The account's facts, and what may be done with it; nothing where it is one's own.

    `successors` are (member, masked name, post) of who could take over.
    """
    words = look.words
    own = account.id == look.by.account_id
    first = [words(f"users.first.{name}") for name in first_things(account)]
    facts = tag(
        "dl",
        fact(words("users.role"), words(f"role.{account.role}")),
        fact(
            words("users.ground"),
            span(look.ground(account), span(account.territory, cls="s12 mute"), cls="row"),
        ),
        fact(words("users.second_factor"), words(f"users.second_factor.{account.second_factor}")),
        fact(words("users.seen"), look.moment(account.last_seen_at)),
        fact(words("users.first"), words("people.and").join(first)) if first else None,
        cls="facts",
    )
    locked = None
    if not account.active:
        text = words(
            "users.locked_since", time=look.moment(account.locked_at), reason=account.lock_reason or "–"
        )
        locked = div(icon("lock", "s"), text, cls="acc-locked")
    head = section(
        div(
            avatar(account.display_name, on_duty=None, quiet=not account.active),
            div(tag("h2", account.display_name), div(account.username, cls="s12 mute"), cls="grow"),
            tag("a", icon("x", "s"), cls="icon-btn", href=look.address(), aria_label=words("close")),
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
            _acts(look, account),
            _grants(look, account, grants),
            *_dialogs(look, account, successors),
        ]
    )


def _acts(look: Look, account: AccountRow) -> Markup:
    words, at = look.words, f"{API}/{account.id}"
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


def _grants(look: Look, account: AccountRow, grants: Sequence[AccountGrant]) -> Markup:
    words = look.words
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
                if one.ends_at > look.now
                else span(words("users.over"), cls="s12 mute"),
                cls="row",
            ),
            div(f"{look.moment(one.starts_at)} – {look.moment(one.ends_at)}", cls="s12"),
            div(f"{one.reason} · {words('users.by', name=one.granted_by)}", cls="s12 mute"),
            cls="grant-row",
        )
        for one in grants
    ]
    body = tag("ul", lines) if lines else tag("p", words("users.no_grants"), cls="mute")
    give = opener(words("users.grant"), "give-grant", "btn quiet") if account.active else None
    return section(heading(words("users.grants"), give), body)


def _dialogs(look: Look, account: AccountRow, successors: Sequence[tuple[int, str, str]]) -> list[Markup]:
    words, at = look.words, f"{API}/{account.id}"
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
                choice(words("users.role"), "role", look.roles, account.role),
                ground_field(look, ground),
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
                choice(words("users.role"), "role", look.roles, account.role),
                ground_field(look, ground, required=True),
                div(
                    field(
                        words("users.from"),
                        "starts_at",
                        type="datetime-local",
                        required=True,
                        data_type="moment",
                        value=look.in_days(0),
                    ),
                    field(
                        words("users.to"),
                        "ends_at",
                        type="datetime-local",
                        required=True,
                        data_type="moment",
                        value=look.in_days(7),
                    ),
                    cls="row",
                ),
                reason,
                submit="users.grant",
            ),
        ),
    ]


def add_dialog(look: Look) -> Markup:
    """The form for a new account; its password is made up and answered once."""
    words = look.words
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
            choice(words("users.role"), "role", look.roles, "member"),
            ground_field(look, look.by.territory),
            submit="users.add",
            then="once",
        ),
    )


def ground_field(look: Look, value: str | None, *, required: bool = False) -> Markup:
    """A territory, as the code of an area or a cell."""
    return field(
        look.words("users.ground"),
        "territory",
        look.words("users.ground_note"),
        value=value or "",
        inputmode="numeric",
        pattern=r"\d{4}|\d{6}|\d{9}|\d{12}|\d{15}",
        required=required,
        data_type="null",
        autocomplete="off",
    )
