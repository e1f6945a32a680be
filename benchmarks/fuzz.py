"""Bad input by the thousand: every endpoint of the OpenAPI document, with what it should not be given.

    python benchmarks/fuzz.py [--quick] [--count N] [--seed N]

schemathesis reads the document and makes requests that break it in one place or another (and some that do
not); each is sent over HTTP to a real server of the demo city, signed in as an administrator, an officer, a
grid member or nobody. An answer of 500 or above, a traceback, or a refusal without words is a fault and is
printed with the request that caused it; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import schemathesis
import sqlalchemy as sa
import uvicorn
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisWarning, Unsatisfiable
from schemathesis import GenerationMode

from api.app import create_app
from api.auth import find_account, issue_token
from api.demo_accounts import create_demo_accounts
from api.migrations import upgrade
from etl.demo_city import load_demo
from gis.cluster import PrivateCluster
from gis.database import Database
from gis.settings import Settings
from incidents.calendar import CITY_ZONE

PEOPLE = ("admin", "subdistrict", "member", None)
ENDLESS = ("/api/v1/stream",)
"""Answers without an end."""
MODES = (GenerationMode.NEGATIVE, GenerationMode.NEGATIVE, GenerationMode.NEGATIVE, GenerationMode.POSITIVE)


@dataclass
class Found:
    """What came back: how often each status, and every fault with the request that caused it."""

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def sent(self) -> int:
        return sum(self.statuses.values())


def fault_of(answer: httpx.Response) -> str | None:
    """What is wrong with an answer; None for an answer, or a refusal told in words."""
    if answer.status_code >= 500 and answer.status_code != 503:
        return f"status {answer.status_code}"
    if "Traceback (most recent call last)" in answer.text:
        return "a traceback"
    if answer.status_code < 400 or answer.request.method == "HEAD":
        return None
    if answer.headers.get("content-type") != "application/problem+json":
        return f"a refusal of type {answer.headers.get('content-type')}"
    problem = answer.json()
    missing = [name for name in ("title_zh", "title_en", "remedy_zh", "remedy_en") if not problem.get(name)]
    return f"a refusal without {missing}" if missing else None


def fuzz(
    url: str,
    token_of: Callable[[str], str],
    *,
    per_operation: int,
    start: int = 0,
    people: Any = PEOPLE,
    modes: Sequence[GenerationMode] = MODES,
) -> Found:
    """Send `per_operation` requests to each operation of the server's document, the same ones for a `start`.

    `token_of` gives a fresh token of a person; it is asked again when the one before was ended on the way.
    """
    found, tokens = Found(), {}
    document = httpx.get(f"{url}/openapi.json").raise_for_status().json()
    schema = schemathesis.openapi.from_dict(document)
    with httpx.Client(base_url=url, timeout=60) as client:

        def send(case: schemathesis.Case, person: str | None) -> None:
            headers = {}
            if person is not None:
                if person not in tokens:
                    tokens[person] = token_of(person)
                headers["Authorization"] = f"Bearer {tokens[person]}"
            request = _request(case, url, headers)
            if request is None:
                return
            client.cookies.clear()
            answer = client.send(request)
            found.statuses[answer.status_code] += 1
            if answer.status_code == 401 and person is not None:
                del tokens[person]
            if (fault := fault_of(answer)) is not None:
                body = request.content[:300] if request.content else b""
                found.faults.append(f"{fault}: {request.method} {request.url} {body!r} as {person}")

        for number, operation in enumerate(_operations(schema)):
            for turn, mode in enumerate(modes):
                share = max(per_operation // len(modes), 1)
                _run(operation, mode, send, share, start + number * len(modes) + turn, people)
    return found


def _operations(schema: Any) -> Iterator[Any]:
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path not in ENDLESS:
            yield operation


def _run(
    operation: Any, mode: GenerationMode, send: Callable[..., None], count: int, start: int, people: Any
) -> None:
    """Some cases of one operation in one mode. What has no bad input (no parameter at all) has none."""
    turn = 0

    @seed(start)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: schemathesis.Case) -> None:
        nonlocal turn
        turn += 1
        send(case, people[turn % len(people)])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        try:
            run()
        except Unsatisfiable:
            return


def _request(case: schemathesis.Case, url: str, headers: dict[str, str]) -> httpx.Request | None:
    """The case as a request; None for what no client can send: a line break in a header, a number as file."""
    values = case.as_transport_kwargs(base_url=url, headers=headers)
    allowed = {name: values.get(name) for name in ("params", "json", "data", "files", "headers")}
    content = values.get("data") if isinstance(values.get("data"), (bytes, str)) else None
    try:
        request = httpx.Request(
            values["method"],
            values["url"],
            params=allowed["params"],
            headers={
                k: str(v).encode("utf-8", "surrogatepass") for k, v in dict(allowed["headers"] or {}).items()
            },
            content=content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content,
            data=None if content is not None else allowed["data"],
            files=allowed["files"],
            json=allowed["json"] if content is None and allowed["data"] is None else None,
        )
        request.read()  # a multipart body is made only when it is asked for
        return request
    except (httpx.InvalidURL, UnicodeError, ValueError, TypeError, AttributeError):
        return None


@contextmanager
def demo_server() -> Iterator[tuple[str, Callable[[str], str]]]:
    """(address, giver of tokens) of the API over a small demo city, in this process."""
    with tempfile.TemporaryDirectory(prefix="citygrid-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # started as root, the server's own account must be able to walk in
        cluster = PrivateCluster(Path(folder) / "pg")
        cluster.ensure()
        cluster.ensure_database("fuzz")
        upgrade(cluster.url("fuzz"))
        database = Database(cluster.url("fuzz"))
        now = datetime.now(UTC)
        with database.system_work() as session:
            create_demo_accounts(
                session, load_demo(session, size="subdistrict", as_of=now, zone=CITY_ZONE), now=now
            )

        def token_of(person: str) -> str:
            with database.system_work() as session:
                # Whatever the requests did to the account meanwhile.
                session.execute(
                    sa.text(
                        "UPDATE account SET active = true, second_factor = 'off',"
                        " must_change_password = false WHERE username = :name"
                    ),
                    {"name": person},
                )
                account = find_account(session, person)
                return issue_token(session, account, now=datetime.now(UTC), kind="program").token

        app = create_app(database, Settings(home=Path(folder) / "home"))
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="on"))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", token_of
        finally:
            server.should_exit = True
            thread.join()
            database.dispose()
            cluster.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="1,000 requests")
    parser.add_argument("--count", type=int, default=10_000, help="at least so many requests (10000)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    wanted = 1000 if options.quick else options.count
    found, started, start, each = Found(), time.perf_counter(), options.seed, 40 if wanted > 2000 else 8
    with demo_server() as (url, token_of):
        while found.sent < wanted:
            more = fuzz(url, token_of, per_operation=each, start=start)
            found.statuses += more.statuses
            found.faults += more.faults
            start += 100_000
    seconds = time.perf_counter() - started
    for status, count in sorted(found.statuses.items()):
        print(f"{status}  {count:>7,}")
    for fault in found.faults[:40]:
        print(fault)
    print(f"{found.sent:,} requests in {seconds:.0f} s, {len(found.faults)} faults")
    print(json.dumps({"requests": found.sent, "faults": len(found.faults), "seconds": round(seconds)}))
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
