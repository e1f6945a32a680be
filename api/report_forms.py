"""Reading what a report or an upload sends: JSON, or a multipart form with photographs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from api.errors import TooLarge, invalid_request
from api.limits import TEXT_LIMIT
from api.schemas import ReportBody
from gis.errors import Invalid
from incidents.photos import KINDS, MAX_PHOTOS

JSON_PART = "report"
PHOTO_PARTS = ("photos", "photo")


@dataclass(frozen=True, slots=True)
class Upload:
    """Photographs as they came, and what they show: the place before or after the work."""

    files: list[bytes] = field(default_factory=list)
    kind: str = "before"


async def read_report(request: Request) -> tuple[ReportBody, list[bytes]]:
    """The report and its photographs. Raises Invalid listing every fault, TooLarge for an endless text part.

    A multipart form carries the JSON as the part `report` and any number of files named `photos`.
    """
    if not _is_form(request):
        return _parsed(await request.body()), []
    form = await _form(request)
    part = form.get(JSON_PART)
    if part is None:
        raise Invalid(
            en=f"The form has no part named {JSON_PART}.",
            zh=f"表单缺少名为 {JSON_PART} 的部分。",
            remedy_en=f"Send the report as JSON in the part {JSON_PART}, photographs as files named photos.",
            remedy_zh=f"请把上报内容以 JSON 放在 {JSON_PART} 部分，照片以名为 photos 的文件上传。",
        )
    text = await part.read() if isinstance(part, UploadFile) else part
    return _parsed(text), await _files(form)


async def read_upload(request: Request) -> Upload:
    """The photographs of an upload. Raises Invalid when there is none, or its kind is unknown."""
    if not _is_form(request):
        raise _no_photographs()
    form = await _form(request)
    files = await _files(form)
    kind = str(form.get("kind") or "before")
    if not files:
        raise _no_photographs()
    if kind not in KINDS:
        raise Invalid(
            en=f"There is no kind of photograph {kind[:20]!r}.",
            zh=f"没有照片类型“{kind[:20]}”。",
            remedy_en="Send kind as one of: " + ", ".join(KINDS) + ".",
            remedy_zh="kind 请用：" + "、".join(KINDS) + "。",
        )
    return Upload(files, kind)


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("multipart/form-data")


def _parsed(text: bytes | str) -> ReportBody:
    try:
        return ReportBody.model_validate_json(text)
    except ValidationError as error:
        raise invalid_request(error.errors(include_url=False, include_input=False)) from error


async def _form(request: Request) -> FormData:
    try:
        return await request.form(max_files=MAX_PHOTOS, max_fields=10, max_part_size=TEXT_LIMIT)
    except HTTPException as error:
        if "maximum size" in str(error.detail):
            raise TooLarge(
                en="A text part of the form is too large; nothing was written.",
                zh="表单中的文字部分过大，未写入任何内容。",
                remedy_en="Shorten the text (at most 4000 characters).",
                remedy_zh="请精简文字（最多 4000 字）。",
            ) from error
        raise Invalid(
            en=f"The form cannot be read: {error.detail}",
            zh=f"表单无法识别：{error.detail}",
            remedy_en=f"Send multipart/form-data with at most {MAX_PHOTOS} photographs.",
            remedy_zh=f"请以 multipart/form-data 提交，照片不超过 {MAX_PHOTOS} 张。",
        ) from error


async def _files(form: FormData) -> list[bytes]:
    sent: list[Any] = [value for name in PHOTO_PARTS for value in form.getlist(name)]
    return [await file.read() for file in sent if isinstance(file, UploadFile)]


def _no_photographs() -> Invalid:
    return Invalid(
        en="The request carries no photograph.",
        zh="请求中没有照片。",
        remedy_en="Send multipart/form-data with one or more files named photos.",
        remedy_zh="请以 multipart/form-data 上传一个或多个名为 photos 的文件。",
    )
