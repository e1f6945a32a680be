"""The one map with its queue: what is going on, and what is chosen.

Two callbacks fill it. `situation` answers the filter and everything live; `detail` answers the selection.
They are apart so that choosing a case does not ask for the whole desk again.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import dash
from dash import ClientsideFunction, Input, Output
from dash.development.base_component import Component

from dash_app import ids
from dash_app.desk import Desk, Visit, current_visit, threaded
from dash_app.drawing import ground_focus, open_cases, past_cases
from dash_app.fragment import Fragment
from dash_app.frame_parts import Address, Box, Kept
from dash_app.map_view import MapView
from dash_app.pages.ground import active_map, bounds_of, ground_path
from dash_app.pages.selection import chosen
from dash_app.panels.counters import desk_head
from dash_app.panels.layers import layer_control
from dash_app.panels.map_tools import map_tools
from dash_app.panels.queue import ROWS_SHOWN, QueueView, queue
from dash_app.panels.rail import rail
from dash_app.panels.territory import breadcrumb, ground_name
from dash_app.panels.time_bar import time_bar
from dash_app.statics import ENGINE
from dash_app.view_state import ViewState, midnight
from gis.access import Principal
from gis.database import Session
from incidents import categories, queries
from incidents.queries import Counters, Filter, Row

ROWS_READ = 2000
"""Cases drawn on the map at once; the case page pages through the rest."""

HIT = (
    "open-cluster",
    "open-stack",
    "focus-case",
    "open",
    "closed",
    "component",
    "shop",
    "shop-label",
    "building-number",
    "exception-line",
    "exception",
    "strip",
    "building",
    "cell-fill",
)
"""What a click may find, topmost first."""

TIME_BINS = {1: 48, 7: 84, 30: 60}
"""Bars of the time bar by its days: half hours, two hours, half days."""


def layout(desk: Desk) -> list[Component]:
    """The bare page; the callbacks fill it as soon as it stands."""
    visit = current_visit()
    words = visit.words
    return [
        Address(id=ids.URL),
        Kept(id=ids.FILTER),
        Kept(id=ids.LIVE),
        Kept(id=ids.PAGE),
        Kept(id=ids.SHOWN),
        Fragment(id=ids.RAIL, tag="nav", className="rail", label=words("rail.label")),
        Box(
            [
                MapView(
                    id=ids.MAP,
                    className="map-view",
                    label=words("map.label"),
                    engine=ENGINE,
                    **first_view(desk, visit),
                    hit=list(HIT),
                ),
                Fragment(id="map-tools", html=map_tools(words)),
                Fragment(id=ids.SCOPE),
                Fragment(id=ids.LAYERS),
                Fragment(
                    id=ids.TIME_BAR, tag="section", className="float time-bar", label=words("time.label")
                ),
                Box(
                    [Fragment(id=ids.HEAD), Fragment(id=ids.QUEUE, className="side")],
                    id=ids.PANEL,
                    tag="aside",
                    className="panel",
                ),
                Fragment(id=ids.DETAIL, tag="aside", className="panel detail", hidden=True),
            ],
            tag="main",
            className="desk",
        ),
    ]


def first_view(desk: Desk, visit: Visit) -> dict[str, Any]:
    """The camera and the style a person's map begins with: their own ground.

    Without any cells the map opens where its component says. `{theme}` in the style's address is filled in
    by the browser.
    """
    with desk.reading() as (session, _, _now):
        bounds = bounds_of(active_map(session), visit.principal.territory or "")
    camera = {"bounds": list(bounds)} if bounds else {}
    latitude = round(bounds[1]) if bounds else 23
    return {
        "camera": camera,
        "styleUrl": f"/map/style/{{theme}}/{visit.language}.json?latitude={latitude}",
    }


def first_map(desk: Desk, visit: Visit) -> dict[str, Any]:
    """What the map beside a page that still comes together begins with: `first_view`, and the cases as an
    address without a filter shows them. What the callbacks bring later is then drawn already."""
    with desk.reading() as (session, _, now):
        wanted = ViewState().filter(now, desk.zone, {})
        rows = _drawn(session, wanted, visit.principal, now)
    return {
        **first_view(desk, visit),
        "open": open_cases(visit.words, rows, now),
        "past": past_cases(wanted, midnight(now, desk.zone)),
    }


def _drawn(session: Session, wanted: Filter, by: Principal, now: datetime, order: str = "due") -> list[Row]:
    """The cases the map draws."""
    return queries.list_incidents(session, wanted, by=by, now=now, order=order, limit=ROWS_READ).rows


def situation(
    desk: Desk, query: str | None, _live: Any, shown: dict[str, Any] | None = None
) -> tuple[Any, ...]:
    """Rail, head, queue, breadcrumb, layers, time bar and the open cases, all of one moment.

    `shown` is how many rows of which query the person has scrolled through.
    """
    state = ViewState.parse(query)
    wanted_rows = rows_wanted(shown, query)
    with desk.reading() as (session, visit, now):
        words, by = visit.words, visit.principal
        territory = state.territory or None
        figures = queries.counters(session, by=by, now=now, zone=desk.zone, territory=territory)
        ground = ground_path(session, by, state.territory)
        name = ground_name(words, ground.path[-1]) if ground.path else words("territory.city")
        view, drawn = _queue_view(session, desk, state, by, figures, now, wanted_rows)
        starts_at, ends_at = state.window(now, desk.zone)
        bar = queries.time_bar(
            session,
            by=by,
            now=now,
            starts_at=starts_at,
            ends_at=ends_at,
            steps=TIME_BINS[(ends_at - starts_at) // timedelta(days=1)],
            territory=territory,
        )
    return (
        rail(words, by, state, theme=visit.theme, overdue=figures.overdue),
        desk_head(words, name, figures, state),
        queue(words, view, state, now=now, zone=desk.zone),
        breadcrumb(words, ground, state),
        layer_control(words, _layer_counts(figures), state),
        time_bar(words, bar, state, now=now, zone=desk.zone),
        open_cases(words, drawn, now),
        past_cases(view.wanted, midnight(now, desk.zone)),
    )


def rows_wanted(shown: dict[str, Any] | None, query: str | None) -> int:
    """Rows of the list to write: a page more each time its end came into view, for the same query."""
    asked = shown.get("rows") if shown and shown.get("query") == (query or "") else None
    return min(asked, ROWS_READ) if isinstance(asked, int) and asked > ROWS_SHOWN else ROWS_SHOWN


def _queue_view(
    session: Session,
    desk: Desk,
    state: ViewState,
    by: Principal,
    figures: Counters,
    now: datetime,
    rows_shown: int,
) -> tuple[QueueView, list[Row]]:
    """The list with its tabs, and the cases the map draws: those of the filter, whatever the tab."""
    groups = categories.groups(session)
    codes = {group.code: [category.code for category in group.categories] for group in groups}
    today = now.astimezone(desk.zone).date()
    wanted = replace(state.filter(now, desk.zone, codes), today=today)
    order = state.sort or "due"
    drawn = _drawn(session, wanted, by, now, order)
    work = queries.count_work(session, wanted, by=by, now=now, today=today)
    queue_name = state.work if state.work in work.queues and state.tab in ("", "mine") else ""
    tab = "mine" if queue_name else state.tab or ("mine" if work.mine else "all")
    if tab == "all":
        rows = drawn[:rows_shown]
    else:
        listed = _in_tab(wanted, tab, queue_name)
        rows = queries.list_incidents(session, listed, by=by, now=now, order=order, limit=rows_shown).rows
    latest = None
    if not rows:
        everything = Filter(territory=state.territory or None)
        newest = queries.list_incidents(session, everything, by=by, now=now, order="reported", limit=1).rows
        latest = newest[0] if newest else None
    view = QueueView(
        wanted=wanted,
        rows=rows,
        tab=tab,
        queue=queue_name,
        work=work,
        groups=groups,
        role=by.role,
        open_total=figures.in_time + figures.due_soon + figures.overdue + figures.paused,
        closed_today=figures.closed_today,
        latest=latest,
    )
    return view, drawn


def _in_tab(wanted: Filter, tab: str, queue_name: str) -> Filter:
    """The filter narrowed to a tab, and in "my turn" to one work queue."""
    if tab == "dispatch":
        return replace(wanted, hollow=True)
    if queue_name:
        return replace(wanted, works=(queue_name,), open_only=False)
    return replace(wanted, mine="turn", open_only=False)


def _layer_counts(figures: Counters) -> dict[str, int]:
    return {
        "in_time": figures.in_time,
        "due_soon": figures.due_soon,
        "overdue": figures.overdue,
        "paused": figures.paused,
        "hollow": figures.to_dispatch,
        "closed_today": figures.closed_today,
    }


def detail(desk: Desk, search: str | None, _live: Any) -> tuple[str, bool, dict[str, Any]]:
    """The panel of what is chosen and what the map draws for it; hidden when nothing is."""
    state = ViewState.parse(search)
    if state.selection is not None:
        panel, focus = chosen(desk, state)
        return panel, False, focus
    with desk.reading() as (session, _visit, _now):
        bounds = bounds_of(active_map(session), state.territory) if state.territory else None
    return "", True, ground_focus(state.territory, bounds)


def register(app: dash.Dash, desk: Desk) -> None:
    """Connect the page to an application."""
    app.callback(
        Output(ids.RAIL, "html"),
        Output(ids.HEAD, "html"),
        Output(ids.QUEUE, "html"),
        Output(ids.SCOPE, "html"),
        Output(ids.LAYERS, "html"),
        Output(ids.TIME_BAR, "html"),
        Output(ids.MAP, "open"),
        Output(ids.MAP, "past"),
        Input(ids.FILTER, "data"),
        Input(ids.LIVE, "data"),
        Input(ids.SHOWN, "data"),
        prevent_initial_call=True,
    )(threaded(functools.partial(situation, desk)))
    app.callback(
        Output(ids.DETAIL, "html"),
        Output(ids.DETAIL, "hidden"),
        Output(ids.MAP, "focus"),
        Input(ids.URL, "search"),
        Input(ids.LIVE, "data"),
    )(threaded(functools.partial(detail, desk)))
    app.clientside_callback(
        ClientsideFunction("citygrid", "filterOf"),
        Output(ids.FILTER, "data"),
        Input(ids.URL, "search"),
    )
    app.clientside_callback(ClientsideFunction("citygrid", "clicked"), Input(ids.MAP, "click"))
