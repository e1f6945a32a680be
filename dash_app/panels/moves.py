"""The foot of a case: its next step as one filled button, the other moves, and their dialogs in waiting."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from dash_app.markup import div, icon, span, tag
from dash_app.panels.queue import title_words
from dash_app.texts import Words
from incidents.incident import ENDED
from incidents.lifecycle import MOVES
from incidents.queries import IncidentDetail

WITH_PHOTO = frozenset({"finish"})
"""Moves whose dialog offers to add a photograph."""


def asks(name: str) -> bool:
    """Whether pressing the button opens a dialog first."""
    return MOVES[name].needs_note or MOVES[name].takes_member or name in WITH_PHOTO


def foot(
    words: Words, case: IncidentDetail, moves: Sequence[str], candidates: Sequence[tuple[int, str]]
) -> Markup:
    """One filled button for the next step; what the stage forbids is absent, one grey line says why."""
    shown, rest = moves[:3], moves[3:]
    buttons = [_button(words, name, primary=index == 0) for index, name in enumerate(shown)]
    if rest:
        buttons.append(
            tag(
                "details",
                tag("summary", icon("more", "s"), cls="btn", style="padding:0 8px", aria_label=words("more")),
                div(
                    [
                        tag("button", words(f"do.{name}"), type="button", cls="menu-item", data_move=name)
                        for name in rest
                    ],
                    cls="menu-body right",
                    style="top:auto;bottom:calc(100% + 6px)",
                ),
                cls="menu",
                style="margin-left:auto",
                data_key="more",
            )
        )
    return tag(
        "footer",
        div(buttons, cls="row") if buttons else None,
        div(_why(words, case, moves), cls="why"),
        [_form(words, case, name, candidates) for name in moves if asks(name)],
        cls="panel-foot",
        data_key=f"foot{case.row.id}-{case.row.version}",
        data_incident_id=case.row.id,
        data_version=case.row.version,
    )


def _button(words: Words, name: str, *, primary: bool) -> Markup:
    sign = {"supervise": "bell", "hand_back": "undo", "finish": "check", "verify": "check", "close": "check"}
    return tag(
        "button",
        icon(sign.get(name, "check"), "s") if primary or name in sign else None,
        words(f"do.{name}"),
        type="button",
        cls="btn primary" if primary else "btn",
        data_move=name,
    )


def _why(words: Words, case: IncidentDetail, moves: Sequence[str]) -> str:
    """What the person may be missing here, in one line."""
    row = case.row
    if row.stage in ENDED:
        return words("moves.ended")
    if row.stage in ("dispatched", "handling"):
        who = row.handler or words.either(row.department_zh, row.department_en)
        return words("moves.wait_member", name=who) if who else words("moves.none")
    if row.stage == "handled":
        return words("moves.wait_verify")
    if not moves:
        return words("moves.wait_dispatch") if row.hollow else words("moves.none")
    return ""


def _form(words: Words, case: IncidentDetail, name: str, candidates: Sequence[tuple[int, str]]) -> Markup:
    """The dialog of a move, waiting in a template until its button is pressed."""
    fields: list[Markup] = []
    if MOVES[name].takes_member and candidates:
        fields.append(
            tag(
                "label",
                span(words("dialog.member")),
                tag("select", [tag("option", name, value=id_) for id_, name in candidates], name="member_id"),
                cls="field",
            )
        )
    fields.append(
        tag(
            "label",
            span(
                words("dialog.note"),
                span(
                    words("dialog.note_needed" if MOVES[name].needs_note else "dialog.note_optional"),
                    cls="mute",
                ),
            ),
            tag("textarea", name="note", required=MOVES[name].needs_note, maxlength=1000),
            cls="field",
        )
    )
    if name in WITH_PHOTO:
        fields.append(
            tag(
                "label",
                span(words("dialog.photo")),
                tag("input", type="file", name="photo", accept="image/*"),
                cls="field",
            )
        )
    title = words(f"do.{name}").rstrip("…")
    return tag(
        "template",
        tag(
            "form",
            tag("h2", title, id="dialog-title"),
            div(f"{title_words(words, case.row)} · {case.row.number}", cls="sub"),
            div(cls="problem", role="alert", hidden=True, data_problem=True),
            fields,
            div(
                tag("button", words("cancel"), type="button", cls="btn", data_close_dialog=True),
                tag("button", title, type="submit", cls="btn primary"),
                cls="actions",
            ),
        ),
        data_form=name,
    )
