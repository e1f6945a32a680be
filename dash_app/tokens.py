"""The design tokens: one file of values, read by the stylesheet, the map styles and the markers."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

THEMES = ("light", "dark")
CLOCKS = ("in_time", "due_soon", "overdue", "paused", "closed")

_CLOCK_KEYS = {
    "in_time": "inTime",
    "due_soon": "dueSoon",
    "overdue": "overdue",
    "paused": "paused",
    "closed": "closed",
}


@lru_cache(maxsize=1)
def tokens() -> dict[str, Any]:
    """Everything in `tokens.json`."""
    return json.loads((Path(__file__).parent / "tokens.json").read_text("utf-8"))


def map_palette(theme: str) -> dict[str, Any]:
    """The map's colours for a theme."""
    return tokens()[theme]["map"]


def ui_palette(theme: str) -> dict[str, Any]:
    """The page's colours for a theme."""
    return tokens()[theme]["ui"]


def clock_palette(theme: str) -> dict[str, dict[str, str]]:
    """Ink, fill and wash of each clock state, by the names the queries use."""
    clock = ui_palette(theme)["clock"]
    return {name: clock[key] for name, key in _CLOCK_KEYS.items()}


def css_variables() -> str:
    """The `--cg-*` variables of both themes, as the text of a style element."""
    return _block(":root", "light") + _block(":root[data-theme=dark]", "dark")


def _block(selector: str, theme: str) -> str:
    ui = ui_palette(theme)
    surface, ink, accent, rail = ui["surface"], ui["ink"], ui["accent"], ui["rail"]
    pairs = {
        "page": surface["page"],
        "panel": surface["panel"],
        "raised": surface["panelRaised"],
        "track": surface["track"],
        "line": surface["line"],
        "line-strong": surface["lineStrong"],
        "ink": ink["primary"],
        "ink2": ink["secondary"],
        "ink3": ink["tertiary"],
        "accent": accent["base"],
        "accent-hover": accent["hover"],
        "accent-wash": accent["wash"],
        "accent-wash2": accent["washStrong"],
        "on-accent": accent["onAccent"],
        "rail": rail["surface"],
        "rail-active": rail["active"],
        "rail-ink": rail["ink"],
        "rail-ink-active": rail["inkActive"],
        "analysis": ui["analysis"],
        "halo": ui["markerHalo"],
        "shadow1": ui["shadow"]["1"],
        "shadow2": ui["shadow"]["2"],
        "shadow3": ui["shadow"]["3"],
    }
    for name, colours in clock_palette(theme).items():
        key = name.replace("_", "-")
        pairs[key] = colours["ink"]
        pairs[f"{key}-fill"] = colours["fill"]
        pairs[f"{key}-wash"] = colours["wash"]
    border = map_palette(theme)["border"]
    for level in ("subdistrict", "community", "cell"):
        pairs[f"border-{level}"] = border[level]["color"]
    body = "".join(f"--cg-{name}:{value};" for name, value in pairs.items())
    return f"{selector}{{color-scheme:{theme};{body}}}"
