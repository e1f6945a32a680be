"""Settings, retention: how long each kind of thing is kept, on what basis, and how much is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from api.retention import Due
from dash_app.clock_words import moment_words
from dash_app.markup import chip, div, join, span, tag, thousands
from dash_app.panels.settings_forms import form, opener, text_field
from dash_app.texts import Words
from gis.forgetting import KINDS, Kind


def retention_panel(
    words: Words, rules: Sequence[Due], *, keeps: bool, now: datetime, zone: ZoneInfo
) -> Markup:
    """The rules as a table; who keeps them gets a form for each, which names its bounds and their basis."""
    head = [words(f"keep.{name}") for name in ("what", "days", "due", "last")] + ([""] if keeps else [])
    return join(
        [
            tag("p", words("keep.note"), cls="s12 mute"),
            tag(
                "section",
                tag(
                    "table",
                    tag("thead", tag("tr", [tag("th", text) for text in head])),
                    tag("tbody", [_row(words, one, keeps=keeps, now=now, zone=zone) for one in rules]),
                    cls="set-table",
                ),
                cls="card",
            ),
            [_form(words, one, KINDS[one.kind]) for one in rules] if keeps else None,
        ]
    )


def _row(words: Words, one: Due, *, keeps: bool, now: datetime, zone: ZoneInfo) -> Markup:
    kind = KINDS[one.kind]
    cells = [
        [
            div(tag("b", words.either(*kind.title)), " ", chip(words(f"keep.act.{kind.act}"))),
            div(words.either(*kind.basis), cls="s11 mute"),
        ],
        [
            div(words("keep.n_days", n=thousands(one.days)), cls="nowrap"),
            div(words("keep.from", what=words.either(*kind.counted_from)), cls="s11 mute"),
        ],
        tag("b", thousands(one.due)) if one.due else span("0", cls="mute"),
        span(_last(words, one, now, zone), cls="s12 mid"),
    ]
    if keeps:
        cells.append(opener(words("set.edit"), f"retention-{one.kind}"))
    return tag("tr", [tag("td", cell) for cell in cells], data_kind=one.kind)


def _last(words: Words, one: Due, now: datetime, zone: ZoneInfo) -> str:
    if one.last_run_at is None:
        return words("keep.never")
    when = moment_words(one.last_run_at, now, zone, words.language)
    return words("keep.last_rows", when=when, n=thousands(one.last_rows or 0))


def _form(words: Words, one: Due, kind: Kind) -> Markup:
    bounds = words("keep.bounds", least=thousands(kind.least), most=thousands(kind.most))
    return form(
        words,
        f"retention-{one.kind}",
        words("keep.edit", what=words.either(*kind.title)),
        text_field(
            words("keep.days"),
            "days",
            one.days,
            note=bounds,
            type="number",
            min=kind.least,
            max=kind.most,
            step=1,
            required=True,
            data_type="number",
        ),
        method="PUT",
        url=f"/api/v1/settings/retention/{one.kind}",
        note=words.either(*kind.basis),
    )


def kind_title(words: Words, key: str) -> str:
    """The words of a rule, for the history."""
    known: Mapping[str, Kind] = KINDS
    return words.either(*known[key].title) if key in known else key
