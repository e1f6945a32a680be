"""The small figures of the evaluation: a line over the weeks, an arrow, a bar with its median. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from dash_app.markup import span
from dash_app.texts import Words
from incidents.indicators import FEW, Indicator, Ratio

WIDTH, HEIGHT, INSET = 92.0, 22.0, 3.0
LEVEL = 0.05
"""Differences below so many points are none."""


def sparkline(words: Words, weeks: Sequence[Ratio], *, name: str) -> Markup:
    """A line over the weeks, from their lowest to their highest rate; a week without cases leaves a gap."""
    rates = [ratio.value for ratio in weeks]
    known = [rate for rate in rates if rate is not None]
    if len(known) < 2:
        return empty_sparkline()
    low, high = min(known), max(known)
    middle = (low + high) / 2
    spread = max(high - low, 0.02)  # two points at least: noise of a tenth is not drawn as a cliff
    step = (WIDTH - 2 * INSET) / (len(rates) - 1)

    def place(index: int, rate: float) -> str:
        y = HEIGHT / 2 - (rate - middle) / spread * (HEIGHT - 2 * INSET)
        return f"{INSET + index * step:.1f} {y:.1f}"

    pieces: list[str] = []
    joined = False
    for index, rate in enumerate(rates):
        if rate is None:
            joined = False
            continue
        pieces.append(("L" if joined else "M") + place(index, rate))
        joined = True
    last = max(index for index, rate in enumerate(rates) if rate is not None)
    x, y = place(last, rates[last] or 0.0).split()
    label = f"{name}: " + ", ".join(ratio.words(words.language) for ratio in weeks)
    return Markup(
        f'<svg class="spark" width="{WIDTH:.0f}" height="{HEIGHT:.0f}" role="img"'
        f' aria-label="{escape(label)}">'
        f'<path d="{"".join(pieces)}"/><circle cx="{x}" cy="{y}" r="2"/></svg>'
    )


def empty_sparkline() -> Markup:
    """The room of one, where there is no line or not yet."""
    return Markup(f'<svg class="spark" width="{WIDTH:.0f}" height="{HEIGHT:.0f}" aria-hidden="true"></svg>')


def rate(words: Words, ratio: Ratio) -> Markup:
    """The rate in bold, or 无数据; below ten cases none is worked out, the counts beside it say all."""
    if 0 < ratio.denominator < FEW:
        return span("—", cls="rate few", title=words("eval.few", n=FEW))
    return span(ratio.words(words.language), cls="rate" if ratio.denominator else "rate none")


def figures(ratio: Ratio) -> str:
    """152 / 158"""
    return f"{ratio.numerator:,} / {ratio.denominator:,}"


def change(words: Words, indicator: Indicator, now: Ratio, before: Ratio) -> Markup:
    """An arrow with the difference in percentage points; a bold one where it became worse."""
    if min(now.denominator, before.denominator) < FEW or now.value is None or before.value is None:
        return span("·", cls="change none", title=words("eval.not_comparable"))
    points = 100 * (now.value - before.value)
    if abs(points) < LEVEL:
        return span("=", cls="change", title=words("eval.level"))
    up, good = points > 0, (points > 0) == (indicator.better == "high")
    key = f"eval.{'up' if up else 'down'}_{'good' if good else 'bad'}"
    arrow = "▲" if up else "▼"
    return span(
        f"{arrow} {abs(points):.1f}",
        cls=f"change{'' if good else ' worse'}",
        title=words(key, n=f"{abs(points):.1f}"),
    )


def rate_bar(indicator: Indicator, ratio: Ratio, median: float | None, *, longest: float) -> Markup:
    """The rate to scale, `longest` filling the bar, with the median of all lines as a tick."""
    if ratio.value is None or ratio.denominator < FEW:
        return span(cls="rate-bar hatched", aria_hidden="true")
    width = min(100 * ratio.value / longest, 100.0)
    tick = "" if median is None else f'<i style="left:{min(100 * median / longest, 100):.1f}%"></i>'
    return Markup(
        f'<span class="rate-bar" aria-hidden="true"><b style="width:{width:.1f}%"></b>{tick}</span>'
    )
