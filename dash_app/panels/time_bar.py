"""The time bar: what was reported when, and which deadlines are coming."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dash_app.charts import time_chart
from dash_app.clock_words import day_words
from dash_app.markup import div, icon, join, span, tag
from dash_app.texts import Words
from dash_app.view_state import SPANS, ViewState
from incidents.queries import TimeBar

REPLAY_STEPS = (1, 10, 60)
"""Minutes of one step of the replay; the middle one is chosen at first."""


def time_bar(words: Words, bar: TimeBar, state: ViewState, *, now: datetime, zone: ZoneInfo) -> Markup:
    """Head with its key and the window, then the chart; dragging over the chart selects a period."""
    current = state.span or "today"
    base = state.without_selection
    picked = None
    if state.from_ and state.to:
        picked = (datetime.fromisoformat(state.from_), datetime.fromisoformat(state.to))
    return join(
        [
            div(
                tag(
                    "button",
                    icon("play", "s"),
                    type="button",
                    cls="icon-btn",
                    data_replay="start",
                    aria_label=words("replay.start"),
                    title=words("replay.start"),
                ),
                span(day_words(now.astimezone(zone).date(), words.language, weekday=True), cls="bold"),
                span(
                    tag("i", cls="closed"),
                    words("time.closed"),
                    tag("i", cls="open"),
                    words("time.open"),
                    span(words("time.basis"), cls="mute"),
                    _diamond(),
                    words("time.deadline"),
                    cls="time-key",
                ),
                span(cls="grow"),
                tag(
                    "a",
                    icon("x", "xs"),
                    words("time.clear"),
                    cls="link s12",
                    href=base.href(from_="", to=""),
                )
                if picked
                else None,
                span(
                    [
                        tag(
                            "a",
                            words(f"time.{name}"),
                            href=base.href(span=name if name != "today" else "", from_="", to=""),
                            aria_current="true" if name == current else None,
                        )
                        for name in SPANS
                    ],
                    cls="segments",
                ),
                cls="time-head",
                title=words("time.drag"),
            ),
            _replay(words),
            time_chart(words, bar, now=now, zone=zone, picked=picked),
        ]
    )


def _replay(words: Words) -> Markup:
    """The controls of the past, in the place of the head while it is looked at; the browser drives them."""

    def button(name: str, sign: str) -> Markup:
        label = words(f"replay.{name}")
        return tag(
            "button", icon(sign, "s"), type="button", cls="icon-btn", data_replay=name, aria_label=label,
            title=label,
        )  # fmt: skip

    steps = [
        tag(
            "button",
            words(f"replay.step.{minutes}"),
            type="button",
            data_step=minutes,
            aria_pressed="true" if minutes == REPLAY_STEPS[1] else "false",
        )
        for minutes in REPLAY_STEPS
    ]
    return div(
        button("play", "play"),
        button("earlier", "left"),
        button("later", "right"),
        span(steps, cls="segments", role="group"),
        tag("input", type="range", min=0, step=1, data_moment=True, aria_label=words("replay.slider")),
        tag("output", cls="bold nowrap"),
        cls="replay",
        hidden=True,
        data_key="replay",
        data_keep=True,
    )


def _diamond() -> Markup:
    return Markup(
        '<svg width="12" height="12" aria-hidden="true"><path d="M6 1l5 5-5 5-5-5z" fill="none"'
        ' stroke="var(--cg-in-time)" stroke-width="1.3"/></svg>'
    )
