"""The error panel: what, that nothing was written, remedies with the advised one first, a number."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dash_app.clock_words import clock_time
from dash_app.markup import div, heading, join, section, shape, span, tag
from dash_app.panels.crumb import crumb_bar
from dash_app.texts import Words
from dash_app.view_state import ViewState
from gis.errors import CityGridError


def problem_panel(
    words: Words,
    problem: CityGridError | None,
    reference: str,
    state: ViewState,
    *,
    now: datetime,
    zone: ZoneInfo,
) -> Markup:
    """A CityGridError tells its own remedy; None stands for a fault of ours."""
    if problem is not None:
        message = words.either(problem.message_zh, problem.message_en)
        remedy = words.either(problem.remedy_zh, problem.remedy_en)
    else:
        message, remedy = words("error.unexpected"), words("error.unexpected_remedy")
    return join(
        [
            tag(
                "header",
                crumb_bar(words, state, words("back")),
                div(
                    span(shape("overdue", 20), style="margin-top:3px"),
                    div(tag("h1", message), div(words("error.nothing"), cls="s12 mid")),
                    cls="row",
                    style="align-items:flex-start",
                ),
                cls="panel-head",
                role="alert",
                data_key="problem",
            ),
            section(
                heading(words("error.what_to_do")),
                tag(
                    "a",
                    tag("b", remedy or words("error.back")),
                    div(words("error.back"), cls="s12 mute"),
                    cls="radio-card advised",
                    href=state.without_selection.href(),
                ),
                tag(
                    "a",
                    words("error.retry"),
                    cls="radio-card",
                    href=state.href(),
                    data_native=True,
                ),
                cls="grow",
            ),
            tag(
                "footer",
                div(words("error.number", ref=reference, time=clock_time(now, zone)), cls="s11 mute"),
                cls="panel-foot",
            ),
        ]
    )
