"""Settings, categories: the tree of main classes, each category a row that opens as a form."""

from __future__ import annotations

import json
from collections.abc import Sequence

from markupsafe import Markup

from dash_app.markup import chip, div, icon, join, span, tag
from dash_app.panels.settings_forms import (
    box_field,
    choice_field,
    form,
    limit_fields,
    opener,
    pair,
    text_field,
)
from dash_app.texts import Words
from grids.members import Department
from incidents.categories import QUESTION_KINDS, Category
from incidents.deadline_words import limit_words
from incidents.lifecycle import FIELD

ICONS = (
    "trash",
    "alert",
    "fire",
    "wrench",
    "people",
    "lid",
    "drop",
    "flag",
    "car",
    "tree",
    "noise",
    "shop",
    "home",
    "eye",
    "doc",
    "cloud",
    "walk",
    "lamp",
    "door",
    "bldg",
    "shield",
    "lock",
    "phone",
    "book",
    "clock",
    "more",
)
"""Glyphs a category may wear."""


def categories_panel(
    words: Words,
    categories: Sequence[Category],
    departments: Sequence[Department],
    *,
    q: str,
    retired: bool,
    keeps: bool,
) -> Markup:
    """The categories that match, by main class; retired ones only when asked for."""
    shown = [one for one in categories if (retired or one.active) and _matches(one, q)]
    groups: dict[str, list[Category]] = {}
    for one in shown:
        groups.setdefault(one.group_code, []).append(one)
    named = {one.code: words.either(one.name_zh, one.name_en) for one in departments}
    return join(
        [
            _tools(words, len(shown), q, retired, keeps),
            [_group(words, code, members, named, keeps) for code, members in groups.items()]
            if groups
            else div(words("cat.none"), cls="card mute"),
            _forms(words, departments) if keeps else None,
        ]
    )


def _matches(one: Category, q: str) -> bool:
    told = (one.code, one.name_zh, one.name_en, one.group_zh, one.group_en)
    return not q or any(q.lower() in text.lower() for text in told)


def _tools(words: Words, count: int, q: str, retired: bool, keeps: bool) -> Markup:
    return tag(
        "form",
        tag("input", type="hidden", name="section", value="categories"),
        tag(
            "input",
            type="search",
            name="q",
            value=q or None,
            placeholder=words("cat.find"),
            aria_label=words("cat.find"),
        ),
        tag(
            "label",
            tag("input", type="checkbox", name="retired", value="1", checked=retired, data_submit=True),
            words("cat.show_retired"),
            cls="row s12",
        ),
        span(words("cat.count", n=count), cls="s12 mute"),
        span(cls="grow"),
        opener(words("cat.new"), "category-form", "plus", active="true", sort="") if keeps else None,
        cls="set-tools row",
        method="get",
        action="/settings",
    )


def _group(
    words: Words, code: str, members: Sequence[Category], departments: dict[str, str], keeps: bool
) -> Markup:
    first = members[0]
    name = words.either(first.group_zh, first.group_en)
    same = {"group_code": code, "group_zh": first.group_zh, "group_en": first.group_en, "kind": first.kind}
    return tag(
        "details",
        tag(
            "summary",
            icon("right", "xs turn"),
            span(name, cls="bold"),
            span(f"{code} · {words('cat.count', n=len(members))}", cls="s12 mute"),
            span(cls="grow"),
            opener(
                words("cat.rename_group"),
                "group-form",
                cls="btn quiet",
                code=code,
                zh=first.group_zh,
                en=first.group_en,
            )
            if keeps
            else None,
            opener(words("set.add"), "category-form", "plus", code=code, active="true", **same)
            if keeps
            else None,
            cls="row",
        ),
        div([_row(words, one, departments, keeps) for one in members], cls="rows"),
        cls="card tree",
        open=True,
    )


def _row(words: Words, one: Category, departments: dict[str, str], keeps: bool) -> Markup:
    limit = words.either(*limit_words(one.limit_kind, float(one.limit_value)))
    facts = [
        words(f"role.{one.default_role}"),
        departments.get(one.department_code or "", ""),
        words("cat.confirm") if one.needs_confirm else "",
        words("cat.urgent") if one.urgent else "",
        f"{words('cat.questions')} {len(one.questions)}" if one.questions else "",
    ]
    edit = None
    if keeps:
        edit = opener(
            words("set.edit"),
            "category-form",
            code=one.code,
            kind=one.kind,
            group_code=one.group_code,
            group_zh=one.group_zh,
            group_en=one.group_en,
            name_zh=one.name_zh,
            name_en=one.name_en,
            icon=one.icon,
            default_role=one.default_role,
            department_code=one.department_code or "",
            needs_confirm=str(one.needs_confirm).lower(),
            urgent=str(one.urgent).lower(),
            limit_kind=one.limit_kind,
            limit_value=f"{float(one.limit_value):g}",
            active=str(one.active).lower(),
            questions=json.dumps(one.questions, ensure_ascii=False),
            known="yes",
        )
    return div(
        icon(one.icon),
        span(one.code, cls="s12 mute code"),
        span(words.either(one.name_zh, one.name_en), cls="bold name"),
        chip(words("cat.retired")) if not one.active else None,
        span(" · ".join(fact for fact in facts if fact), cls="s12 mid cut grow"),
        span(limit, cls="s12 nowrap"),
        edit,
        cls="set-row" if one.active else "set-row off",
        data_key=f"c{one.code}",
    )


def _forms(words: Words, departments: Sequence[Department]) -> Markup:
    named = [(one.code, words.either(one.name_zh, one.name_en)) for one in departments]
    more = join(
        [
            tag("button", words("cat.retire"), type="button", cls="btn", data_retire=True),
            tag("button", words("cat.use_again"), type="button", cls="btn", data_use_again=True),
            tag(
                "button",
                words("cat.delete"),
                type="button",
                cls="btn quiet",
                data_delete=True,
                title=words("cat.delete_note"),
            ),
        ]
    )
    url = "/api/v1/settings/categories/{code}"
    return join(
        [
            form(
                words,
                "category-form",
                words("subject.category"),
                pair(
                    text_field(
                        words("cat.code"), "@code", required=True, pattern="[0-9]{4,8}", inputmode="numeric"
                    ),
                    choice_field(
                        words("cat.kind_is"),
                        "kind",
                        [("component", words("cat.component")), ("event", words("cat.event"))],
                        "event",
                    ),
                ),
                pair(
                    text_field(words("cat.group"), "group_code", required=True, pattern="[0-9]{2,8}"),
                    text_field(words("rules.name_zh"), "group_zh", required=True, maxlength=30),
                    text_field(words("rules.name_en"), "group_en", required=True, maxlength=60),
                ),
                pair(
                    text_field(words("cat.name_zh"), "name_zh", required=True, maxlength=30),
                    text_field(words("cat.name_en"), "name_en", required=True, maxlength=60),
                ),
                _icons(words),
                pair(
                    choice_field(
                        words("cat.role"),
                        "default_role",
                        [(one, words(f"role.{one}")) for one in sorted(FIELD)],
                        "member",
                    ),
                    choice_field(
                        words("cat.department"),
                        "department_code",
                        [("", words("cat.no_department")), *named],
                        data_type="null",
                    ),
                ),
                limit_fields(words, "limit_kind", "limit_value", ("working_hours", 4)),
                box_field(words("cat.confirm"), "needs_confirm"),
                box_field(words("cat.urgent"), "urgent"),
                tag("input", type="hidden", name="active", data_type="bool", value="true"),
                _questions(words),
                method="PUT",
                url=url,
                more=more,
                wide=True,
            ),
            form(
                words,
                "group-form",
                words("cat.rename_group"),
                tag("input", type="hidden", name="@code"),
                text_field(words("rules.name_zh"), "zh", required=True, maxlength=30),
                text_field(words("rules.name_en"), "en", required=True, maxlength=60),
                method="PUT",
                url="/api/v1/settings/category-groups/{code}",
            ),
        ]
    )


def _icons(words: Words) -> Markup:
    return tag(
        "fieldset",
        tag("legend", words("cat.icon")),
        [
            tag(
                "label",
                tag("input", type="radio", name="icon", value=name, checked=name == "alert"),
                icon(name),
                title=name,
            )
            for name in ICONS
        ],
        cls="icons",
    )


def _questions(words: Words) -> Markup:
    """The list of questions; a script writes one block a question from the template in it."""
    block = div(
        pair(
            text_field("中文", "zh", required=True, maxlength=60, data_part=True),
            text_field("English", "en", required=True, maxlength=60, data_part=True),
        ),
        pair(
            choice_field(
                words("cat.question_kind"),
                "kind",
                [(one, words(f"cat.kind.{one}")) for one in QUESTION_KINDS],
                data_part=True,
            ),
            box_field(words("cat.required"), "required", data_part=True),
            tag("button", words("set.remove"), type="button", cls="btn quiet", data_drop_question=True),
        ),
        tag(
            "label",
            span(words("cat.options")),
            tag("textarea", name="options", rows=3, data_part=True),
            cls="field",
            data_options=True,
        ),
        cls="question",
        data_question=True,
    )
    return tag(
        "fieldset",
        tag("legend", words("cat.questions")),
        div(words("cat.no_questions"), cls="s12 mute", data_no_questions=True),
        tag("template", block, data_question_block=True),
        tag(
            "button",
            icon("plus", "s"),
            words("cat.add_question"),
            type="button",
            cls="btn small",
            data_add_question=True,
        ),
        data_questions=True,
    )
