"""The layer control, which is the legend: one list; each line a sample, a name, a count, a switch."""

from __future__ import annotations

from markupsafe import Markup

from dash_app.markup import div, icon, shape, span, tag
from dash_app.texts import Words
from dash_app.view_state import TO_DISPATCH, ViewState

_DASHES = {"subdistrict": (2, "9 3 2 3 2 3"), "community": (1.6, "7 3 2 3"), "cell": (1.1, "3 2.4")}
SWITCHED_OFF = ("components", "disputes")
"""Switches that start off."""


def layer_control(words: Words, counts: dict[str, int], state: ViewState) -> Markup:
    """`counts`: cases by clock state, `hollow`, and `closed_today`."""
    base = state.without_selection
    clocks = ("in_time", "due_soon", "overdue", "paused")
    return tag(
        "details",
        tag("summary", icon("layers", "s"), words("layers.title"), span(cls="grow"), icon("up", "xs turn")),
        div(
            _switch("incidents", words("layers.incidents"), head=True),
            [
                _line(
                    shape(clock, 14),
                    words(f"clock.{clock}"),
                    counts.get(clock, 0),
                    base.href(clock="" if state.clock == clock else clock, stage="", tab="all"),
                )
                for clock in clocks
            ],
            _line(
                shape("in_time", 14, hollow=True),
                words("layers.hollow"),
                counts.get("hollow", 0),
                base.href(stage="" if state.stage == TO_DISPATCH else TO_DISPATCH, clock="", tab="all"),
            ),
            _line(
                span(shape("closed", 14), style="opacity:.72"),
                words("layers.closed_today"),
                counts.get("closed_today", 0),
                base.href(clock="" if state.clock == "closed" else "closed", stage="", tab="all"),
            ),
            tag("hr"),
            _switch("borders", words("layers.borders"), head=True),
            [_border(name, words(f"layers.{name}")) for name in ("subdistrict", "community", "cell")],
            tag("hr"),
            _switch("buildings", words("layers.buildings"), from_zoom=14),
            _switch("shops", words("layers.shops"), from_zoom=15.6, note=words("layers.zoom_in")),
            _switch("components", words("layers.components"), from_zoom=16.4, note=words("layers.zoom_in")),
            tag("hr"),
            _switch("disputes", words("layers.disputes"), head=True),
            [_ground(name, words(f"layers.{name}")) for name in ("strip", "exception")],
            cls="layers-body",
        ),
        cls="float layers",
        open=True,
        data_key="layers",
    )


def _switch(
    group: str, name: str, *, head: bool = False, from_zoom: float | None = None, note: str = ""
) -> Markup:
    return tag(
        "button",
        span(name),
        span(note, cls="note", hidden=True, data_far=True, data_keep=True) if note else None,
        span(cls="switch"),
        type="button",
        cls=f"layer-row{' head' if head else ''}",
        role="switch",
        aria_checked="false" if group in SWITCHED_OFF else "true",
        data_layers=group,
        data_from_zoom=from_zoom,
        data_keep=True,
    )


def _line(sample: Markup, name: str, count: int, href: str) -> Markup:
    return tag("a", sample, name, span(count, cls="n"), cls="layer-row sub", href=href)


def _ground(kind: str, name: str) -> Markup:
    return div(span(cls=f"ground-sample {kind}", aria_hidden="true"), name, cls="layer-row sub")


def _border(kind: str, name: str) -> Markup:
    width, dash = _DASHES[kind]
    sample = Markup(
        f'<svg class="line-sample" width="30" height="10" aria-hidden="true"><path d="M1 5H29"'
        f' stroke="var(--cg-border-{kind})" stroke-width="{width}" stroke-dasharray="{dash}"/></svg>'
    )
    return div(sample, name, cls="layer-row sub")
