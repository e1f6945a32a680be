"""The territory breadcrumb: each level is a menu of its neighbours; choosing one filters map and queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dash_app.markup import div, icon, join, tag
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
    return words.either(ground.zh, ground.en)


def breadcrumb(words: Words, ground: GroundPath, state: ViewState) -> Markup:
    base = state.without_selection
    parts: list[Markup] = []
    for index, area in enumerate(ground.path):
        here = index == len(ground.path) - 1
        others = ground.siblings.get(area.code, ())
        if parts:
            parts.append(icon("right", "xs"))
        parts.append(
            _level(words, ground_name(words, area), others or [area], area.code, here, base, ground.home)
        )
    if ground.children:
        level = ground.children[0].level
        parts.append(icon("right", "xs"))
        name = words(f"territory.all_{level}", n=len(ground.children))
        parts.append(_level(words, name, ground.children, None, False, base, ground.home))
    return div(join(parts), cls="float scope", role="navigation", aria_label=words("territory.label"))


def _level(
    words: Words,
    name: str,
    choices: Sequence[Ground],
    current: str | None,
    here: bool,
    base: ViewState,
    home: str,
) -> Markup:
    return tag(
        "details",
        tag(
            "summary",
            name,
            icon("down", "xs") if len(choices) > 1 or current is None else None,
            cls=f"level{' here' if here else ''}",
        ),
        div(
            [
                tag(
                    "a",
                    ground_name(words, choice),
                    cls="menu-item",
                    href=base.href(territory="" if choice.code == home else choice.code),
                    aria_current="true" if choice.code == current else None,
                )
                for choice in choices
            ],
            cls="menu-body",
        ),
        cls="menu",
        data_key=f"level-{current or 'below'}",
    )
