"""Settings, notices: every kind with its words in both languages, checked blanks, and what they read like."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from markupsafe import Markup

from dash_app.markup import chip, div, icon, span, tag
from dash_app.panels.moves import move_words
from dash_app.texts import Words
from incidents.contacts import LANGUAGES, SENDERS
from incidents.notice_kinds import BLANKS, NoticeKind
from incidents.notice_wording import MAX_SUBJECT, MAX_TEXT, SAMPLE


def notices_panel(
    words: Words, kinds: Mapping[str, NoticeKind], own: Collection[str], chosen: str | None, *, keeps: bool
) -> Markup:
    """`own` are the kinds in the city's own words; the chosen one opens beside the list."""
    shown = kinds.get(chosen or "") or next(iter(kinds.values()))
    return div(
        div([_row(words, kind, kind is shown, kind.name in own) for kind in kinds.values()], cls="kind-list"),
        _editor(words, shown, shown.name in own, keeps=keeps),
        cls="notices",
    )


def kind_words(words: Words, kind: str) -> str:
    """What a kind of notice is about: its own name, or the move's that causes it."""
    return words.get(f"note.kind.{kind}", move_words(words, kind))


def _row(words: Words, kind: NoticeKind, current: bool, own: bool) -> Markup:
    ways = words("people.and").join(words(f"sender.{sender}") for sender in kind.senders)
    return tag(
        "a",
        div(
            span(kind_words(words, kind.name), cls="bold"),
            icon("bell", "xs") if kind.urgent else None,
            chip(words("note.own")) if own else None,
            cls="row",
        ),
        div(ways or words("note.none"), cls="s12 mute"),
        href=f"/settings?section=notices&kind={kind.name}",
        aria_current="true" if current else None,
        data_key=f"n{kind.name}",
    )


def _editor(words: Words, kind: NoticeKind, own: bool, *, keeps: bool) -> Markup:
    sides = [_language(words, kind, language, keeps) for language in LANGUAGES]
    ways = [
        tag(
            "label",
            tag(
                "input",
                type="checkbox",
                name="senders",
                value=sender,
                checked=sender in kind.senders,
                disabled=not keeps,
            ),
            words(f"sender.{sender}"),
            cls="row",
        )
        for sender in SENDERS
    ]
    return tag(
        "form",
        div(
            tag("h2", kind_words(words, kind.name)),
            span(kind.name, cls="s12 mute"),
            span(cls="grow"),
            tag("button", words("note.reset"), type="button", cls="btn quiet", data_notice_reset=kind.name)
            if own and keeps
            else None,
            cls="row",
        ),
        div(cls="problem", role="alert", hidden=True, data_problem=True),
        div(
            span(words("note.senders"), cls="mid"),
            ways,
            tag(
                "label",
                tag("input", type="checkbox", name="urgent", checked=kind.urgent, disabled=not keeps),
                words("note.urgent"),
                cls="row",
            ),
            cls="row wrap ways",
        ),
        _blanks(words) if keeps else None,
        div(sides, cls="sides"),
        div(tag("button", words("set.save"), type="submit", cls="btn primary"), cls="row") if keeps else None,
        cls="card notice-form",
        data_notice=kind.name,
    )


def _blanks(words: Words) -> Markup:
    return div(
        span(words("note.blanks"), cls="mid s12"),
        [
            tag(
                "button",
                f"{{{blank}}}",
                span(words(f"blank.{blank}"), cls="mute"),
                type="button",
                cls="wq",
                data_blank=blank,
            )
            for blank in BLANKS
        ],
        cls="row wrap blanks",
    )


def _language(words: Words, kind: NoticeKind, language: str, keeps: bool) -> Markup:
    subject, text = kind.subject[language], kind.text[language]
    sample = SAMPLE[language]
    name = {"zh": "中文", "en": "English"}[language]
    return div(
        tag("h3", name),
        tag(
            "label",
            span(words("note.subject")),
            tag(
                "input",
                name=f"subject.{language}",
                value=subject,
                maxlength=MAX_SUBJECT,
                required=True,
                readonly=not keeps,
            ),
            cls="field",
        ),
        tag(
            "label",
            span(words("note.text")),
            tag(
                "textarea",
                text,
                name=f"text.{language}",
                maxlength=MAX_TEXT,
                rows=4,
                required=True,
                readonly=not keeps,
            ),
            cls="field",
        ),
        div(
            div(words("note.preview"), cls="s11 mute"),
            tag("b", subject.format_map(sample), data_preview_subject=True),
            div(text.format_map(sample), data_preview_text=True),
            cls="preview",
            lang=language,
            data_preview=language,
        ),
        cls="side-language",
    )
