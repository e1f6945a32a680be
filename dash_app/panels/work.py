"""The work queues of "my turn": a chip for each, boxes to choose several cases, one move with them."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from dash_app.markup import div, span, tag
from dash_app.texts import Words
from dash_app.view_state import ViewState
from incidents.lifecycle import MOVES
from incidents.queries import Row
from incidents.work_queues import QUEUES


def is_together(queue: str) -> bool:
    """Whether several cases of a queue may be moved at once."""
    return bool(queue) and QUEUES[queue].together


def work_queues(words: Words, counts: Mapping[str, int], chosen: str, state: ViewState) -> Markup | None:
    """A chip for each queue in which something waits, and for the chosen one; a second click lets go."""
    shown = [name for name, count in counts.items() if count or name == chosen]
    if not shown:
        return None
    base = state.without_selection
    return div(
        [
            tag(
                "a",
                words.either(QUEUES[name].zh, QUEUES[name].en),
                span(counts[name]),
                cls="wq",
                href=base.href(tab="mine", work="" if name == chosen else name),
                aria_current="true" if name == chosen else None,
                data_key=f"w{name}",
                data_work=name,
            )
            for name in shown
        ],
        cls="works",
        role="group",
        aria_label=words("work.label"),
        data_key="works",
    )


def together_bar(words: Words, queue: str, count: int) -> Markup | None:
    """Choose all, how many are chosen, and the move with them; its dialog waits in a template."""
    if not is_together(queue):
        return None
    move = QUEUES[queue].move
    name = words.either(MOVES[move].zh, MOVES[move].en)
    needed = MOVES[move].needs_note
    return div(
        tag("label", tag("input", type="checkbox", data_pick_all=True, data_keep=True), words("work.all")),
        span(data_picked_words=True, cls="mute", data_keep=True),
        span(cls="grow"),
        tag(
            "button",
            words("work.several", move=name),
            type="button",
            cls="btn small",
            disabled=True,
            data_together=move,
            data_keep=True,
        ),
        tag(
            "template",
            tag(
                "form",
                tag("h2", words("work.title", move=name), id="dialog-title"),
                div(words(f"work.hint.{move}"), cls="sub"),
                div(cls="problem", role="alert", hidden=True, data_problem=True),
                tag(
                    "label",
                    span(
                        words("dialog.note"),
                        span(words("dialog.note_needed" if needed else "dialog.note_optional"), cls="mute"),
                    ),
                    tag("textarea", name="note", required=needed, maxlength=1000),
                    cls="field",
                ),
                div(
                    tag("button", words("cancel"), type="button", cls="btn", data_close_dialog=True),
                    tag("button", name, type="submit", cls="btn primary"),
                    cls="actions",
                ),
            ),
            data_together_form=True,
        ),
        cls="together",
        data_key=f"together{queue}",
    )


def pickable(words: Words, row: Row, title: str, line: Markup) -> Markup:
    """A row with its box in front."""
    return div(
        tag(
            "input",
            type="checkbox",
            aria_label=words("work.pick", title=title),
            data_pick=row.id,
            data_version=row.version,
            data_keep=True,
        ),
        line,
        cls="q-pick",
        role="listitem",
        data_key=f"p{row.id}-{row.version}",
    )
