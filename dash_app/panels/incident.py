"""The panel of one case: its clock to scale, its person and why, its story, its photographs, its next step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from dash_app.charts import Stretch, clock_bar
from dash_app.clock_words import due_words, left_words, moment_words, span_words
from dash_app.markup import avatar, chip, div, glyph, icon, join, pill, section, span, tag
from dash_app.panels.queue import title_words
from dash_app.texts import Words
from dash_app.view_state import ViewState
from incidents.incident import ENDED
from incidents.queries import IncidentDetail, MoveRow, PersonRow

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


@dataclass(frozen=True, slots=True)
class MoveOption:
    """A move the lifecycle allows this person now, and what its dialog must ask for."""

    name: str
    needs_note: bool = False
    needs_photo: bool = False
    takes_member: bool = False

    @property
    def asks(self) -> bool:
        """Whether pressing the button opens a dialog first."""
        return self.needs_note or self.needs_photo or self.takes_member


def incident_panel(
    words: Words,
    case: IncidentDetail,
    state: ViewState,
    *,
    moves: Sequence[MoveOption],
    candidates: Sequence[tuple[int, str]],
    stretches: Sequence[Stretch],
    now: datetime,
    zone: ZoneInfo,
) -> Markup:
    """`candidates` are the members a dispatch may name; `stretches` the clock's counted and uncounted time."""
    return join(
        [
            _head(words, case, state),
            div(
                _clock(words, case, stretches, now, zone),
                _person(words, case, state),
                section(_timeline(words, case, now, zone)),
                _report(words, case, zone, now),
                cls="scroll",
                data_key=f"body{case.row.id}",
            ),
            _foot(words, case, moves, candidates),
        ]
    )


def crumb_bar(words: Words, state: ViewState, back: Markup | str, *right: Markup | str) -> Markup:
    """The thin line over a detail panel: back, a number, copy link, close."""
    home = state.without_selection.href()
    return div(
        tag("a", icon("left", "xs"), back, href=home, data_back=True),
        span(cls="grow"),
        *right,
        tag(
            "button",
            icon("link", "xs"),
            type="button",
            cls="icon-btn",
            data_copy_link=True,
            aria_label=words("copy_link"),
            title=words("copy_link"),
        ),
        tag("a", icon("x", "xs"), cls="icon-btn", href=home, aria_label=words("close"), title=words("close")),
        cls="crumb",
    )


def _head(words: Words, case: IncidentDetail, state: ViewState) -> Markup:
    row = case.row
    where = " · ".join(
        part
        for part in (
            row.place,
            row.cell_name,
            f"{words.either(case.group_zh, case.group_en)} / {words.either(row.category_zh, row.category_en)}",
        )
        if part
    )
    return tag(
        "header",
        crumb_bar(words, state, words("back"), span(row.number)),
        div(
            glyph(row.clock, row.icon, hollow=row.hollow, px=38),
            div(tag("h1", title_words(words, row), cls="cut"), div(where, cls="s12 mid cut", title=where), cls="grow"),
            cls="title-row",
        ),
        cls="panel-head",
        data_key="head",
    )


def _clock(
    words: Words, case: IncidentDetail, stretches: Sequence[Stretch], now: datetime, zone: ZoneInfo
) -> Markup:
    row = case.row
    state_words = words(f"stage.{row.stage}") if row.stage in ENDED else words(f"clock.{row.clock}")
    if row.clock == "closed":
        ended_at = row.closed_at or (case.story[-1].at if case.story else row.reported_at)
        return section(
            div(
                span(words("used", span=span_words(ended_at - row.reported_at, words.language)), cls="clock-big"),
                span(moment_words(ended_at, now, zone, words.language), cls="s12 mid"),
                span(cls="grow"),
                pill("closed", state_words),
                cls="row c-closed",
                style="align-items:baseline",
            ),
        )
    big = left_words(row.clock, row.due_at, now, words.language)
    if words.language == "en" and row.clock in ("in_time", "due_soon"):
        big = words("incident.remaining", span=big)
    return section(
        div(
            span(big, cls="clock-big"),
            span(due_words(row.due_at, now, zone, words.language), cls="s12 mid cut") if row.due_at else None,
            span(cls="grow"),
            pill(row.clock, state_words),
            cls=f"row c-{row.clock}",
            style="align-items:baseline",
        ),
        div(_sum(words, case, now, zone), cls="s12 mid"),
        clock_bar(words, stretches, clock=row.clock, now=now, due_at=row.due_at, zone=zone)
        if row.due_at and row.clock != "paused"
        else None,
    )


def _sum(words: Words, case: IncidentDetail, now: datetime, zone: ZoneInfo) -> str:
    """The deadline's arithmetic as a sentence: 派遣 11:18 ＋ 4 工作时 ＝ 16:48."""
    row = case.row
    limit = words.either(case.limit_words_zh, case.limit_words_en)
    started = "dispatched" if case.dispatched_at else "reported"
    from_ = moment_words(case.dispatched_at or row.reported_at, now, zone, words.language)
    if not row.due_at or not limit:
        return f"{words('incident.started.' + started)} {from_}"
    if any(sign in limit for sign in "=＝"):
        return limit
    until = moment_words(row.due_at, now, zone, words.language)
    plus, equals = ("＋", "＝") if words.language == "zh" else ("+", "=")
    return f"{words('incident.started.' + started)} {from_} {plus} {limit} {equals} {until}"


def _person(words: Words, case: IncidentDetail, state: ViewState) -> Markup:
    row, person = case.row, case.member or case.handler
    card = _card(words, case, person, state) if person else div(words("incident.no_member"), cls="mute")
    handled_by = None
    if case.handler and case.member and case.handler.id != case.member.id:
        handled_by = case.handler.name
    elif row.department_zh:
        handled_by = words.either(row.department_zh, row.department_en)
    return section(
        card,
        div(_bold_facts(words.either(case.reason_zh, case.reason_en), person), cls="reason"),
        div(words("incident.handled_by", name=handled_by), cls="s12 mid", style="margin-bottom:4px")
        if handled_by
        else None,
        tag(
            "details",
            tag(
                "summary",
                _second(words, case),
                span(cls="grow"),
                span(words("incident.trace", n=len(case.trace)), icon("right", "xs turn"), cls="link"),
                cls="s12 mid",
            ),
            tag("ol", [tag("li", words.either(step.get("zh"), step.get("en"))) for step in case.trace]),
            cls="trace",
            data_key=f"trace{row.id}",
        )
        if case.trace
        else None,
    )


def _card(words: Words, case: IncidentDetail, person: PersonRow, state: ViewState) -> Markup:
    row = case.row
    facts = [
        words("incident.on_duty" if person.on_duty else "incident.off_duty"),
        words("incident.open_cases", n=person.open_cases),
        person.phone,
    ]
    cell_chip = None
    if row.cell_code:
        cell_chip = tag("a", row.cell_name or row.cell_code, cls="tag", href=state.href(cell=row.cell_code))
    return div(
        avatar(person.name, on_duty=person.on_duty),
        div(
            div(
                span(person.name, cls="name"),
                chip(words.get(f"role.{person.role}", person.role)),
                cell_chip,
                cls="row",
                style="gap:6px",
            ),
            div(" · ".join(fact for fact in facts if fact), cls="s12 mute cut"),
            cls="grow",
        ),
        tag(
            "button",
            icon("pin", "s"),
            type="button",
            cls="icon-btn boxed",
            data_show_focus=True,
            aria_label=words("cell.show_on_map"),
            title=words("cell.show_on_map"),
        ),
        cls="person",
    )


def _second(words: Words, case: IncidentDetail) -> Markup | None:
    if not case.second_cell:
        return None
    person = case.second_member
    name, cell = (person.name if person else ""), case.second_cell_name or case.second_cell
    return span(
        avatar(name, on_duty=person.on_duty, small=True, quiet=True) if person else None,
        span(words("incident.second", name=name, cell=cell), cls="cut"),
        cls="row",
        style="min-width:0",
    )


def _bold_facts(text: str, person: PersonRow | None) -> Markup:
    """The four facts of the reason sentence in bold: cell, metres, confidence, person."""
    patterns = [r"\d{9,15}", r"\d+(?:\.\d+)? (?:米|m)\b", r"\d+ ?%"]
    if person:
        patterns.append(re.escape(person.name))
    safe = str(escape(text))
    return Markup(re.sub("(" + "|".join(patterns) + ")", r"<b>\1</b>", safe))


# ---- the story -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Line:
    state: str
    step: str
    time: str
    who: str


def _timeline(words: Words, case: IncidentDetail, now: datetime, zone: ZoneInfo) -> Markup:
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
            lines.append(_Line("now", words(f"step.{coming}"), words("step.going"), _hint(words, case, coming)))
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
            lines[-1].who += f" · {time} {words('move.finish')}"
        elif step:
            lines.append(_Line("done", words(f"step.{step}"), time, who))
        else:
            lines.append(_Line("aside", words(f"move.{move.move}"), time, who))
        before = move.at
    return lines


def _who(words: Words, case: IncidentDetail, move: MoveRow, before: datetime | None) -> str:
    actor = f"{words.get(f'role.{move.role}', '')} {move.actor_name}".strip()
    parts: list[str] = []
    if move.move == "report":
        channel = words.get(f"channel.{case.channel}", case.channel)
        parts.append(actor if case.channel in ("member", "desk") else f"{channel} · {actor}")
        if case.on_behalf:
            parts.append(words("incident.on_behalf", name=case.on_behalf))
    elif move.move == "accept":
        parts.append(f"{words('move.accept')} · {move.actor_name}")
    elif move.move == "dispatch" and move.member:
        parts.append(f"{actor} → {move.member}")
    else:
        parts.append(actor)
    if move.move in ("register", "verify", "close") and before and move.at - before >= timedelta(minutes=1):
        parts.append(words("used", span=span_words(move.at - before, words.language)))
    if move.note:
        parts.append(f"“{move.note}”")
    return " · ".join(parts)


def _hint(words: Words, case: IncidentDetail, step: str) -> str:
    if step == "handling":
        return words.either(case.limit_words_zh, case.limit_words_en)
    return words(f"step.hint.{step}")


def _dot(state: str) -> Markup:
    inner = {
        "done": '<circle class="full" cx="9" cy="9" r="8"/><path class="sign" d="M5.4 9.2 8 11.8 12.8 6.6"/>',
        "now": '<circle class="ring" cx="9" cy="9" r="8.2"/><circle class="core" cx="9" cy="9" r="5"/>',
        "ahead": '<circle class="later" cx="9" cy="9" r="6"/>',
        "aside": '<circle class="side" cx="9" cy="9" r="4.5"/>',
    }[state]
    return Markup(f'<svg class="dot" width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">{inner}</svg>')


# ---- report, photographs, moves --------------------------------------------------------------------


def _report(words: Words, case: IncidentDetail, zone: ZoneInfo, now: datetime) -> Markup | None:
    if not case.description and not case.photos:
        return None
    quote = None
    if case.description:
        left, right = ("“", "”")
        quote = div(
            span(words("incident.reporter") + " ", cls="mute"), f"{left}{case.description}{right}", cls="quote"
        )
    pictures = [
        tag(
            "figure",
            tag(
                "a",
                tag(
                    "img",
                    src=f"/api/v1/photos/{photo.id}",
                    alt=words(f"incident.{photo.kind}"),
                    loading="lazy",
                    width=photo.width,
                    height=photo.height,
                ),
                href=f"/api/v1/photos/{photo.id}",
                target="_blank",
                data_native=True,
            ),
            tag(
                "figcaption",
                f"{words(f'incident.{photo.kind}')} · {moment_words(photo.at, now, zone, words.language)}",
            ),
        )
        for photo in case.photos
    ]
    return section(quote, div(pictures, cls="photos") if pictures else None)


def _foot(
    words: Words, case: IncidentDetail, moves: Sequence[MoveOption], candidates: Sequence[tuple[int, str]]
) -> Markup:
    """One filled button for the next step; what the stage forbids is absent, one grey line says why."""
    shown, rest = moves[:3], moves[3:]
    buttons = [_button(words, move, primary=index == 0) for index, move in enumerate(shown)]
    if rest:
        buttons.append(
            tag(
                "details",
                tag("summary", icon("more", "s"), cls="btn", style="padding:0 8px", aria_label=words("more")),
                div(
                    [
                        tag("button", words(f"do.{m.name}"), type="button", cls="menu-item", data_move=m.name)
                        for m in rest
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
        [_form(words, case, move, candidates) for move in moves if move.asks],
        cls="panel-foot",
        data_key=f"foot{case.row.id}-{case.row.version}",
        data_incident_id=case.row.id,
        data_version=case.row.version,
    )


def _button(words: Words, move: MoveOption, *, primary: bool) -> Markup:
    sign = {"supervise": "bell", "hand_back": "undo", "finish": "check", "verify": "check", "close": "check"}
    return tag(
        "button",
        icon(sign.get(move.name, "check"), "s") if primary or move.name in sign else None,
        words(f"do.{move.name}"),
        type="button",
        cls="btn primary" if primary else "btn",
        data_move=move.name,
    )


def _why(words: Words, case: IncidentDetail, moves: Sequence[MoveOption]) -> str:
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


def _form(
    words: Words, case: IncidentDetail, move: MoveOption, candidates: Sequence[tuple[int, str]]
) -> Markup:
    """The dialog of a move, waiting in a template until its button is pressed."""
    fields: list[Markup] = []
    if move.takes_member and candidates:
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
                span(words("dialog.note_needed" if move.needs_note else "dialog.note_optional"), cls="mute"),
            ),
            tag("textarea", name="note", required=move.needs_note, maxlength=1000),
            cls="field",
        )
    )
    if move.name == "finish":
        fields.append(
            tag(
                "label",
                span(words("dialog.photo")),
                tag("input", type="file", name="photo", accept="image/*", required=move.needs_photo),
                cls="field",
            )
        )
    title = words(f"do.{move.name}").rstrip("…")
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
        data_form=move.name,
    )
