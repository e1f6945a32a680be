"""Figures drawn as SVG: the time bar, the clock bar to scale, the households band. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from dash_app.clock_words import day_words, span_words
from dash_app.texts import Words
from incidents.deadlines import Span
from incidents.queries import TimeBar

TIME_HEIGHT = 44.0


def time_chart(
    words: Words,
    bar: TimeBar,
    *,
    now: datetime,
    zone: ZoneInfo,
    picked: tuple[datetime, datetime] | None = None,
) -> Markup:
    """Left of now, reports per step split closed / open; right of now, deadlines ahead as diamonds.

    Every x is a percentage, so the chart fills whatever width it is given without stretching its text.
    """
    height = TIME_HEIGHT
    total = bar.step * len(bar.closed)
    ends_at = bar.starts_at + total

    def at(moment: datetime) -> float:
        return (moment - bar.starts_at) / total * 100

    here = min(max(at(now), 0.0), 100.0)
    tallest = max([a + b for a, b in zip(bar.closed, bar.open, strict=True)] + [1])
    unit = min(5.6, (height - 4) / tallest)
    slot = 100 / len(bar.closed)
    parts = [
        f'<rect class="ahead" x="{here:.2f}%" y="0" width="{100 - here:.2f}%" height="{height}"/>',
        f'<line class="base" x1="0" x2="100%" y1="{height + 0.5}" y2="{height + 0.5}"/>',
    ]
    for index, (closed, still_open) in enumerate(zip(bar.closed, bar.open, strict=True)):
        if not closed + still_open:
            continue
        begins = bar.starts_at + bar.step * index
        tip = words(
            "time.bin",
            from_=_tick(begins, zone, bar.step, words.language),
            to=_tick(begins + bar.step, zone, bar.step, words.language),
            k=closed,
            n=still_open,
        )
        x, width = index * slot + slot * 0.06, slot * 0.88
        parts.append(
            f"<g><title>{escape(tip)}</title>"
            f'<rect class="open" x="{x:.2f}%" y="{height - (closed + still_open) * unit:.1f}"'
            f' width="{width:.2f}%" height="{still_open * unit:.1f}" rx="1"/>'
            f'<rect class="closed" x="{x:.2f}%" y="{height - closed * unit:.1f}" width="{width:.2f}%"'
            f' height="{closed * unit:.1f}"/></g>'
        )
    parts += _deadlines(bar, at)
    if picked:
        left, right = max(at(picked[0]), 0.0), min(at(picked[1]), 100.0)
        if right > left:
            parts.append(
                f'<rect class="picked" x="{left:.2f}%" y="0" width="{right - left:.2f}%" height="{height}"/>'
            )
    parts += _time_ticks(bar.starts_at, ends_at, at, here, zone, words.language)
    label = now.astimezone(zone).strftime("%H:%M")
    parts.append(
        f'<svg class="now-mark" x="{here:.2f}%" overflow="visible"><path class="now-line" d="M0 0V{height}"/>'
        f'<rect class="now-box" x="-18" y="{height + 3}" width="36" height="15" rx="3"/>'
        f'<text class="now-text" x="0" y="{height + 14}" text-anchor="middle">{label}</text></svg>'
    )
    return Markup(
        f'<svg class="time-chart" role="img" aria-label="{escape(words("time.label"))}"'
        f' data-from="{bar.starts_at.isoformat()}" data-to="{ends_at.isoformat()}"'
        f' data-step="{bar.step.total_seconds():.0f}">{"".join(parts)}</svg>'
    )


def _deadlines(bar: TimeBar, at: Callable[[datetime], float]) -> list[str]:
    """Coming deadlines as diamonds, stacked up to three high where they would touch."""
    out: list[str] = []
    last: list[float] = []
    for incident_id, due_at, clock in bar.deadlines:
        x = at(due_at)
        if not 0 <= x <= 100:
            continue
        level = next((n for n in range(3) if n >= len(last) or x - last[n] > 1.2), 2)
        last[level : level + 1] = [x]
        y = TIME_HEIGHT - 9 - 12 * level
        out.append(
            f'<svg x="{x:.2f}%" y="{y:.0f}" overflow="visible">'
            f'<path class="due c-{clock}" data-incident="{incident_id}" d="M0-5l5 5-5 5-5-5z"/></svg>'
        )
    return out


def _tick(moment: datetime, zone: ZoneInfo, step: timedelta, language: str) -> str:
    local = moment.astimezone(zone)
    if step >= timedelta(hours=12):
        return day_words(local.date(), language)
    if step > timedelta(hours=1):
        return f"{day_words(local.date(), language)} {local:%H:%M}"
    return f"{local:%H:%M}"


def _time_ticks(
    starts_at: datetime,
    ends_at: datetime,
    at: Callable[[datetime], float],
    here: float,
    zone: ZoneInfo,
    language: str,
) -> list[str]:
    """Hours on one day, dates on several; none under the label of now."""
    days = round((ends_at - starts_at) / timedelta(days=1))
    marks: list[tuple[datetime, str]] = []
    if days <= 1:
        for hour in range(0, 25, 3):
            marks.append((starts_at + timedelta(hours=hour), f"{hour:02d}:00"))
    else:
        every = 1 if days <= 7 else 5
        for day in range(0, days + 1, every):
            moment = starts_at + timedelta(days=day)
            marks.append((moment, day_words(moment.astimezone(zone).date(), language)))
    out = []
    for moment, text in marks:
        x = at(moment)
        anchor = "start" if x < 1 else "end" if x > 99 else "middle"
        if abs(x - here) < (4 if anchor == "middle" else 6.5):
            continue
        out.append(f'<text x="{x:.2f}%" y="{TIME_HEIGHT + 14}" text-anchor="{anchor}">{escape(text)}</text>')
    return out


def clock_bar(
    words: Words,
    stretches: Sequence[Span],
    *,
    clock: str,
    now: datetime,
    due_at: datetime,
    zone: ZoneInfo,
) -> Markup:
    """The clock to scale: counted time solid, not counted hatched, remaining outlined, now and due marked.

    `stretches` run from the clock's start to its end (due, or now when it is over), in order, without gaps.
    """
    if not stretches:
        return Markup("")
    width, top, thick = 394.0, 6.0, 12.0
    starts_at = stretches[0].starts_at
    ends_at = max(stretches[-1].ends_at, due_at, now)
    total = max((ends_at - starts_at).total_seconds(), 60.0)
    pad = 14.0

    def at(moment: datetime) -> float:
        return pad + (moment - starts_at).total_seconds() / total * (width - 2 * pad)

    parts: list[str] = []
    used = timedelta()
    for stretch in stretches:
        for begins, finishes, past in _cut(stretch, now):
            x, w = at(begins), at(finishes) - at(begins)
            if w <= 0:
                continue
            if not stretch.counted:
                parts.append(f'<rect class="pause" x="{x:.1f}" y="{top}" width="{w:.1f}" height="{thick}"/>')
                parts.append(_hatch(x, w, top, thick))
            elif past:
                used += finishes - begins
                parts.append(
                    f'<rect class="counted" x="{x:.1f}" y="{top}" width="{w:.1f}" height="{thick}"/>'
                )
            else:
                parts.append(f'<rect class="left" x="{x:.1f}" y="{top}" width="{w:.1f}" height="{thick}"/>')
    here, due = at(min(now, ends_at)), at(due_at)
    parts.append(f'<path class="due" d="M{due:.1f} 1V22"/><path class="now" d="M{here:.1f} 1V22"/>')
    language = words.language
    labels: list[tuple[float, str, str]] = [
        (at(starts_at), _clock_label(starts_at, starts_at, due_at, zone, language), ""),
        (due, _clock_label(due_at, starts_at, due_at, zone, language), "due-t"),
    ]
    if abs(here - due) > 34 and abs(here - at(starts_at)) > 34:
        labels.insert(1, (here, words("incident.now"), "now-t"))
    for x, text, cls in labels:
        anchor = "start" if x < 40 else "end" if x > width - 40 else "middle"
        nudge = {"start": -pad, "end": pad, "middle": 0}[anchor]
        parts.append(
            f'<text class="{cls}" x="{x + nudge:.1f}" y="32" text-anchor="{anchor}">{escape(text)}</text>'
        )
    if clock == "overdue":
        second = words("incident.over", span=span_words(now - due_at, language))
        middle = (due + here) / 2
    else:
        second = words("incident.remaining", span=span_words(due_at - now, language))
        middle = (here + due) / 2
    first = words("incident.counted", span=span_words(used, language))
    first_x = (at(starts_at) + min(here, due)) / 2
    if middle - first_x > 110:
        parts.append(f'<text x="{max(first_x, 30):.1f}" y="45" text-anchor="middle">{escape(first)}</text>')
    parts.append(
        f'<text class="left-t" x="{min(max(middle, 36), width - 36):.1f}" y="45" text-anchor="middle">'
        f"{escape(second)}</text>"
    )
    return Markup(
        f'<svg class="clock-bar c-{clock}" viewBox="0 0 {width:.0f} 48" role="img"'
        f' aria-label="{escape(first)}, {escape(second)}">{"".join(parts)}</svg>'
    )


def _clock_label(moment: datetime, first: datetime, last: datetime, zone: ZoneInfo, language: str) -> str:
    """The time, with its day when the clock runs over several."""
    local = moment.astimezone(zone)
    if first.astimezone(zone).date() == last.astimezone(zone).date():
        return f"{local:%H:%M}"
    return f"{day_words(local.date(), language)} {local:%H:%M}"


def _cut(stretch: Span, now: datetime) -> list[tuple[datetime, datetime, bool]]:
    """A stretch in its part before now and its part after."""
    if stretch.ends_at <= now:
        return [(stretch.starts_at, stretch.ends_at, True)]
    if stretch.starts_at >= now:
        return [(stretch.starts_at, stretch.ends_at, False)]
    return [(stretch.starts_at, now, True), (now, stretch.ends_at, False)]


def _hatch(x: float, width: float, top: float, thick: float) -> str:
    lines = []
    offset = 0.0
    while offset + 7 <= width:
        lines.append(f"M{x + offset:.1f} {top + thick}l7-{thick}")
        offset += 7
    return f'<path class="hatch" d="{"".join(lines)}"/>' if lines else ""


def household_band(households: int, low: int, high: int) -> Markup:
    """Where a cell's households lie against the band, on a lane from low - 200 to high + 200."""
    width, floor, ceiling = 176.0, low - 200, high + 200

    def at(value: float) -> float:
        return (min(max(value, floor), ceiling) - floor) / (ceiling - floor) * width

    return Markup(
        f'<svg class="band" width="{width:.0f}" height="34" viewBox="0 0 {width:.0f} 34" role="img"'
        f' aria-label="{low}-{high}: {households}">'
        f'<rect class="lane" x="0" y="10" width="{width:.0f}" height="7" rx="2"/>'
        f'<rect class="fit" x="{at(low):.1f}" y="10" width="{at(high) - at(low):.1f}" height="7"/>'
        f'<path class="at" d="M{at(households):.1f} 4v18"/>'
        f'<text x="{at(low):.1f}" y="32">{low}</text><text x="{at(high):.1f}" y="32">{high}</text></svg>'
    )
