"""The lines of one indicator, ground by ground or person by person; and the cases behind one number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from statistics import median
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dash_app.clock_words import moment_words
from dash_app.evaluation_view import EvaluationView
from dash_app.markup import div, heading, icon, join, span, tag
from dash_app.panels.indicator_table import number
from dash_app.sparklines import change, empty_sparkline, rate_bar
from dash_app.texts import Words
from incidents.evaluation import GROUND_LEVELS, Entry
from incidents.evaluation_report import Line, Report
from incidents.indicators import FEW, Indicator, Ratio
from incidents.scores import SCORES, grade

MOST_LINES = 500
"""A whole city has tens of thousands of cells and people: nobody reads them in one table."""


def lines_table(words: Words, report: Report, view: EvaluationView) -> Markup:
    """A line a group: name, bar with the median, rate and counts, 环比, room for the weeks.

    The worst are not sorted first: a table people come back to keeps its order.
    """
    indicator = view.chosen
    if report.group == "member" and not indicator.basis.personal:
        return div(words("eval.no_person"), cls="mute empty-note")
    if not report.lines:
        return div(words("eval.no_lines"), cls="mute empty-note")
    ratios = [line.now.get(indicator.id, Ratio()) for line in report.lines]
    rates = [ratio.value for ratio in ratios if ratio.value is not None and ratio.denominator >= FEW]
    middle = median(rates) if rates else None
    longest = 1.0 if indicator.better == "high" else max([0.2, *rates])
    scored = report.group == "department"
    rows = [
        _row(words, line, ratio, indicator, report.group or "", view, middle, longest, scored)
        for line, ratio in zip(report.lines[:MOST_LINES], ratios, strict=False)
    ]
    more = len(report.lines) - len(rows)
    return join(
        [
            tag("table", tag("tbody", rows), cls="lines"),
            div(words("eval.more_lines", n=f"{more:,}"), cls="mute empty-note") if more else None,
        ]
    )


def _row(
    words: Words,
    line: Line,
    ratio: Ratio,
    indicator: Indicator,
    group: str,
    view: EvaluationView,
    middle: float | None,
    longest: float,
    scored: bool,
) -> Markup:
    name = words.either(line.zh, line.en)
    drill = group in GROUND_LEVELS and group != "cell" and line.code.isdigit()
    shown = tag("a", name, href=view.href(territory=line.code, by="")) if drill else span(name)
    return tag(
        "tr",
        tag("th", shown, scope="row", title=name),
        tag("td", rate_bar(indicator, ratio, middle, longest=longest), cls="c-bar"),
        tag("td", number(words, indicator, ratio, view, code=line.code), cls="c-now"),
        tag("td", change(words, indicator, ratio, line.previous.get(indicator.id, Ratio())), cls="c-change"),
        tag("td", _score(words, line), cls="c-score") if scored else None,
        tag("td", empty_sparkline(), cls="c-weeks"),
        data_code=line.code,
    )


def _score(words: Words, line: Line) -> Markup:
    points = SCORES["department"].of(line.now)
    if points is None:
        return span("—", cls="mute", title=words("eval.score"))
    return span(tag("b", grade(points)), f" {points:g}", title=words("eval.score"))


def entry_list(
    words: Words,
    indicator: Indicator,
    ratio: Ratio,
    found: Sequence[Entry],
    more: bool,
    view: EvaluationView,
    *,
    where: str,
    now: datetime,
    zone: ZoneInfo,
) -> Markup:
    """The cases behind a number, with a switch between numerator, rest and denominator."""
    name = words.either(indicator.zh, indicator.en)
    counts = {
        "numerator": ratio.numerator,
        "rest": ratio.denominator - ratio.numerator,
        "denominator": ratio.denominator,
    }
    switch = span(
        [
            tag(
                "a",
                f"{words(f'eval.cases.{part}')} {counts[part]:,}",
                href=view.href(part=part, code=view.code),
                aria_current="true" if part == view.part else None,
            )
            for part in ("numerator", "rest", "denominator")
        ],
        cls="segments",
    )
    back = tag("a", icon("left", "xs"), words("eval.cases.back"), cls="link s12", href=view.href())
    rows = [_entry(words, entry, now, zone) for entry in found]
    return join(
        [
            heading(f"{name} · {where}", back),
            div(switch, cls="row entry-switch"),
            tag("ol", rows, cls="entries") if rows else div(words("eval.cases.none"), cls="mute"),
            div(words("eval.cases.first", n=len(found)), cls="mute s12") if more else None,
        ]
    )


def _entry(words: Words, entry: Entry, now: datetime, zone: ZoneInfo) -> Markup:
    place = " · ".join(part for part in (entry.place, entry.cell_name) if part)
    # A title that only repeats its category is told in the reader's language.
    title = words.either(entry.title, entry.category_en) if entry.title == entry.category_zh else entry.title
    return tag(
        "li",
        icon(entry.icon, "mid"),
        tag(
            "a",
            span(title, cls="bold cut"),
            span(f"{entry.number} · {place}" if place else entry.number, cls="s12 mute cut"),
            href=f"/?incident={entry.incident_id}",
        ),
        span(icon("check", "xs") if entry.counted else None, cls="counted"),
        span(words(f"stage.{entry.stage}"), cls="s12 mid nowrap"),
        tag(
            "time",
            words("eval.cases.judged", time=moment_words(entry.at, now, zone, words.language)),
            cls="s12 mute nowrap",
        ),
    )
