"""The panel of one case: its clock to scale, its person and why, its story, its photographs, its moves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from dash_app.charts import clock_bar
from dash_app.clock_words import due_words, left_words, moment_words, span_words
from dash_app.markup import avatar, chip, div, glyph, icon, join, pill, section, span, tag
from dash_app.panels.alike import alike_section
from dash_app.panels.case_facts import answers, past_clocks, standing
from dash_app.panels.crumb import crumb_bar
from dash_app.panels.forces import forces_section
from dash_app.panels.moves import Choice, foot
from dash_app.panels.queue import title_words
from dash_app.panels.stack import door_words
from dash_app.panels.story import timeline
from dash_app.texts import Words
from dash_app.view_state import ViewState
from incidents.deadlines import Span
from incidents.incident import ENDED
from incidents.queries import IncidentDetail, PersonRow


def incident_panel(
    words: Words,
    case: IncidentDetail,
    state: ViewState,
    *,
    candidates: Sequence[Choice],
    departments: Sequence[Choice],
    stretches: Sequence[Span],
    now: datetime,
    zone: ZoneInfo,
) -> Markup:
    """`candidates` are the members a dispatch may name, `departments` those that may be asked to help,
    `stretches` the clock's time, counted or not."""
    return join(
        [
            _head(words, case, state),
            div(
                _clock(words, case, stretches, now, zone),
                standing(words, case, now, zone),
                alike_section(words, case, state, now, zone),
                _person(words, case, state),
                forces_section(words, case, candidates, now, zone),
                section(timeline(words, case, now, zone), past_clocks(words, case)),
                _report(words, case, zone, now),
                _reporter(words, case),
                cls="scroll",
                data_key=f"body{case.row.id}",
            ),
            foot(words, case, candidates, departments),
        ]
    )


def _head(words: Words, case: IncidentDetail, state: ViewState) -> Markup:
    row = case.row
    group, category = (
        words.either(case.group_zh, case.group_en),
        words.either(row.category_zh, row.category_en),
    )
    door = door_words(words, row.unit, row.floor, row.room)
    place = " ".join(part for part in (row.place, door) if part)
    where = " · ".join(part for part in (place, row.cell_name, f"{group} / {category}") if part)
    return tag(
        "header",
        crumb_bar(words, state, words("back"), span(row.number)),
        div(
            glyph(row.clock, row.icon, hollow=row.hollow, px=38),
            div(
                tag("h1", title_words(words, row), cls="cut"),
                div(where, cls="s12 mid cut", title=where),
                cls="grow",
            ),
            cls="title-row",
        ),
        cls="panel-head",
        data_key="head",
    )


def _clock(
    words: Words, case: IncidentDetail, stretches: Sequence[Span], now: datetime, zone: ZoneInfo
) -> Markup:
    row = case.row
    state_words = words(f"stage.{row.stage}") if row.stage in ENDED else words(f"clock.{row.clock}")
    if row.clock == "closed":
        ended_at = row.closed_at or (case.story[-1].at if case.story else row.reported_at)
        return section(
            div(
                span(
                    words("used", span=span_words(ended_at - row.reported_at, words.language)),
                    cls="clock-big",
                ),
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
    if case.clock:
        return words.either(case.clock.words_zh, case.clock.words_en)
    started = "dispatched" if case.dispatched_at else "reported"
    from_ = moment_words(case.dispatched_at or case.row.reported_at, now, zone, words.language)
    return f"{words('incident.started.' + started)} {from_}"


def _person(words: Words, case: IncidentDetail, state: ViewState) -> Markup:
    row, person = case.row, case.member or case.handler
    card = _card(words, case, person, state) if person else div(words("incident.no_member"), cls="mute")
    handled_by = None
    if case.handler and case.member and case.handler.id != case.member.id:
        handled_by = case.handler.name
    elif row.hollow and case.proposed and case.member and case.proposed.id != case.member.id:
        handled_by = f"{words('role.' + case.proposed.role)} {case.proposed.name}"
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
        words("incident.assists", n=person.assists) if person.assists else None,
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


# ---- report, photographs, moves --------------------------------------------------------------------


def _report(words: Words, case: IncidentDetail, zone: ZoneInfo, now: datetime) -> Markup | None:
    if not case.description and not case.photos and not case.answers:
        return None
    quote = None
    if case.description:
        left, right = ("“", "”")
        quote = div(
            span(words("incident.reporter") + " ", cls="mute"),
            f"{left}{case.description}{right}",
            cls="quote",
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
    return section(quote, answers(words, case), div(pictures, cls="photos") if pictures else None)


def _reporter(words: Words, case: IncidentDetail) -> Markup:
    """What the reporter thought of it, and the page they look at."""
    rating = case.rating
    page = f"/r/{case.tracking_code}"
    return section(
        div(
            tag("b", words("rating.given", score=rating.score)),
            chip(words("rating.reopen")) if rating.offers_reopen and "reopen" in case.moves else None,
            cls="row",
        )
        if rating
        else None,
        div(f"“{rating.comment}”", cls="quote") if rating and rating.comment else None,
        tag(
            "details",
            tag("summary", words("incident.tracking"), icon("right", "xs turn"), cls="link"),
            tag(
                "a",
                tag("img", src=f"{page}/qr.svg", alt=page, width=148, height=148, loading="lazy"),
                href=page,
                target="_blank",
                rel="noreferrer",
                data_native=True,
            ),
            data_key=f"tracking{case.row.id}",
        ),
    )
