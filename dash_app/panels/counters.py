"""The head of the side panel: whose ground, the live sign, six figures, and the line 件件有回音."""

from __future__ import annotations

from datetime import timedelta

from markupsafe import Markup

from dash_app.clock_words import span_words
from dash_app.markup import div, icon, join, shape, span, tag
from dash_app.texts import Words
from dash_app.view_state import HANDLING, TO_DISPATCH, ViewState
from incidents.queries import Counters


def head(words: Words, territory_name: str) -> Markup:
    """The title, the live clock and the language switch."""
    return tag(
        "header",
        div(
            tag("h1", words("head.title", territory=territory_name), cls="cut"),
            span(cls="grow"),
            live_sign(words),
            language_switch(words),
            cls="row",
        ),
        cls="panel-head",
    )


def live_sign(words: Words) -> Markup:
    return span(
        tag("i"),
        span(words("head.live"), data_live_word=True, data_keep=True),
        span("", data_live_clock=True, data_keep=True),
        cls="live",
        role="status",
        data_live_sign=True,
        data_keep=True,
    )


def language_switch(words: Words) -> Markup:
    return span(
        tag(
            "button",
            "中",
            type="button",
            lang="zh",
            aria_pressed=str(words.language == "zh").lower(),
            data_language="zh",
        ),
        tag(
            "button",
            "EN",
            type="button",
            lang="en",
            aria_pressed=str(words.language == "en").lower(),
            data_language="en",
        ),
        cls="segments",
        role="group",
        aria_label="语言 Language",
    )


def counters(words: Words, figures: Counters, state: ViewState) -> Markup:
    """Six counters, 3 by 2; a click filters map and queue alike, a second click lets go."""
    oldest = figures.oldest_to_dispatch_minutes
    open_total = figures.in_time + figures.due_soon + figures.overdue + figures.paused
    waited = (
        words("count.to_dispatch_none")
        if oldest is None
        else words("count.to_dispatch_basis", span=span_words(timedelta(minutes=oldest), words.language))
    )
    return div(
        _counter(
            words("count.new"),
            figures.new_today,
            words("count.new_basis", n=figures.new_yesterday_same_time),
            icon("plus", "xs"),
            state,
            when="today",
        ),
        _counter(
            words("count.to_dispatch"),
            figures.to_dispatch,
            waited,
            shape("in_time", hollow=True),
            state,
            stage=TO_DISPATCH,
        ),
        _counter(
            words("count.handling"),
            figures.handling,
            words("count.handling_basis", n=figures.paused),
            shape("in_time"),
            state,
            stage=HANDLING,
        ),
        _counter(
            words("count.due_soon"),
            figures.due_soon,
            words("count.due_soon_basis"),
            shape("due_soon"),
            state,
            ink="due_soon",
            clock="due_soon",
        ),
        _counter(
            words("count.overdue"),
            figures.overdue,
            words("count.overdue_basis", n=open_total),
            shape("overdue"),
            state,
            ink="overdue",
            clock="overdue",
        ),
        _counter(
            words("count.closed"),
            figures.closed_today,
            words("count.closed_basis", k=figures.closed_today_in_time, n=figures.closed_today),
            shape("closed"),
            state,
            clock="closed",
        ),
        cls="counters",
    )


_LET_GO = {"stage": "", "clock": "", "when": "", "from_": "", "to": "", "tab": "", "answer": ""}


def _counter(
    label: str,
    value: int,
    basis: str,
    sign: Markup,
    state: ViewState,
    *,
    ink: str | None = None,
    **wanted: str,
) -> Markup:
    chosen = all(getattr(state, key) == value_ for key, value_ in wanted.items())
    changes = dict(_LET_GO) if chosen else {**_LET_GO, **wanted, "tab": "all"}
    return tag(
        "a",
        div(sign, label, cls="l"),
        div(value, cls=f"n c-{ink}" if ink and value else "n"),
        div(basis, cls="d", title=basis),
        cls="counter",
        href=state.without_selection.href(**changes),
        aria_current="true" if chosen else None,
        data_counter=next(iter(wanted.values())),
    )


def answered(words: Words, figures: Counters, state: ViewState) -> Markup:
    """件件有回音: of all reports those that wait longer than they should, and those that wait in time."""
    return div(
        icon("check", "s"),
        span(
            words("answered.before"),
            tag("b", figures.unanswered),
            words("answered.after", n=figures.waiting_for_answer),
        ),
        span(cls="grow"),
        tag(
            "a",
            words("open_in_list"),
            cls="link",
            href=state.without_selection.href(**{**_LET_GO, "answer": "unanswered", "tab": "all"}),
        ),
        cls="answered",
    )


def desk_head(words: Words, territory_name: str, figures: Counters, state: ViewState) -> Markup:
    return join(
        [head(words, territory_name), counters(words, figures, state), answered(words, figures, state)]
    )
