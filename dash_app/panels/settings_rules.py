"""Settings, rules of time: which ground lives by which set, each line in words with an example from now."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dash_app.clock_words import moment_words
from dash_app.markup import chip, div, icon, join, span, tag
from dash_app.panels.settings_forms import choice_field, form, limit_fields, opener, pair, text_field
from dash_app.texts import Words
from incidents.incident import CHANNELS, GRADES, LEVELS
from incidents.rule_overview import GroundRow, LineRow, Overview, SetRow
from incidents.rules import CLOCKS


def rules_panel(
    words: Words,
    found: Overview,
    chosen: str | None,
    *,
    keeps: bool,
    keeps_ground: Collection[str],
    now: datetime,
    zone: ZoneInfo,
) -> Markup:
    """`keeps` is whether the person changes the sets, `keeps_ground` for which grounds they choose one."""
    shown = next((one for one in found.sets if one.code == chosen), None) or next(
        (one for one in found.sets if one.used), found.sets[0] if found.sets else None
    )
    if shown is None:
        return div(words("rules.none"), cls="mute")
    return join(
        [
            _grounds(words, found, keeps_ground, now, zone),
            _set_tabs(words, found, shown, keeps=keeps),
            _lines(words, shown, keeps=keeps, now=now, zone=zone),
            tag("p", words("rules.fallback"), cls="s12 mute"),
            _forms(words, shown) if keeps else None,
        ]
    )


def set_name(words: Words, found: Overview, code: str) -> str:
    one = next((one for one in found.sets if one.code == code), None)
    return words.either(one.name_zh, one.name_en) if one else code


def _grounds(
    words: Words, found: Overview, keeps_ground: Collection[str], now: datetime, zone: ZoneInfo
) -> Markup:
    rows = [_ground(words, found, ground, ground.code in keeps_ground, now, zone) for ground in found.grounds]
    return tag(
        "section",
        tag("h2", words("rules.grounds")),
        tag("p", words("rules.grounds_note"), cls="s12 mute"),
        div(rows, cls="rows"),
        cls="card",
    )


def _ground(
    words: Words, found: Overview, ground: GroundRow, may: bool, now: datetime, zone: ZoneInfo
) -> Markup:
    whole = ground.code == ""
    name = words.either(ground.name, ground.name_en)
    if whole:
        name = " · ".join(part for part in (words("rules.city"), name) if part)
    current = set_name(words, found, ground.rule_set)
    options = [(one.code, words.either(one.name_zh, one.name_en)) for one in found.sets]
    if not whole:
        options.insert(
            0, ("", words("rules.follows", name=set_name(words, found, found.grounds[0].rule_set)))
        )
    value = ground.rule_set if ground.chosen or whole else ""
    since = (
        words("rules.since", time=moment_words(ground.since, now, zone, words.language))
        if ground.since
        else ""
    )
    shown = current if ground.chosen or whole else words("rules.follows", name=current)
    control = (
        tag(
            "select",
            [tag("option", text, value=code, selected=code == value) for code, text in options],
            data_choose_set=ground.code,
            aria_label=f"{name}: {words('field.rule_set')}",
        )
        if may
        else span(shown)
    )
    return div(
        span(name, cls="bold name"),
        control,
        span(since, cls="s12 mute"),
        cls="set-row",
        data_key=f"g{ground.code}",
    )


def _set_tabs(words: Words, found: Overview, shown: SetRow, *, keeps: bool) -> Markup:
    return div(
        [
            tag(
                "a",
                words.either(one.name_zh, one.name_en),
                chip(words("rules.in_use" if one.used else "rules.resting")),
                cls="wq",
                href=f"/settings?section=rules&set={one.code}",
                aria_current="true" if one is shown else None,
            )
            for one in found.sets
        ],
        span(cls="grow"),
        opener(words("rules.new_set"), "new-set", "plus", copy_of=shown.code, office_hours=shown.office_hours)
        if keeps
        else None,
        cls="set-tabs",
    )


def _lines(words: Words, shown: SetRow, *, keeps: bool, now: datetime, zone: ZoneInfo) -> Markup:
    head = [words(f"rules.{name}") for name in ("line", "for", "limit", "example")]
    return tag(
        "section",
        div(
            span(words("rules.hours", hours=shown.office_hours.replace(",", "  ")), cls="bold"),
            span(cls="grow"),
            opener(words("rules.new_line"), "new-line", "plus") if keeps else None,
            cls="row",
        ),
        tag("p", words("rules.based", what=_source(words, shown.source)), cls="s12 mute")
        if shown.source
        else None,
        tag(
            "table",
            tag("thead", tag("tr", [tag("th", text) for text in head], tag("th"))),
            tag("tbody", [_line(words, line, keeps=keeps, now=now, zone=zone) for line in shown.lines]),
            cls="set-table",
        )
        if shown.lines
        else div(words("rules.none"), cls="mute"),
        cls="card",
    )


def _source(words: Words, told: str) -> str:
    """Where the numbers come from; a shipped set tells it as Chinese / English."""
    zh, slash, en = told.partition(" / ")
    return words.either(zh, en) if slash else told


def _line(words: Words, line: LineRow, *, keeps: bool, now: datetime, zone: ZoneInfo) -> Markup:
    since = (
        words("rules.version", time=moment_words(line.since, now, zone, words.language)) if line.since else ""
    )
    edit = opener(
        "",
        "edit-line",
        "wrench",
        cls="icon-btn",
        hint=words("rules.edit"),
        clock=line.clock,
        category=line.category,
        level=line.level,
        channel=line.channel,
        grade=line.grade,
        value=f"{line.value:g}",
        kind=line.kind,
        title=f"{words('clockname.' + line.clock)} · {who_words(words, line)}",
    )
    return tag(
        "tr",
        tag("td", words(f"clockname.{line.clock}"), cls="bold nowrap"),
        tag("td", who_words(words, line)),
        tag("td", words.either(line.limit_zh, line.limit_en), cls="nowrap"),
        tag(
            "td",
            words.either(line.example_zh, line.example_en),
            chip(icon("alert", "xs"), words("rules.provisional")) if line.provisional else None,
            div(since, cls="s11 mute") if since else None,
            cls="s12 mid",
        ),
        tag("td", edit if keeps else None, cls="act"),
    )


def who_words(words: Words, line: LineRow) -> str:
    """Whose cases a line speaks of."""
    parts = []
    if line.category:
        named = words.either(line.category_zh, line.category_en)
        parts.append(f"{named} {line.category}" if named else f"{line.category}…")
    if line.level:
        parts.append(words(f"level.{line.level}"))
    if line.channel:
        parts.append(words(f"channel.{line.channel}"))
    if line.grade:
        parts.append(words(f"grade.{line.grade}"))
    return " · ".join(parts) or words("rules.every_case")


def _forms(words: Words, shown: SetRow) -> Markup:
    lines = f"/api/v1/settings/rules/{shown.code}/lines"
    hidden = [
        tag("input", type="hidden", name=name, data_type=kind)
        for name, kind in (
            ("clock", "text"),
            ("category", "null"),
            ("level", "null"),
            ("channel", "null"),
            ("grade", "number"),
        )
    ]
    any_ = ("", words("set.any"))
    take_out = tag("button", words("rules.take_out"), type="button", cls="btn quiet", data_take_out=True)
    return join(
        [
            form(
                words,
                "edit-line",
                words("rules.edit"),
                div(cls="sub bold", data_title=True),
                hidden,
                limit_fields(words, "kind", "value"),
                method="PUT",
                url=lines,
                note=words("rules.versions_note"),
                more=take_out,
            ),
            form(
                words,
                "new-line",
                words("rules.new_line"),
                pair(
                    choice_field(
                        words("rules.line"),
                        "clock",
                        [(one, words(f"clockname.{one}")) for one in CLOCKS],
                        "handle",
                    ),
                    text_field(
                        words("rules.category"),
                        "category",
                        placeholder=words("set.any"),
                        data_type="null",
                        inputmode="numeric",
                        maxlength=8,
                    ),
                ),
                pair(
                    choice_field(
                        words("rules.level"),
                        "level",
                        [any_, *((one, words(f"level.{one}")) for one in LEVELS)],
                        data_type="null",
                    ),
                    choice_field(
                        words("rules.channel"),
                        "channel",
                        [any_, *((one, words(f"channel.{one}")) for one in CHANNELS)],
                        data_type="null",
                    ),
                    choice_field(
                        words("rules.grade"),
                        "grade",
                        [any_, *((str(one), words(f"grade.{one}")) for one in GRADES)],
                        data_type="number",
                    ),
                ),
                limit_fields(words, "kind", "value", ("working_hours", 4)),
                method="PUT",
                url=lines,
                note=words("rules.versions_note"),
                submit="set.add",
            ),
            form(
                words,
                "new-set",
                words("rules.new_set"),
                tag("input", type="hidden", name="copy_of"),
                text_field(
                    words("rules.code"),
                    "@code",
                    required=True,
                    pattern="[A-Za-z_][A-Za-z0-9_]*",
                    maxlength=30,
                ),
                pair(
                    text_field(words("rules.name_zh"), "name_zh", required=True, maxlength=80),
                    text_field(words("rules.name_en"), "name_en", required=True, maxlength=80),
                ),
                text_field(
                    words("rules.office_hours"), "office_hours", required=True, note="08:30-12:00,13:30-17:30"
                ),
                text_field(words("rules.source"), "source", maxlength=200),
                method="PUT",
                url="/api/v1/settings/rules/{code}",
                submit="set.add",
            ),
        ]
    )
