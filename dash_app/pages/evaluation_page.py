"""The evaluation page: all indicators with their counts, one of them ground by ground and mapped, its cases.

A plain page, drawn on the server; a small script shades the map. Each question is an address, so a figure can
be sent to a colleague with everything it stands on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from dash_app.desk import Desk, Visit
from dash_app.evaluation_view import PATH, EvaluationView
from dash_app.kept_reports import Counted
from dash_app.markup import div, icon, join, span, tag
from dash_app.pages.cases_page import moment
from dash_app.pages.ground import active_map, bounds_of, ground_path
from dash_app.panels.evaluation_lines import MOST_LINES, entry_list, lines_table
from dash_app.panels.indicator_table import definition, indicator_table
from dash_app.panels.territory import GroundPath, ground_name
from dash_app.plain_frame import plain_page
from dash_app.shading import class_names, ground_shapes, shaded
from dash_app.sparklines import sparkline
from dash_app.statics import ENGINE
from dash_app.texts import Words
from gis.access import CODE_WIDTHS, Principal
from gis.database import Session
from incidents import queries
from incidents.evaluation import (
    EVERYTHING,
    GROUND_LEVELS,
    GROUPINGS,
    Counts,
    Part,
    Scope,
    entries,
    evaluate,
)
from incidents.evaluation_report import Line, Numbers, Report, evaluation_report
from incidents.indicators import FEW, INDICATORS, Indicator, Ratio
from incidents.queries import Filter
from incidents.windows import NAMES, Window, weeks

__all__ = ["ADDRESSES", "PATH", "drawn_weeks", "evaluation_page", "report_of", "shade_shapes", "span_words"]

SHAPES = PATH + "/shapes.json"
WEEKS_DRAWN = PATH + "/weeks.json"
CSV = "/evaluation.csv"
ADDRESSES = (PATH, CSV)
WEEKS = 12
LISTED = 200
"""Cases listed behind a number; the API pages through the rest."""


def _rights(by: Principal) -> Principal | None:
    """What a kept number must not be shared beyond: None for whoever sees every case of the city."""
    return None if by.sees_territory and by.territory == "" else by


def report_of(
    desk: Desk, session: Session, visit: Visit, view: EvaluationView, now: datetime
) -> Counted[Report]:
    """The report an address means, for the person asking; over a large city it may be some minutes old."""
    by = visit.principal
    group = view.group_for(by.territory or "")
    key = ("report", _rights(by), view.territory, view.window, view.from_, view.to, group)
    return desk.reports.counted(
        key,
        now,
        lambda: evaluation_report(
            session,
            view.span(now, desk.zone),
            by=by,
            now=now,
            zone=desk.zone,
            scope=Scope(territory=view.territory or None),
            group=group,
        ),
    )


def evaluation_page(desk: Desk, query: str) -> str:
    """The page for an address, see `EvaluationView`. Its map and its weeks are asked for by its script."""
    view = EvaluationView.parse(query)
    with desk.reading() as (session, visit, now):
        counted = report_of(desk, session, visit, view, now)
        report = counted.what
        look = _Look(desk, session, visit, view, counted.at)
        path = ground_path(session, visit.principal, view.territory)
        body = _body(look, report, path)
        overdue = queries.count_incidents(
            session, Filter(overdue=True, open_only=True), by=visit.principal, now=now
        )
        bounds = bounds_of(active_map(session), view.territory or visit.principal.territory or "")
    data = {
        "engine": ENGINE,
        "shapes": view.href(SHAPES),
        "weeks": view.href(WEEKS_DRAWN),
        "bounds": list(bounds) if bounds else None,
        "drill": report.group in GROUND_LEVELS and report.group != "cell",
    }
    title = visit.words("rail.evaluation")
    return plain_page(visit, title, body, name="evaluation", overdue=overdue, data=data)


def shade_shapes(desk: Desk, query: str) -> dict[str, Any]:
    """The grounds of an address shaded by its indicator; where it tells people or departments apart, the
    grounds below."""
    view = EvaluationView.parse(query)
    with desk.reading() as (session, visit, now):
        by = visit.principal
        if view.group_for(by.territory or "") not in GROUND_LEVELS:
            view = replace(view, by="")
        group = view.group_for(by.territory or "")
        if group not in GROUND_LEVELS:  # a single cell is looked at
            view, group = replace(view, by="cell"), "cell"
        report = report_of(desk, session, visit, view, now).what
        picture = active_map(session)
        ground = view.territory or by.territory or ""
        shapes = ground_shapes(picture, ground, CODE_WIDTHS[group]) if picture else {}
    words = visit.words
    lines = [
        (line.code, words.either(line.zh, line.en), line.now.get(view.chosen.id, Ratio()))
        for line in report.lines
    ]
    return shaded(words, view.chosen, shapes, lines)


def drawn_weeks(desk: Desk, query: str) -> dict[str, dict[str, str]]:
    """The pictures of the last weeks: of each indicator, and of the chosen one for each line of the page."""
    view = EvaluationView.parse(query)
    with desk.reading() as (session, visit, now):
        by, words = visit.principal, visit.words
        scope = Scope(territory=view.territory or None)

        def counted(group: str | None, indicators: tuple[Indicator, ...]) -> Counts:
            key = ("weeks", _rights(by), view.territory, group, indicators)
            spans = weeks(now, desk.zone, WEEKS)
            return desk.reports.counted(
                key,
                now,
                lambda: evaluate(
                    session, spans, by=by, now=now, scope=scope, group=group, indicators=indicators
                ),
            ).what

        total = counted(None, tuple(INDICATORS.values()))
        groups = counted(view.group_for(by.territory or ""), (view.chosen,))
        listed = report_of(desk, session, visit, view, now).what.lines[:MOST_LINES]

    def drawn(by_week: list[Numbers], indicator: Indicator) -> str:
        ratios = [numbers.get(indicator.id, Ratio()) for numbers in by_week]
        return str(sparkline(words, ratios, name=words.either(indicator.zh, indicator.en)))

    return {
        "indicators": {one.id: drawn(total.get(EVERYTHING, []), one) for one in INDICATORS.values()},
        "lines": {line.code: drawn(groups.get(line.code, []), view.chosen) for line in listed},
    }


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at the page: who looks, at what, when."""

    desk: Desk
    session: Session
    visit: Visit
    view: EvaluationView
    now: datetime

    @property
    def words(self) -> Words:
        return self.visit.words


def _body(look: _Look, report: Report, path: GroundPath) -> Markup:
    words, view = look.words, look.view
    ground = ground_name(words, path.path[-1]) if path.path else words("territory.city")
    return join(
        [
            tag(
                "main",
                _head(look, report, path, ground),
                div(indicator_table(words, report, view), cls="indicator-scroll"),
                cls="evaluation",
            ),
            tag("aside", _map(look, ground), _beside(look, report, ground), cls="evaluation-side"),
            tag("footer", _printed(look), cls="print-only s12"),
        ]
    )


def _head(look: _Look, report: Report, path: GroundPath, ground: str) -> Markup:
    words, view, window = look.words, look.view, report.window
    return tag(
        "header",
        div(
            tag("h1", words("eval.title", territory=ground)),
            _breadcrumb(words, path, view),
            span(cls="grow"),
            tag("a", icon("download", "s"), words("eval.csv"), cls="btn", href=view.href(CSV)),
            tag("button", icon("doc", "s"), words("eval.print"), type="button", cls="btn", data_print=True),
            cls="row tools-row",
        ),
        div(
            span(
                [
                    tag(
                        "a",
                        words(f"eval.window.{name}"),
                        href=view.href(window=name, from_="", to=""),
                        aria_current="true" if not view.from_ and name == (view.window or "30d") else None,
                    )
                    for name in NAMES
                ],
                cls="segments",
            ),
            _own_dates(words, view),
            cls="row tools-row",
        ),
        div(
            tag("b", span_words(window)),
            span(words("eval.previous_span", span=span_words(window.previous)), cls="mute"),
            span(words("eval.year_span", span=span_words(window.year_before)), cls="mute"),
            span(cls="grow"),
            span(words("eval.worse_note"), cls="mute nowrap"),
            cls="row s12 spans",
        ),
        cls="evaluation-head",
    )


def _breadcrumb(words: Words, path: GroundPath, view: EvaluationView) -> Markup:
    """The way up from the ground looked at, as far as it is one's own."""
    above = [ground for ground in path.path[:-1] if ground.code.startswith(path.home)]
    links = [
        tag("a", ground_name(words, ground), cls="link", href=view.href(territory=ground.code, by=""))
        for ground in above
    ]
    return (
        span([span(link, span("›", cls="mute")) for link in links], cls="crumbs s12") if links else Markup("")
    )


def _own_dates(words: Words, view: EvaluationView) -> Markup:
    """Two days of one's own choice, both included; what else the address says travels along."""
    kept = [(name, getattr(view, name)) for name in ("territory", "by", "indicator")]
    return tag(
        "form",
        [tag("input", type="hidden", name=name, value=value) for name, value in kept if value],
        tag(
            "input", type="date", name="from", value=view.from_, required=True, aria_label=words("eval.from")
        ),
        span("–", cls="mute"),
        tag("input", type="date", name="to", value=view.to, required=True, aria_label=words("eval.to")),
        tag("button", words("eval.show"), type="submit", cls="btn"),
        cls="row own-dates",
        action=PATH,
    )


def _map(look: _Look, ground: str) -> Markup:
    words, indicator = look.words, look.view.chosen
    name = words.either(indicator.zh, indicator.en)
    swatches = [
        span(tag("i", cls=f"swatch s{index}"), label, cls="legend-item")
        for index, label in enumerate(class_names(indicator))
    ]
    return div(
        div(cls="shade-map", role="img", aria_label=words("eval.map", name=name), data_shade=True),
        div(
            tag("b", name),
            div(swatches, cls="legend-row"),
            div(tag("i", cls="swatch none"), words("eval.hatched", n=FEW), cls="legend-item"),
            div(words("eval.strong_is_worse"), cls="mute"),
            cls="float shade-legend s12",
        ),
        div(cls="float shade-tip", hidden=True, data_tip=True),
        cls="shade",
    )


def _beside(look: _Look, report: Report, ground: str) -> Markup:
    """Under the map: the lines of the chosen indicator, or the cases behind one of its numbers."""
    words, view = look.words, look.view
    if view.part:
        return tag("section", _cases(look, report, ground), cls="sec lines-scroll")
    groups = [name for name in GROUPINGS if name == report.group or _offered(name, view, look.visit)]
    switch = span(
        [
            tag(
                "a",
                words(f"eval.by.{name}"),
                href=view.href(by=name),
                aria_current="true" if name == report.group else None,
            )
            for name in groups
        ],
        cls="segments",
    )
    return tag(
        "section",
        div(tag("h3", words.either(view.chosen.zh, view.chosen.en)), span(cls="grow"), switch, cls="row"),
        definition(words, view.chosen),
        lines_table(words, report, view),
        cls="sec lines-scroll",
    )


def _offered(group: str, view: EvaluationView, visit: Visit) -> bool:
    """Whether a grouping makes sense here: grounds below the one looked at, and everything else. Cells and
    people are thousands above a subdistrict."""
    here = len(view.territory or visit.principal.territory or "")
    if group in ("cell", "member") and here < CODE_WIDTHS["subdistrict"]:
        return False
    return group not in GROUND_LEVELS or CODE_WIDTHS[group] > here


def _cases(look: _Look, report: Report, ground: str) -> Markup:
    view, words = look.view, look.words
    line = _line_of(report, view)
    part: Part = view.part  # type: ignore[assignment]  # checked when the address was read
    page = entries(
        look.session,
        view.chosen,
        report.window,
        part,
        by=look.visit.principal,
        now=look.now,
        scope=Scope(territory=view.territory or None),
        group=(report.group, view.code) if report.group and view.code else None,
        limit=LISTED,
    )
    return entry_list(
        words,
        view.chosen,
        line.now.get(view.chosen.id, Ratio()),
        page.entries,
        page.next is not None,
        view,
        where=words.either(line.zh, line.en) if view.code else ground,
        now=look.now,
        zone=look.desk.zone,
    )


def _line_of(report: Report, view: EvaluationView) -> Line:
    """The line whose cases are listed; that of everything where the address names none of them."""
    return next((line for line in report.lines if line.code == view.code), report.total)


def span_words(window: Window) -> str:
    """2026-10-25 – 2026-11-23: both days included."""
    last = window.ends_at - timedelta(microseconds=1)
    days = [f"{at:%Y-%m-%d}" for at in (window.starts_at, last)]
    return days[0] if days[0] == days[1] else f"{days[0]} – {days[1]}"


def _printed(look: _Look) -> str:
    name = look.visit.principal.display_name
    return look.words("eval.printed", user=name, time=moment(look.now, look.desk.zone))
