"""The territory breadcrumb: each level is a menu of its neighbours; choosing one filters map and queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dash_app.markup import div, icon, join, span, tag
from dash_app.texts import Words
from dash_app.view_state import ViewState


@dataclass(frozen=True, slots=True)
class Ground:
    """An area by code and name."""

    code: str
    level: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class GroundPath:
    """From the top of the principal's ground down to the chosen area, and what lies one level below."""

    path: Sequence[Ground]
    siblings: dict[str, Sequence[Ground]]
    children: Sequence[Ground]
    home: str
    """The principal's own territory: choosing it is the plain address."""


def ground_name(words: Words, ground: Ground) -> str:
    """An area's name; in English without the level, which the breadcrumb tells by its place."""
    name = words.either(ground.zh, ground.en)
    return name.removesuffix(" Subdistrict").removesuffix(" Community")


def breadcrumb(words: Words, ground: GroundPath, state: ViewState) -> Markup:
    base = state.without_selection
    parts: list[Markup] = []
    for area in ground.path:
        if parts:
            parts.append(icon("right", "xs"))
        parts.append(_level(words, area, ground, base, here=area is ground.path[-1]))
    if ground.children:
        name = words(f"territory.all_{ground.children[0].level}", n=len(ground.children))
        parts += [icon("right", "xs"), _menu(words, name, ground.children, None, ground.home, base)]
    return div(join(parts), cls="float scope", role="navigation", aria_label=words("territory.label"))


def _level(words: Words, area: Ground, ground: GroundPath, base: ViewState, *, here: bool) -> Markup:
    """An area above one's own ground is only named; one with sisters opens a menu of them."""
    name, cls = ground_name(words, area), "level here" if here else "level"
    if ground.home.startswith(area.code) and area.code != ground.home:
        return span(name, cls="level above")
    sisters = ground.siblings.get(area.code, ())
    if len(sisters) > 1:
        return _menu(words, name, sisters, area.code, ground.home, base, cls)
    return tag("a", name, cls=cls, href=_href(base, area.code, ground.home))


def _menu(
    words: Words,
    name: str,
    choices: Sequence[Ground],
    current: str | None,
    home: str,
    base: ViewState,
    cls: str = "level",
) -> Markup:
    return tag(
        "details",
        tag("summary", name, icon("down", "xs"), cls=cls),
        div(
            [
                tag(
                    "a",
                    ground_name(words, choice),
                    cls="menu-item",
                    href=_href(base, choice.code, home),
                    aria_current="true" if choice.code == current else None,
                )
                for choice in choices
            ],
            cls="menu-body",
        ),
        cls="menu",
        data_key=f"level-{current or 'below'}",
    )


def _href(base: ViewState, code: str, home: str) -> str:
    return base.href(territory="" if code == home else code)
