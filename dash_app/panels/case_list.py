"""The head of the case page: what is listed, its filters, and the way to a file."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from dash_app.markup import div, icon, join, span, tag, thousands
from dash_app.texts import Words
from dash_app.tokens import CLOCKS
from dash_app.view_state import HANDLING, SCOPES, SPANS, TO_DISPATCH, ViewState
from incidents.categories import Group
from incidents.incident import STAGES

_SCOPE_WORDS = {"": "cases.open", "every": "cases.every", "ended": "cases.ended"}


def case_list_head(
    words: Words, state: ViewState, groups: Sequence[Group], *, total: int, listed: int, ground: str
) -> Markup:
    """`total` cases fit, `listed` of them are on the page; `ground` is the territory's name."""
    return join([_title(words, state, total, listed, ground), _filters(words, state, groups)])


def _title(words: Words, state: ViewState, total: int, listed: int, ground: str) -> Markup:
    note = words("cases.first", n=thousands(listed)) if listed < total else ""
    return div(
        tag("h1", f"{ground} · {words('cases.title')}"),
        span(words("cases.count", n=thousands(total)), cls="mid"),
        span(note, cls="s12 mute") if note else None,
        span(cls="grow"),
        tag("a", icon("map", "s"), words("cases.on_map"), cls="btn", href=state.href("/")),
        tag(
            "a",
            icon("download", "s"),
            words("queue.csv"),
            cls="btn primary",
            href=state.href("/exports"),
            data_native=True,
        ),
        cls="cases-head",
    )


def _filters(words: Words, state: ViewState, groups: Sequence[Group]) -> Markup:
    any_ = ("", words("filter.any"))
    stages = [any_, (TO_DISPATCH, words("filter.to_dispatch")), (HANDLING, words("filter.handling"))]
    stages += [(stage, words(f"stage.{stage}")) for stage in STAGES]
    categories = [any_, *((group.code, words.either(group.zh, group.en)) for group in groups)]
    clocks = [any_, *((clock, words(f"clock.{clock}")) for clock in CLOCKS)]
    spans = [any_, *((name, words(f"time.{name}")) for name in SPANS)]
    return tag(
        "form",
        span(
            [
                tag(
                    "a",
                    words(_SCOPE_WORDS[scope]),
                    href=state.href("/cases", scope=scope, stage="", clock=""),
                    aria_current="true" if state.scope == scope else None,
                )
                for scope in ("", *SCOPES)
            ],
            cls="segments",
        ),
        _select(words, "category", categories, state.category),
        _select(words, "stage", stages, state.stage),
        _select(words, "clock", clocks, state.clock),
        _select(words, "when", spans, state.when),
        tag(
            "input",
            type="search",
            name="q",
            value=state.q,
            placeholder=words("cases.search"),
            aria_label=words("cases.search"),
        ),
        tag("a", icon("x", "xs"), words("queue.clear"), cls="btn quiet", href="/cases")
        if state.filtered or state.territory or state.scope
        else None,
        cls="filters",
        role="search",
        data_filters=True,
    )


def _select(words: Words, name: str, choices: Sequence[tuple[str, str]], chosen: str) -> Markup:
    return tag(
        "label",
        words(f"filter.{name}"),
        tag(
            "select",
            [tag("option", text, value=value, selected=value == chosen) for value, text in choices],
            name=name,
        ),
    )
