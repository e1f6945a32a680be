"""The panel of a shop or a street component: what it is, where it stands, who keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from dash_app.markup import chip, div, heading, icon, join, section, tag
from dash_app.panels.crumb import crumb_bar
from dash_app.texts import Words
from dash_app.view_state import ViewState

COMPONENT_ICONS = {"lamp": "lamp", "manhole": "lid", "bin": "trash", "tree": "tree", "hydrant": "drop"}


def place_panel(
    words: Words,
    kind: str,
    facts: dict[str, Any],
    state: ViewState,
    *,
    cell_name: str | None,
    lon: float,
    lat: float,
) -> Markup:
    """`kind` is shop or component; `facts` are the feature's own fields."""
    if kind == "component":
        sort = words.get(f"component.{facts.get('kind')}", str(facts.get("kind") or ""))
        title, sign = facts.get("name") or sort, COMPONENT_ICONS.get(str(facts.get("kind")), "target")
        label = sort
    else:
        title, sign, label = (
            facts.get("name") or words("place.shop"),
            "shop",
            str(facts.get("category") or ""),
        )
    return join(
        [
            tag(
                "header",
                crumb_bar(words, state, words("back")),
                div(
                    icon(sign),
                    tag("h1", title, cls="cut"),
                    chip(label) if label and label != title else None,
                    cls="row",
                ),
                cls="panel-head",
                data_key="head",
            ),
            div(
                section(
                    heading(words(f"place.{kind}")),
                    tag("dl", _pairs(words, kind, facts, state, cell_name, lon, lat), cls="pairs"),
                ),
                cls="scroll",
                data_key=f"{kind}{facts.get('id')}",
            ),
        ]
    )


def _pairs(
    words: Words,
    kind: str,
    facts: dict[str, Any],
    state: ViewState,
    cell_name: str | None,
    lon: float,
    lat: float,
) -> Sequence[Markup]:
    cell, building = facts.get("cell_code"), facts.get("building_id")
    lines: list[tuple[str, Any]] = []
    if kind == "component":
        lines += [
            ("place.code", facts.get("code")),
            ("place.state", words.get(f"state.{facts.get('state')}", str(facts.get("state") or ""))),
            ("place.department", facts.get("department") or facts.get("department_code")),
        ]
    else:
        lines += [("place.category", facts.get("category")), ("place.address", facts.get("address"))]
        if building:
            name = facts.get("building") or words("building.unnamed", id=building)
            lines.append(("place.building", tag("a", name, cls="link", href=state.href(building=building))))
    if cell:
        lines.append(("place.cell", tag("a", cell_name or cell, cls="link", href=state.href(cell=cell))))
    lines.append(("place.position", f"CGCS2000 {lon:.5f}, {lat:.5f}"))
    return [join([tag("dt", words(key)), tag("dd", value)]) for key, value in lines if value]
