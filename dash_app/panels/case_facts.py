"""What is true of a case besides its stage, and every clock it ever had, in words."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dash_app.clock_words import day_words, moment_words, span_words
from dash_app.markup import chip, div, icon, section, shape, span, tag
from dash_app.texts import Words
from incidents.deadline_words import limit_words
from incidents.incident import ORDINARY
from incidents.queries import IncidentDetail


def standing(words: Words, case: IncidentDetail, now: datetime, zone: ZoneInfo) -> Markup | None:
    """A line for each thing that waits for an answer or sets the case apart; None for an ordinary one."""
    clock = case.clock
    lines: list[tuple[str, str]] = []
    if case.extension_asked is not None:
        kind = clock.kind if clock else case.limit_kind
        asked = words.either(*limit_words(kind, case.extension_asked))
        lines.append(("clock", words("fact.extension_asked", asked=asked)))
    if case.appealed_at:
        at = moment_words(case.appealed_at, now, zone, words.language)
        lines.append(("alert", words("fact.appealed", time=at)))
    if case.review_on:
        lines.append(
            ("cal", words("fact.review", day=day_words(case.review_on, words.language, weekday=True)))
        )
    if case.supervised_at:
        at = moment_words(case.supervised_at, now, zone, words.language)
        lines.append(("bell", words("fact.supervised", time=at)))
    if clock and clock.provisional:
        lines.append(("cal", words("fact.provisional")))
    if clock and clock.extended:
        more = words.either(*limit_words(clock.kind, clock.extended))
        lines.append(("clock", words("fact.extended", more=more)))
    chips = [words(f"level.{case.level}")] if case.level != "community" else []
    chips += [words(f"grade.{case.grade}")] if case.grade != ORDINARY else []
    if not lines and not chips:
        return None
    return section(
        div([chip(text) for text in chips], cls="row") if chips else None,
        [div(icon(sign, "s"), span(text), cls="fact") for sign, text in lines],
        cls="facts",
    )


def past_clocks(words: Words, case: IncidentDetail) -> Markup | None:
    """Every clock that has stopped: its sum, and whether the work was in time."""
    stopped = [clock for clock in case.clocks if clock.stopped_at is not None]
    if not stopped:
        return None
    rows = []
    for clock in stopped:
        assert clock.stopped_at is not None
        late = clock.stopped_at - clock.due_at
        kept = late.total_seconds() <= 0
        told = span_words(abs(late), words.language)
        rows.append(
            tag(
                "li",
                shape("closed" if kept else "overdue", 12),
                span(words.get(f"clockname.{clock.clock}", clock.clock), cls="bold nowrap"),
                span(words("fact.early" if kept else "fact.late", span=told), cls="nowrap"),
                span(words.either(clock.words_zh, clock.words_en), cls="mute"),
            )
        )
    return tag(
        "details",
        tag(
            "summary",
            words("fact.past_clocks", n=len(rows)),
            icon("right", "xs turn"),
            cls="link",
        ),
        tag("ol", rows),
        cls="past-clocks",
        data_key=f"clocks{case.row.id}",
    )


def answers(words: Words, case: IncidentDetail) -> Markup | None:
    """What the reporter answered to the questions of the category."""
    if not case.answers:
        return None
    asked = {question["key"]: question for question in case.questions}
    rows = []
    for key, given in case.answers.items():
        question = asked.get(key, {"zh": key, "en": key, "kind": "text"})
        rows += [
            tag("dt", words.either(question["zh"], question["en"])),
            tag("dd", _answer(words, question, given)),
        ]
    return tag("dl", rows, cls="pairs answers")


def _answer(words: Words, question: dict[str, object], given: object) -> str:
    if isinstance(given, bool):
        return words("yes" if given else "no")
    if question["kind"] == "choice" and words.language == "en":
        options = question.get("options")
        assert isinstance(options, list)
        return next((one["en"] for one in options if one["zh"] == given), str(given))
    return f"{given:g}" if isinstance(given, float) else str(given)
