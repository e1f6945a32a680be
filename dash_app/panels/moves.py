"""The foot of a case: its next step as one filled button, the other moves, and their dialogs in waiting."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from dash_app.markup import div, icon, span, tag
from dash_app.panels.queue import title_words
from dash_app.texts import Words
from incidents.deadline_words import UNITS
from incidents.effects import REVIEW_AFTER
from incidents.incident import ENDED
from incidents.lifecycle import MOVES
from incidents.queries import IncidentDetail

Choice = tuple[int | str, str]
"""The value and the words of one thing to choose."""

BUTTONS = {"zh": 3, "en": 2}
"""Moves shown as buttons, as many as fit a line; the others are in the menu behind them."""

WITH_PHOTO = frozenset({"finish"})
"""Moves whose dialog offers to add a photograph."""

_SIGNS = {
    "dispatch": "right",
    "hand_back": "undo",
    "undo": "undo",
    "rework": "undo",
    "reopen": "undo",
    "reassign": "swap",
    "relocate": "pin",
    "supervise": "bell",
    "park": "pause",
    "pause": "pause",
    "go_on": "play",
    "resume": "play",
    "reject": "x",
    "void": "x",
}


def move_words(words: Words, name: str) -> str:
    """A move's name as the table of moves gives it."""
    move = MOVES.get(name)
    return words.either(move.zh, move.en) if move else name


def asks(name: str) -> bool:
    """Whether pressing the button opens a dialog first."""
    move = MOVES[name]
    needs = (
        move.needs_note, move.takes_member, move.takes_amount, move.takes_date, move.takes_place,
        move.takes_force,
    )  # fmt: skip
    return any(needs) or name in WITH_PHOTO


def foot(
    words: Words, case: IncidentDetail, candidates: Sequence[Choice], departments: Sequence[Choice] = ()
) -> Markup:
    """What the person may do now; what the stage forbids is absent, one grey line says what is waited for.

    Joining is offered beside each case that may be the same thing (`panels.alike`).
    """
    room = BUTTONS[words.language]
    offered = [name for name in case.moves if not MOVES[name].takes_case]
    shown, rest = offered[:room], offered[room:]
    going_on = case.row.stage not in ENDED
    buttons = [_button(words, name, primary=going_on and index == 0) for index, name in enumerate(shown)]
    return tag(
        "footer",
        div(buttons, _more(words, rest), cls="row") if buttons else None,
        div(_why(words, case), cls="why"),
        [_form(words, case, name, candidates, departments) for name in offered if asks(name)],
        cls="panel-foot",
        data_key=f"foot{case.row.id}-{case.row.version}",
        data_incident_id=case.row.id,
        data_version=case.row.version,
    )


def _button(words: Words, name: str, *, primary: bool) -> Markup:
    sign = _SIGNS.get(name, "check" if primary else "")
    return tag(
        "button",
        icon(sign, "s") if sign else None,
        _label(words, name),
        type="button",
        cls="btn primary" if primary else "btn",
        data_move=name,
    )


def _label(words: Words, name: str) -> str:
    """The name, with an ellipsis where a question follows."""
    return move_words(words, name) + ("…" if asks(name) else "")


def _more(words: Words, names: Sequence[str]) -> Markup | None:
    if not names:
        return None
    items = [
        tag("button", _label(words, name), type="button", cls="menu-item", data_move=name) for name in names
    ]
    return tag(
        "details",
        tag("summary", icon("more", "s"), cls="btn", aria_label=words("more"), title=words("more")),
        div(items, cls="menu-body right up"),
        cls="menu last",
        data_key="more",
    )


def _why(words: Words, case: IncidentDetail) -> str:
    """What the case waits for, in one line."""
    row = case.row
    if row.stage in ENDED:
        return words("moves.ended_open" if "reopen" in case.moves else "moves.ended")
    if row.stage == "joined":
        return words("moves.joined")
    if row.open_subtasks:
        return words("forces.waits", n=row.open_subtasks)
    if row.stage in ("dispatched", "handling"):
        who = row.handler or words.either(row.department_zh, row.department_en)
        return words("moves.wait_member", name=who) if who else words("moves.none")
    if row.stage == "handled":
        return words("moves.wait_verify")
    if not case.moves:
        return words("moves.wait_dispatch") if row.hollow else words("moves.none")
    return ""


def _form(
    words: Words,
    case: IncidentDetail,
    name: str,
    candidates: Sequence[Choice],
    departments: Sequence[Choice],
) -> Markup:
    """The dialog of a move, waiting in a template until its button is pressed."""
    move, title = MOVES[name], move_words(words, name)
    return tag(
        "template",
        tag(
            "form",
            tag("h2", title, id="dialog-title"),
            div(f"{title_words(words, case.row)} · {case.row.number}", cls="sub"),
            div(cls="problem", role="alert", hidden=True, data_problem=True),
            member_field(words, candidates) if move.takes_member and candidates else None,
            _force(words, departments, candidates) if move.takes_force else None,
            _amount(words, case) if move.takes_amount else None,
            _review_day(words) if move.takes_date else None,
            _place(words) if move.takes_place else None,
            note_field(words, needed=move.needs_note),
            _time(words, case) if move.takes_force else None,
            field(words("dialog.photo"), tag("input", type="file", name="photo", accept="image/*"))
            if name in WITH_PHOTO
            else None,
            div(
                tag("button", words("cancel"), type="button", cls="btn", data_close_dialog=True),
                tag("button", title, type="submit", cls="btn primary"),
                cls="actions",
            ),
        ),
        data_form=name,
        data_takes_place=move.takes_place,
    )


def field(label: str, control: Markup, note: str = "") -> Markup:
    """One line of a dialog: its label, a note beside it, the control."""
    return tag("label", span(label, span(note, cls="mute") if note else None), control, cls="field")


def member_field(words: Words, candidates: Sequence[Choice]) -> Markup:
    """Whom a move gives work to."""
    options = [tag("option", text, value=id_) for id_, text in candidates]
    return field(words("dialog.member"), tag("select", options, name="member_id"))


def _force(words: Words, departments: Sequence[Choice], members: Sequence[Choice]) -> Markup:
    """Who is asked to help: one department, or one person of the team."""

    def options(kind: str, choices: Sequence[Choice]) -> list[Markup]:
        return [tag("option", text, value=f"{kind}:{value}") for value, text in choices]

    groups = [
        tag("optgroup", options(kind, choices), label=words(f"forces.{kind}"))
        for kind, choices in (("department", departments), ("member", members))
        if choices
    ]
    return field(words("forces.whom"), tag("select", groups, name="force", required=True))


def _time(words: Words, case: IncidentDetail) -> Markup:
    """How much time a force gets, in the unit of the category's own limit; left empty, all of that."""
    hint = f"{case.limit_value:g}"
    control = tag("input", type="number", name="amount", min="0.5", step="0.5", placeholder=hint)
    return field(words("forces.time"), control, words.either(*UNITS[case.limit_kind]))


def _amount(words: Words, case: IncidentDetail) -> Markup:
    """More time, in the unit of the clock that runs: what was asked for, else as much again as the limit."""
    unit = words.either(*UNITS[case.clock.kind if case.clock else case.limit_kind])
    amount = case.extension_asked or (case.clock.value if case.clock else case.limit_value)
    control = tag(
        "input", type="number", name="amount", min="0.5", step="0.5", value=f"{amount:g}", required=True
    )
    return field(words("dialog.amount"), control, unit)


def _review_day(words: Words) -> Markup:
    """The day a parked case is looked at again; the browser writes in the usual one, counted from today."""
    control = tag("input", type="date", name="review_on", required=True, data_days_ahead=REVIEW_AFTER.days)
    return field(words("dialog.review_on"), control)


def _place(words: Words) -> Markup:
    control = tag("input", name="place", readonly=True, required=True, data_place=True)
    return field(words("dialog.place"), control)


def note_field(words: Words, *, needed: bool) -> Markup:
    """The words a move is given."""
    control = tag("textarea", name="note", required=needed, maxlength=1000)
    return field(
        words("dialog.note"), control, words("dialog.note_needed" if needed else "dialog.note_optional")
    )
