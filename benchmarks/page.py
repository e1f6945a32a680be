"""The desk's first page on a warm server: how long until it can be used, and what travels for it.

The synthetic city (subdistrict size) lies in a private cluster of its own; the server is the real one, the
browser headless Chromium drawing without a graphics card, each time with an empty cache. *Interactive* means
that the map stands still with everything drawn and that the counters and the queue are filled, counted from
the start of the navigation. One page is opened before, so that the server has read what it keeps; each
window stands a moment before it is navigated, or the browser still loads its own toolbar beside the page.

Last line: {"interactive_s_median": median of the runs, "transferred_mb": bytes on the wire of one page}.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import sync_playwright

from api.demo_accounts import PASSWORD
from gis.cluster import PrivateCluster
from tests.browser.conftest import CHROMIUM, FLAGS

WINDOW_SETTLES_MS = 1500

PROJECT = Path(__file__).resolve().parent.parent
VIEWPORT = {"width": 1440, "height": 900}
ACCOUNT = "subdistrict"

WATCH = """
window.seen = {};
new MutationObserver(() => {
    const now = performance.now();
    const there = (selector) => document.querySelector(selector) !== null;
    if (!window.seen.panels && there('#head .counter') && there('#queue .tab')) window.seen.panels = now;
    if (!window.seen.map && there(".map-canvas[data-ready='1']")) window.seen.map = now;
}).observe(document, { childList: true, subtree: true, attributes: true });
"""


@dataclass(frozen=True)
class Opening:
    """One first page: seconds to its panels and to its map, bytes and requests on the wire."""

    panels_s: float
    map_s: float
    bytes: int
    requests: int

    @property
    def interactive_s(self) -> float:
        return max(self.panels_s, self.map_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two pages instead of five")
    parser.add_argument("--url", help="a server with a demo city that already runs")
    arguments = parser.parse_args()
    runs = 2 if arguments.quick else 5
    server = demo_server() if arguments.url is None else nullcontext(arguments.url)
    with server as url, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        first_page(browser, url)
        openings = [first_page(browser, url) for _ in range(runs)]
        browser.close()
    report(openings)


@contextmanager
def demo_server() -> Iterator[str]:
    """The address of a server over a fresh demo city; everything is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="citygrid-page-") as folder:
        os.chmod(folder, 0o755)
        cluster = PrivateCluster(Path(folder) / "cluster")
        cluster.ensure()
        cluster.ensure_database()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = {"CITYGRID_DATABASE_URL": cluster.url(), "CITYGRID_HOME": folder}
        citygrid = [str(Path(sys.executable).parent / "citygrid")]
        options: dict[str, Any] = {"env": {**os.environ, **settings}, "cwd": PROJECT}
        try:
            for command in (["db", "upgrade"], ["demo", "load"]):
                subprocess.run([*citygrid, *command], check=True, stdout=subprocess.DEVNULL, **options)
            server = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "dash_app.app:create", "--factory", f"--port={port}"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                **options,
            )
            try:
                url = f"http://127.0.0.1:{port}"
                _wait(url)
                yield url
            finally:
                server.terminate()
                server.wait()
        finally:
            cluster.stop()


def _wait(url: str) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(url + "/readyz").close()
            return
        except urllib.error.URLError:
            time.sleep(0.25)
    raise SystemExit("the server did not become ready")


def first_page(browser: Any, url: str) -> Opening:
    """Open the desk in a session of its own, with nothing in the cache."""
    context = browser.new_context(viewport=VIEWPORT, locale="zh-CN")
    context.set_default_timeout(120_000)
    context.request.post(f"{url}/api/v1/session", data={"username": ACCOUNT, "password": PASSWORD})
    page = context.new_page()
    finished: list[Any] = []
    page.on("requestfinished", lambda request: finished.append(request))
    page.add_init_script(WATCH)
    page.wait_for_timeout(WINDOW_SETTLES_MS)
    page.goto(url + "/", wait_until="commit")
    page.wait_for_function("() => window.seen.panels && window.seen.map")
    seen = page.evaluate("window.seen")
    sizes = [request.sizes() for request in finished]
    wire = sum(size["responseHeadersSize"] + size["responseBodySize"] for size in sizes)
    opening = Opening(seen["panels"] / 1000, seen["map"] / 1000, wire, len(sizes))
    context.close()
    return opening


def report(openings: list[Opening]) -> None:
    print(f"{'page':>4} {'panels s':>9} {'map idle s':>11} {'interactive s':>14} {'MB':>6} {'requests':>9}")
    for n, one in enumerate(openings, 1):
        print(
            f"{n:>4} {one.panels_s:>9.2f} {one.map_s:>11.2f} {one.interactive_s:>14.2f}"
            f" {one.bytes / 1e6:>6.2f} {one.requests:>9}"
        )
    figures = {
        "interactive_s_median": round(statistics.median(one.interactive_s for one in openings), 2),
        "transferred_mb": round(max(one.bytes for one in openings) / 1e6, 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
