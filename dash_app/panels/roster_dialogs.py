"""What one changes on the roster, asked in a dialog: a post's hours, and whom a vacant one is given to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from markupsafe import Markup

from dash_app.markup import div, span, tag
from dash_app.texts import Words
from grids.assignments import Assignable
from incidents.workload import Load

HOURS = (
    ("all", ()),
    ("office", tuple((day, "08:30", "17:30") for day in range(5))),
    ("day", tuple((day, "08:00", "20:00") for day in range(7))),
    ("night", tuple((day, "20:00", "08:00") for day in range(7))),
)
"""Weekly hours one can give a post with one click: (name, (weekday, starts, ends))."""


def hours_dialog(words: Words) -> Markup:
    """The hours one can give a post, for the script to open."""
    choices = [
        tag(
            "label",
            tag("input", type="radio", name="hours", value=name, checked=name == "all"),
            span(words(f"people.hours.{name}")),
            cls="row choice",
        )
        for name, _ in HOURS
    ]
    return tag(
        "template",
        tag(
            "form",
            tag("h2", words("people.hours"), id="dialog-title"),
            div(choices, cls="choices"),
            div(cls="problem", role="alert", hidden=True, data_problem=True),
            _foot(
                words, tag("button", words("people.end_ask"), type="button", cls="btn", data_end_post=True)
            ),
        ),
        id="hours-form",
    )


def end_dialog(words: Words) -> Markup:
    """What ending a post means, asked once more; for the script to open, which fills in whose post it is."""
    return tag(
        "template",
        tag(
            "form",
            tag("h2", words("people.end_post"), id="dialog-title"),
            tag("p", data_end_what=True),
            tag("p", words("people.end_stays"), cls="s12 mute"),
            div(cls="problem", role="alert", hidden=True, data_problem=True),
            _foot(words, done="people.end_post"),
        ),
        id="end-form",
    )


def give_dialog(words: Words, people: Sequence[Assignable], loads: Mapping[int, Load]) -> Markup:
    """Whom a vacant post may be given to, each with the posts they hold and the work on their hands; for the
    script to open, which puts those whose trade it is first."""
    groups = [
        tag(
            "optgroup",
            [_person(words, one, loads) for one in theirs],
            label=words(f"role.{role}"),
            data_role=role,
        )
        for role, theirs in groupby(people, key=lambda one: one.role)
    ]
    return tag(
        "template",
        tag(
            "form",
            tag("h2", words("people.give"), id="dialog-title"),
            tag(
                "label",
                span(words("people.person"), cls="s12 mute"),
                tag("select", groups, name="member", required=True),
                cls="row stand-in-choice",
            ),
            tag("p", words("people.from_now"), cls="s12 mute"),
            div(cls="problem", role="alert", hidden=True, data_problem=True),
            _foot(words),
        ),
        id="give-form",
    )


def _person(words: Words, one: Assignable, loads: Mapping[int, Load]) -> Markup:
    load = loads[one.member_id]
    held = words("people.posts_held", n=one.posts), words("people.open_cases", n=load.open)
    overdue = (words("people.overdue_cases", n=load.overdue),) if load.overdue else ()
    return tag("option", " · ".join((one.name, one.ground, *held, *overdue)), value=one.member_id)


def _foot(words: Words, more: Markup | None = None, *, done: str = "people.save") -> Markup:
    return div(
        more,
        span(cls="grow"),
        tag("button", words("cancel"), type="button", cls="btn", data_close_dialog=True),
        tag("button", words(done), type="submit", cls="btn primary"),
        cls="row dialog-foot",
    )
