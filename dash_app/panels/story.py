"""The story of a case as a timeline: a line for each move made, for the step now, for those to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dash_app.clock_words import moment_words, span_words
from dash_app.markup import span, tag
from dash_app.panels.moves import move_words
from dash_app.texts import Words
from incidents.queries import IncidentDetail, MoveRow

STEPS = ("reported", "registered", "dispatched", "handling", "verified", "closed")
_STEP_OF_MOVE = {
    "report": "reported",
    "register": "registered",
    "dispatch": "dispatched",
    "accept": "handling",
    "finish": "handling",
    "verify": "verified",
    "close": "closed",
}
_NEXT_STEP = {
    "reported": "registered",
    "registered": "dispatched",
    "dispatched": "handling",
    "handling": "handling",
    "parked": "handling",
    "handled": "verified",
    "verified": "closed",
}


@dataclass(slots=True)
class _Line:
    state: str
    step: str
    time: str
    who: str


def timeline(words: Words, case: IncidentDetail, now: datetime, zone: ZoneInfo) -> Markup:
    lines = _told(words, case, now, zone)
    stage = case.row.stage
    coming = _NEXT_STEP.get(stage)
    if coming:
        going = next((line for line in reversed(lines) if line.step == words(f"step.{coming}")), None)
        if coming == "handling" and stage == "handling" and going:
            going.state = "now"
            going.who = f"{going.time} {going.who}"
            going.time = words("step.going")
        else:
            lines.append(
                _Line("now", words(f"step.{coming}"), words("step.going"), _hint(words, case, coming))
            )
        for step in STEPS[STEPS.index(coming) + 1 :]:
            lines.append(_Line("ahead", words(f"step.{step}"), "", _hint(words, case, step)))
    return tag(
        "ol",
        [
            tag(
                "li",
                _dot(line.state),
                span(line.step, cls="step"),
                tag("time", line.time),
                span(line.who, cls="who"),
                cls=line.state,
                aria_current="step" if line.state == "now" else None,
            )
            for line in lines
        ],
        cls="timeline",
    )


def _told(words: Words, case: IncidentDetail, now: datetime, zone: ZoneInfo) -> list[_Line]:
    """One line a move; a hand-back or an extension adds a line and erases none."""
    lines: list[_Line] = []
    before = None
    for move in case.story:
        step = _STEP_OF_MOVE.get(move.move)
        time = moment_words(move.at, now, zone, words.language)
        who = _who(words, case, move, before)
        if move.move == "finish" and lines and lines[-1].step == words("step.handling"):
            lines[-1].who += f" · {time} {move_words(words, 'finish')}"
        elif step:
            lines.append(_Line("done", words(f"step.{step}"), time, who))
        else:
            lines.append(_Line("aside", move_words(words, move.move), time, who))
        before = move.at
    return lines


def _who(words: Words, case: IncidentDetail, move: MoveRow, before: datetime | None) -> str:
    name = "" if move.role == "system" else move.actor_name  # what happens by itself has no name of its own
    actor = f"{words.get(f'role.{move.role}', '')} {name}".strip()
    parts: list[str] = []
    if move.move == "report":
        channel = words.get(f"channel.{case.channel}", case.channel)
        parts.append(actor if case.channel in ("member", "desk") else f"{channel} · {actor}")
        if case.on_behalf:
            parts.append(words("incident.on_behalf", name=case.on_behalf))
    elif move.move == "accept":
        parts.append(f"{move_words(words, 'accept')} · {move.actor_name}")
    elif move.move in ("dispatch", "reassign", "assist", "assist_pass") and move.member:
        parts.append(f"{actor} → {move.member}")
    else:
        parts.append(actor)
    if move.move in ("register", "verify", "close") and before and move.at - before >= timedelta(minutes=1):
        parts.append(words("used", span=span_words(move.at - before, words.language)))
    if move.note:
        parts.append(f"“{move.note}”")
    return " · ".join(parts)


def _hint(words: Words, case: IncidentDetail, step: str) -> str:
    """What a step that is still to come waits for; of handling the limit, once its clock runs."""
    clock = case.clock
    if step == "handling" and case.dispatched_at:
        if clock and clock.clock in ("handle", "level"):
            return words.either(clock.words_zh, clock.words_en)
        return ""
    return words(f"step.hint.{step}")


def _dot(state: str) -> Markup:
    inner = {
        "done": '<circle class="full" cx="9" cy="9" r="8"/><path class="sign" d="M5.4 9.2 8 11.8 12.8 6.6"/>',
        "now": '<circle class="ring" cx="9" cy="9" r="8.2"/><circle class="core" cx="9" cy="9" r="5"/>',
        "ahead": '<circle class="later" cx="9" cy="9" r="6"/>',
        "aside": '<circle class="side" cx="9" cy="9" r="4.5"/>',
    }[state]
    return Markup(
        f'<svg class="dot" width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">{inner}</svg>'
    )
