"""Files the browser asks for by name: the map engine, the icon. All of them come from this machine.

They are the same for everybody and change only with a release, so they need no sign-in and may be kept.
"""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from dash_app.markup import LOGO
from gis.errors import NotFound, Unavailable
from gis.settings import PROJECT

ENGINE_FOLDER = PROJECT / "node_modules" / "maplibre-gl" / "dist"
ENGINE = {"js": "/vendor/maplibre-gl/maplibre-gl.mjs", "css": "/vendor/maplibre-gl/maplibre-gl.css"}
"""Where the pages find MapLibre. The module looks for its worker beside itself."""

_ENGINE_TYPES = {
    "maplibre-gl.mjs": "text/javascript",
    "maplibre-gl-shared.mjs": "text/javascript",
    "maplibre-gl-worker.mjs": "text/javascript",
    "maplibre-gl.css": "text/css",
}
KEPT_A_WEEK = "public, max-age=604800"


async def engine_file(request: Request) -> Response:
    """One file of the map engine. NotFound for any other name, Unavailable where npm has not brought it."""
    name = request.path_params["name"]
    if name not in _ENGINE_TYPES:
        raise NotFound(
            en=f"There is no file {name} here.",
            zh=f"没有文件 {name}。",
            remedy_en="The map engine is " + ENGINE["js"] + ".",
            remedy_zh="地图引擎在 " + ENGINE["js"] + "。",
        )
    path: Path = ENGINE_FOLDER / name
    if not path.is_file():
        raise Unavailable(
            en="The map engine is not installed.",
            zh="地图引擎尚未安装。",
            remedy_en="Run `make setup`, or `npm ci` in the project's folder.",
            remedy_zh="请运行 make setup，或在项目目录运行 npm ci。",
        )
    return FileResponse(path, media_type=_ENGINE_TYPES[name], headers={"Cache-Control": KEPT_A_WEEK})


async def app_icon(request: Request) -> Response:
    """The mark, for the browser's tab."""
    svg = LOGO.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": KEPT_A_WEEK})
