"""Is the server alive, is it ready, how is it doing: for whoever operates it. Nothing here is personal."""

from __future__ import annotations

import os
import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import migrations
from api.gate import Means, means_of
from gis.errors import NotFound, Unavailable

router = APIRouter(tags=["health"])

_REQUESTS = Counter("citygrid_http_requests", "Requests answered.", ["method", "endpoint", "status"])
_SECONDS = Histogram(
    "citygrid_http_seconds",
    "Time to the first byte of an answer.",
    ["endpoint"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers. Says nothing about the database."""
    return {"status": "ok"}


@router.get("/readyz")
def ready(request: Request, means: Annotated[Means, Depends(means_of)]) -> dict[str, str]:
    """The database answers with the newest schema, and changes are heard. 503 otherwise."""
    current, newest = migrations.revision(means.database.url)
    if current != newest:
        raise Unavailable(
            en=f"The schema is {current}, this program needs {newest}.",
            zh=f"数据库结构为 {current}，程序需要 {newest}。",
            remedy_en="Run: citygrid db upgrade",
            remedy_zh="请运行：citygrid db upgrade",
        )
    if not request.app.state.hub.connected.is_set():
        raise Unavailable(
            en="Changes in the database are not heard yet.",
            zh="尚未接通数据库的变更通知。",
            remedy_en="Wait a few seconds.",
            remedy_zh="请稍候几秒。",
        )
    return {"status": "ok", "schema": str(current)}


@router.get("/ca.crt", response_class=FileResponse)
def authority(means: Annotated[Means, Depends(means_of)]) -> FileResponse:
    """The certificate authority of `citygrid serve --tls`, for phones to trust. 404 where there is none."""
    path = means.settings.home / "tls" / "ca.crt"
    if not path.is_file():
        raise NotFound(
            en="This server has no certificate of its own.",
            zh="本服务器没有自制证书。",
            remedy_en="Start it with: citygrid serve --tls",
            remedy_zh="请这样启动：citygrid serve --tls",
        )
    return FileResponse(path, media_type="application/x-x509-ca-cert", filename="citygrid-ca.crt")


@router.get("/metrics", response_class=Response)
def metrics() -> Response:
    """Counts and times in Prometheus' text format, of all workers together."""
    registry: CollectorRegistry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class Measured:
    """ASGI middleware that counts answers by endpoint (its template, not the address) and status."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = time.perf_counter()

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                endpoint = getattr(scope.get("route"), "path", "none")
                _REQUESTS.labels(scope["method"], endpoint, message["status"]).inc()
                _SECONDS.labels(endpoint).observe(time.perf_counter() - started)
            await send(message)

        await self.app(scope, receive, noted)
