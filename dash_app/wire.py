"""What every answer goes through on its way out: compression, and headers that keep the page to itself."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections import OrderedDict
from collections.abc import Collection, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SMALL = 1024
"""Bytes below which compressing costs more than it saves."""
KEPT = 128
"""Compressed files remembered: the scripts and styles of a release are fewer."""

_PACKED_TYPES = ("text/", "application/json", "application/geo+json", "text/javascript", "image/svg+xml")
_STREAMED = "text/event-stream"


class Compressed:
    """Packs texts with gzip. What anybody may keep (`public`) is packed once and remembered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._packed: OrderedDict[tuple[bytes, ...], bytes] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
            return await self.app(scope, receive, send)
        await self.app(scope, receive, _Packer(self, scope, send))

    def pack(self, key: tuple[bytes, ...] | None, body: bytes) -> bytes:
        """The body packed; `key` names a file that may be remembered."""
        if key is not None and key in self._packed:
            self._packed.move_to_end(key)
            return self._packed[key]
        packer = zlib.compressobj(9 if key else 5, wbits=31)
        packed = packer.compress(body) + packer.flush()
        if key is not None:
            self._packed[key] = packed
            while len(self._packed) > KEPT:
                self._packed.popitem(last=False)
        return packed


class _Packer:
    """Passes one answer on: packed whole where its length is known, packed piece by piece where it grows."""

    def __init__(self, memory: Compressed, scope: Scope, send: Send) -> None:
        self.memory, self.scope, self.send = memory, scope, send
        self.start: Message | None = None
        self.body: list[bytes] = []
        self.growing: zlib._Compress | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            return await self._begin(message)
        more = message.get("more_body", False)
        if self.growing is not None:
            piece = self.growing.compress(message.get("body", b"")) + (b"" if more else self.growing.flush())
            return await self.send({**message, "body": piece})
        if self.start is None:
            return await self.send(message)
        self.body.append(message.get("body", b""))
        if not more:
            await self._finish(self.start, b"".join(self.body))

    async def _begin(self, message: Message) -> None:
        headers = MutableHeaders(raw=list(message["headers"]))
        kind = headers.get("content-type", "")
        if (
            message["status"] != 200
            or self.scope["method"] == "HEAD"
            or not kind.startswith(_PACKED_TYPES)
            or kind.startswith(_STREAMED)
            or "content-encoding" in headers
        ):
            return await self.send(message)
        headers.add_vary_header("Accept-Encoding")
        message = {**message, "headers": headers.raw}
        if "content-length" in headers:
            self.start = message
            return
        headers["Content-Encoding"] = "gzip"
        self.growing = zlib.compressobj(5, wbits=31)
        await self.send(message)

    async def _finish(self, start: Message, body: bytes) -> None:
        headers = MutableHeaders(raw=start["headers"])
        if len(body) >= SMALL:
            body = self.memory.pack(self._key(headers), body)
            headers["Content-Encoding"] = "gzip"
            headers["Content-Length"] = str(len(body))
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body})

    def _key(self, headers: MutableHeaders) -> tuple[bytes, ...] | None:
        """What names a public file and its state: its address with the query, its mark or its length."""
        if not headers.get("cache-control", "").startswith("public"):
            return None
        state = headers.get("etag") or headers["content-length"]
        return self.scope["path"].encode(), self.scope.get("query_string", b""), state.encode()


class Guarded:
    """Adds the headers that forbid the browser to fetch, frame or send anything elsewhere, or to keep a page
    or an answer that does not say otherwise: the next person at this desk would find it under "back".

    No script runs that is not ours by address or by hash, and no style sheet stands in a page but those named
    by their hashes. Only on the desk itself (`loose_pages`) style sheets may be made at run time, because the
    table's library makes its own. Single elements may carry a style anywhere: figures are placed by it, and a
    style on an element selects nothing and so tells nothing.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        scripts: Sequence[str],
        styles: Sequence[str],
        loose_pages: Collection[str],
        only_tls: bool,
    ) -> None:
        self.app = app
        self.loose_pages = frozenset(loose_pages)
        self.headers = {
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "geolocation=(self), camera=(self), microphone=(), payment=(), usb=()",
        }
        if only_tls:  # said only where the city has a name of its own: it binds every port of the host
            self.headers["Strict-Transport-Security"] = "max-age=31536000"
        self.strict = _policy(scripts, f"style-src-elem {_sources(styles)}; style-src-attr 'unsafe-inline'")
        self.loose = _policy(scripts, "style-src-elem 'self' 'unsafe-inline'; style-src-attr 'unsafe-inline'")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path = scope["path"]

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                loose = path in self.loose_pages
                headers.setdefault("Content-Security-Policy", self.loose if loose else self.strict)
                if path.startswith("/api/") or headers.get("content-type", "").startswith("text/html"):
                    headers.setdefault("Cache-Control", "no-store")
                message = {**message, "headers": headers.raw}
            await send(message)

        await self.app(scope, receive, guarded)


def style_hash(style: str) -> str:
    """How a policy names a style sheet that stands in a page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


def _sources(hashes: Sequence[str]) -> str:
    return " ".join(["'self'", *hashes])


def _policy(scripts: Sequence[str], styles: str) -> str:
    return (
        f"default-src 'self'; script-src {_sources(scripts)}; style-src 'self'; {styles};"
        " img-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'none';"
        " form-action 'self'; frame-ancestors 'none'"
    )
