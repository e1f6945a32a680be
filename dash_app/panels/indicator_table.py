"""The table of all indicators: rate with its counts, 环比 and 同比 with theirs, and room for the weeks."""

from __future__ import annotations

from markupsafe import Markup

from dash_app.evaluation_view import EvaluationView
from dash_app.markup import div, span, tag
from dash_app.sparklines import change, empty_sparkline, figures, rate
from dash_app.texts import Words
from incidents.evaluation_report import Line, Numbers, Report
from incidents.indicators import GROUPS, Indicator, Ratio


def indicator_table(words: Words, report: Report, view: EvaluationView) -> Markup:
    """A row an indicator; its name chooses it, its counts open the cases."""
    rows = []
    for group, names in GROUPS.items():
        rows.append(tag("tr", tag("th", words.either(*names), colspan=5, scope="colgroup"), cls="group-row"))
        rows += [_row(words, one, report.total, view) for one in report.indicators if one.group == group]
    head = [
        tag("th", words(f"eval.{name}"), scope="col", cls=f"c-{name}")
        for name in ("indicator", "now", "previous", "year", "weeks")
    ]
    return tag("table", tag("thead", tag("tr", head)), tag("tbody", rows), cls="indicators")


def _row(words: Words, indicator: Indicator, line: Line, view: EvaluationView) -> Markup:
    chosen = indicator is view.chosen
    now = line.now.get(indicator.id, Ratio())
    name = words.either(indicator.zh, indicator.en)
    return tag(
        "tr",
        tag(
            "th",
            tag(
                "a",
                name,
                href=view.href(indicator=indicator.id),
                aria_current="true" if chosen else None,
                title=basis_words(words, indicator),
            ),
            scope="row",
        ),
        tag("td", number(words, indicator, now, view), cls="c-now"),
        tag("td", _compared(words, indicator, now, line.previous), cls="c-previous"),
        tag("td", _compared(words, indicator, now, line.year_before), cls="c-year"),
        tag("td", empty_sparkline(), cls="c-weeks", data_weeks=indicator.id),
        cls="chosen" if chosen else None,
    )


def number(
    words: Words, indicator: Indicator, ratio: Ratio, view: EvaluationView, *, code: str = ""
) -> Markup:
    """`96.2 %  152 / 158`: the counts open the cases that want a look; over nothing there are none."""
    counts: Markup | str = figures(ratio)
    if ratio.denominator:
        href = view.href(indicator=indicator.id, part=_to_look_at(indicator, ratio), code=code)
        counts = tag("a", figures(ratio), href=href, title=basis_words(words, indicator))
    return span(rate(words, ratio), span(counts, cls="counts"), cls="number")


def _to_look_at(indicator: Indicator, ratio: Ratio) -> str:
    """The part of the cases that pulls a rate the wrong way; all of them where there is none."""
    part, cases = "numerator", ratio.numerator
    if indicator.better == "high":
        part, cases = "rest", ratio.denominator - ratio.numerator
    return part if cases else "denominator"


def _compared(words: Words, indicator: Indicator, now: Ratio, numbers: Numbers) -> Markup:
    before = numbers.get(indicator.id, Ratio())
    if not before.denominator:
        return span(before.words(words.language), cls="before")
    return span(
        change(words, indicator, now, before),
        span(rate(words, before), " ", figures(before), cls="before"),
        cls="compared",
    )


def basis_words(words: Words, indicator: Indicator) -> str:
    """Numerator ÷ denominator, in words."""
    return f"{words.either(*indicator.numerator_words)} ÷ {words.either(*indicator.denominator_words)}"


def definition(words: Words, indicator: Indicator) -> Markup:
    """How the chosen indicator is counted: the fraction in words, when a row is judged, and the trap."""
    note = words.either(*indicator.note)
    return div(
        span(words("eval.basis"), cls="bold"),
        span(basis_words(words, indicator)),
        span(words("eval.judged", when=words.either(*indicator.basis.when)), cls="mute"),
        span(note, cls="mute") if note else None,
        cls="definition s12",
    )
