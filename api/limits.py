"""How much of a body the server reads, and how long it waits for more of it: a claim in a header is not
believed."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import TooLarge, problem

TEXT_LIMIT = 1_000_000
"""Bytes of JSON: a report has at most 4000 characters of text, a move 1000."""
UPLOAD_LIMIT = 60_000_000
"""Bytes of a multipart body: some photographs of a phone."""
DRAIN_LIMIT = 100_000_000
"""Bytes read and thrown away after a refusal, so that the sender comes to read the answer. A body said to be
larger than this is no mistake worth reading."""
PATIENCE_S = 30.0
"""How long a sender may pause within a body; a phone that has lost its line begins anew."""

Message = MutableMapping[str, Any]


class BodyLimit:
    """ASGI middleware that answers 413 as soon as a body proves too large, without keeping what arrived.

    The application sees an end of the request; whatever it then answers is replaced. Nothing is written,
    because an endpoint acts only on a body it has read whole. A sender that pauses for longer than
    `patience_s` seconds is taken for gone.
    """

    def __init__(self, app: ASGIApp, patience_s: float = PATIENCE_S) -> None:
        self.app = app
        self.patience_s = patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        upload = headers.get("content-type", "").startswith("multipart/form-data")
        limit = UPLOAD_LIMIT if upload else TEXT_LIMIT
        read, whole, refused = 0, False, False

        async def counted() -> Message:
            nonlocal read, whole, refused
            try:
                # Behind the body comes only word that the caller has left: a stream waits for it all day.
                async with asyncio.timeout(None if whole else self.patience_s):
                    message = await receive()
            except TimeoutError:
                return {"type": "http.disconnect"}
            read += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if read <= limit:
                return message
            if not refused:
                refused = True
                await _drain(receive, message, read)
            raise _too_large(limit)

        async def unless_refused(message: Message) -> None:
            if not refused:
                await send(message)

        claimed = _claimed(headers)
        if claimed > limit:
            # A gigabyte is refused before any of it is read; the connection is closed on what still comes.
            if claimed <= DRAIN_LIMIT:
                await _drain(receive, await receive(), 0)
            refused = True
        else:
            await self.app(scope, counted, unless_refused)
        if refused:
            await problem(_too_large(limit), headers)(scope, receive, send)


def _claimed(headers: Headers) -> int:
    """The length a body is said to have; nonsense is no length."""
    said = headers.get("content-length", "")
    return int(said) if said.isascii() and said.isdigit() else 0


async def _drain(receive: Receive, message: Message, read: int) -> None:
    """Read on from `message` to the end of the body, or until it is more than a mistake."""
    while message.get("more_body") and read <= DRAIN_LIMIT:
        message = await receive()
        read += len(message.get("body", b""))


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        en=f"The body is larger than {limit / 1e6:.0f} MB; nothing was written.",
        zh=f"提交内容超过 {limit / 1e6:.0f} MB，未写入任何内容。",
        remedy_en="Shorten the text (at most 4000 characters); send photographs as multipart.",
        remedy_zh="请精简文字（最多 4000 字）；照片请用 multipart 分几次上传。",
        limit_bytes=limit,
    )
