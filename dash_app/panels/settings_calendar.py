"""Settings, holidays: a year at a glance; a click a day enters or corrects its notice."""

from __future__ import annotations

import calendar as months_of
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from markupsafe import Markup

from dash_app.clock_words import MONTHS_EN, WEEKDAYS_ZH, day_words
from dash_app.markup import div, icon, join, span, tag
from dash_app.texts import Words
from incidents.calendar_year import Wanted

HOLIDAYS = (
    ("元旦", "New Year"),
    ("春节", "Spring Festival"),
    ("清明节", "Qingming"),
    ("劳动节", "Labour Day"),
    ("端午节", "Dragon Boat"),
    ("中秋节", "Mid-Autumn"),
    ("国庆节", "National Day"),
)
"""What a year's notice names, in its order; a city may write another name."""


def calendar_panel(
    words: Words,
    year: int,
    known: Mapping[str, Any] | None,
    wanted: Sequence[Wanted],
    *,
    today: date,
    keeps: bool,
) -> Markup:
    """`known` is the year as `read_year` gives it, None before its notice."""
    return join(
        [
            _head(words, year, known, wanted),
            _tools(words) if keeps else None,
            div([_month(words, year, month, known, today, keeps) for month in range(1, 13)], cls="year"),
            _named(words, known),
            tag("script", _state(year, known), id="year-state", type="application/json") if keeps else None,
        ]
    )


def _state(year: int, known: Mapping[str, Any] | None) -> Markup:
    text = json.dumps({"year": year, **(known or {"off": {}, "worked": []})}, ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c"))


def _head(words: Words, year: int, known: Mapping[str, Any] | None, wanted: Sequence[Wanted]) -> Markup:
    waiting = next((one.cases for one in wanted if one.year == year), 0)
    notes = [
        words("cal.published", off=len(known["off"]), worked=len(known["worked"]))
        if known
        else words("cal.unpublished_note")
    ]
    if waiting:
        notes.insert(0, words("cal.wanted", n=waiting, year=year))
    others = [one for one in wanted if one.year != year]
    return tag(
        "section",
        div(
            _step(year - 1, "left", words("cal.earlier")),
            tag("h2", words("cal.year", year=year)),
            _step(year + 1, "right", words("cal.later")),
            span(words("cal.unpublished"), cls="pill c-due_soon") if known is None else None,
            span(cls="grow"),
            [
                tag(
                    "a",
                    icon("alert", "s"),
                    words("cal.wanted", n=one.cases, year=one.year),
                    cls="btn small",
                    href=f"/settings?section=calendar&year={one.year}",
                )
                for one in others
            ],
            cls="row",
        ),
        tag("p", " ".join(notes), cls="s12 mid"),
        cls="card",
    )


def _step(year: int, sign: str, label: str) -> Markup:
    return tag(
        "a",
        icon(sign, "s"),
        cls="icon-btn boxed",
        href=f"/settings?section=calendar&year={year}",
        aria_label=label,
        title=label,
    )


def _tools(words: Words) -> Markup:
    return tag(
        "section",
        tag("p", words("cal.how"), cls="s12 mid"),
        div(
            [
                tag(
                    "label",
                    tag("input", type="radio", name="holiday", value=zh, checked=n == 0),
                    words.either(zh, en),
                    cls="row s12",
                )
                for n, (zh, en) in enumerate(HOLIDAYS)
            ],
            tag(
                "input",
                name="other",
                placeholder=words("cal.other"),
                aria_label=words("cal.other"),
                maxlength=20,
            ),
            cls="row wrap holiday-tools",
        ),
        div(
            span(cls="s12 mute grow", data_year_totals=True),
            tag(
                "button",
                words("cal.reset"),
                type="button",
                cls="btn small",
                data_year_reset=True,
                hidden=True,
            ),
            tag(
                "button",
                words("cal.save"),
                type="button",
                cls="btn small primary",
                data_year_save=True,
                disabled=True,
            ),
            cls="row year-foot",
        ),
        div(cls="problem", role="alert", hidden=True, data_problem=True),
        cls="card",
    )


def _month(
    words: Words, year: int, month: int, known: Mapping[str, Any] | None, today: date, keeps: bool
) -> Markup:
    name = f"{month} 月" if words.language == "zh" else MONTHS_EN[month - 1]
    heads = WEEKDAYS_ZH if words.language == "zh" else "MTWTFSS"
    days: list[Markup] = [span(head, cls="wd") for head in heads]
    first, length = months_of.monthrange(year, month)
    days += [span() for _ in range(first)]
    days += [_day(words, date(year, month, day), known, today, keeps) for day in range(1, length + 1)]
    return div(tag("h3", name), div(days, cls="days"), cls="month")


def _day(words: Words, day: date, known: Mapping[str, Any] | None, today: date, keeps: bool) -> Markup:
    iso = day.isoformat()
    off, worked = (known or {}).get("off", {}), (known or {}).get("worked", ())
    kind = "off" if iso in off else "worked" if iso in worked else "weekend" if day.weekday() >= 5 else ""
    told = [day_words(day, words.language, weekday=True)]
    if iso in off:
        told += [off[iso], words("cal.off")]
    elif kind:
        told.append(words(f"cal.{kind}"))
    return tag(
        "button" if keeps else "span",
        day.day,
        type="button" if keeps else None,
        cls=f"day {kind}" + (" today" if day == today else ""),
        title=" · ".join(told),
        aria_label=" · ".join(told),
        data_day=iso,
        data_weekend=day.weekday() >= 5,
    )


def _named(words: Words, known: Mapping[str, Any] | None) -> Markup:
    """The year's holidays in words, one a line: its first and last day off."""
    spans: list[tuple[str, date, date]] = []
    for iso, name in (known or {}).get("off", {}).items():
        day = date.fromisoformat(iso)
        if spans and spans[-1][0] == name and (day - spans[-1][2]).days <= 3:
            spans[-1] = (name, spans[-1][1], day)
        else:
            spans.append((name, day, day))
    worked = [date.fromisoformat(iso) for iso in (known or {}).get("worked", ())]
    english = {zh.removesuffix("节"): en for zh, en in HOLIDAYS}
    lines = [
        div(
            span(words.either(name, english.get(name.removesuffix("节"))), cls="bold name"),
            span(
                day_words(first, words.language),
                f" – {day_words(last, words.language)}" if last != first else "",
            ),
            cls="set-row",
        )
        for name, first, last in spans
    ]
    if worked:
        days = words("people.and").join(day_words(day, words.language) for day in worked)
        lines.append(div(span(words("cal.worked"), cls="bold name"), span(days, cls="mid"), cls="set-row"))
    return tag(
        "section",
        tag("h2", words("cal.named")),
        div(lines, cls="rows") if lines else div(words("cal.none_named"), cls="mute"),
        cls="card",
    )
