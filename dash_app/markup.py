"""Markup for the panels: a small builder that escapes every text, and the parts all panels share."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
"""Elements without an end. SVG stands in the texts of this module as it is, ended by itself."""

_CURRENT_BAR = {
    "reported": 1,
    "registered": 2,
    "dispatched": 3,
    "handling": 3,
    "parked": 3,
    "handled": 4,
    "verified": 5,
    "closed": 6,
}
"""Which of six bars (report, register, dispatch, handle, verify, close) a case is working on; 6: all done."""

_OUTLINE = {
    "in_time": '<circle r="11"/>',
    "due_soon": '<path d="M0-13.5 13.5 0 0 13.5-13.5 0z" stroke-linejoin="round"/>',
    "overdue": '<path d="M-5.4-12.6H5.4L12.6-5.4V5.4L5.4 12.6H-5.4L-12.6 5.4V-5.4z"'
    ' stroke-linejoin="round"/>',
    "paused": '<rect x="-10.5" y="-10.5" width="21" height="21" rx="3"/>',
    "closed": '<circle r="11"/>',
}
_TINY_SIGN = {
    "overdue": '<path d="M0-6V1.5M0 6v.2" stroke-width="3"/>',
    "paused": '<path d="M-3.5-4v8M3.5-4v8" stroke-width="2.8"/>',
    "closed": '<path d="M-5 .4-1.6 4 5-3.6" stroke-width="2.6"/>',
}


def tag(name: str, /, *children: Any, cls: str | None = None, **attributes: Any) -> Markup:
    """An element. Text is escaped, Markup is not; None and False are left out; True makes a bare attribute.

    An underscore in an attribute's name becomes a hyphen: `data_key` is `data-key`.
    """
    parts = [f"<{name}"]
    if cls:
        parts.append(f' class="{escape(cls)}"')
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        key = key.rstrip("_").replace("_", "-")
        parts.append(f" {key}" if value is True else f' {key}="{escape(value)}"')
    parts.append(">")
    if name not in VOID:
        parts += [join(children), f"</{name}>"]
    return Markup("".join(parts))


def join(children: Any) -> Markup:
    """Children one after the other, lists flattened, nothing between."""
    if children is None or children is False:
        return Markup("")
    if isinstance(children, (list, tuple)):
        return Markup("".join(join(child) for child in children))
    return escape(children)


def div(*children: Any, cls: str | None = None, **attributes: Any) -> Markup:
    return tag("div", *children, cls=cls, **attributes)


def span(*children: Any, cls: str | None = None, **attributes: Any) -> Markup:
    return tag("span", *children, cls=cls, **attributes)


@lru_cache(maxsize=1)
def sprite() -> Markup:
    """The glyph set, put once into the page; `icon` refers to it."""
    text = (Path(__file__).parent / "icons.svg").read_text("utf-8")
    return Markup(text.replace("<svg ", '<svg hidden aria-hidden="true" ', 1))


def icon(name: str, cls: str = "") -> Markup:
    """A glyph of our own set. It never speaks: the text beside it does."""
    return Markup(
        f'<svg class="i {escape(cls)}" viewBox="0 0 20 20" aria-hidden="true">'
        f'<use href="#i-{escape(name)}"/></svg>'
    )


LOGO = Markup(
    '<svg class="logo" viewBox="0 0 34 34" aria-hidden="true">'
    '<rect width="34" height="34" rx="8" fill="#1E434A"/>'
    '<path d="M7 12.5h20M7 21.5h20M12.5 7v20M21.5 7v20" stroke="#6FA3A8" stroke-width="1.3"/>'
    '<path d="M5 24c6-1 8-5.5 12-7s8-1.5 12-5.5" fill="none" stroke="#10262B" stroke-width="4.6"/>'
    '<path d="M5 24c6-1 8-5.5 12-7s8-1.5 12-5.5" fill="none" stroke="#8FD0D6" stroke-width="2"/>'
    '<rect x="21.5" y="21.5" width="5.5" height="5.5" fill="#F0B24F"/></svg>'
)


def shape(clock: str, px: int = 13, *, hollow: bool = False) -> Markup:
    """The small sign of a clock state, as in counters, pills and the legend."""
    sign = "" if hollow else _TINY_SIGN.get(clock, "")
    return Markup(
        f'<svg class="shape c-{clock}{" hollow" if hollow else ""}" width="{px}" height="{px}"'
        f' viewBox="-14 -14 28 28" aria-hidden="true"><g class="o">{_OUTLINE[clock]}</g>'
        f'<g class="k">{sign}</g></svg>'
    )


def glyph(clock: str, category_icon: str = "", *, hollow: bool = False, px: int = 28) -> Markup:
    """The marker of a case, exactly as on the map."""
    inner = ""
    if clock == "closed":
        inner = '<g class="k"><path d="M-5 .4-1.6 4 5-3.6" stroke-width="2.6"/></g>'
    elif category_icon:
        inner = (
            '<svg class="g" x="-6.6" y="-6.6" width="13.2" height="13.2" viewBox="0 0 20 20">'
            f'<use href="#i-{escape(category_icon)}"/></svg>'
        )
    badge = ""
    if clock == "overdue":
        badge = (
            '<g class="badge" transform="translate(10 -11)">'
            '<circle r="6" class="halo"/><circle r="5" class="o"/>'
            '<path class="k" d="M0-2.6V.6M0 2.5v.1" stroke-width="1.7"/></g>'
        )
    outline = _OUTLINE[clock]
    return Markup(
        f'<svg class="glyph c-{clock}{" hollow" if hollow else ""}" width="{px}" height="{px}"'
        f' viewBox="-18 -18 36 36" aria-hidden="true"><g class="halo" transform="scale(1.17)">{outline}</g>'
        f'<g class="o">{outline}</g>{inner}{badge}</svg>'
    )


def pill(clock: str, words: str, *, title: str | None = None) -> Markup:
    """The clock pill: shape and time left."""
    return span(shape(clock, 12), span(words), cls=f"pill c-{clock}", title=title)


def stage_bars(stage: str, name: str) -> Markup:
    """Six bars: done, current, ahead; the stage's name is their accessible name."""
    current = _CURRENT_BAR.get(stage, -1)
    bars = "".join(
        f'<i class="{"d" if step < current else "c" if step == current else ""}"></i>' for step in range(6)
    )
    return Markup(
        f'<span class="stages" role="img" aria-label="{escape(name)}" title="{escape(name)}">{bars}</span>'
    )


def avatar(name: str, *, on_duty: bool | None = True, small: bool = False, quiet: bool = False) -> Markup:
    """The first sign of a name on a disc, with the duty dot: filled on duty, ring off, none when unknown."""
    state = "" if on_duty else " off" if on_duty is False else " none"
    return span(
        (name or "?")[0],
        cls=f"avatar{' small' if small else ''}{' quiet' if quiet else ''}{state}",
        aria_hidden="true",
    )


def chip(*children: Any, **attributes: Any) -> Markup:
    return span(*children, cls="tag", **attributes)


def language_buttons(current: str, names: tuple[str, str], label: str) -> Markup:
    """The switch between Chinese and English, by these names of theirs."""
    buttons = [
        tag(
            "button",
            name,
            type="button",
            lang=language,
            aria_pressed=str(current == language).lower(),
            data_language=language,
        )
        for language, name in zip(("zh", "en"), names, strict=True)
    ]
    return span(buttons, cls="segments", role="group", aria_label=label)


def section(*children: Any, cls: str = "") -> Markup:
    return tag("section", *children, cls=f"sec {cls}".strip())


def heading(text: Any, *right: Any) -> Markup:
    """A section's small heading, with something at its right end."""
    return tag("h3", text, span(cls="grow") if right else None, *right)


def figure(label: str, value: Any, unit: str = "") -> Markup:
    """A label over a figure, as in the cell panel."""
    return div(
        div(label, cls="figure-label"),
        div(value, span(unit, cls="unit") if unit else None, cls="figure-value"),
        cls="figure",
    )


def thousands(number: int) -> str:
    return f"{number:,}"


def counted_people(residents: int, households: int) -> str:
    """How many live somewhere; where households are counted and their people are not, nobody knows."""
    return thousands(residents) if residents or not households else "–"
