"""The reporter's page at /r/{code}: what became of the report, without signing in and without a script.

It shows nothing personal, may not be indexed, and tells no other site where its reader came from: the code in
its address is all one needs to look and to rate.
"""

from __future__ import annotations

import io
import re
from urllib.parse import parse_qs

import anyio
import segno
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from dash_app.clock_words import due_words, moment_words
from dash_app.desk import Desk
from dash_app.entry import manner
from dash_app.frame import document
from dash_app.markup import LOGO, div, glyph, join, span, sprite, stage_bars, tag
from dash_app.panels.moves import move_words
from dash_app.texts import LANGUAGES, Words
from dash_app.tokens import css_variables
from gis.errors import Invalid, NotFound
from incidents import second_looks, tracking
from incidents.tracking import MAX_COMMENT, Tracked

PATH = "/r"
MAX_FORM = 8_000
"""Bytes of a rating."""
PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
_CODE = re.compile(r"[0-9A-Za-z]{1,40}")


def routes(desk: Desk, public_url: str | None) -> list[Route]:
    """The page, its rating and its QR code; `public_url` is where reporters reach this server."""

    async def page(request: Request) -> Response:
        code, (words, theme) = _code(request), _manner(request)
        case, again = await anyio.to_thread.run_sync(_read, desk, code)
        return HTMLResponse(tracking_page(words, theme, desk, code, case, again), headers=PRIVATE)

    async def rate(request: Request) -> Response:
        code, (words, _) = _code(request), _manner(request)
        score, comment = await _form(request)
        await anyio.to_thread.run_sync(_rate, desk, code, score, comment)
        return RedirectResponse(f"{PATH}/{code}?lang={words.language}", 303, headers=PRIVATE)

    async def reopen(request: Request) -> Response:
        code, (words, _) = _code(request), _manner(request)
        told = await _told(request)
        await anyio.to_thread.run_sync(_reopen, desk, code, told.get("reason", [""])[0])
        return RedirectResponse(f"{PATH}/{code}?lang={words.language}", 303, headers=PRIVATE)

    async def qr(request: Request) -> Response:
        base = public_url or str(request.base_url)
        link = f"{base.rstrip('/')}{PATH}/{_code(request)}"
        return Response(qr_svg(link), media_type="image/svg+xml", headers=PRIVATE)

    return [
        Route(PATH + "/{code}", page),
        Route(PATH + "/{code}", rate, methods=["POST"]),
        Route(PATH + "/{code}/reopen", reopen, methods=["POST"]),
        Route(PATH + "/{code}/qr.svg", qr),
    ]


def qr_svg(link: str) -> bytes:
    """A QR code of a link, dark on white whatever the theme: scanners want it so."""
    drawing = io.BytesIO()
    segno.make(link, error="m", micro=False).save(drawing, kind="svg", scale=4, border=4, light="#fff")
    return drawing.getvalue()


def _code(request: Request) -> str:
    code = request.path_params["code"]
    if not _CODE.fullmatch(code):
        raise NotFound(
            en="This is no tracking code.",
            zh="这不是查询码。",
            remedy_en="Check the link or scan the code again.",
            remedy_zh="请核对链接，或重新扫码。",
        )
    return code


def _manner(request: Request) -> tuple[Words, str]:
    """The language of the address, else as the browser prefers; and the theme."""
    language, theme = manner(request)
    asked = request.query_params.get("lang")
    return Words(asked if asked in LANGUAGES else language), theme


async def _told(request: Request) -> dict[str, list[str]]:
    """The fields of a sent form. Raises Invalid for one that is too long."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FORM:
            raise _no_rating()
    return parse_qs(body.decode("utf-8", "replace"))


async def _form(request: Request) -> tuple[int, str | None]:
    """(score, comment) of a sent form. Raises Invalid for one that is too long or names no score."""
    told = await _told(request)
    try:
        return int(told["score"][0]), told.get("comment", [None])[0]
    except (KeyError, ValueError) as error:
        raise _no_rating() from error


def _no_rating() -> Invalid:
    return Invalid(
        en="This is no rating.",
        zh="评分未填写或内容过长。",
        remedy_en=f"Choose 1 to 5; a comment has at most {MAX_COMMENT} characters.",
        remedy_zh=f"请选 1 至 5 分；留言不超过 {MAX_COMMENT} 字。",
    )


def _read(desk: Desk, code: str) -> tuple[Tracked, bool]:
    """The case, and whether its reporter may have it opened again."""
    with desk.database.system_work() as session:
        case = tracking.track(session, code)
        return case, second_looks.is_offered(session, code, now=desk.clock())


def _rate(desk: Desk, code: str, score: int, comment: str | None) -> None:
    with desk.database.system_work() as session:
        tracking.rate(session, code, score, comment, now=desk.clock())


def _reopen(desk: Desk, code: str, reason: str) -> None:
    with desk.database.system_work() as session:
        second_looks.take_up_again(session, code, reason, now=desk.clock(), zone=desk.zone)


def tracking_page(words: Words, theme: str, desk: Desk, code: str, case: Tracked, again: bool) -> str:
    """The page of one case."""
    title = f"{case.number} · {words('product.full')}"
    head = join(
        [
            tag("title", title),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="robots", content="noindex, nofollow"),
            tag("meta", name="referrer", content="no-referrer"),
            tag("link", rel="icon", href="/icon.svg", type="image/svg+xml"),
            tag("style", Markup(css_variables())),
            tag("link", rel="stylesheet", href="/assets/desk.css"),
            tag("link", rel="stylesheet", href="/assets/tracking.css"),
        ]
    )
    bar = tag("header", LOGO, tag("b", words("product")), span(cls="grow"), _languages(words), cls="row")
    cards = [_state(words, desk, case), _reply(words, case), _rating(words, code, case, again)]
    body = div(bar, tag("main", [card for card in cards if card]), cls="tracking")
    return document(words.language, theme, head, join([sprite(), body]))


def _languages(words: Words) -> Markup:
    return tag(
        "nav",
        [
            tag(
                "a",
                name,
                href=f"?lang={language}",
                lang=language,
                aria_current="true" if words.language == language else None,
            )
            for language, name in (("zh", "中"), ("en", "EN"))
        ],
        aria_label="语言 Language",
    )


def _state(words: Words, desk: Desk, case: Tracked) -> Markup:
    now, stage = desk.clock(), words(f"stage.{case.stage}")
    clock = "in_time" if case.due_at else "closed"
    return tag(
        "section",
        div(
            glyph(clock, case.icon, px=38),
            div(
                tag("h1", words.either(case.category_zh, case.category_en)),
                div(case.number, cls="mid"),
                cls="grow",
            ),
            cls="row",
        ),
        div(stage_bars(case.stage, stage), tag("b", stage), cls="row stage-row"),
        div(due_words(case.due_at, now, desk.zone, words.language), cls="mid") if case.due_at else None,
        tag(
            "ol",
            [
                tag(
                    "li",
                    tag("time", moment_words(step.at, now, desk.zone, words.language)),
                    span(move_words(words, step.move)),
                )
                for step in case.steps
            ],
            cls="steps",
        ),
    )


def _reply(words: Words, case: Tracked) -> Markup | None:
    if not case.reply:
        return None
    return tag("section", tag("h2", words("track.reply")), tag("p", case.reply))


def _rating(words: Words, code: str, case: Tracked, again: bool) -> Markup | None:
    """The form, or what was given, with the form behind it: the last word counts. `again`: to reopen."""
    if not case.may_be_rated:
        return None
    given = case.rating
    if given is None:
        return tag("section", tag("h2", words("track.rate")), _form_markup(words, code))
    return tag(
        "section",
        tag("h2", words("rating.given", score=given.score)),
        tag("p", given.comment) if given.comment else None,
        tag("p", words("track.low" if given.offers_reopen else "track.thanks"), cls="mid"),
        _again(words, code, given.comment) if again else None,
        tag("details", tag("summary", words("track.again"), cls="link"), _form_markup(words, code)),
    )


def _again(words: Words, code: str, comment: str | None) -> Markup:
    """What a poor rating offers: the case is opened again, for a reason in the reporter's words."""
    return tag(
        "form",
        tag(
            "label",
            span(words("track.why_again"), cls="mid"),
            tag("textarea", comment or "", name="reason", maxlength=MAX_COMMENT, rows=2, required=True),
        ),
        tag("button", words("track.open_again"), type="submit", cls="btn primary"),
        method="post",
        action=f"{PATH}/{code}/reopen?lang={words.language}",
        cls="again",
    )


def _form_markup(words: Words, code: str) -> Markup:
    scores = [
        tag(
            "label",
            tag("input", type="radio", name="score", value=score, required=True),
            span(score),
        )
        for score in range(1, 6)
    ]
    return tag(
        "form",
        tag(
            "fieldset",
            tag("legend", words("track.scale"), cls="mid"),
            div(scores, cls="row scores"),
        ),
        tag(
            "label",
            span(words("track.comment"), cls="mid"),
            tag("textarea", name="comment", maxlength=MAX_COMMENT, rows=3),
        ),
        tag("button", words("track.send"), type="submit", cls="btn primary"),
        method="post",
        action=f"{PATH}/{code}?lang={words.language}",
    )
