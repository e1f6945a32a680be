"""What comes first: a code, a password of one's own, a second factor, the undertaking; one step at a time.

Nothing else opens until the steps are done; the page is drawn anew after each.
"""

from __future__ import annotations

from markupsafe import Markup

from api import undertaking
from api.auth import SignedIn
from dash_app.bare_frame import bare_page
from dash_app.markup import LOGO, div, span, tag
from dash_app.pages.account_page import enrolment_form, password_fields
from dash_app.panels.account_forms import field
from dash_app.texts import Words

PATH = "/welcome"
TEXTS = ("users.copy", "users.copied", "own.codes", "own.codes_note", "own.continue")


def welcome_page(words: Words, theme: str, known: SignedIn, next_: str, steps: int) -> str:
    """The page for the first of what is still due; `next_` is where to go when nothing is, `steps` how many
    there were."""
    step = known.first[0]
    place = max(steps - len(known.first), 0) + 1
    count = words("first.step", n=place, of=max(steps, place)) if steps > 1 else None
    body = tag(
        "main",
        div(
            LOGO,
            div(tag("b", words("first.title")), div(known.principal.display_name, cls="s12 mute")),
            span(cls="grow"),
            span(count, cls="s12 mute") if count else None,
            cls="row",
        ),
        tag("h1", words(f"first.{step}")),
        _STEPS[step](words, known),
        tag("button", words("first.out"), type="button", cls="btn quiet", data_sign_out=True),
        cls="welcome",
    )
    data = {"page": "welcome"}
    return bare_page(words, theme, words("first.title"), body, data, TEXTS)


def _step_form(
    words: Words, method: str, address: str, *content: object, submit: str, then: str = "reload"
) -> Markup:
    return tag(
        "form",
        div(cls="problem", role="alert", hidden=True, data_problem=True),
        content,
        tag("button", words(submit), type="submit", cls="btn primary wide"),
        data_method=method,
        data_url=address,
        data_then=then,
    )


def _code(words: Words, _known: SignedIn) -> list[Markup]:
    return [
        tag("p", words("first.code_note"), cls="mid"),
        _step_form(
            words,
            "POST",
            "/api/v1/session/code",
            field(
                words("own.code"),
                "code",
                inputmode="numeric",
                autocomplete="one-time-code",
                required=True,
                maxlength=20,
                autofocus=True,
            ),
            submit="first.go_on",
        ),
    ]


def _password(words: Words, _known: SignedIn) -> list[Markup]:
    return [
        tag("p", words("first.password_note"), cls="mid"),
        _step_form(words, "PUT", "/api/v1/me/password", password_fields(words), submit="own.change"),
    ]


def _second_factor(words: Words, _known: SignedIn) -> list[Markup]:
    return [
        tag("p", words("first.second_factor_note"), cls="mid"),
        tag("p", words("own.factor_scan"), cls="mid"),
        div(enrolment_form(words), data_enrol_here=True),
    ]


def _undertaking(words: Words, known: SignedIn) -> list[Markup]:
    text, language = undertaking.text(), words.language
    return [
        div(
            tag("p", text["opening"][language]),
            tag("ol", [tag("li", clause[language]) for clause in text["clauses"]]),
            cls="undertaking",
            tabindex="0",
            role="document",
            aria_label=text["title"][language],
        ),
        _step_form(
            words,
            "POST",
            "/api/v1/me/undertaking",
            tag("input", type="hidden", name="version", value=text["version"], data_type="number"),
            tag("input", type="hidden", name="language", value=language),
            field(
                words("first.sign_name", name=known.principal.display_name),
                "name",
                required=True,
                maxlength=undertaking.MAX_NAME,
                autocomplete="name",
            ),
            tag("p", words("first.sign_note", version=text["version"]), cls="s12 mute"),
            submit="first.sign",
        ),
    ]


_STEPS = {"code": _code, "password": _password, "second_factor": _second_factor, "undertaking": _undertaking}
