"""Several forces on one case: each piece of work with who has it, its clock, and what may be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dash_app.clock_words import left_words, moment_words
from dash_app.markup import chip, div, heading, pill, section, span, tag
from dash_app.panels.moves import Choice, member_field, move_words, note_field
from dash_app.texts import Words
from incidents.lifecycle import MOVES
from incidents.queries import IncidentDetail
from incidents.subtask_life import SUBTASK_MOVES
from incidents.subtask_rows import SubtaskRow


def forces_section(
    words: Words, case: IncidentDetail, candidates: Sequence[Choice], now: datetime, zone: ZoneInfo
) -> Markup | None:
    """The pieces of work of a case: the steps of its deadline first, then what others were asked to do.

    `candidates` are the members a piece may be passed on to.
    """
    if not case.subtasks:
        return None
    offered = [name for name in SUBTASK_MOVES if any(name in task.moves for task in case.subtasks)]
    return section(
        div(
            heading(words("forces.title", n=len(case.subtasks))),
            [_work(words, task, now, zone) for task in case.subtasks],
            [_form(words, name, candidates) for name in offered],
            data_incident_id=case.row.id,
            data_version=case.row.version,
            data_key=f"forces{case.row.id}-{case.row.version}",
        )
    )


def what_words(words: Words, task: SubtaskRow) -> str:
    return words.either(task.what, task.what_en or task.what)


def force_words(words: Words, task: SubtaskRow) -> str:
    """Whose it is: a department, a person with their role, or whoever has the case."""
    if task.department_zh:
        return words.either(task.department_zh, task.department_en)
    if task.who:
        return f"{words.get(f'role.{task.role}', '')} {task.who}".strip()
    return words("forces.of_handler")


def _work(words: Words, task: SubtaskRow, now: datetime, zone: ZoneInfo) -> Markup:
    ended = task.ended_at is not None
    state = words(f"forces.{task.stage}")
    told = [force_words(words, task), state if task.step is None or ended else ""]
    if ended:
        told.append(moment_words(task.ended_at or now, now, zone, words.language))
    left = state if ended else left_words(task.clock, task.due_at, now, words.language)
    return div(
        div(
            chip(words("forces.step", n=task.step)) if task.step else None,
            span(what_words(words, task), cls="cut grow", title=what_words(words, task)),
            pill(task.clock, left),
            cls="row",
        ),
        div(
            span(" · ".join(part for part in told if part), cls="cut grow"),
            [_button(words, name, task) for name in task.moves],
            cls="row s12 mid",
        ),
        div(words.either(task.words_zh, task.words_en), cls="s11 mute") if not ended else None,
        div(f"“{task.reply}”", cls="s12 mid") if task.reply else None,
        cls="work",
        data_key=f"work{task.id}",
        data_subtask=task.id,
    )


def _button(words: Words, name: str, task: SubtaskRow) -> Markup:
    return tag(
        "button",
        words(f"forces.do.{name}"),
        type="button",
        cls="btn small",
        data_move=name,
        data_subtask_id=task.id,
        aria_label=f"{move_words(words, name)}: {what_words(words, task)}",
    )


def _form(words: Words, name: str, candidates: Sequence[Choice]) -> Markup | None:
    """The dialog of a move, where it asks for words."""
    if name == "assist_accept":
        return None
    title = move_words(words, name)
    return tag(
        "template",
        tag(
            "form",
            tag("h2", title, id="dialog-title"),
            div(cls="problem", role="alert", hidden=True, data_problem=True),
            member_field(words, candidates) if MOVES[name].takes_member else None,
            note_field(words, needed=MOVES[name].needs_note),
            div(
                tag("button", words("cancel"), type="button", cls="btn", data_close_dialog=True),
                tag("button", title, type="submit", cls="btn primary"),
                cls="actions",
            ),
        ),
        data_form=name,
    )
