"""From the five kinds of failure to HTTP: one table, one shape (RFC 9457), two languages, always a remedy.

`title` and `detail` are in the language the caller asked for (`Accept-Language`, else Chinese); both
languages stand beside them, so that a page can switch without asking again. `detail` is the title with its
remedy.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from api.auth import FirstThings, NotSignedIn
from api.tries import TooManyTries
from gis.errors import CityGridError, Conflict, Denied, Invalid, NotFound, Unavailable

MEDIA_TYPE = "application/problem+json"


class TooLarge(Invalid):
    """The body is larger than the server reads."""


class CutShort(Invalid):
    """The body stopped coming before its end."""


STATUSES: dict[type[CityGridError], int] = {
    NotSignedIn: 401,
    FirstThings: 403,
    TooManyTries: 429,
    CutShort: 408,
    TooLarge: 413,
    Invalid: 422,
    Denied: 403,
    NotFound: 404,
    Conflict: 409,
    Unavailable: 503,
}
"""Kind -> status. The nearest class in the error's own line of descent decides."""

_log = structlog.get_logger("citygrid.http")


def status_of(error: CityGridError) -> int:
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 500)


def language_of(accept_language: str | None) -> str:
    """`zh` or `en`: the first of the caller's languages that we speak, else Chinese."""
    for part in (accept_language or "").lower().split(","):
        name = part.split(";")[0].strip()[:2]
        if name in ("zh", "en"):
            return name
    return "zh"


def problem(error: CityGridError, headers: Mapping[str, str], status: int | None = None) -> JSONResponse:
    """The answer to a failure that a person can act on. `status` overrules the table."""
    status = status or status_of(error)
    answer_headers = {}
    if status == 401:
        # A page that asks with fetch must not get the browser's own password window; a GIS program must.
        by_page = "sec-fetch-mode" in headers
        answer_headers["WWW-Authenticate"] = ("Bearer" if by_page else "Basic") + ' realm="CityGrid"'
    if status == 503:
        answer_headers["Retry-After"] = "5"
    if isinstance(error, TooManyTries):
        answer_headers["Retry-After"] = str(error.details["retry_after_s"])
    if isinstance(error, CutShort):
        answer_headers["Connection"] = "close"  # what may still come of the body is no request
    return JSONResponse(
        problem_body(error, status, language_of(headers.get("accept-language"))),
        status,
        headers=answer_headers,
        media_type=MEDIA_TYPE,
    )


def problem_body(error: CityGridError, status: int, language: str) -> dict[str, Any]:
    """The members of the problem document; `error.details` stand beside them."""
    kind = next((kind for kind in type(error).__mro__ if kind in STATUSES), CityGridError)
    body: dict[str, Any] = {
        **error.details,
        "type": "urn:citygrid:problem:" + re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower(),
        "status": status,
        "title_zh": error.message_zh,
        "title_en": error.message_en,
        "detail_zh": error.message_zh + error.remedy_zh,
        "detail_en": f"{error.message_en} {error.remedy_en}".strip(),
        "remedy_zh": error.remedy_zh,
        "remedy_en": error.remedy_en,
    }
    return body | {name: body[f"{name}_{language}"] for name in ("title", "detail", "remedy")}


_FAULTS = {
    "missing": ("缺少 {field}", "{field} is missing"),
    "json_invalid": ("{field} 不是有效的 JSON", "{field} is no valid JSON"),
    "extra_forbidden": ("{field} 不认识", "{field} is not known"),
    "float_type": ("{field} 须为数字", "{field} must be a number"),
    "float_parsing": ("{field} 须为数字", "{field} must be a number"),
    "finite_number": ("{field} 须为有限的数", "{field} must be a finite number"),
    "int_type": ("{field} 须为整数", "{field} must be a whole number"),
    "int_parsing": ("{field} 须为整数", "{field} must be a whole number"),
    "int_from_float": ("{field} 须为整数", "{field} must be a whole number"),
    "bool_type": ("{field} 须为 true 或 false", "{field} must be true or false"),
    "bool_parsing": ("{field} 须为 true 或 false", "{field} must be true or false"),
    "string_type": ("{field} 须为文字", "{field} must be text"),
    "string_too_long": ("{field} 超过 {max_length} 个字符", "{field} is longer than {max_length} characters"),
    "string_too_short": (
        "{field} 不足 {min_length} 个字符",
        "{field} is shorter than {min_length} characters",
    ),
    "greater_than_equal": ("{field} 须不小于 {ge}", "{field} must be {ge} or more"),
    "less_than_equal": ("{field} 须不大于 {le}", "{field} must be {le} or less"),
    "literal_error": ("{field} 须为 {expected} 之一", "{field} must be one of {expected}"),
    "datetime_parsing": ("{field} 须为带时区的时间", "{field} must be a time with its offset"),
    "datetime_from_date_parsing": ("{field} 须为带时区的时间", "{field} must be a time with its offset"),
    "timezone_aware": ("{field} 须带时区偏移", "{field} needs an offset"),
}
"""Pydantic's kinds of faults in both languages."""
_OTHER_FAULT = ("{field} 不合要求（{msg}）", "{field} is not accepted ({msg})")


def invalid_request(faults: Sequence[Mapping[str, Any]]) -> Invalid:
    """Every fault pydantic found, as one Invalid; nothing the caller sent is repeated back."""
    told = []
    for fault in faults:
        place = [str(part) for part in fault["loc"] if part not in ("body", "query", "path")]
        values = _Blank(fault.get("ctx") or {}, field=".".join(place) or "body", msg=fault["msg"])
        zh, en = _FAULTS.get(fault["type"], _OTHER_FAULT)
        told.append({"field": values["field"], "zh": zh.format_map(values), "en": en.format_map(values)})
    return Invalid(
        en="; ".join(one["en"] for one in told) + ".",
        zh="；".join(one["zh"] for one in told) + "。",
        remedy_en="Correct these and send again; /docs lists every field.",
        remedy_zh="请更正后重新提交；各字段说明见 /docs。",
        faults=told,
    )


class _Blank(dict[str, Any]):
    """Leaves an unknown placeholder empty instead of failing while telling a failure."""

    def __missing__(self, key: str) -> str:
        return ""


def _of_framework(error: HTTPException) -> CityGridError:
    """What the framework refused by itself: an unknown address, a wrong method, a body it cannot read."""
    if error.status_code == 404:
        return NotFound(
            en="There is nothing at this address.",
            zh="该地址下没有内容。",
            remedy_en="See /docs for the addresses there are.",
            remedy_zh="可用地址见 /docs。",
        )
    return Invalid(
        en=f"This request cannot be answered: {error.detail}.",
        zh=f"无法处理该请求：{error.detail}。",
        remedy_en="See /docs for what this address takes.",
        remedy_zh="该地址接受的内容见 /docs。",
    )


def _unstorable() -> Invalid:
    return Invalid(
        en="A value cannot be stored: it holds a NUL character or is out of range.",
        zh="有的值无法存储：含空字符或超出范围。",
        remedy_en="Take it out and send again.",
        remedy_zh="请去掉后重新提交。",
    )


def _database_down() -> Unavailable:
    return Unavailable(
        # Not "nothing was written": a line lost at the COMMIT leaves that open, and the key settles it.
        en="The database cannot be reached just now.",
        zh="数据库暂时无法连接。",
        remedy_en="Try again in a few seconds; a report with the same report_key is written once.",
        remedy_zh="请稍后重试；同一 report_key 的上报只会写入一次。",
    )


DATABASE_FAILURES = (DataError, OperationalError)
"""What the database may raise without a fault of ours: a value it cannot hold; it cannot be reached."""


def of_database(error: Exception, path: str) -> CityGridError:
    """One of `DATABASE_FAILURES` in words, for whoever asked for `path`."""
    if isinstance(error, OperationalError):
        _log.error("database unavailable", path=path, error=str(error.orig))
        return _database_down()
    return _unstorable()


def cut_short() -> CutShort:
    return CutShort(
        en="The request did not arrive whole; nothing was written.",
        zh="请求未完整到达，未写入任何内容。",
        remedy_en="Send it again; a report with the same report_key is written once.",
        remedy_zh="请重新提交；同一 report_key 的上报只会写入一次。",
    )


def _our_fault(reference: str) -> Unavailable:
    return Unavailable(
        en=f"The server made a mistake ({reference}); nothing was written.",
        zh=f"服务器出错（{reference}），未写入任何内容。",
        remedy_en="Try again; if it stays, tell the operator this reference.",
        remedy_zh="请重试；若仍出错，请把该编号告诉运维人员。",
        reference=reference,
    )


def add_handlers(app: FastAPI) -> None:
    """Translate every failure of the application in this one place."""

    @app.exception_handler(CityGridError)
    async def told(request: Request, error: CityGridError) -> JSONResponse:
        return problem(error, request.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return problem(invalid_request(error.errors()), request.headers)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        return problem(_of_framework(error), request.headers, error.status_code)

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> JSONResponse:
        return problem(cut_short(), request.headers)  # a lost line is the street's affair: no line in the log

    @app.exception_handler(DataError)
    @app.exception_handler(OperationalError)
    async def database_failed(request: Request, error: Exception) -> JSONResponse:
        return problem(of_database(error, request.url.path), request.headers)

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> JSONResponse:
        reference = uuid.uuid4().hex[:8]
        _log.error("fault", reference=reference, path=request.url.path, exc_info=error)
        return problem(_our_fault(reference), request.headers, 500)
