"""The queue: tabs, order, filter, and one row for each case with its clock, place, person and stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dash_app.clock_words import clock_time, left_words, moment_words
from dash_app.markup import div, glyph, icon, join, pill, shape, span, stage_bars, tag
from dash_app.panels.report_form import report_button
from dash_app.panels.row_chips import row_chips
from dash_app.panels.work import is_together, pickable, together_bar, work_queues
from dash_app.texts import Words
from dash_app.tokens import CLOCKS
from dash_app.view_state import HANDLING, TO_DISPATCH, ViewState
from incidents.categories import Group
from incidents.incident import STAGES
from incidents.queries import Filter, Row, WorkCounts

ROWS_SHOWN = 100
"""Rows written into the page at first, and added each time one scrolls to their end."""


@dataclass(frozen=True, slots=True)
class QueueView:
    """What the queue needs, decided by the page. `rows` are those of the tab, as far as one has scrolled."""

    wanted: Filter
    rows: Sequence[Row]
    tab: str
    queue: str
    """The work queue chosen in "my turn", if any."""
    work: WorkCounts
    groups: Sequence[Group]
    role: str
    open_total: int
    closed_today: int
    latest: Row | None = None

    @property
    def totals(self) -> dict[str, int]:
        """Cases of each tab."""
        return {"mine": self.work.mine, "dispatch": self.work.hollow, "all": self.work.total}

    @property
    def listed(self) -> int:
        """Cases of the list shown."""
        return self.work.queues[self.queue] if self.queue else self.totals[self.tab]


def queue(words: Words, view: QueueView, state: ViewState, *, now: datetime, zone: ZoneInfo) -> Markup:
    """Tabs and tools above, work queues, chips of the filter, then the rows in a scrolling list."""
    rest = view.listed - len(view.rows)
    return join(
        [
            _tabs(words, view, state),
            work_queues(words, view.work.queues, view.queue, state) if view.tab == "mine" else None,
            together_bar(words, view.queue, view.listed) if view.rows else None,
            _chips(words, view, state, zone),
            div(
                [_row(words, row, state, now, pick=is_together(view.queue)) for row in view.rows]
                if view.rows
                else _empty(words, view, state, now, zone),
                _more(words, rest, len(view.rows), state) if view.rows and rest > 0 else None,
                cls="scroll",
                id="queue-rows",
                role="list" if view.rows else None,
                aria_label=words("queue.label"),
                tabindex="-1",
            ),
        ]
    )


def handler_words(words: Words, row: Row) -> str:
    """Who has it: the person, else the department."""
    return row.handler or words.either(row.department_zh, row.department_en)


def place_words(words: Words, row: Row) -> str:
    """Where: the place and the short name of the cell."""
    return " · ".join(part for part in (row.place, row.cell_name) if part)


def title_words(words: Words, row: Row) -> str:
    """The case's own title, or its category's name in English where the title only repeats the category."""
    if words.language == "en" and row.title == row.category_zh:
        return row.category_en
    return row.title


def _row(words: Words, row: Row, state: ViewState, now: datetime, *, pick: bool) -> Markup:
    """One case; with `pick` it has a box to choose it for a move with several."""
    chosen = state.incident == str(row.id)
    waiting = row.hollow
    title = title_words(words, row)
    left = left_words(row.clock, row.due_at, now, words.language)
    said = (title, words(f"clock.{row.clock}"), left, words(f"stage.{row.stage}"), place_words(words, row))
    line = tag(
        "a",
        span(glyph(row.clock, row.icon, hollow=row.hollow), cls="g"),
        span(
            span(title, cls="cut"),
            row_chips(words, row),
            cls="t",
            data_title=True,
        ),
        span(pill(row.clock, left), cls="r"),
        span(place_words(words, row), cls="a cut"),
        span(
            words("queue.unassigned") if waiting else handler_words(words, row),
            stage_bars(row.stage, words(f"stage.{row.stage}")),
            cls=f"r a{' waiting' if waiting else ''}",
        ),
        cls="q-row",
        role=None if pick else "listitem",
        href=state.href(incident=row.id),
        aria_current="true" if chosen else None,
        aria_label=", ".join(said),
        data_key=f"q{row.id}",
        data_incident=row.id,
    )
    return pickable(words, row, title, line) if pick else line


def _tabs(words: Words, view: QueueView, state: ViewState) -> Markup:
    names = {
        "mine": "queue.mine",
        "dispatch": "queue.dispatch",
        "all": "queue.found" if state.filtered else "queue.all",
    }
    base = state.without_selection
    return div(
        [
            tag(
                "a",
                words(names[name]),
                span(view.totals[name]),
                cls="tab",
                role="tab",
                href=base.href(tab=name, work=""),
                aria_selected=str(view.tab == name).lower(),
                data_tab=name,
            )
            for name in ("mine", "dispatch", "all")
        ],
        div(
            _sort_menu(words, base),
            _filter_menu(words, view, base),
            report_button(words, view.groups, view.role),
            cls="tools",
        ),
        cls="tabs",
        role="tablist",
        aria_label=words("queue.label"),
    )


def _sort_menu(words: Words, state: ViewState) -> Markup:
    current = state.sort or "due"
    return tag(
        "details",
        tag(
            "summary",
            icon("sort", "s"),
            aria_label=f"{words('queue.sort')}: {words(f'queue.by_{current}')}",
            title=words(f"queue.by_{current}"),
        ),
        div(
            div(words("queue.sort"), cls="menu-label"),
            [
                _item(
                    words(f"queue.by_{name}"), state.href(sort=name if name != "due" else ""), name == current
                )
                for name in ("due", "reported")
            ],
            cls="menu-body right",
        ),
        cls="menu",
        data_key="sort",
    )


def _filter_menu(words: Words, view: QueueView, state: ViewState) -> Markup:
    stages = [("", "filter.any"), (TO_DISPATCH, "filter.to_dispatch"), (HANDLING, "filter.handling")]
    return tag(
        "details",
        tag(
            "summary",
            icon("filter", "s"),
            words("queue.filter") if words.language == "zh" else None,
            aria_label=words("queue.filter"),
            title=words("queue.filter"),
        ),
        div(
            tag(
                "a",
                icon("download", "s"),
                words("queue.csv"),
                cls="menu-item",
                href=state.href("/exports"),
                data_native=True,
            ),
            div(cls="menu-line"),
            div(words("filter.category"), cls="menu-label"),
            _item(words("filter.any"), state.href(category=""), not state.category),
            [
                _item(words.either(g.zh, g.en), state.href(category=g.code), state.category == g.code)
                for g in view.groups
            ],
            div(cls="menu-line"),
            div(words("filter.stage"), cls="menu-label"),
            [_item(words(text), state.href(stage=value), state.stage == value) for value, text in stages],
            [
                _item(words(f"stage.{stage}"), state.href(stage=stage), state.stage == stage)
                for stage in ("handled", "verified", "parked")
            ],
            div(cls="menu-line"),
            div(words("filter.when"), cls="menu-label"),
            _item(words("filter.any"), state.href(when="", from_="", to=""), not (state.when or state.from_)),
            [
                _item(words(f"time.{span_}"), state.href(when=span_, from_="", to=""), state.when == span_)
                for span_ in ("today", "7d", "30d")
            ],
            cls="menu-body right",
        ),
        cls="menu",
        data_key="filter",
    )


def _item(text: str, href: str, current: bool) -> Markup:
    return tag("a", text, cls="menu-item", href=href, aria_current="true" if current else None)


def filter_chips(
    words: Words, state: ViewState, groups: Sequence[Group], zone: ZoneInfo
) -> list[tuple[str, str, dict[str, str]]]:
    """What narrows the list: its name, its value, and the change that takes it away."""
    chips: list[tuple[str, str, dict[str, str]]] = []
    comma = "、" if words.language == "zh" else ", "
    if state.category:
        known = {group.code: words.either(group.zh, group.en) for group in groups}
        chips.append(
            (
                "filter.category",
                comma.join(known.get(c, c) for c in state.category.split(",")),
                {"category": ""},
            )
        )
    if state.when:
        chips.append(("filter.when", words(f"time.{state.when}"), {"when": ""}))
    if state.from_ or state.to:
        ends = [datetime.fromisoformat(text) if text else None for text in (state.from_, state.to)]
        said = [f"{end.astimezone(zone):%m-%d %H:%M}" if end else "…" for end in ends]
        chips.append(("filter.when", words("filter.from_to", a=said[0], b=said[1]), {"from_": "", "to": ""}))
    if state.stage:
        name = {TO_DISPATCH: "filter.to_dispatch", HANDLING: "filter.handling"}.get(state.stage)
        value = (
            words(name)
            if name
            else comma.join(words(f"stage.{s}") for s in state.stage.split(",") if s in STAGES)
        )
        chips.append(("filter.stage", value, {"stage": ""}))
    if state.clock:
        value = comma.join(words(f"clock.{c}") for c in state.clock.split(",") if c in CLOCKS)
        chips.append(("filter.clock", value, {"clock": ""}))
    if state.answer:
        chips.append(("filter.answer", words(f"answer.{state.answer}"), {"answer": ""}))
    if state.q:
        chips.append(("filter.q", state.q, {"q": ""}))
    return chips


def _chips(words: Words, view: QueueView, state: ViewState, zone: ZoneInfo) -> Markup | None:
    chips = filter_chips(words, state, view.groups, zone)
    if not chips:
        return None
    base = state.without_selection
    return div(
        [
            tag(
                "a",
                words("filter.chip", what=words(name), value=value),
                icon("x", "xs"),
                cls="chip",
                href=base.href(**change),
                aria_label=words("queue.remove", what=f"{words(name)} {value}"),
            )
            for name, value, change in chips
        ],
        cls="chips",
        data_key="chips",
    )


def _more(words: Words, rest: int, shown: int, state: ViewState) -> Markup:
    """The end of the list: the browser asks for a page more when it comes into view."""
    return tag(
        "a",
        words("queue.more", n=rest),
        cls="q-more",
        href=state.without_selection.href("/cases"),
        data_more=shown + ROWS_SHOWN,
        data_key="more",
    )


def _empty(words: Words, view: QueueView, state: ViewState, now: datetime, zone: ZoneInfo) -> Markup:
    """Says which filter made it empty, what happened last, and one way out."""
    base = state.without_selection
    cleared = dict.fromkeys(("stage", "clock", "category", "when", "from_", "to", "q", "answer"), "")
    what = words("empty.filtered") if state.filtered else words(f"empty.{view.queue or view.tab}")
    then: list[object] = []
    if view.latest:
        then.append(
            words(
                "empty.last",
                time=moment_words(view.latest.reported_at, now, zone, words.language),
                title=title_words(words, view.latest),
            )
        )
    if state.filtered:
        then += [tag("br") if then else None, words("empty.others", n=view.open_total)]
    return div(
        EMPTY_ART,
        div(what, cls="what"),
        div(then, cls="then"),
        tag(
            "a",
            words("empty.show_all", n=view.open_total),
            cls="btn primary",
            href=base.href(tab="all", **cleared),
        )
        if view.open_total
        else None,
        tag(
            "a",
            words("empty.closed_link", n=view.closed_today),
            cls="btn quiet",
            href=base.href(tab="all", **{**cleared, "clock": "closed"}),
        )
        if view.closed_today
        else None,
        cls="empty",
        role="status",
        data_key="empty",
    )


EMPTY_ART = Markup(
    '<svg class="art" width="128" height="104" viewBox="0 0 128 104" fill="none" aria-hidden="true">'
    '<g class="paper" stroke-width="1.6"><path d="M10 30 52 18l66 14-8 58-62-8-40 6z"/>'
    '<path d="M52 18 48 82M112 60 12 58" stroke-dasharray="4 3"/></g>'
    '<path class="lit" d="M50.5 50 113 55 110 90 48 82z" stroke-width="2"/>'
    '<circle class="disc" cx="80" cy="68" r="15" stroke-width="2"/>'
    '<path class="tick" d="M73 68.5 78 73.5 87.5 63" stroke-width="2.4" stroke-linecap="round"'
    ' stroke-linejoin="round"/>'
    "</svg>"
)


def mini_row(words: Words, row: Row, state: ViewState, now: datetime) -> Markup:
    """One line for a case inside another panel."""
    title = title_words(words, row)
    return tag(
        "a",
        shape(row.clock, 14, hollow=row.hollow),
        span(" · ".join(part for part in (title, row.place) if part), cls="cut grow"),
        span(words(f"stage.{row.stage}"), cls="s12 mute nowrap"),
        pill(row.clock, left_words(row.clock, row.due_at, now, words.language)),
        cls="mini-row",
        href=state.href(incident=row.id),
        data_key=f"m{row.id}",
        data_incident=row.id,
    )


def reported_words(row: Row, zone: ZoneInfo) -> str:
    return clock_time(row.reported_at, zone)
