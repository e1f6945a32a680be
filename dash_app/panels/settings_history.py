"""Settings, history: who changed what from what to what, and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dash_app.clock_words import moment_words
from dash_app.markup import chip, div, icon, span, tag
from dash_app.panels.settings_notices import kind_words
from dash_app.panels.settings_retention import kind_title
from dash_app.texts import Words
from incidents.deadline_words import limit_words
from incidents.rule_settings import LineKey
from incidents.setting_changes import SUBJECTS, SettingChange

MOST_FIELDS = 4
"""Differences told one by one; of more only the first."""


def history_list(
    words: Words,
    changes: Sequence[SettingChange],
    *,
    keeps: Callable[[SettingChange], bool],
    now: datetime,
    zone: ZoneInfo,
) -> Markup:
    """The changes, newest first; one taken back is struck through. `keeps`: may the reader undo it."""
    if not changes:
        return div(words("set.no_changes"), cls="mute")
    undone = {one.undoes for one in changes}
    return tag(
        "ol",
        [
            _change(
                words,
                one,
                one.id in undone,
                keeps=one.subject in SUBJECTS and keeps(one),
                now=now,
                zone=zone,
            )
            for one in changes
        ],
        cls="history",
    )


def _change(
    words: Words, one: SettingChange, undone: bool, *, keeps: bool, now: datetime, zone: ZoneInfo
) -> Markup:
    first_year = one.subject == "calendar" and one.before is None
    may_undo = keeps and not (undone or first_year) and one.undoes is None
    undo = tag(
        "button", icon("undo", "xs"), words("change.undo"), type="button", cls="link", data_undo=one.id
    )
    return tag(
        "li",
        div(
            chip(words(f"subject.{one.subject}")),
            span(key_words(words, one), cls="bold cut grow"),
            undo if may_undo else None,
            cls="row",
        ),
        div(differences(words, one), cls="s12 mid"),
        div(
            f"#{one.id} · {one.username} · {moment_words(one.at, now, zone, words.language)}",
            f" · {words('change.undoes', id=one.undoes)}" if one.undoes else "",
            cls="s11 mute",
        ),
        cls="undone" if undone else None,
        data_change=one.id,
    )


def key_words(words: Words, one: SettingChange) -> str:
    """Which setting it was."""
    state: Mapping[str, Any] = one.after or one.before or {}
    if one.subject == "rule":
        line = LineKey.parse(one.key)
        parts = [line.rule_set, words(f"clockname.{line.clock}"), line.category]
        parts += [words(f"level.{line.level}")] if line.level else []
        parts += [words(f"channel.{line.channel}")] if line.channel else []
        parts += [words(f"grade.{line.grade}")] if line.grade else []
        return " · ".join(part for part in parts if part)
    if one.subject == "notice":
        return kind_words(words, one.key)
    if one.subject == "retention":
        return kind_title(words, one.key)
    if one.subject == "rule_choice":
        return one.key or words("rules.city")
    if one.subject == "contact":
        return str(state.get("address", one.key))
    name = words.either(state.get("name_zh") or state.get("zh"), state.get("name_en") or state.get("en"))
    return f"{one.key} {name}".strip()


def differences(words: Words, one: SettingChange) -> str:
    """What changed, from what to what."""
    if one.before is None or one.after is None:
        known = words("change.added" if one.before is None else "change.removed")
        state = one.after or one.before or {}
        told = [_value(words, state)] if one.subject in ("rule", "rule_choice") else []
        return "：".join([known, *told]) if words.language == "zh" else ": ".join([known, *told])
    if one.subject == "rule":
        return f"{_value(words, one.before)} → {_value(words, one.after)}"
    changed = [
        f"{words.get('field.' + name, name)} {_shown(words, one.before.get(name))} → {_shown(words, value)}"
        for name, value in one.after.items()
        if one.before.get(name) != value
    ]
    comma = "；" if words.language == "zh" else "; "
    return comma.join(changed[:MOST_FIELDS]) + ("…" if len(changed) > MOST_FIELDS else "")


def _value(words: Words, state: Mapping[str, Any]) -> str:
    if "kind" in state:
        return words.either(*limit_words(state["kind"], state["value"]))
    return str(state.get("rule_set", ""))


def _shown(words: Words, value: Any) -> str:
    """A value in a few characters."""
    if value is None or value == "":
        return words("change.nothing")
    if isinstance(value, bool):
        return words("yes" if value else "no")
    if isinstance(value, list | dict):
        if isinstance(value, dict) and set(value) == {"zh", "en"}:
            return f"“{words.either(value['zh'], value['en'])}”"
        return f"{len(value)}"
    return f"{value:g}" if isinstance(value, float) else str(value)
