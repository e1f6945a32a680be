"""The public page at /public: a month's cases by community, for everybody, without signing in or a script.

It shows what was published (`incidents.public_bins`) and reads nothing else: its database session is bound
to nobody. What is added up here is added up from shown numbers, so it tells no more than they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise

import anyio
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dash_app.desk import Desk
from dash_app.entry import manner
from dash_app.frame import document
from dash_app.markup import LOGO, div, join, span, tag, thousands
from dash_app.panels.public_map import BOUNDS, Line, public_map, shade_of
from dash_app.texts import LANGUAGES, Words
from dash_app.tokens import css_variables
from incidents import public_bins
from incidents.public_bins import FEW, MOST, TOLD, GroupName, PublicBin, PublicMonth
from layers.areas import AreaShape, outlines

PATH = "/public"
KEPT_S = 3600


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an address asks for: a published month (absent: the newest) and a main class (absent: all)."""

    month: str | None
    group: str | None


@dataclass(frozen=True, slots=True)
class _Found:
    """What was published: the months, the chosen one with its bins, the classes, the communities."""

    months: Sequence[PublicMonth]
    chosen: PublicMonth | None
    bins: Sequence[PublicBin]
    groups: Sequence[GroupName]
    areas: Sequence[AreaShape]


def routes(desk: Desk) -> list[Route]:
    """The page; kept for an hour by whoever asked."""

    async def page(request: Request) -> Response:
        language, theme = manner(request)
        asked = request.query_params.get("lang")
        words = Words(asked if asked in LANGUAGES else language)
        wanted = _Asked(request.query_params.get("month"), request.query_params.get("group"))
        found = await anyio.to_thread.run_sync(_read, desk, wanted)
        headers = {"Cache-Control": f"private, max-age={KEPT_S}", "Vary": "Cookie, Accept-Language"}
        return HTMLResponse(public_page(words, theme, found, wanted), headers=headers)

    return [Route(PATH, page)]


def _read(desk: Desk, asked: _Asked) -> _Found:
    with desk.database.unbound_work() as session:
        months = public_bins.months(session)
        known = {f"{one.month:%Y-%m}": one for one in months}
        chosen = known.get(asked.month or "") or (months[0] if months else None)
        bins = public_bins.bins_of(session, chosen.month)[1] if chosen else ()
        groups = public_bins.group_names(session)
    return _Found(months, chosen, bins, groups, _communities(desk, int(desk.clock().timestamp() // KEPT_S)))


@lru_cache(maxsize=2)
def _communities(desk: Desk, _hour: int) -> list[AreaShape]:
    """The outlines, asked for once an hour: what anybody may call must cost next to nothing."""
    with desk.database.unbound_work() as session:
        return outlines(session, "community")


def public_page(words: Words, theme: str, found: _Found, asked: _Asked) -> str:
    """The page of what was found."""
    head = join(
        [
            tag("title", f"{words('public.title')} · {words('product.full')}"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("link", rel="icon", href="/icon.svg", type="image/svg+xml"),
            tag("style", Markup(css_variables())),
            tag("link", rel="stylesheet", href="/assets/desk.css"),
            tag("link", rel="stylesheet", href="/assets/public.css"),
        ]
    )
    bar = tag("header", LOGO, tag("b", words("product")), span(cls="grow"), _languages(words, found, asked))
    main = _published(words, found, asked) if found.chosen else _nothing_yet(words)
    return document(words.language, theme, head, div(bar, main, cls="public"))


def _languages(words: Words, found: _Found, asked: _Asked) -> Markup:
    month = f"&month={found.chosen.month:%Y-%m}" if found.chosen else ""
    group = _group(found, asked)
    rest = month + (f"&group={group.code}" if group else "")
    return tag(
        "nav",
        [
            tag(
                "a",
                name,
                href=f"{PATH}?lang={language}{rest}",
                lang=language,
                aria_current="true" if words.language == language else None,
            )
            for language, name in (("zh", "中"), ("en", "EN"))
        ],
        aria_label="语言 Language",
    )


def _nothing_yet(words: Words) -> Markup:
    return tag(
        "main",
        tag("section", tag("h1", words("public.title")), tag("p", words("public.nothing_yet"), cls="mid")),
        cls="nothing",
    )


def _group(found: _Found, asked: _Asked) -> GroupName | None:
    return next((one for one in found.groups if one.code == asked.group), None)


def _published(words: Words, found: _Found, asked: _Asked) -> Markup:
    assert found.chosen is not None
    group, k = _group(found, asked), found.chosen.hidden_below
    names = {area.code: words.either(area.name, area.name_en) for area in found.areas}
    lines = {area.code: _line(words, _of(found, area.code, group), k) for area in found.areas}
    title = words("public.of_month", month=_month_words(words, found.chosen.month))
    return tag(
        "main",
        tag("section", public_map(found.areas, lines, names, title), cls="drawing"),
        tag(
            "section",
            tag("h1", title),
            _choices(words, found, group),
            tag("p", words("public.hidden_note", k=k, step=found.chosen.rounded_to), cls="s12 mid"),
            _legend(words, k),
            _table(words, found, group, lines, names),
            tag("p", words("public.rule"), cls="s12 mute"),
            cls="told",
        ),
    )


def _of(found: _Found, community: str, group: GroupName | None) -> list[PublicBin]:
    return [
        one
        for one in found.bins
        if one.community_code == community and (group is None or one.group_code == group.code)
    ]


def _line(words: Words, bins: Sequence[PublicBin], k: int) -> Line:
    """What a community says: its one bin, or all its classes added up from what is shown of them."""
    told = [one.shown for one in bins if one.shown is not None]
    hidden = len(bins) - len(told)
    if not told:
        return Line(None, words("public.hidden", k=k))
    number = sum(told)
    if len(bins) == 1:
        return Line(number, words("public.cases", n=thousands(number)))
    said = words("public.at_least", n=thousands(number))
    more = words("public.and_hidden", n=hidden, k=k) if hidden else ""
    return Line(number, f"{said}{more}")


def _month_words(words: Words, month: date) -> str:
    return f"{month:%Y} 年 {month.month} 月" if words.language == "zh" else f"{month:%B %Y}"


def _choices(words: Words, found: _Found, group: GroupName | None) -> Markup:
    assert found.chosen is not None
    months = [
        tag(
            "option",
            _month_words(words, one.month),
            value=f"{one.month:%Y-%m}",
            selected=one.month == found.chosen.month,
        )
        for one in found.months
    ]
    shown = {one.group_code for one in found.bins}
    groups = [tag("option", words("public.all"), value="")]
    groups += [
        tag(
            "option",
            words.either(one.zh, one.en),
            value=one.code,
            selected=group is not None and one.code == group.code,
        )
        for one in found.groups
        if one.code in shown
    ]
    return tag(
        "form",
        tag("label", span(words("public.month")), tag("select", months, name="month"), cls="field"),
        tag("label", span(words("public.class")), tag("select", groups, name="group"), cls="field"),
        tag("input", type="hidden", name="lang", value=words.language),
        tag("button", words("public.show"), type="submit", cls="btn primary"),
        action=PATH,
        method="get",
        cls="choices",
    )


def _legend(words: Words, k: int) -> Markup:
    marks = [k, *BOUNDS]
    names = [f"{low}–{high - 1}" for low, high in pairwise(marks)] + [f"≥ {marks[-1]}"]
    return tag(
        "ul",
        tag("li", span(cls="swatch none"), words("public.hidden", k=k)),
        [tag("li", span(cls=f"swatch shade{n}"), name) for n, name in enumerate(names)],
        tag("li", words("public.unit"), cls="mute"),
        cls="legend s12",
    )


def _table(
    words: Words,
    found: _Found,
    group: GroupName | None,
    lines: dict[str, Line],
    names: dict[str, str],
) -> Markup:
    """The same numbers in words, the most first: whoever cannot see the map loses nothing."""
    order = sorted(found.areas, key=lambda area: (-(lines[area.code].number or 0), area.code))
    head = [words("public.community"), words("public.shown")] + ([words("public.in_time")] if group else [])
    rows = []
    for area in order:
        line = lines[area.code]
        cells = [
            tag("td", span(cls=f"swatch {shade_of(line.number)}"), names[area.code]),
            tag("td", line.words),
        ]
        if group:
            (one,) = _of(found, area.code, group) or (None,)
            cells.append(tag("td", _share(words, one, found.chosen)))
        rows.append(tag("tr", cells))
    return div(
        tag(
            "table",
            tag("thead", tag("tr", [tag("th", text, scope="col") for text in head])),
            tag("tbody", rows),
        ),
        tag("p", words("public.choose_class"), cls="s12 mute") if group is None else None,
        cls="table",
    )


def _share(words: Words, one: PublicBin | None, month: PublicMonth | None) -> str:
    """How many of a bin were done in time, with what it is out of; in words where a part is hidden."""
    if one is None or month is None or one.shown is None:
        return "–"
    if one.share == TOLD and one.in_time is not None:
        rate = round(100 * one.in_time / one.shown)
        return words("public.rate", rate=rate, part=thousands(one.in_time), whole=thousands(one.shown))
    known = {MOST: "public.most", FEW: "public.few"}.get(one.share or "")
    return words(known, k=month.hidden_below) if known else words("public.too_few")
