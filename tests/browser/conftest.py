"""Fixtures of the browser tests: a real server process over the toy city at work, and one Chromium for all.

A test gets a `site` and opens pages with `site.open(...)`; whatever it did, its pages must have asked nobody
but our own server, and must have written no error to the console. Opening a page with its map costs seconds
on a machine without a graphics card, so tests that can do so share one.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from gis.cluster import PrivateCluster
from gis.database import Database
from tests import toy_desk
from tests.conftest import clone, drop
from tests.toy_desk import PASSWORD, ToyDesk

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE_MS = 60_000
"""How long a page may take on a machine that does other things as well."""
PROJECT = Path(__file__).parents[2]

MAP_READY = ".map-canvas[data-ready='1']"
QUIET = ("GPU stall", "GL Driver Message")
"""What the software renderer says of itself."""


@dataclass
class Site:
    """A running server and the browser that looks at it. `toy` names what is in its city."""

    url: str
    toy: ToyDesk
    browser: Any
    problems: list[str] = field(default_factory=list)
    _contexts: list[Any] = field(default_factory=list)

    def open(
        self,
        path: str = "/",
        username: str | None = "officer",
        *,
        language: str = "zh",
        wait_for: str | None = MAP_READY,
        **options: Any,
    ) -> Any:
        """A page of its own session, signed in, watched for errors and for requests that leave."""
        context = self.browser.new_context(
            locale="zh-CN" if language == "zh" else "en-GB",
            viewport=options.pop("viewport", {"width": 1280, "height": 800}),
            reduced_motion="reduce",
            accept_downloads=True,
            **options,
        )
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        if username is not None:
            answer = context.request.post(
                self.url + "/api/v1/session", data={"username": username, "password": PASSWORD}
            )
            assert answer.ok, answer.text()
        page = context.new_page()
        page.on("request", self._watch_request)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("console", self._watch_console)
        page.goto(self.url + path, wait_until="domcontentloaded")
        if wait_for:
            page.wait_for_selector(wait_for)
        return page

    @contextmanager
    def api(self, username: str) -> Iterator[httpx.Client]:
        """A program signed in beside the browser."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            answer = client.post("/api/v1/session", json={"username": username, "password": PASSWORD})
            token = answer.raise_for_status().json()["token"]
            client.cookies.clear()
            client.headers["Authorization"] = f"Bearer {token}"
            yield client

    def forgive(self, status: int) -> None:
        """A refusal the test provoked is no problem, though the browser writes it to its console."""
        self.problems[:] = [problem for problem in self.problems if str(status) not in problem]

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        self._contexts.clear()

    def _watch_request(self, request: Any) -> None:
        if not request.url.startswith((self.url, "blob:", "data:")):
            self.problems.append(f"asked elsewhere: {request.url}")

    def _watch_console(self, message: Any) -> None:
        if message.type == "error" and not any(quiet in message.text for quiet in QUIET):
            self.problems.append(f"console: {message.text}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt install chromium")
    with playwright.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def server(
    cluster: PrivateCluster, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, ToyDesk]]:
    """(address, what is in the city) of a server process with a database of its own."""
    name = f"browser_{os.getpid()}"
    url = clone(cluster, template, name)
    database = Database(url)
    with database.system_work() as session:
        toy = toy_desk.build(session, datetime.now(UTC))
    database.dispose()
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (home / "server.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "dash_app.app:create", "--factory", f"--port={port}"],
        cwd=PROJECT,
        env={**os.environ, "CITYGRID_DATABASE_URL": url, "CITYGRID_HOME": str(home)},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(address, process, home / "server.log")
        yield address, toy
    finally:
        process.terminate()
        process.wait(20)
        log.close()
        drop(cluster, name)


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        if process.poll() is not None:
            pytest.fail(f"the server ended by itself:\n{log.read_text()}")
        try:
            if httpx.get(address + "/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.25)
    pytest.fail(f"the server did not become ready:\n{log.read_text()}")


@pytest.fixture(scope="module")
def shared_site(server: tuple[str, ToyDesk], browser: Any) -> Iterator[Site]:
    """For pages that several tests of a module look at, one after the other."""
    site = Site(*server, browser)
    yield site
    site.close()


@pytest.fixture
def site(server: tuple[str, ToyDesk], browser: Any) -> Iterator[Site]:
    """For pages of the test's own."""
    site = Site(*server, browser)
    yield site
    site.close()
    assert site.problems == []
